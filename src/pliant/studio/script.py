"""A frame of a project as a Python program, and as commands, that make it again exactly.

Both begin at the seed, if the picture came from one, else at the project file. Every run on the way becomes one call, cut off
at the step that the next one began from; masks and painted parts are written into the program as PNGs.
"""

from __future__ import annotations

from pliant.project import Project
from pliant.studio.script_commands import commands
from pliant.studio.script_python import python
from pliant.studio.way import way_to

__all__ = ["script"]


def script(project: Project, node: str, step: int) -> tuple[str, str]:
    """The program and the commands.

    Args:
        project: where the frame is.
        node: its node.
        step: its step.
    """
    beginning, legs = way_to(project, node, step)
    return python(beginning, legs), commands(beginning, legs)
