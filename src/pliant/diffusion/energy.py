"""Energies that say how far a picture in the making is from what was asked (DragonDiffusion, arXiv 2307.02421, section 3.3).

An edit is a list of terms. A term names cells of the picture that is made, cells of one that is known, and whether
they should become alike or not. Cells are of a grid of four pixels a side, on which features at a sixteenth and an
eighth of the picture are laid without smoothing: a cell reads the feature under it, so nothing is ever resized.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.errors import InputError

if TYPE_CHECKING:
    from pliant.diffusion.pipeline import Features

__all__ = ["Grid", "Term", "energies"]

ALPHA, BETA = 1.0, 4.0
"""Of the energy w / (alpha + beta S) (published)."""
CELL = 4
"""Pixels of the working picture a side of a cell."""


@dataclass(frozen=True)
class Grid:
    """Cells over the working picture."""

    height: int
    width: int

    @classmethod
    def of(cls, latents: Tensor, factor: int) -> Grid:
        """Over the picture of latents [..., h, w]."""
        return cls(latents.shape[-2] * factor // CELL, latents.shape[-1] * factor // CELL)

    def cells(self, mask: Tensor) -> Tensor:
        """int64 [N]: numbers of the cells that lie mostly in a mask [H, W]; the one that does most if none does."""
        share = F.adaptive_avg_pool2d(mask[None, None].float(), (self.height, self.width)).flatten()
        chosen = torch.nonzero(share > 0.5).flatten()
        return chosen if len(chosen) or not share.any() else share.argmax()[None]

    def at(self, places: Tensor, size: tuple[int, int]) -> Tensor:
        """int64 [N]: the cells that hold places [N, 2] (x, y) in pixels of a picture of that size, or are nearest."""
        scale = torch.tensor([self.width / size[0], self.height / size[1]])
        x, y = ((places + 0.5) * scale).floor().long().unbind(-1)
        return y.clamp(0, self.height - 1) * self.width + x.clamp(0, self.width - 1)

    def patch(self, place: Tensor, size: tuple[int, int], radius: int = 1) -> tuple[Tensor, Tensor]:
        """The square of cells around a place (x, y): int64 [N], and bool [N] for those that lie on the grid."""
        middle = int(self.at(place[None], size)[0])
        steps = torch.arange(-radius, radius + 1)
        y, x = torch.meshgrid(middle // self.width + steps, middle % self.width + steps, indexing="ij")
        inside = (y >= 0) & (y < self.height) & (x >= 0) & (x < self.width)
        cells = y.clamp(0, self.height - 1) * self.width + x.clamp(0, self.width - 1)
        return cells.flatten(), inside.flatten()

    def on(self, cells: Tensor, features: Tensor) -> Tensor:
        """What features [1, C, h, w] are under cells: [N, C]."""
        height, width = features.shape[-2:]
        row = cells // self.width * height // self.height
        column = cells % self.width * width // self.width
        return features[0].flatten(1)[:, (row * width + column).to(features.device)].T


@dataclass(frozen=True, eq=False)
class Term:
    """One comparison."""

    part: Literal["edit", "content"]
    """Where its gradient counts: inside the region of the edit, or outside."""
    weight: float
    now: Tensor = field(repr=False)
    """Cells of the picture that is made, int64 [N]."""
    there: Tensor = field(repr=False)
    """Cells of the known picture: [N], each to be compared with its own; or any number, if means are compared."""
    picture: int = 0
    """Which of the known pictures."""
    means: bool = False
    """Compare the mean of all cells instead of each with its own."""
    away: bool = False
    """Should become unlike: the energy is w S instead of w / (1 + 4 S)."""
    half: bool = False
    """S is (cos + 1) / 2 instead of cos."""

    def __post_init__(self) -> None:
        """Refuse what could not be compared."""
        if not self.means and len(self.now) != len(self.there):
            raise InputError("Cells are compared one by one, so there must be as many of both.")


def energies(
    terms: Sequence[Term], grids: Sequence[Grid], now: Features, known: Sequence[Features]
) -> dict[str, Tensor]:
    """The energy of each part, both levels of features weighted by a half; a part without terms is left out.

    Args:
        terms: of the edit; those without cells count nothing.
        grids: of the cells of each known picture; that of the first is also of the one that is made.
        now: features of the picture that is made.
        known: features of the known pictures at the same step.
    """
    sums: dict[str, Tensor] = {}
    for term in terms:
        if not (len(term.now) and len(term.there) and term.weight):
            continue
        levels = zip(now, known[term.picture], strict=True)
        energy = sum(0.5 * _energy(term, grids, mine, other) for mine, other in levels)
        sums[term.part] = sums.get(term.part, torch.zeros((), device=now[0].device)) + energy
    return sums


def _energy(term: Term, grids: Sequence[Grid], now: Tensor, known: Tensor) -> Tensor:
    mine, other = grids[0].on(term.now, now), grids[term.picture].on(term.there, known)
    if term.means:
        mine, other = mine.mean(0, keepdim=True), other.mean(0, keepdim=True)
    alike = F.cosine_similarity(mine, other).mean()
    alike = (alike + 1) / 2 if term.half else alike
    return term.weight * (alike if term.away else 1 / (ALPHA + BETA * alike))
