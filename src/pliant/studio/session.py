"""One person's work: a project, the document that is being set up with its history, and at most one run.

Everything here happens on the event loop's thread, except what is handed to the device. Messages that change the document are
taken one after the other; those that steer a run act at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from pliant.errors import InputError
from pliant.settings import settings_facts
from pliant.steps import Run, Trace
from pliant.studio import messages as m
from pliant.studio.connection import Connection
from pliant.studio.desk import Desk
from pliant.studio.disk import SessionFolder
from pliant.studio.exports import Exporter
from pliant.studio.frames import Frame
from pliant.studio.hinting import Hinter
from pliant.studio.inputs import edit_inputs
from pliant.studio.recording import Recording
from pliant.studio.runs import Outcome, RunJob, sentence
from pliant.studio.script import script

if TYPE_CHECKING:
    from pliant.studio.studio import Studio


class Session:
    """All of one person's work.

    Args:
        studio: what all sessions share.
        name: its id.
        folder: its files.
    """

    def __init__(self, studio: Studio, name: str, folder: SessionFolder) -> None:
        self.studio, self.id, self.folder = studio, name, folder
        self.desk = Desk(studio, folder)
        self.project = self.desk.project
        self.connection: Connection | None = None
        self.job: RunJob | None = None
        self.last_seen = time.monotonic()
        self.exporter = Exporter(self)
        self.hinter = Hinter(self.desk, self.tell)
        self._ended = asyncio.Event()
        self._memory: tuple[str, Trace[Any]] | None = None
        self._order = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- what is there

    def state(self) -> m.State:
        """All of it, for the page."""
        return m.State(
            document=self.desk.document,
            nodes=self.desk.nodes(),
            undo=self.desk.history.undo_label,
            redo=self.desk.history.redo_label,
            run=self.run_info(),
            labelling=m.Labelling(),
            saved=self.job is None,
        )

    def run_info(self) -> m.RunInfo | None:
        """The run in progress."""
        job = self.job
        if job is None:
            return None
        position = self.studio.device.position(job)
        run = job.run
        return m.RunInfo(
            node=job.node,
            edit=job.edit,
            preview=False,
            state="paused" if job.paused else "waiting" if position else "running",
            position=position,
            step=max(0, job.steps - 1),
            max_steps=run.max_steps if run else None,
            seconds_left=run.eta if run else None,
        )

    @property
    def idle(self) -> bool:
        """Nobody looks, and nothing is under way."""
        return self.connection is None and self.job is None and not self._tasks

    # ---- messages

    def attach(self, connection: Connection) -> None:
        """A page looks at this session now; one that did before is let go."""
        if self.connection is not None:
            gone = "This project was opened in another tab or window."
            self.connection.send(m.Problem(about="connection", sentence=gone))
            self.connection.close()
        self.connection = connection
        self.last_seen = time.monotonic()
        self.tell(self.state())
        self._ask_for_hints()

    def detach(self, connection: Connection) -> None:
        """A page has gone."""
        if self.connection is connection:
            self.connection = None
            self.last_seen = time.monotonic()

    def tell(self, message: m.Message) -> None:
        """Send to the page, if one looks."""
        if self.connection is not None:
            self.connection.send(message)

    def _ask_for_hints(self) -> None:
        if self.connection is not None:
            self.hinter.ask()

    def handle(self, message: m.Message) -> None:
        """Take a message of the page."""
        match message:
            case m.Ack():
                if self.connection is not None:
                    self.connection.acknowledge(message.number)
            case m.Pause() | m.Resume() | m.Stop():
                self._steer(message)
                if self._tasks:  # what was asked for before may begin a run that this is meant for
                    self._spawn(self._in_order(message), "run")
            case m.Export():
                self._spawn(self.exporter.start(message), "export")
            case m.CancelExport():
                self.exporter.cancel()
            case m.AskScript():
                self._spawn(self._script(message.place), "export")
            case _:
                self._spawn(self._in_order(message), _about(message))

    def _spawn(self, work: Coroutine[Any, Any, None], about: Any) -> None:
        async def guarded() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - one sentence, and the session goes on
                self.tell(m.Problem(about=about, sentence=sentence(error)))
                self.tell(self.state())

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _in_order(self, message: m.Message) -> None:
        async with self._order:
            match message:
                case m.Undo():
                    self._undo()
                case m.Start():
                    await self._start(go_on=message.go_on)
                case m.Pause() | m.Resume() | m.Stop():
                    self._steer(message)
                case m.Change() if self.job is not None:
                    await self._change_live(message)
                case _:
                    await self._at_rest(message)
        self.tell(self.state())
        self._ask_for_hints()

    async def _at_rest(self, message: m.Message) -> None:
        """Take a message that changes the document, which nothing may be running on."""
        self._refuse_while_running()
        desk = self.desk
        match message:
            case m.Sample():
                await desk.sample(message)
            case m.UseImage():
                await desk.use_image(message)
            case m.Go():
                desk.go(message)
            case m.Redo():
                desk.history.move(1)
            case m.Change():
                changes = desk.changed_settings(message) | await desk.changed_inputs(message)
                desk.push(message.label, **changes)
            case _:
                raise InputError("This message makes no sense here.")

    def _undo(self) -> None:
        """One change back; while something runs, the run ends instead."""
        if self.job is not None:
            self.stop()
        else:
            self.desk.history.move(-1)

    def _refuse_while_running(self) -> None:
        if self.job is not None:
            raise InputError("Stop the run first.")

    async def _change_live(self, message: m.Change) -> None:
        """Settings changed while the edit runs: it goes on with the new ones from where it is, as a run of its own."""
        changes = self.desk.changed_settings(message)
        self.desk.check_live(message)
        paused = self.job is not None and self.job.paused
        self.stop()
        await self._ended.wait()
        self.desk.push(message.label, **changes)
        await self._start(go_on=True)
        self._hold(paused=paused)

    # ---- the run

    async def _start(self, *, go_on: bool) -> None:
        self._refuse_while_running()
        desk, document, edit = self.desk, self.desk.document, self.desk.edit
        place = document.at
        if place is None:
            raise InputError("Choose a picture first.")
        if self.studio.running() >= self.studio.limits.runs:
            raise InputError("Too many runs are waiting already; try again when one has ended.")
        desk.node(place)
        settings = desk.settings(edit.name, document.settings.get(edit.name, {}))
        inputs = await asyncio.to_thread(edit_inputs, document, self.folder)
        after = self._remembered(place) if go_on else None

        def begin() -> Run[Any]:
            picture = self.project.picture(place.node, place.step)
            return edit.run(picture, inputs, settings, after=after)

        record = Recording(
            self.project,
            self.folder,
            desk.sizes,
            place,
            edit.name,
            inputs,
            settings_facts(settings),
            goes_on=after is not None,
        )
        self._ended = asyncio.Event()
        self.job = RunJob(edit.name, begin, record, _Watcher(self, asyncio.get_running_loop()))
        self.studio.device.start(self.job)

    def _remembered(self, place: m.Place) -> Any:
        """The step at a frame with all it remembers, if its run was the last one here."""
        if self._memory is None or self._memory[0] != place.node:
            return None
        trace = self._memory[1]
        return trace[place.step] if place.step < len(trace) else None

    def _steer(self, message: m.Message) -> None:
        if isinstance(message, m.Stop):
            self.stop()
        else:
            self._hold(paused=isinstance(message, m.Pause))

    def _hold(self, *, paused: bool) -> None:
        if self.job is not None:
            self.job.paused = paused
            self.studio.device.wake()
            self.tell(self.state())

    def stop(self) -> None:
        """End the run after the step in progress; what it has is kept."""
        if self.job is not None:
            self.studio.device.do(self.job.stop)
            self.studio.device.wake()

    def run_ended(self, outcome: Outcome) -> None:
        """A run is over: where it led becomes the present frame."""
        self.job = None
        problem = outcome.problem
        try:
            self._arrive(outcome)
        except Exception as error:  # noqa: BLE001 - such as a full disk: the page must know that the run is over
            problem = problem or sentence(error)
        self._ended.set()
        ended = m.Ended(
            node=outcome.node, reason=outcome.reason, steps=outcome.steps, seconds=outcome.seconds
        )
        self.tell(ended)
        if problem:
            self.tell(m.Problem(about="run", sentence=problem))
        self.tell(self.state())
        self._ask_for_hints()
        self.studio.positions_changed()

    def _arrive(self, outcome: Outcome) -> None:
        """Go to the last step of a run, if it has one."""
        if outcome.node is not None and outcome.steps:
            self._memory = (outcome.node, outcome.trace)
            self.desk.arrive(outcome.node, outcome.steps)

    # ---- scripts

    async def _script(self, place: m.Place) -> None:
        self.desk.node(place)
        python, command = await asyncio.to_thread(script, self.project, place.node, place.step)
        self.tell(m.Script(python=python, command=command))


class _Watcher:
    """Carries what happens to a run from the device's thread to the event loop."""

    def __init__(self, session: Session, loop: asyncio.AbstractEventLoop) -> None:
        self._session, self._loop = session, loop

    def wants_frame(self) -> bool:
        connection = self._session.connection
        return connection is not None and not connection.closed and connection.window.wants()

    def frame(self, frame: Frame) -> None:
        self._loop.call_soon_threadsafe(self._show, frame)

    def _show(self, frame: Frame) -> None:
        if self._session.connection is not None:
            self._session.connection.send_frame(frame)

    def progress(self) -> None:
        self._loop.call_soon_threadsafe(self._progress)

    def _progress(self) -> None:
        run = self._session.run_info()
        if run is not None:
            self._session.tell(m.RunProgress(run=run))

    def saved(self) -> None:
        self._loop.call_soon_threadsafe(lambda: self._session.tell(self._session.state()))

    def ended(self, outcome: Outcome) -> None:
        self._loop.call_soon_threadsafe(self._session.run_ended, outcome)


def _about(message: m.Message) -> str:
    """Beside what a problem with a message is shown."""
    if isinstance(message, m.Change):
        if message.settings is not None:
            return "settings"
        return "points" if message.points is not None else "mask"
    return "picture" if isinstance(message, m.Sample | m.UseImage | m.Go) else "run"
