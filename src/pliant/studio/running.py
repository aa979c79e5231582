"""The run of a session, or the preview of one: at most one of them at a time.

A preview is a run of which nothing is kept. Whatever a person does next ends it first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pliant.catalogue import Edit
from pliant.errors import InputError
from pliant.settings import settings_facts
from pliant.steps import Run, Trace
from pliant.studio import messages as m
from pliant.studio.frames import Frame
from pliant.studio.recording import Recording
from pliant.studio.runs import Outcome, RunJob, sentence
from pliant.studio.things import GROUP, after_run

if TYPE_CHECKING:
    from pliant.studio.session import Session


class Runner:
    """Begins, steers and ends the runs of a session.

    Args:
        session: whose document they work on.
    """

    def __init__(self, session: Session) -> None:
        self.session, self.desk, self.studio = session, session.desk, session.studio
        self.job: RunJob | None = None
        self._ended = asyncio.Event()
        self._memory: tuple[str, Trace[Any]] | None = None
        self._waiting: deque[RunJob] = deque()
        """Runs to choose from that come after this one."""
        self._candidates: list[Outcome] = []
        """Those that are over."""
        self._things: tuple[m.Thing, ...] = ()
        """Of the document, as they are after the run."""

    @property
    def paused(self) -> bool:
        """A run is held."""
        return self.job is not None and self.job.paused

    @property
    def previewing(self) -> bool:
        """What runs is a preview."""
        return self.job is not None and self.job.preview

    def info(self) -> m.RunInfo | None:
        """The run in progress."""
        job = self.job
        if job is None:
            return None
        position = self.studio.device.position(job)
        run = job.run
        return m.RunInfo(
            node=job.node,
            edit=job.edit,
            preview=job.preview,
            state="paused" if job.paused else "waiting" if position else "running",
            candidate=len(self._candidates) + 1,
            candidates=len(self._candidates) + 1 + len(self._waiting),
            position=position,
            step=max(0, job.steps - 1),
            max_steps=run.max_steps if run else None,
            seconds_left=run.eta if run else None,
        )

    # ---- beginning

    async def start(self, *, go_on: bool = False, candidates: int = 1) -> None:
        """Run the mode's edit on the document.

        Args:
            go_on: with the memory of the run that ended at the document's frame.
            candidates: runs one after the other, each with the next seed.

        Raises:
            InputError: there is no picture, something runs already, or the settings or inputs cannot be used.
        """
        place = self._place()
        if self.studio.running() >= self.studio.limits.runs:
            raise InputError("Too many runs are waiting already; try again when one has ended.")
        desk, edit = self.desk, self.desk.edit
        settings = desk.settings(edit.name, desk.document.settings.get(edit.name, {}))
        inputs = await desk.inputs(desk.document, settings)
        after = self._remembered(place, edit) if go_on else None
        self._things = await self._things_after(place, edit)

        def job(settings: Any) -> RunJob:
            def begin() -> Run[Any]:
                return edit.run(desk.project.picture(place.node, place.step), inputs, settings, after=after)

            record = Recording(
                desk.project,
                desk.folder,
                desk.sizes,
                place,
                edit.name,
                inputs,
                settings_facts(settings),
                goes_on=after is not None,
            )
            return RunJob(edit.name, begin, record, _Watcher(self))

        self._candidates = []
        self._waiting = deque(job(each) for each in _seeded(settings, candidates))
        self._begin(self._waiting.popleft())

    async def _things_after(self, place: m.Place, edit: Edit) -> tuple[m.Thing, ...]:
        """The document's things, as they will be after a run of an edit; other edits leave none."""
        if edit.group != GROUP:
            return ()
        things, size = self.desk.document.things, self.desk.sizes[place.node]
        return await asyncio.to_thread(after_run, edit, things, size, self.desk.folder)

    async def preview(self, wish: m.Preview) -> None:
        """Show what an edit would make of the document.

        Args:
            wish: which edit, and what of the document is to be another.

        Raises:
            InputError: as for `start`, or an edit that shows nothing before it runs.
        """
        place, desk = self._place(), self.desk
        edit = desk.edit if wish.edit is None else self.studio.edit(wish.edit)
        if edit.preview is None:
            raise InputError(f"'{edit.title}' cannot be shown before it runs.")
        own = desk.document.settings.get(edit.name, {})
        settings = desk.settings(edit.name, {**own, **edit.preview})
        if wish.vectors is not None:
            await desk.check_vectors(wish.vectors)
        given = {"vectors": wish.vectors, "layers": wish.layers, "edit": edit.name}
        update = {name: value for name, value in given.items() if value is not None}
        shown = desk.document.model_copy(update=update)
        inputs = await desk.inputs(shown, settings)

        def begin() -> Run[Any]:
            return edit.run(desk.project.picture(place.node, place.step), inputs, settings)

        self._begin(RunJob(edit.name, begin, None, _Watcher(self)))

    def _place(self) -> m.Place:
        """Where a run would begin now."""
        self.session.refuse_while_busy()
        place = self.desk.document.at
        if place is None:
            raise InputError("Choose a picture first.")
        self.desk.node(place)
        return place

    def _begin(self, job: RunJob) -> None:
        self._ended = asyncio.Event()
        self.job = job
        self.studio.device.start(job)

    def _remembered(self, place: m.Place, edit: Edit) -> Any:
        """The step at a frame with all it remembers, if its run was the last one here and of an edit that can go on."""
        if self._memory is None or self._memory[0] != place.node or not edit.live_settings:
            return None
        trace = self._memory[1]
        same = self.desk.project.nodes[place.node].edit == edit.name
        return trace[place.step] if same and place.step < len(trace) else None

    # ---- steering

    def hold(self, *, paused: bool) -> None:
        """Hold a run after the step in progress, or let it go on."""
        if self.job is not None:
            self.job.paused = paused
            self.studio.device.wake()
            self.session.tell(self.session.state())

    def stop(self) -> None:
        """End the run after the step in progress; what it has is kept, and none comes after it."""
        self._waiting.clear()
        if self.job is not None:
            self.studio.device.do(self.job.stop)
            self.studio.device.wake()

    async def end_preview(self) -> None:
        """End a preview, if one is shown, and wait until it is over; nothing more of it goes to the page."""
        if self.previewing:
            self.stop()
            await self._ended.wait()
        if self.session.connection is not None:
            self.session.connection.window.forget_preview()

    async def change_live(self, message: m.Change) -> None:
        """Settings changed while the edit runs: it goes on with the new ones from where it is, as a run of its own."""
        changes = self.desk.changed_settings(message)
        self.desk.check_live(message)
        paused = self.paused
        self.stop()
        await self._ended.wait()
        self.desk.push(message.label, **changes)
        await self.start(go_on=True)
        self.hold(paused=paused)

    # ---- the end

    def ended(self, outcome: Outcome) -> None:
        """The run is over: where it led becomes the present frame."""
        job, self.job = self.job, None
        if job is None:
            raise AssertionError("a run ends before another begins")
        problem = outcome.problem
        if not job.preview and outcome.steps:
            self._candidates.append(outcome)
        if self._waiting and problem is None:
            self._begin(self._waiting.popleft())
            self.session.tell(self.session.state())
            return
        self._waiting.clear()
        try:
            if not job.preview:
                self._arrive()
        except Exception as error:  # noqa: BLE001 - such as a full disk: the page must know that the run is over
            problem = problem or sentence(error)
        self._ended.set()
        session = self.session
        session.tell(
            m.Ended(node=outcome.node, reason=outcome.reason, steps=outcome.steps, seconds=outcome.seconds)
        )
        if problem:
            session.tell(m.Problem(about=_about(job, self.studio.edit(job.edit)), sentence=problem))
        session.tell(session.state())
        if not job.preview:
            session.ask_for_hints()
        self.studio.positions_changed()

    def _arrive(self) -> None:
        """Go to the last step of the last run that has one."""
        made = [each.node for each in self._candidates if each.node is not None]
        if not made:
            return
        outcome, node = self._candidates[-1], made[-1]
        self._memory = (node, outcome.trace) if self.desk.edit.live_settings else None
        self.desk.arrive(node, outcome.steps, self._things, made if len(made) > 1 else ())


