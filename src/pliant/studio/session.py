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
from pliant.studio import messages as m
from pliant.studio.changes import changed_inputs
from pliant.studio.connection import Connection
from pliant.studio.desk import Desk
from pliant.studio.disk import SessionFolder
from pliant.studio.exports import Exporter
from pliant.studio.hinting import Hinter
from pliant.studio.parts import save_vector
from pliant.studio.running import Runner
from pliant.studio.runs import sentence
from pliant.studio.script import script
from pliant.studio.teaching import Teacher

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
        self.last_seen = time.monotonic()
        self.runner = Runner(self)
        self.teacher = Teacher(self)
        self.exporter = Exporter(self)
        self.hinter = Hinter(self.desk, self.tell)
        self._order = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._newest: m.Message | None = None

    # ---- what is there

    def state(self) -> m.State:
        """All of it, for the page."""
        return m.State(
            document=self.desk.document,
            nodes=self.desk.nodes(),
            undo=self.desk.history.undo_label,
            redo=self.desk.history.redo_label,
            run=self.runner.info(),
            labelling=self.teacher.labelling(),
            saved=self.runner.job is None or self.runner.previewing,
        )

    @property
    def busy(self) -> bool:
        """A run, a preview or a training is under way."""
        return self.runner.job is not None or self.teacher.job is not None

    @property
    def idle(self) -> bool:
        """Nobody looks, and nothing is under way."""
        return self.connection is None and not self.busy and not self._tasks

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
        self.ask_for_hints()

    def detach(self, connection: Connection) -> None:
        """A page has gone."""
        if self.connection is connection:
            self.connection = None
            self.last_seen = time.monotonic()

    def tell(self, message: m.Message) -> None:
        """Send to the page, if one looks."""
        if self.connection is not None:
            self.connection.send(message)

    def ask_for_hints(self) -> None:
        """Have hints on the present document worked out, if someone would see them."""
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
            case m.SaveVector():
                self._spawn(self._save_vector(message), "vectors")
            case _:
                self._newest = message
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
            await self.runner.end_preview()
            match message:
                case m.Undo():
                    self._undo()
                case m.Start():
                    await self.runner.start(go_on=message.go_on, candidates=message.candidates)
                case m.Preview():
                    if message is self._newest:  # else what followed would end it at once
                        await self.runner.preview(message)
                case m.Pause() | m.Resume() | m.Stop():
                    self._steer(message)
                case m.Change() if self.runner.job is not None:
                    await self.runner.change_live(message)
                case m.SetClasses() | m.AddLabel() | m.RemoveLabel() | m.TrainHead():
                    await self._teach(message)
                case _:
                    await self._at_rest(message)
        self.tell(self.state())
        self.ask_for_hints()

    async def _at_rest(self, message: m.Message) -> None:
        """Take a message that changes the document, which nothing may be running on."""
        self._refuse_while_running()
        desk = self.desk
        match message:
            case m.Sample():
                await desk.sample(message)
            case m.UseImage():
                await desk.use_image(message)
            case m.UseDrawing():
                await desk.use_drawing(message)
            case m.NewDrawing():
                await desk.new_drawing(message)
            case m.FromWords():
                await desk.from_words()
            case m.Go():
                desk.go(message)
            case m.Redo():
                desk.history.move(1)
            case m.Change():
                changes = desk.changed_settings(message) | await changed_inputs(desk, message)
                desk.push(message.label, **changes)
            case _:
                raise InputError("This message makes no sense here.")

    async def _teach(self, message: m.Message) -> None:
        match message:
            case m.SetClasses():
                await self.teacher.set_classes(message)
            case m.RemoveLabel():
                self.teacher.remove_label(message)
            case m.TrainHead():
                self.teacher.train()
            case _:
                await self.teacher.add_label()

    def _undo(self) -> None:
        """One change back; while something runs, the run ends instead."""
        if self.runner.job is not None:
            self.runner.stop()
        else:
            self.desk.history.move(-1)

    def _refuse_while_running(self) -> None:
        if self.runner.job is not None:
            raise InputError("Stop the run first.")

    def refuse_while_busy(self) -> None:
        """Refuse to begin something long while something else goes on.

        Raises:
            InputError: a run or a training does.
        """
        self._refuse_while_running()
        if self.teacher.job is not None:
            raise InputError("A part head is being trained; wait for it, or stop it first.")

    def _steer(self, message: m.Message) -> None:
        if isinstance(message, m.Stop) or self.runner.previewing:
            self.stop()
        else:
            self.runner.hold(paused=isinstance(message, m.Pause))

    def stop(self) -> None:
        """End the run after the step in progress, keeping what it has; or give the training up."""
        self.runner.stop()
        self.teacher.stop()

    # ---- files

    async def _save_vector(self, message: m.SaveVector) -> None:
        self.desk.node(message.place)
        await self.desk.on_device(lambda: save_vector(self.project, message))
        self.tell(m.VectorSaved(name=message.name.strip()))

    async def _script(self, place: m.Place) -> None:
        self.desk.node(place)
        python, command = await asyncio.to_thread(script, self.project, place.node, place.step)
        self.tell(m.Script(python=python, command=command))


def _about(message: m.Message) -> str:
    """Beside what a problem with a message is shown."""
    if isinstance(message, m.Change):
        if message.settings is not None:
            return "settings"
        named = ("points", "parts", "vectors", "prompts", "layers", "boxes", "things")
        given = [name for name in named if getattr(message, name) is not None]
        if message.words is not None:
            return "prompts"
        if message.other is not None or message.prompt is not None or message.diffuser is not None:
            return "things"
        photo = message.model is not None or message.crop is not None
        return given[0] if given else "picture" if photo else "mask"
    if isinstance(message, m.SetClasses | m.AddLabel | m.RemoveLabel | m.TrainHead):
        return "parts"
    opens = m.Sample | m.UseImage | m.UseDrawing | m.NewDrawing | m.FromWords | m.Go
    return "picture" if isinstance(message, opens) else "run"
