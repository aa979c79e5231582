"""Paths as people and parsers think of them, one object each, assembled into a scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pliant.vector.scene import Group, Scene

__all__ = ["Colour", "Path", "Subpath", "assemble", "polygon"]

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Subpath:
    """A chain of n cubics, as joint, two handles, joint, two handles and so on."""

    points: NDArray[np.float64]
    """[3n, 2] when closed (the last segment ends in the first point), else [3n + 1, 2]."""
    closed: bool = True


@dataclass(frozen=True)
class Path:
    """Subpaths that are painted together."""

    subpaths: Sequence[Subpath]
    """At least one."""
    fill: Colour | None = None
    """RGB, 0 to 1; None for a path that is only stroked."""
    opacity: float = 1.0
    even_odd: bool = False
    stroke: Colour | None = None
    stroke_width: float = 0.0
    """User units."""
    group: int = -1
    """Number of its group."""
    name: str = ""


def polygon(corners: Sequence[tuple[float, float]] | NDArray[np.float64], *, closed: bool = True) -> Subpath:
    """Straight lines through corners [n, 2], n at least 2, as cubics with handles at the thirds."""
    joints = np.asarray(corners, dtype=np.float64)
    ends = np.roll(joints, -1, axis=0)
    thirds = np.stack([joints, (2 * joints + ends) / 3, (joints + 2 * ends) / 3], axis=1).reshape(-1, 2)
    return Subpath(thirds, closed=True) if closed else Subpath(thirds[:-2], closed=False)


def assemble(
    paths: Sequence[Path],
    size: tuple[float, float],
    *,
    groups: Sequence[Group] = (),
    background: Colour | None = None,
) -> Scene:
    """The scene of paths in painter's order, each with colours of its own; `Scene.with_palette` ties equal ones.

    Args:
        paths: the first is at the bottom.
        size: width and height in user units.
        groups: a group comes after the one that holds it.
        background: RGB, 0 to 1.

    Raises:
        InputError: something in it does not fit together or is not finite.
    """
    subpaths = [subpath for path in paths for subpath in path.subpaths]
    fills = [path.fill for path in paths if path.fill is not None]
    strokes = [path.stroke for path in paths if path.stroke is not None]
    filled = torch.tensor([path.fill is not None for path in paths], dtype=torch.bool)
    stroked = torch.tensor([path.stroke is not None for path in paths], dtype=torch.bool)
    points = np.concatenate([np.zeros((0, 2)), *(subpath.points for subpath in subpaths)])
    none = torch.zeros(len(paths), dtype=torch.bool)
    return Scene(
        size=size,
        points=torch.from_numpy(points).float(),
        lengths=torch.tensor([len(subpath.points) // 3 for subpath in subpaths], dtype=torch.int64),
        closed=torch.tensor([subpath.closed for subpath in subpaths], dtype=torch.bool),
        parts=torch.tensor([len(path.subpaths) for path in paths], dtype=torch.int64),
        even_odd=torch.tensor([path.even_odd for path in paths], dtype=torch.bool),
        colours=torch.tensor([*fills, *strokes], dtype=torch.float32).reshape(-1, 3),
        colour_of=torch.where(filled, filled.cumsum(0) - 1, -1),
        opacity=torch.tensor([path.opacity for path in paths], dtype=torch.float32),
        stroke_of=torch.where(stroked, stroked.cumsum(0) - 1 + len(fills), -1),
        stroke_width=torch.tensor([path.stroke_width for path in paths], dtype=torch.float32),
        group_of=torch.tensor([path.group for path in paths], dtype=torch.int64),
        locked_shape=none,
        locked_colour=none.clone(),
        hidden=none.clone(),
        names=tuple(path.name for path in paths),
        groups=tuple(groups),
        background=background,
    ).check()
