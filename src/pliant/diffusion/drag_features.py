"""What DragDiffusion compares (arXiv 2306.14435): features at half the working size, around handles and a pixel ahead of them.

The published program resizes the features of the whole picture. Here they are read where they are needed, with the same
values: a read is a sum of four cells, and its gradient goes to these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["HalfGrid", "supervision", "track"]


@dataclass(frozen=True)
class HalfGrid:
    """Pixels of half the working size, over the picture as shown."""

    width: int
    height: int
    shown: tuple[int, int]
    """Width and height of the picture."""

    @classmethod
    def of(cls, shown: tuple[int, int], working: tuple[int, int]) -> HalfGrid:
        """For a picture that is edited at a working size."""
        return cls(working[0] // 2, working[1] // 2, shown)

    @property
    def pixel(self) -> Tensor:
        """[2]: width and height of one of them, in pixels of the picture."""
        return torch.tensor([self.shown[0] / self.width, self.shown[1] / self.height])

    def nearest(self, points: Tensor) -> Tensor:
        """The grid's pixels, whole numbers as float32 [N, 2], nearest to points (x, y) of the picture."""
        found = ((points + 0.5) / self.pixel - 0.5).round()
        return self.clamp(found)

    def clamp(self, places: Tensor) -> Tensor:
        """Places (x, y) moved onto the grid."""
        return torch.stack(
            [places[..., 0].clamp(0, self.width - 1), places[..., 1].clamp(0, self.height - 1)], -1
        )

    def holds(self, places: Tensor) -> Tensor:
        """Which places lie on the grid."""
        return (self.clamp(places) == places).all(-1)

    def at(self, features: Tensor, places: Tensor) -> Tensor:
        """Features [C, h, w] resized to the grid (bilinear), at whole places [..., 2]: [..., C]."""
        height, width = features.shape[1:]
        cells = torch.tensor([width / self.width, height / self.height])
        return _between(features, ((self.clamp(places) + 0.5) * cells - 0.5).clamp(min=0))

    def between(self, features: Tensor, places: Tensor) -> Tensor:
        """The same at fractions of places."""
        places = self.clamp(places)
        low = places.floor()
        share = (places - low).to(features)
        return sum(
            (weight * self.at(features, low + corner) for weight, corner in _corners(share)),
            torch.zeros((), device=features.device),
        )


def _between(features: Tensor, places: Tensor) -> Tensor:
    """Features [C, h, w] between their own cells, at places (x, y) [..., 2]: [..., C]."""
    height, width = features.shape[1:]
    low = places.floor()
    share, rows = (places - low).to(features), features.flatten(1).T
    total = torch.zeros((), device=features.device)
    for weight, corner in _corners(share):
        x, y = (low + corner).unbind(-1)
        cell = y.clamp(max=height - 1) * width + x.clamp(max=width - 1)
        total = total + weight * rows[cell.long().to(features.device)]
    return total


def _corners(share: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Weights [..., 1] of the four neighbours of a place that is a share [..., 2] of the way to the next, and their offsets."""
    for x in (0, 1):
        for y in (0, 1):
            corner = torch.tensor([x, y])
            weight = torch.where(corner.to(share.device) > 0, share, 1 - share).prod(-1, keepdim=True)
            yield weight, corner


def supervision(
    features: Tensor, handles: Tensor, targets: Tensor, grid: HalfGrid, *, radius: int, stop: float
) -> Tensor:
    """Motion supervision: how unlike the features a pixel nearer to the target are to those at the place itself.

    It is the L1 distance, the mean over channels, summed over the patches of handles that are not there yet. The place itself
    gets no gradient.

    Args:
        features: [C, h, w].
        handles: [N, 2] whole places of the grid.
        targets: [N, 2] likewise.
        grid: over the features.
        radius: half a side of a patch.
        stop: how near is there.
    """
    offset = targets - handles
    distance = offset.norm(dim=-1)
    moving = distance >= max(stop, 1e-6)
    patches = handles[moving][:, None] + square(radius)
    ahead = patches + (offset / distance.clamp(min=1e-6)[:, None])[moving][:, None]
    here = grid.at(features.detach(), patches)
    return (grid.between(features, ahead) - here).abs().mean(-1).sum()


def track(features: Tensor, anchors: Tensor, handles: Tensor, grid: HalfGrid, radius: int) -> Tensor:
    """Point tracking: where around each handle the features are most like those that it had at the start (L1).

    Args:
        features: [C, h, w].
        anchors: [N, C] features of the handles at the start.
        handles: [N, 2] places of the grid.
        grid: over the features.
        radius: half a side of the square that is searched.

    Returns:
        [N, 2] places of the grid; the first of those equally near, row by row.
    """
    places = handles[:, None] + square(radius)
    found = grid.at(features, places)
    distance = (found - anchors[:, None]).abs().sum(-1).cpu()
    best = distance.masked_fill(~grid.holds(places), torch.inf).argmin(1)
    return places[torch.arange(len(places)), best]


def square(radius: int) -> Tensor:
    """float32 [K, 2]: offsets (x, y) in a square, row by row."""
    steps = torch.arange(-radius, radius + 1.0)
    return torch.cartesian_prod(steps, steps).flip(-1)
