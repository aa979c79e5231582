"""What each edit asks: which cells should look like which, where the noise begins, and what may be looked at.

m_gen, m_gud, m_share and m_ipt of the paper are here where a thing will be, where it was, where it neither was nor will be,
and where it was but will not be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.diffusion.energy import Grid, Term
from pliant.diffusion.sampler import Injection
from pliant.diffusion.things import PlacedThing, region_of

__all__ = ["Dragging", "Moving", "Pasting", "Removing", "Swapping", "Task", "Weights", "shrunk"]

LOOK_FROM, LOOK_UNTIL = 0.1, 0.7
"""Shares of the steps from which moves and drags look at the picture, and until which swaps and pastes do (published)."""


@dataclass(frozen=True)
class Weights:
    """Numbers of an edit, as its program has them."""

    guidance: float
    """Scale of classifier-free guidance."""
    pull: float
    """What gradients are multiplied with."""
    edit: float
    content: float
    away: float = 0.0
    """From what was where a thing was."""
    like: float = 0.0
    """Towards the rest of the picture, where a thing was."""


class Task(Protocol):
    """One kind of edit; masks and places in pixels of the picture as shown."""

    @property
    def weights(self) -> Weights:
        """As published."""
        ...

    @property
    def region(self) -> Tensor:
        """float32 [H, W]: where the edit is."""
        ...

    def terms(self, grids: Sequence[Grid]) -> tuple[Term, ...]:
        """The energy; grids of the picture and of the other one, if there is another."""
        ...

    def begin(self, noisy: Sequence[Tensor]) -> Tensor:
        """Noisy latents to begin with, from those of the pictures, [1, C, h, w]."""
        ...

    def injection(self, shapes: Sequence[tuple[int, int]]) -> Injection:
        """What is looked at; shapes (h, w) of the latents of the pictures."""
        ...


@dataclass(frozen=True, eq=False)
class Moving:
    """Things go to other places."""

    things: tuple[PlacedThing, ...]
    weights = Weights(4, 40, 4, 6, away=0.2, like=0.8)

    @property
    def region(self) -> Tensor:
        """Where they were and will be."""
        return region_of(self.things)

    def terms(self, grids: Sequence[Grid]) -> tuple[Term, ...]:
        """The things where they will be, the rest as it is, and something like the rest where they were."""
        (grid,), weights = grids, self.weights
        there, here = _arrivals(self.things, grid, grid)
        left = _left(self.things, grid)
        rest = _outside(grid, self.region)
        return (
            Term("edit", weights.edit, here, there),
            Term("edit", weights.away, left, left, away=True),
            Term("edit", weights.like, left, rest, means=True, half=True),
            Term("content", weights.content, rest, rest),
        )

    def begin(self, noisy: Sequence[Tensor]) -> Tensor:
        """The noise of the things goes with them."""
        return _carried(noisy[0], noisy[0], self.things)

    def injection(self, shapes: Sequence[tuple[int, int]]) -> Injection:  # noqa: ARG002 - a task
        """The whole picture."""
        return Injection(((0, None),), begin=LOOK_FROM)


@dataclass(frozen=True, eq=False)
class Removing:
    """A thing goes, as one that is moved leaves its place."""

    mask: Tensor
    weights = Moving.weights

    @property
    def region(self) -> Tensor:
        """Where it was."""
        return self.mask

    def terms(self, grids: Sequence[Grid]) -> tuple[Term, ...]:
        """Something like the rest where it was, and the rest as it is."""
        (grid,), weights = grids, self.weights
        left, rest = grid.cells(self.mask), _outside(grid, self.mask)
        return (
            Term("edit", weights.away, left, left, away=True),
            Term("edit", weights.like, left, rest, means=True, half=True),
            Term("content", weights.content, rest, rest),
        )

    def begin(self, noisy: Sequence[Tensor]) -> Tensor:
        """New noise where the thing was: cells from elsewhere, in a fixed order."""
        return _shuffled(noisy[0], self.mask)

    def injection(self, shapes: Sequence[tuple[int, int]]) -> Injection:
        """All but the thing."""
        return Injection(((0, 1 - shrunk(self.mask, shapes[0], any_part=True)),), begin=LOOK_FROM)


@dataclass(frozen=True, eq=False)
class Pasting:
    """Things of another picture come."""

    things: tuple[PlacedThing, ...]
    weights = Weights(4, 60, 4, 6)

    @property
    def region(self) -> Tensor:
        """Where they will be."""
        return torch.stack([thing.placed for thing in self.things]).amax(0)

    def terms(self, grids: Sequence[Grid]) -> tuple[Term, ...]:
        """The things where they will be, cell by cell, and the rest as it is."""
        grid, other = grids
        there, here = _arrivals(self.things, grid, other)
        rest = _outside(grid, self.region)
        return (
            Term("edit", self.weights.edit, here, there, picture=1, half=True),
            Term("content", self.weights.content, rest, rest, half=True),
        )

    def begin(self, noisy: Sequence[Tensor]) -> Tensor:
        """The noise of the things comes with them."""
        return _carried(noisy[0], noisy[1], self.things)

    def injection(self, shapes: Sequence[tuple[int, int]]) -> Injection:
        """The picture where nothing is pasted, and the things in the other one."""
        mask = torch.stack([thing.mask for thing in self.things]).amax(0)
        return _both(self.region, mask, shapes)


@dataclass(frozen=True, eq=False)
class Swapping:
    """A thing takes the looks of one in another picture."""

    mask: Tensor
    other: Tensor
    """float32 [H, W] of the other picture."""
    weights = Weights(5, 80, 3.5, 5)

    @property
    def region(self) -> Tensor:
        """Where the thing is."""
        return self.mask

    def terms(self, grids: Sequence[Grid]) -> tuple[Term, ...]:
        """The mean of one like the mean of the other, and the rest as it is."""
        grid, other = grids
        rest = _outside(grid, self.mask)
        return (
            Term(
                "edit",
                self.weights.edit,
                grid.cells(self.mask),
                other.cells(self.other),
                1,
                means=True,
                half=True,
            ),
            Term("content", self.weights.content, rest, rest, half=True),
        )

    def begin(self, noisy: Sequence[Tensor]) -> Tensor:
        """As it is."""
        return noisy[0]

    def injection(self, shapes: Sequence[tuple[int, int]]) -> Injection:
        """The picture without the thing, and the other one's thing."""
        return _both(self.mask, self.other, shapes)


