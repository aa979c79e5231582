"""How a run comes into its session's project, while it goes on and at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pliant.catalogue import Inputs
from pliant.project import Project
from pliant.steps import Trace
from pliant.studio.disk import SessionFolder
from pliant.studio.messages import Place
from pliant.studio.way import GOES_ON


@dataclass(frozen=True)
class Recording:
    """What is kept of a run besides its steps."""

    project: Project
    folder: SessionFolder
    sizes: dict[str, tuple[int, int]]
    """Of every node's pictures; the run's node is added."""
    place: Place
    """Where the run began."""
    edit: str
    inputs: Inputs
    settings: Mapping[str, Any]
    goes_on: bool
    """With the memory of the run before."""

    def __call__(self, trace: Trace[Any], node: str | None) -> str:
        """Store the steps so far, at a new node the first time; its id. On the device's thread."""
        if node is None:
            node = self._add(trace)
        else:
            self.project.extend_run(node, trace)
        self.folder.write_tree(self.project.tree())
        return node

    def _add(self, trace: Trace[Any]) -> str:
        parent = self.project.nodes[self.place.node]
        given = self.inputs.named(self.sizes[parent.id]) | ({GOES_ON: True} if self.goes_on else {})
        from_step = None if self.place.step == parent.steps - 1 else self.place.step
        made = self.project.add_run(
            trace, self.edit, given, self.settings, parent=parent.id, from_step=from_step
        )
        self.sizes[made.id] = trace[0].picture.size
        return made.id
