"""Move a drawing toward words (CLIPVG: Song et al., AAAI 2023, arXiv 2212.02122).

Each prompt names a region, which may be the whole drawing. Every step rasterises the drawing once, a text-image model
looks at each region as a whole and at random slanted crops of it, and Adam moves points and colours so that what it sees
moves the way that leads from the reference text "photo" to the prompt.

Rates, weights and the size of crops are the paper's. We differ in what a view is compared with (`guidance.py` says why), in
how far the points of one outline move (`steps_by`), in white around whole regions as around crops, where the published
program has black, in fewer crops by default, for computers without a GPU, in terms that keep shapes sound
(`regularity.py`), and in shapes beyond the boxes, which stay (`confined`). `RestyleSettings.published()` has the paper's
choices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

import torch
from torch import Tensor

from pliant.perception.clip import TextImageModel, load_words
from pliant.prompts import Prompt, PromptsLike, as_prompts
from pliant.settings import Slider, check_ranges
from pliant.steps import Step
from pliant.vector.crops import Crops
from pliant.vector.guidance import Guidance, check_views, painted_size
from pliant.vector.raster import rasterise
from pliant.vector.regularity import Regularity, Weights
from pliant.vector.scene import Scene, VectorPicture
from pliant.vector.variables import Memory, Rates, Variables

__all__ = ["RestyleSettings", "RestyleStep", "restyle"]

CANVAS = 512
"""Pixels of the longer side of the drawings that the rate of points is meant for."""
MARGIN = 0.2
"""How far crops reach beyond a region, as a share of their side (published)."""
TOUCH = 0.5
"""User units by which the bounds of paths are larger on each side, so that lines have an area, too."""


@dataclass(frozen=True)
class RestyleSettings:
    """How a drawing is moved toward words; rates and weights are the paper's."""

    max_steps: Annotated[int, Slider(10, 500)] = 150
    """Updates of the drawing."""
    change: Literal["both", "shapes", "colours"] = "both"
    """What may change."""
    shape_rate: Annotated[float, Slider(0.02, 2, log=True)] = 0.2
    """Adam's learning rate of points, in pixels of a drawing whose longer side has 512."""
    colour_rate: Annotated[float, Slider(0.001, 0.1, log=True)] = 0.01
    """Adam's learning rate of colours and opacities, which lie between 0 and 1."""
    crops: Annotated[int, Slider(1, 64)] = 16
    """Random crops of each region in each step; 64, as published, take longer and are steadier."""
    crop_size: Annotated[float, Slider(0.2, 1)] = 0.8
    """Side of the crops, as a share of the longer side of the region."""
    region_weight: Annotated[float, Slider(0, 100)] = 30.0
    """Weight of the view of a whole region."""
    crop_weight: Annotated[float, Slider(0, 200)] = 80.0
    """Weight of the mean of its crops."""
    distortion: Annotated[float, Slider(0, 0.6)] = 0.3
    """How slanted the crops are: the share of half a side by which each corner moves inward at most."""
    direction: Literal["none", "crop", "region"] = "none"
    """What a view is compared with: nothing, so that it should lie itself where the words point from "photo"; or the same crop
    of the start, or the whole region at the start (published), so that its change should point there."""
    steps_by: Literal["outline", "number"] = "outline"
    """Whose gradients scale the steps of a point: those of its whole outline, so that what hardly matters hardly moves and
    shapes stay smooth, or those of each number by itself (published)."""
    crossing_weight: Annotated[float, Slider(0, 100)] = 10.0
    """Weight against curves that cross themselves; published without."""
    area_weight: Annotated[float, Slider(0, 1000)] = 100.0
    """Weight against shapes that shrink below half of their area or turn inside out; published without."""
    anchor_weight: Annotated[float, Slider(0, 100)] = 0.0
    """Weight that holds points and colours to where they started."""
    confined: bool = True
    """Where all words are about boxes, shapes that lie mostly beyond them stay as they are; published without."""
    max_side: Annotated[int, Slider(128, 1024)] = 512
    """Longer side in pixels at which the drawing is painted at most for the model; less where the model sees no more."""
    seed: Annotated[int, Slider(0, 1000)] = 0
    """Of the crops; the same seed gives the same result, on a CPU to the bit."""

    @staticmethod
    def published(**changes: Any) -> RestyleSettings:
        """64 crops, compared with the whole region at the start; steps by number; no shape is kept sound or in place."""
        official = RestyleSettings(
            crops=64,
            direction="region",
            steps_by="number",
            crossing_weight=0.0,
            area_weight=0.0,
            confined=False,
        )
        return replace(official, **changes)

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        ranges = {
            "max_steps": (1, 100_000), "crops": (0, 256), "crop_size": (0.05, 2), "distortion": (0, 0.6),
            "max_side": (16, 4096), "seed": (0, 2**31), "shape_rate": (0, 100), "colour_rate": (0, 1),
            **dict.fromkeys(("region_weight", "crop_weight"), (0, 1e4)),
            **dict.fromkeys(("crossing_weight", "area_weight", "anchor_weight"), (0, 1e4)),
        }  # fmt: skip
        check_ranges(self, ranges)
        check_views(self.region_weight, self.crop_weight, self.crops)