@dataclass(frozen=True, eq=False)
class Dragging:
    """Points go to other places, and what is around them follows."""

    handles: Tensor
    targets: Tensor
    """Both [N, 2] (x, y)."""
    mask: Tensor
    weights = Weights(4, 80, 4, 6, away=0.2)

    @property
    def region(self) -> Tensor:
        """Where the picture may change."""
        return self.mask

    def terms(self, grids: Sequence[Grid]) -> tuple[Term, ...]:
        """A patch of each handle at its target, unlike itself where it was and will not be; the rest as it is."""
        (grid,), weights, found = grids, self.weights, list[Term]()
        size = self.mask.shape[1], self.mask.shape[0]
        for handle, target in zip(self.handles, self.targets, strict=True):
            (there, known), (here, seen) = (grid.patch(place, size) for place in (handle, target))
            both = known & seen
            found.append(Term("edit", weights.edit, here[both], there[both], half=True))
            left = there[known & ~torch.isin(there, here[seen])]
            found.append(Term("edit", weights.away, left, left, away=True, half=True))
        rest = _outside(grid, self.mask)
        return (*found, Term("content", weights.content, rest, rest, half=True))

    def begin(self, noisy: Sequence[Tensor]) -> Tensor:
        """The noise around each handle goes to its target."""
        now = noisy[0].clone()
        height, width = now.shape[-2:]
        grid, size = Grid(height, width), (self.mask.shape[1], self.mask.shape[0])
        for handle, target in zip(self.handles, self.targets, strict=True):
            (there, known), (here, seen) = (grid.patch(place, size) for place in (handle, target))
            both = (known & seen).to(now.device)
            now.flatten(2)[:, :, here.to(now.device)[both]] = noisy[0].flatten(2)[
                :, :, there.to(now.device)[both]
            ]
        return now

    def injection(self, shapes: Sequence[tuple[int, int]]) -> Injection:  # noqa: ARG002 - a task
        """Itself and the whole picture."""
        return Injection(((0, None),), own=True, begin=LOOK_FROM)


