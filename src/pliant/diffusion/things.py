"""Things in a picture: which pixels they are, and where those should go.

A thing is a mask and a similarity: its pixels are scaled and turned about a pivot and then shifted. Moving, resizing,
turning, pasting and the warp are all made from that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.diffusion.holes import Box, box_around
from pliant.errors import InputError
from pliant.points import MaskLike, as_mask

__all__ = ["MAX_THINGS", "PlacedThing", "Thing", "as_things", "middle_of", "moved_pixels", "region_of"]

MAX_THINGS = 16
SMALLEST, LARGEST = 0.05, 20.0
INSIDE = 0.05
"""Share of a thing that must be in the picture after it was moved."""


@dataclass(frozen=True, eq=False)
class Thing:
    """A thing of a picture and where it should go."""

    mask: MaskLike
    """[H, W] of the picture that shows it, 1 = the thing."""
    shift: tuple[float, float] = (0.0, 0.0)
    """(x, y) in pixels."""
    scale: float = 1.0
    """How much larger it becomes, 0.05 to 20."""
    turn: float = 0.0
    """Degrees, clockwise as seen."""
    pivot: tuple[float, float] | None = None
    """(x, y) in pixels that scaling and turning leave in place; the middle of the box around the thing if not given."""


@dataclass(frozen=True, eq=False)
class PlacedThing:
    """A checked thing: `mask` and where its pixels go, p -> pivot + shift + scale * turned(p - pivot)."""

    mask: Tensor = field(repr=False)
    """float32 [H, W] of the picture that shows it."""
    shift: tuple[float, float]
    scale: float
    turn: float
    """Degrees."""
    pivot: tuple[float, float]
    size: tuple[int, int]
    """Width and height of the picture that it is placed in; another one's if it is pasted."""

    @cached_property
    def backward(self) -> Tensor:
        """float64 [2, 3]: where a place (x, y, 1) of the new picture comes from in the old one, in pixels."""
        angle = math.radians(self.turn)
        inverse = torch.tensor(
            [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]], dtype=torch.float64
        )
        inverse = inverse / self.scale
        pivot, shift = (torch.tensor(each, dtype=torch.float64) for each in (self.pivot, self.shift))
        return torch.cat([inverse, (pivot - inverse @ (pivot + shift))[:, None]], 1)

    def origins(self, height: int, width: int) -> Tensor:
        """Where cells of a coarser or finer grid over the new picture come from.

        Args:
            height: of the grid.
            width: of the grid.

        Returns:
            float32 [height, width, 2]: (x, y) in pixels of the old picture, for the middle of each cell.
        """
        columns = (torch.arange(width, dtype=torch.float64) + 0.5) * (self.size[0] / width) - 0.5
        rows = (torch.arange(height, dtype=torch.float64) + 0.5) * (self.size[1] / height) - 0.5
        return self.origins_at(columns, rows)

    def origins_at(self, columns: Tensor, rows: Tensor) -> Tensor:
        """float32 [h, w, 2]: (x, y) in the old picture for these columns [w] and rows [h] of the new one, both float64."""
        matrix = self.backward
        across = columns[None, :, None] * matrix[:, 0]
        down = rows[:, None, None] * matrix[:, 1] + matrix[:, 2]
        return (across + down).float()

    def reached(self, box: Box) -> Box | None:
        """Where a box of the old picture goes, within the new one, with a pixel to spare; None if it lies outside."""
        top, bottom, left, right = box
        inverse, offset = self.backward[:, :2], self.backward[:, 2]
        corners = torch.tensor([[x, y] for x in (left, right) for y in (top, bottom)], dtype=torch.float64)
        there = torch.linalg.solve(inverse, (corners - offset).T)
        (x, y), (far_x, far_y) = (each.tolist() for each in (there.amin(1), there.amax(1)))
        width, height = self.size
        first, last = max(0, math.floor(y) - 1), min(height, math.ceil(far_y) + 2)
        start, stop = max(0, math.floor(x) - 1), min(width, math.ceil(far_x) + 2)
        return (first, last, start, stop) if first < last and start < stop else None

    @cached_property
    def placed(self) -> Tensor:
        """float32 [H, W]: the mask where the thing goes, in the new picture; antialiased where it shrinks."""
        return moved_pixels(self, self.mask[None])[0]