@dataclass(frozen=True, eq=False)
class RestyleStep(Step):
    """The drawing after `index` updates."""

    picture: VectorPicture
    loss: float
    """What is minimised, terms for sound shapes included."""
    agreement: tuple[float, ...]
    """For each prompt the cosine between the view of its region and the way from "photo" to its words; it rises."""
    memory: Memory = field(repr=False, compare=False)
    """What a following run needs to go on as if it were the same one."""


def restyle(
    picture: VectorPicture,
    prompts: PromptsLike,
    *,
    words: TextImageModel | None = None,
    settings: RestyleSettings = RestyleSettings(),
    after: RestyleStep | None = None,
) -> Iterator[RestyleStep]:
    """Yield the drawing as it is, then once after each update. Closing the iterator stops.

    Locked and hidden paths stay bit for bit, and colours that paths share stay shared; a shared colour of which one path is
    locked stays, too. Only a colour that paths in and beyond the boxes share becomes two (`RestyleSettings.confined`).

    Args:
        picture: a drawing, such as `trace` makes or `read_svg` reads.
        prompts: what it, or what boxes of it in user units, should become.
        words: the text-image model; None for the embedded one.
        settings: the method's parameters.
        after: a step to go on from, whose Adam keeps its moments and whose start stays that of the comparison.

    Raises:
        InputError: prompts that cannot be used, a drawing of which nothing can change, or a step of another drawing.
        CheckpointError: there is no text-image model.
    """
    asked = as_prompts(prompts, picture.scene.size)
    scale = max(picture.scene.size) / CANVAS
    shapes, colours = settings.change != "colours", settings.change != "shapes"
    colour_rate = settings.colour_rate * colours
    rates = Rates(settings.shape_rate * scale * shapes, colour_rate, colour_rate)
    scene, inside = picture.scene, _within(picture.scene, asked) if settings.confined else None
    memory = None if after is None else replace(after.memory, movable=inside)
    if inside is not None and memory is None:
        scene = scene.with_colours_apart(inside)
    moving = Variables(scene, rates, movable=inside, memory=memory, outlines=settings.steps_by == "outline")
    return _updates(picture, asked, words or load_words(device=picture.scene.points.device), settings, moving)


def _within(scene: Scene, prompts: Sequence[Prompt]) -> Tensor | None:
    """The paths whose bounds lie mostly in a box, bool [N]; None if words are about the whole or no path lies so."""
    boxes = [prompt.box for prompt in prompts if prompt.box is not None]
    if len(boxes) < len(prompts):
        return None
    owner = scene.path_of_point[:, None].expand(-1, 2)
    empty = scene.points.detach().new_zeros(len(scene), 2)
    low, high = (
        empty.scatter_reduce(0, owner, scene.points.detach(), side, include_self=False)
        for side in ("amin", "amax")
    )
    low, high = low - TOUCH, high + TOUCH
    inside = torch.zeros_like(scene.hidden)
    for x, y, width, height in boxes:
        left_top, right_bottom = empty.new_tensor([x, y]), empty.new_tensor([x + width, y + height])
        common = (torch.minimum(high, right_bottom) - torch.maximum(low, left_top)).clamp_min(0)
        inside |= common.prod(1) > 0.5 * (high - low).prod(1)
    return inside if bool(inside.any()) else None


def _updates(
    picture: VectorPicture,
    prompts: tuple[Prompt, ...],
    words: TextImageModel,
    settings: RestyleSettings,
    moving: Variables,
) -> Iterator[RestyleStep]:
    start = moving.memory.start
    size = painted_size(start.size, prompts, words.input_size, settings.crop_size, settings.max_side)
    with torch.no_grad():
        before = rasterise(start, size)
    guidance = Guidance(
        words,
        prompts,
        start.size,
        before,
        Crops(settings.crops, (settings.crop_size, settings.crop_size), MARGIN, settings.distortion),
        weights=(settings.region_weight, settings.crop_weight),
        comparison=settings.direction,
        seed=settings.seed,
    )
    weights = Weights(settings.crossing_weight, settings.area_weight, settings.anchor_weight)
    sound = Regularity(start, weights)
    for index in range(settings.max_steps + 1):
        scene = moving.scene()
        painted = rasterise(scene, size)
        pull = guidance(painted, moving.memory.taken)
        unsound = sound(scene)
        now = picture.with_scene(moving.still())
        yield RestyleStep(index, now, pull.loss + float(unsound.detach()), pull.agreement, moving.memory)
        if index == settings.max_steps:
            return
        painted.backward(pull.gradient)
        if unsound.requires_grad:
            unsound.backward()
        moving.update()