def shrunk(mask: Tensor, shape: tuple[int, int], *, any_part: bool = False) -> Tensor:
    """A mask [H, W] over cells [h, w]: 1 for those that lie mostly in it, or with any part."""
    pool = F.adaptive_max_pool2d if any_part else F.adaptive_avg_pool2d
    return (pool(mask[None, None].float(), shape)[0, 0] > (0 if any_part else 0.5)).float()


def _arrivals(things: Sequence[PlacedThing], grid: Grid, other: Grid) -> tuple[Tensor, Tensor]:
    """Cells where things come from, and where they come to; a later thing covers an earlier one."""
    owner = torch.full((grid.height * grid.width,), -1)
    origin = torch.zeros(grid.height * grid.width, dtype=torch.long)
    for number, thing in enumerate(things):
        cells = grid.cells(thing.placed)
        shown = thing.mask.shape[1], thing.mask.shape[0]
        origin[cells] = other.at(thing.origins(grid.height, grid.width).flatten(0, 1)[cells], shown)
        owner[cells] = number
    here = torch.nonzero(owner >= 0).flatten()
    return origin[here], here


def _left(things: Sequence[PlacedThing], grid: Grid) -> Tensor:
    """Cells where things were and will not be."""
    was, will = (torch.cat([grid.cells(each) for each in masks]).unique() for masks in (
        [thing.mask for thing in things], [thing.placed for thing in things]))  # fmt: skip
    return was[~torch.isin(was, will)]


def _outside(grid: Grid, region: Tensor) -> Tensor:
    """Cells that are no part of a region."""
    covered = shrunk(region, (grid.height, grid.width), any_part=True)
    return torch.nonzero(covered.flatten() == 0).flatten()


def _carried(here: Tensor, there: Tensor, things: Sequence[PlacedThing]) -> Tensor:
    """Latents [1, C, h, w] with those of things at their new places."""
    grid, other = (Grid(*each.shape[-2:]) for each in (here, there))
    origin, arrived = (each.to(here.device) for each in _arrivals(things, grid, other))
    now = here.clone()
    now.flatten(2)[:, :, arrived] = there.flatten(2)[:, :, origin]
    return now


def _shuffled(noisy: Tensor, mask: Tensor) -> Tensor:
    """Latents whose cells in a mask are others of them, drawn in a fixed order."""
    inside = shrunk(mask, (noisy.shape[-2], noisy.shape[-1]), any_part=True).flatten().bool()
    outside = torch.nonzero(~inside).flatten()
    holes = torch.nonzero(inside).flatten()
    if not len(outside):
        return noisy
    order = torch.randint(len(outside), (len(holes),), generator=torch.Generator().manual_seed(0))
    now = noisy.clone()
    now.flatten(2)[:, :, holes.to(now.device)] = noisy.flatten(2)[:, :, outside[order].to(now.device)]
    return now


def _both(region: Tensor, other: Tensor, shapes: Sequence[tuple[int, int]]) -> Injection:
    """The picture outside a region, and a part of the other one."""
    outside = 1 - shrunk(region, shapes[0])
    return Injection(((0, outside), (1, shrunk(other, shapes[1]))), end=LOOK_UNTIL)
