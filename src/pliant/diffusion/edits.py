"""Move, resize, turn, remove, paste, restyle and drag what is in a picture (DragonDiffusion, arXiv 2307.02421).

Every edit is one task for one sampler: where the latents begin, which cells should look like which, what the picture that is
made may look at, and where the edit is (`plans.py`). Weights are the published ones. Ours are the presets `fast` (no inversion,
a copy of what is wanted to begin with, few guided steps), `warp` (that copy, finished in eight calls) and `copy` (that copy),
several things and turns at once, and the edit `remove`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from torch import Tensor

from pliant.diffusion.editing import DiffusionStep, run
from pliant.diffusion.pipeline import DiffusionModel
from pliant.diffusion.plans import Dragging, Moving, Pasting, Removing, Swapping
from pliant.diffusion.recolour import recolour_pixels
from pliant.diffusion.sampler import PRESETS
from pliant.diffusion.things import Thing, as_things
from pliant.diffusion.warp import drag_pixels, move_pixels, paste_pixels, remove_pixels
from pliant.errors import InputError
from pliant.picture import Picture
from pliant.points import MaskLike, PointsLike, as_mask, as_points, check_pairs
from pliant.settings import Slider, check_ranges

__all__ = ["DiffusionStep", "ThingSettings", "drag_content", "move", "paste", "remove", "swap"]


@dataclass(frozen=True)
class ThingSettings:
    """How things are moved, removed, pasted and restyled."""

    preset: Literal["fast", "dragondiffusion", "diffeditor", "warp", "copy"] = "fast"
    """The method: ours, the two published ones, a warp that is finished in eight calls, or the warp alone, without a model."""
    strength: Annotated[float, Slider(0, 3)] = 1.0
    """How hard the picture is pulled to what was asked; 1 as published."""
    consistency: Annotated[float, Slider(0, 3)] = 1.0
    """How hard everything else is held; 1 as published."""
    guidance_scale: Annotated[float, Slider(0, 10)] = 0.0
    """How much the words count; 0 for what was published for the edit, 4 or 5."""
    feather: Annotated[float, Slider(0, 64)] = 16.0
    """Pixels beyond the selection that may change, ever less to their end, such as shadows; more beyond 512 pixels a side."""
    paste_back: bool = True
    """Keep the pixels outside the selection and its feather exactly as they were."""
    seed: int = 0
    """Of noise that is drawn; another seed gives another answer, but not with dragondiffusion and copy, which draw none."""

    def __post_init__(self) -> None:
        """Refuse what no edit could work with."""
        check_ranges(
            self,
            {"strength": (0, 10), "consistency": (0, 10), "guidance_scale": (0, 30), "feather": (0, 512)},
        )
        if not 0 <= self.seed < 2**32:
            raise InputError(f"seed must be from 0 to {2**32 - 1}; it is {self.seed}.")

    @property
    def draws(self) -> bool:
        """Whether another seed gives another answer."""
        return self.preset != "copy" and PRESETS[self.preset].draws

    @property
    def max_steps(self) -> int:
        """Steps of a run at most; fewer where the picture was edited before."""
        return 2 if self.preset == "copy" else 1 + PRESETS[self.preset].length


def move(
    picture: Picture,
    things: Thing | Sequence[Thing],
    *,
    prompt: str = "",
    model: DiffusionModel | None = None,
    settings: ThingSettings = ThingSettings(),
) -> Iterator[DiffusionStep]:
    """Move, resize and turn things; what was behind them is filled.

    Args:
        picture: any; it is edited at the resolution of the model.
        things: their masks in the picture, and where they go.
        prompt: what the picture shows.
        model: scenes-256 if not given.
        settings: how.

    Returns:
        Steps; the first shows the picture as it is.

    Raises:
        InputError: things that cannot be used, or too long a prompt.
    """
    placed = as_things(things, picture.size)
    return run(
        Moving(placed),
        lambda source: move_pixels(source, placed),
        [picture],
        prompt=prompt,
        model=model,
        settings=settings,
    )


def remove(
    picture: Picture,
    mask: MaskLike,
    *,
    prompt: str = "",
    model: DiffusionModel | None = None,
    settings: ThingSettings = ThingSettings(),
) -> Iterator[DiffusionStep]:
    """Remove what is in a mask; what could have been behind it is filled in.

    Args: as `move`, but
        mask: [H, W], 1 = what should go.
    """
    gone = _selected(mask, picture.size)
    return run(
        Removing(gone),
        lambda source: remove_pixels(source, gone),
        [picture],
        prompt=prompt,
        model=model,
        settings=settings,
    )


def paste(
    picture: Picture,
    other: Picture,
    things: Thing | Sequence[Thing],
    *,
    prompt: str = "",
    model: DiffusionModel | None = None,
    settings: ThingSettings = ThingSettings(),
) -> Iterator[DiffusionStep]:
    """Put things of another picture into this one.

    Args: as `move`, but
        other: the picture that shows the things.
        things: masks of the other picture; where they go, in pixels of both: (x, y) there, shifted, is (x, y) here.
    """
    placed = as_things(things, picture.size, other.size)
    shown = other.pixels().cpu()
    return run(
        Pasting(placed),
        lambda source: paste_pixels(source, shown, placed),
        [picture, other],
        prompt=prompt,
        model=model,
        settings=settings,
    )


def swap(
    picture: Picture,
    mask: MaskLike,
    other: Picture,
    other_mask: MaskLike,
    *,
    prompt: str = "",
    model: DiffusionModel | None = None,
    settings: ThingSettings = ThingSettings(),
) -> Iterator[DiffusionStep]:
    """Give a thing the looks of one in another picture; it keeps its place and shape.

    Args: as `move`, but
        mask: [H, W], 1 = the thing.
        other: the picture that shows the looks.
        other_mask: [H, W] of the other picture, 1 = the thing that has them.
    """
    here, there = _selected(mask, picture.size), _selected(other_mask, other.size)
    shown = other.pixels().cpu()
    return run(
        Swapping(here, there),
        lambda source: recolour_pixels(source, here, shown, there),
        [picture, other],
        prompt=prompt,
        model=model,
        settings=settings,
    )


def drag_content(
    picture: Picture,
    handles: PointsLike,
    targets: PointsLike,
    mask: MaskLike,
    *,
    prompt: str = "",
    model: DiffusionModel | None = None,
    settings: ThingSettings = ThingSettings(),
) -> Iterator[DiffusionStep]:
    """Drag points of a thing; what is in the mask follows.

    Args: as `move`, but
        handles: [N, 2] (x, y) pixels, where each drag starts.
        targets: [N, 2], where each should end.
        mask: [H, W], 1 where the picture may change.
    """
    pulled, ends = (
        as_points(points, picture.size, name=name)
        for points, name in ((handles, "handles"), (targets, "targets"))
    )
    check_pairs(pulled, ends)
    area = _selected(mask, picture.size)
    task = Dragging(pulled, ends, area)
    return run(
        task,
        lambda source: drag_pixels(source, pulled, ends, area),
        [picture],
        prompt=prompt,
        model=model,
        settings=settings,
    )


def _selected(mask: MaskLike, size: tuple[int, int]) -> Tensor:
    """A mask that leaves something of the picture."""
    selected = as_mask(mask, size)
    if selected is None:
        raise InputError(
            "The mask is 1 everywhere, so nothing of the picture would be left; select a part of it."
        )
    return selected
