"""The Segment Anything models that a studio offers to select things with, each loaded once, when it is first needed."""

from __future__ import annotations

from pathlib import Path

from pliant import zoo
from pliant.selecting.sam import SamSelector, is_sam
from pliant.studio.named import Named


class Selectors(Named[SamSelector]):
    """Models by name, all of them the user's own. Without one, things are found by their colours and edges.

    Args:
        device: where they compute.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        found = {entry.name: entry.path for entry in zoo.entries() if is_sam(entry.path)}
        super().__init__(found, "Segment Anything model", "No Segment Anything model is installed.")

    def _load(self, name: str, path: Path) -> SamSelector:  # noqa: ARG002 - of any name
        return SamSelector(path, self.device)
