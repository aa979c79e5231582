"""What keeps shapes sound while words pull at them; CLIPVG has none of it. All terms are 0 for the drawing at the start."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pliant.vector.scene import Scene

__all__ = ["Regularity", "areas", "crossings"]

FLOOR = 0.5
"""Share of its area at the start that a subpath should keep."""
LENGTH = 0.01
"""Unit of the anchor for points: this share of the drawing's longer side."""
SHADE = 0.1
"""Unit of the anchor for colours and opacities."""


@dataclass(frozen=True)
class Weights:
    """Of the three terms."""

    crossing: float = 0.0
    area: float = 0.0
    anchor: float = 0.0


class Regularity:
    """Distance of a drawing from being as sound as it was at the start.

    Args:
        start: the drawing before any change.
        weights: of the terms; those without weight are not computed.
    """

    def __init__(self, start: Scene, weights: Weights) -> None:
        self.start, self.weights = start, weights
        self._crossed = crossings(start) if weights.crossing else start.points
        self._areas = areas(start) if weights.area else start.points

    def __call__(self, scene: Scene) -> Tensor:
        """The weighted terms, a scalar."""
        total = scene.points.new_zeros(())
        if self.weights.crossing and len(scene.lengths):
            more = (crossings(scene) - self._crossed).clamp(min=0)
            total = total + self.weights.crossing * more.mean()
        if self.weights.area and len(scene.lengths):
            size = self._areas.abs().clamp(min=1e-6)
            kept = areas(scene) * self._areas.sign() / size
            total = total + self.weights.area * ((FLOOR - kept).clamp(min=0) * (self._areas != 0)).mean()
        return total + self.weights.anchor * self._away(scene) if self.weights.anchor else total

    def _away(self, scene: Scene) -> Tensor:
        """Mean squared way of points, colours and opacities, in the units of the anchor."""
        unit = LENGTH * max(scene.size)
        ways = (
            (scene.points - self.start.points).square().sum(1) / unit**2,
            (scene.colours - self.start.colours).square().sum(1) / SHADE**2,
            (scene.opacity - self.start.opacity).square() / SHADE**2,
        )
        return torch.stack([way.mean() for way in ways if len(way)]).sum()


def crossings(scene: Scene) -> Tensor:
    """How far the last leg of each cubic's control polygon turns against the turn of its first two, [S] from 0 to 1.

    LIVE's Xing loss (arXiv 2206.04655): a cubic that crosses itself has it above 0, one that bends one way has 0.
    """
    first, second, third = (scene.points[scene.segments].diff(dim=1)).unbind(1)

    def turn(p: Tensor, q: Tensor) -> Tensor:
        return p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]

    lengths = (first.square().sum(1) * third.square().sum(1) + 1e-12).sqrt()
    sine = turn(first, third) / lengths
    return torch.where(turn(first, second) > 0, -sine, sine).clamp(min=0)


def areas(scene: Scene) -> Tensor:
    """Signed area [B] that each subpath encloses, in squared user units; open ones are closed by a line."""
    a, b, c, d = scene.points[scene.segments].unbind(1)

    def crossed(p: Tensor, q: Tensor) -> Tensor:
        return p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]

    # Green's theorem on the Bernstein form: the integral of x dy - y dx over a cubic.
    swept = (
        6 * crossed(a, b) + 3 * crossed(a, c) + crossed(a, d) + 3 * crossed(b, c) + 3 * crossed(b, d)
    ) / 20 + 6 * crossed(c, d) / 20
    total = swept.new_zeros(len(scene.lengths)).index_add(0, scene.subpath_of, swept)
    ends = scene.lengths.cumsum(0) - 1
    last, begin = (
        scene.points[scene.segments[ends, 3]],
        scene.points[scene.segments[ends - scene.lengths + 1, 0]],
    )
    return total + crossed(last, begin) / 2
