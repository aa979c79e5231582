"""What is known before a run: handles that will probably drift, and words that the model does not know."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pliant.catalogue import Inputs, Note
from pliant.studio import messages as m
from pliant.studio.desk import Desk
from pliant.studio.runs import sentence

if TYPE_CHECKING:
    from collections.abc import Callable

REST_SECONDS = 0.25
"""How long the document must rest before hints are worked out."""


class Hinter:
    """Works hints out once the document rests.

    Args:
        desk: whose document it is.
        tell: where to say them.
    """

    def __init__(self, desk: Desk, tell: Callable[[m.Message], None]) -> None:
        self._desk, self._tell = desk, tell
        self._task: asyncio.Task[None] | None = None

    def ask(self) -> None:
        """The document has changed; what was being worked out is not needed any more."""
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.get_running_loop().create_task(self._hint())

    async def _hint(self) -> None:
        await asyncio.sleep(REST_SECONDS)
        try:
            notes = await self._notes()
        except Exception as error:  # noqa: BLE001 - what is wrong with the document is said when it is used
            sentence(error)  # which logs what is none of ours
            notes = []
        points = self._desk.document.points
        hints = tuple(
            m.PointHint(point=note.point, sentence=note.sentence, better=note.better)
            for note in notes
            if note.point is not None and note.point < len(points) and not points[note.point].locked
        )
        self._tell(m.Hints(hints=hints, notes=tuple(note.sentence for note in notes if note.point is None)))

    async def _notes(self) -> list[Note]:
        """What the mode's edit says of the document, where that is worth the time: of points, and of words."""
        desk, document, edit, place = self._desk, self._desk.document, self._desk.edit, self._desk.document.at
        node = desk.project.nodes.get(place.node) if place else None
        if place is None or node is None or node.kind not in edit.pictures:
            return []
        written = tuple(each for each in document.prompts if each.text.strip())
        if "points" in edit.inputs and document.points:
            inputs = Inputs(handles=[point.handle for point in document.points])
        elif "prompts" in edit.inputs and written:
            inputs = await desk.inputs(document.model_copy(update={"prompts": written}))
        else:
            return []

        def notes() -> list[Note]:
            settings = edit.make_settings(document.settings.get(edit.name, {}))
            return edit.warn(desk.project.picture(place.node, place.step), inputs, settings)

        return await desk.on_device(notes)
