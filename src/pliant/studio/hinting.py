"""What is known about the points before a run: handles that will probably drift, and better places for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pliant.catalogue import Inputs
from pliant.studio import messages as m
from pliant.studio.desk import Desk
from pliant.studio.runs import sentence

if TYPE_CHECKING:
    from collections.abc import Callable

REST_SECONDS = 0.25
"""How long the points must rest before hints are worked out."""


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
            found = await self._weak_handles()
        except Exception as error:  # noqa: BLE001 - what is wrong with the points is said when they are used
            sentence(error)  # which logs what is none of ours
            found = []
        self._tell(m.Hints(hints=tuple(found)))

    async def _weak_handles(self) -> list[m.PointHint]:
        desk, document, edit, place = self._desk, self._desk.document, self._desk.edit, self._desk.document.at
        node = desk.project.nodes.get(place.node) if place else None
        if "points" not in edit.inputs or place is None or node is None or not document.points:
            return []
        if node.kind != edit.picture:
            return []

        def notes() -> list[Any]:
            settings = edit.make_settings(document.settings.get(edit.name, {}))
            inputs = Inputs(handles=[point.handle for point in document.points])
            return edit.warn(desk.project.picture(place.node, place.step), inputs, settings)

        return [
            m.PointHint(point=note.point, sentence=note.sentence, better=note.better)
            for note in await desk.on_device(notes)
            if note.point is not None and not document.points[note.point].locked
        ]