def _about(job: RunJob, edit: Edit) -> Any:
    """Beside what a problem with a run is shown: a preview's is one with what is being painted or chosen."""
    shown = [kind for kind in edit.inputs if kind in {"parts", "vectors", "layers"}]
    shown = ["things"] if edit.group == GROUP else shown
    return shown[0] if job.preview and shown else "run"


def _seeded(settings: Any, count: int) -> list[Any]:
    """Settings with a seed and those after it.

    Raises:
        InputError: several are asked for of an edit without a seed, or whose seed changes nothing.
    """
    if count == 1:
        return [settings]
    if not getattr(settings, "draws", True):
        raise InputError(
            "With these settings no noise is drawn, so all results would be the same; ask for one."
        )
    if not hasattr(settings, "seed"):
        raise InputError("This edit has one answer only; run it once.")
    return [replace(settings, seed=(settings.seed + number) % 2**32) for number in range(count)]


class _Watcher:
    """Carries what happens to a run from the device's thread to the event loop."""

    def __init__(self, runner: Runner) -> None:
        self._runner, self._loop = runner, asyncio.get_running_loop()

    def wants_frame(self) -> bool:
        connection = self._runner.session.connection
        return connection is not None and not connection.closed and connection.window.wants()

    def frame(self, frame: Frame) -> None:
        self._loop.call_soon_threadsafe(self._show, frame)

    def _show(self, frame: Frame) -> None:
        connection = self._runner.session.connection
        if connection is not None:
            connection.send_frame(frame)

    def progress(self) -> None:
        self._loop.call_soon_threadsafe(self._progress)

    def _progress(self) -> None:
        run = self._runner.info()
        if run is not None:
            self._runner.session.tell(m.RunProgress(run=run))

    def saved(self) -> None:
        session = self._runner.session
        self._loop.call_soon_threadsafe(lambda: session.tell(session.state()))

    def ended(self, outcome: Outcome) -> None:
        self._loop.call_soon_threadsafe(self._runner.ended, outcome)