def moved_pixels(thing: PlacedThing, pixels: Tensor) -> Tensor:
    """What a thing's picture looks like where the thing goes; 0 where it has nothing.

    Args:
        thing: whose way it takes.
        pixels: float32 [C, H, W] of the picture that shows it.

    Returns:
        [C, H, W] of the size of the new picture.
    """
    width, height = thing.size
    moved = pixels.new_zeros(len(pixels), height, width)
    shown = pixels.abs().amax(0)
    place = thing.reached(box_around(shown > 0, least=1)) if shown.max() > 0 else None
    if place is None:
        return moved
    top, bottom, left, right = place
    finer = min(4, max(1, math.ceil(1 / thing.scale - 1e-6)))  # samples a pixel, where the thing shrinks
    columns, rows = (
        (torch.arange(first * finer, last * finer, dtype=torch.float64) + 0.5) / finer - 0.5
        for first, last in ((left, right), (top, bottom))
    )
    there = torch.tensor([pixels.shape[2], pixels.shape[1]], dtype=torch.float32)
    grid = (thing.origins_at(columns, rows) + 0.5) / there * 2 - 1
    drawn = F.grid_sample(
        pixels[None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=False
    )
    moved[:, top:bottom, left:right] = F.avg_pool2d(drawn, finer)[0] if finer > 1 else drawn[0]
    return moved


def as_things(
    value: Thing | Sequence[Thing], size: tuple[int, int], shown: tuple[int, int] | None = None
) -> tuple[PlacedThing, ...]:
    """Things whose places make sense, or a sentence that says what is wrong with them.

    Args:
        value: as a person gave them.
        size: width and height of the picture that they are placed in.
        shown: of the picture that shows them, where that is another one.

    Raises:
        InputError: none or too many; a mask of another size, empty or full; a scale or shift that is no number or out of range;
            a thing that would lie outside the picture.
    """
    given = [value] if isinstance(value, Thing) else list(value)
    if not given:
        raise InputError("There is no thing; select at least one, as a mask.")
    if len(given) > MAX_THINGS:
        raise InputError(f"{len(given)} things are too many; give at most {MAX_THINGS}.")
    return tuple(_placed(thing, number, size, shown or size) for number, thing in enumerate(given, 1))


def middle_of(mask: Tensor) -> tuple[float, float]:
    """(x, y): the middle of the box around what is in a mask [H, W]."""
    ys, xs = torch.nonzero(mask > 0.5 * mask.amax(), as_tuple=True)
    return float(xs.min() + xs.max()) / 2, float(ys.min() + ys.max()) / 2


def region_of(things: Sequence[PlacedThing]) -> Tensor:
    """float32 [H, W]: where things were or will be, of things placed in their own picture."""
    return reduce(torch.maximum, (each for thing in things for each in (thing.mask, thing.placed)))


def _placed(thing: Thing, number: int, size: tuple[int, int], shown: tuple[int, int]) -> PlacedThing:
    mask = as_mask(thing.mask, shown)
    if mask is None:
        raise InputError(f"The mask of thing {number} is 1 everywhere; select only the thing.")
    numbers = (*thing.shift, thing.scale, thing.turn, *(thing.pivot or ()))
    if not all(map(math.isfinite, numbers)):
        raise InputError(f"Thing {number} has a shift, scale, turn or pivot that is not a finite number.")
    if not SMALLEST <= thing.scale <= LARGEST:
        raise InputError(
            f"Thing {number} would be scaled by {thing.scale:g}; give {SMALLEST:g} to {LARGEST:g}, where 1 keeps its size."
        )
    pivot = thing.pivot or middle_of(mask)
    placed = PlacedThing(mask, thing.shift, thing.scale, thing.turn, pivot, size)
    if float(placed.placed.sum()) < INSIDE * float(mask.sum()) * thing.scale**2 and not _covers(placed):
        raise InputError(
            f"Thing {number} would lie outside the picture of {size[0]}x{size[1]}; move it less far, or make it smaller."
        )
    return placed


def _covers(placed: PlacedThing) -> bool:
    """A thing that is scaled far beyond the picture still fills much of it."""
    return float(placed.placed.mean()) > INSIDE
