"""One person's work: a project, the document that is being set up with its history, and at most one run.

Everything here happens on the event loop's thread, except what is handed to the device. Messages that change the document are
taken one after the other; those that steer a run act at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from pliant.catalogue import Edit, Inputs
from pliant.errors import InputError
from pliant.picture import Picture, PixelPicture
from pliant.project import Project
from pliant.project_file import Node
from pliant.settings import settings_facts
from pliant.steps import Run, Trace
from pliant.studio import messages as m
from pliant.studio.connection import Connection
from pliant.studio.describe import node_info
from pliant.studio.disk import SessionFolder
from pliant.studio.exports import Exporter
from pliant.studio.frames import Frame
from pliant.studio.history import History
from pliant.studio.inputs import check_points, edit_inputs, followed, keep_mask, taken_up
from pliant.studio.recording import Recording
from pliant.studio.runs import Outcome, RunJob, sentence
from pliant.studio.script import script

if TYPE_CHECKING:
    from pliant.studio.studio import Studio

T = TypeVar("T")
HINT_SECONDS = 0.25
"""How long the points must rest before hints are worked out."""


class Session:
    """All of one person's work.

    Args:
        studio: what all sessions share.
        name: its id.
        folder: its files.
    """

    def __init__(self, studio: Studio, name: str, folder: SessionFolder) -> None:
        self.studio, self.id, self.folder = studio, name, folder
        self.project = Project.of(folder.read_tree(), folder.states, studio.restore)
        self.history = History(folder, m.Document(edit=studio.edits[0].name))
        self.connection: Connection | None = None
        self.job: RunJob | None = None
        self.last_seen = time.monotonic()
        self.exporter = Exporter(self)
        self._ended = asyncio.Event()
        self._memory: tuple[str, Trace[Any]] | None = None
        self._sizes: dict[str, tuple[int, int]] = {}
        self._order = asyncio.Lock()
        self._hints: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Learn the size of every picture of a project that was stored; an edit never changes it."""

        def sizes() -> dict[str, tuple[int, int]]:
            found: dict[str, tuple[int, int]] = {}
            for node in self.project.tree().nodes:
                known = found.get(node.parent or "")
                found[node.id] = known or self.project.picture(node.id, 0).size
            return found

        self._sizes |= await self.on_device(sizes)
        if not self.history.changes and self.project.current:
            node = self.project.nodes[self.project.current]
            place = m.Place(node=node.id, step=node.steps - 1)
            update: dict[str, Any] = {"at": place, "edit": self._mode_for(node.kind)}
            if node.edit is not None and node.edit == update["edit"]:
                with suppress(Exception):  # foreign points and settings are a kindness, not a promise
                    update |= taken_up(self.project, node, self.studio.edit(node.edit), self.folder)
            document = self.document.model_copy(update=update)
            self.history.push("Open project", document)

    # ---- what is there

    @property
    def document(self) -> m.Document:
        """What the person has set up now."""
        return self.history.document

    @property
    def edit(self) -> Edit:
        """The edit of the mode."""
        return self.studio.edit(self.document.edit)

    def state(self) -> m.State:
        """All of it, for the page."""
        nodes = [node for node in self.project.tree().nodes if node.id in self._sizes]
        return m.State(
            document=self.document,
            nodes=tuple(node_info(node, self._sizes[node.id]) for node in nodes),
            undo=self.history.undo_label,
            redo=self.history.redo_label,
            run=self.run_info(),
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
                case m.Sample():
                    await self._sample(message)
                case m.UseImage():
                    await self._use_image(message)
                case m.Change():
                    await self._change(message)
                case m.Go():
                    self._go(message)
                case m.Undo():
                    self._move(-1)
                case m.Redo():
                    self._move(1)
                case m.Start():
                    await self._start(go_on=message.go_on)
                case m.Pause() | m.Resume() | m.Stop():
                    self._steer(message)
                case _:
                    raise InputError("This message makes no sense here.")
        self.tell(self.state())

    async def on_device(self, task: Callable[[], T]) -> T:
        """Compute something small."""
        return await asyncio.wrap_future(self.studio.device.do(task))

    # ---- the document

    def push(self, label: str, **changes: Any) -> None:
        """Change the document: one step of undo."""
        self.history.push(label, self.document.model_copy(update=changes))
        self._ask_for_hints()

    def _move(self, by: int) -> None:
        """Undo or redo; while something runs, either ends that instead."""
        if self.job is not None:
            self.stop()
            return
        self.history.move(by)
        self._ask_for_hints()

    async def _sample(self, message: m.Sample) -> None:
        self._refuse_while_running()

        def make() -> Picture:
            from pliant.gan.latent import sample

            return sample(self.studio.models.get(message.model), message.seed, message.psi)

        await self._open(await self.on_device(make), f"Seed {message.seed}")

    async def _use_image(self, message: m.UseImage) -> None:
        self._refuse_while_running()
        image = self.studio.uploads.get(message.image)
        if image is None:
            raise InputError("The image is not here any more; drop it once more.")
        await self._open(PixelPicture.of(image), "Open image")

    async def _open(self, picture: Picture, label: str) -> None:
        """Put a picture at a new root and go there, in a mode that can edit it if there is one."""

        def add() -> Node:
            node = self.project.add(picture)
            self.folder.write_tree(self.project.tree())
            return node

        node = await self.on_device(add)
        self._sizes[node.id] = picture.size
        place = m.Place(node=node.id, step=0)
        self.push(label, edit=self._mode_for(picture.kind), at=place, points=(), mask=None)

    def _mode_for(self, kind: str) -> str:
        """The present mode if it edits this kind of picture, else the first that does, else the present one."""
        fitting = [edit.name for edit in self.studio.edits if edit.picture == kind]
        return self.document.edit if self.document.edit in fitting or not fitting else fitting[0]

    async def _change(self, message: m.Change) -> None:
        document = self.document
        mode = document.edit if message.edit is None else self.studio.edit(message.edit).name
        update: dict[str, Any] = {"edit": mode}
        if message.settings is not None:
            self._settings(mode, message.settings)
            update["settings"] = {**document.settings, mode: message.settings}
        if self.job is not None:
            await self._change_live(message, update)
            return
        size = self._sizes.get(document.at.node) if document.at else None
        if size is None and (message.points or message.mask):
            raise InputError("Choose a picture first.")
        if message.points is not None:
            check_points(message.points, size or (1, 1))
            update["points"] = message.points
        if message.clear_mask:
            update["mask"] = None
        elif isinstance(message.mask, m.Mask):
            self.folder.mask(message.mask.image)
            update["mask"] = message.mask
        elif message.mask is not None and size is not None:
            feather = message.feather or 0.0
            update["mask"] = await asyncio.to_thread(keep_mask, message.mask, feather, size, self.folder)
        self.push(message.label, **update)

    async def _change_live(self, message: m.Change, update: Mapping[str, Any]) -> None:
        """Settings changed while the edit runs: it goes on with the new ones from where it is, as a run of its own."""
        others = (message.edit, message.points, message.mask, message.feather)
        if message.settings is None or any(each is not None for each in others) or message.clear_mask:
            raise InputError("Stop the run first; only its settings can be changed while it goes on.")
        edit, before = self.edit, self.document.settings.get(self.document.edit, {})
        names = {n for n in {*before, *message.settings} if before.get(n) != message.settings.get(n)}
        if fixed := sorted(names - set(edit.live_settings)):
            raise InputError(f"Stop the run before changing {', '.join(fixed)}.")
        paused = self.job is not None and self.job.paused
        self.stop()
        await self._ended.wait()
        self.push(message.label, **update)
        await self._start(go_on=True)
        self._hold(paused=paused)

    def _settings(self, mode: str, values: Mapping[str, Any]) -> Any:
        """The settings of a mode, within the studio's limits."""
        made = self.studio.edit(mode).make_settings(values)
        if getattr(made, "max_steps", 0) > self.studio.limits.steps:
            raise InputError(f"A run here may take at most {self.studio.limits.steps} steps (max_steps).")
        return made

    def _go(self, message: m.Go) -> None:
        self._refuse_while_running()
        node = self._node(message.place)
        old, points, mask = self.document.at, self.document.points, self.document.mask
        if message.points == "clear":
            points = ()
        elif message.points == "follow":
            points = followed(points, self._handles(message.place))
        if old is None or self._sizes.get(old.node) != self._sizes[node.id]:
            points, mask = (), None
        self.project.select(node.id)
        self.folder.write_tree(self.project.tree())
        label = "Branch" if message.points == "clear" else "Start here"
        self.push(label, at=message.place, points=points, mask=mask, edit=self._mode_for(node.kind))

    def _handles(self, place: m.Place) -> list[tuple[float, float]]:
        """Where the handles of a run were on one of its frames; none for a picture that no run made."""
        handles = self.project.numbers(place.node).get("handles")
        if handles is None or len(handles) <= place.step:
            return []
        return [(float(x), float(y)) for x, y in handles[place.step].tolist()]

    def _node(self, place: m.Place) -> Node:
        node = self.project.nodes.get(place.node)
        if node is None or place.step >= node.steps or node.id not in self._sizes:
            raise InputError("There is no such frame in the project.")
        return node

    def _refuse_while_running(self) -> None:
        if self.job is not None:
            raise InputError("Stop the run first.")

    # ---- the run

    async def _start(self, *, go_on: bool) -> None:
        self._refuse_while_running()
        document, edit, place = self.document, self.edit, self.document.at
        if place is None:
            raise InputError("Choose a picture first.")
        if self.studio.running() >= self.studio.limits.runs:
            raise InputError("Too many runs are waiting already; try again when one has ended.")
        self._node(place)
        settings = self._settings(edit.name, document.settings.get(edit.name, {}))
        inputs = await asyncio.to_thread(edit_inputs, document, self.folder)
        after = self._remembered(place) if go_on else None

        def begin() -> Run[Any]:
            picture = self.project.picture(place.node, place.step)
            return edit.run(picture, inputs, settings, after=after)

        record = Recording(
            self.project,
            self.folder,
            self._sizes,
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
        self.studio.positions_changed()

    def _arrive(self, outcome: Outcome) -> None:
        """Go to the last step of a run, if it has one."""
        if outcome.node is not None and outcome.steps:
            self._memory = (outcome.node, outcome.trace)
            place = m.Place(node=outcome.node, step=outcome.steps - 1)
            self.push(self.edit.title, at=place, points=followed(self.document.points, self._handles(place)))

    # ---- hints and scripts

    def _ask_for_hints(self) -> None:
        """Work hints out once the points rest."""
        if self._hints is not None:
            self._hints.cancel()
        if self.connection is not None:
            self._hints = asyncio.get_running_loop().create_task(self._hint())

    async def _hint(self) -> None:
        await asyncio.sleep(HINT_SECONDS)
        try:
            found = await self._weak_handles()
        except Exception as error:  # noqa: BLE001 - what is wrong with the points is said when they are used
            sentence(error)  # which logs what is none of ours
            found = []
        self.tell(m.Hints(hints=tuple(found)))

    async def _weak_handles(self) -> list[m.PointHint]:
        document, edit, place = self.document, self.edit, self.document.at
        node = self.project.nodes.get(place.node) if place else None
        if place is None or node is None or not document.points or node.kind != edit.picture:
            return []

        def notes() -> list[Any]:
            settings = edit.make_settings(document.settings.get(edit.name, {}))
            inputs = Inputs(handles=[point.handle for point in document.points])
            return edit.warn(self.project.picture(place.node, place.step), inputs, settings)

        return [
            m.PointHint(point=note.point, sentence=note.sentence, better=note.better)
            for note in await self.on_device(notes)
            if note.point is not None and not document.points[note.point].locked
        ]

    async def _script(self, place: m.Place) -> None:
        self._node(place)
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
