"""Draw strokes that show what words say (CLIPDraw: Frans, Soros & Witkowski, NeurIPS 2022, arXiv 2106.14843).

Random strokes are laid on a drawing, which may be blank, and Adam moves, widens and colours them until a text-image model sees
the words in the whole of it and in slanted crops. The drawing below stays.

Strokes, the rates of points and widths and their schedule are the paper's, whose canvas has 224 pixels. We differ in fewer
steps, wider strokes whose colours follow faster, and smaller crops by default; in regions with their own words, whose strokes
begin there; and in that views are drawn away from the reference "photo", not only to the words, which a small model needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from pliant.errors import InputError
from pliant.images import MAX_PIXELS
from pliant.perception.clip import PLAIN, TEMPLATES, TextImageModel, load_words
from pliant.prompts import Box, Prompt, PromptsLike, as_prompts
from pliant.settings import Slider, check_ranges
from pliant.steps import Step
from pliant.vector.crops import Crops
from pliant.vector.guidance import Guidance, painted_size
from pliant.vector.outline import Path, Subpath, assemble
from pliant.vector.raster import rasterise
from pliant.vector.scene import Group, Scene, VectorPicture, stacked
from pliant.vector.variables import Memory, Rates, Variables

__all__ = ["DrawSettings", "DrawStep", "blank", "draw"]

CANVAS = 224
"""Pixels of the longer side of the canvas that rates and widths are meant for."""
WIDTHS = (1.0, 50.0)
"""Least and most width of a stroke, in pixels of that canvas."""
REACH = 0.1
"""Each point of a new stroke lies in a square around the one before; its side, as a share of the region's longer side."""
VIEWS = Crops(0, (0.4, 0.9), 0.2, 0.5)
"""Smaller crops than the paper's of 70 to 90 % of the area, which may reach beyond the edges: a small model knows by heart what
is where in a picture, and is told the strokes from ever other places."""
LARGEST = 512
"""Pixels of the longer side at which the drawing is painted at most for the model."""


@dataclass(frozen=True)
class DrawSettings:
    """How strokes are drawn; the canvas of the paper has 224 pixels."""

    strokes: Annotated[int, Slider(8, 1024, log=True)] = 256
    """How many strokes there are, of one to three cubics each."""
    width: Annotated[float, Slider(1, 20)] = 4.0
    """How wide they are at the start, in pixels of a canvas of 224; they may become 1 to 50."""
    max_steps: Annotated[int, Slider(10, 1000)] = 250
    """Updates of the strokes; the rate of points falls to 0.4 of itself at half of them, and to 0.1 at three quarters."""
    shape_rate: Annotated[float, Slider(0.1, 5, log=True)] = 1.0
    """Adam's learning rate of points, in pixels of a canvas of 224."""
    width_rate: Annotated[float, Slider(0, 1)] = 0.1
    """Adam's learning rate of widths, in the same pixels; 0 keeps them."""
    colour_rate: Annotated[float, Slider(0, 0.1)] = 0.03
    """Adam's learning rate of colours and opacities, 0.01 as published; 0 keeps them."""
    crops: Annotated[int, Slider(1, 64)] = 8
    """Random crops of each region in each step."""
    direction: Literal["words", "photo"] = "photo"
    """Where views should lie: near the words (as published), or where the words point from "photo"."""
    seed: Annotated[int, Slider(0, 1000)] = 0
    """Of the strokes and the crops; the same seed gives the same drawing."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        ranges = {
            "strokes": (1, 4096), "width": WIDTHS, "max_steps": (1, 100_000), "crops": (1, 256), "seed": (0, 2**31),
            "shape_rate": (0, 100), "width_rate": (0, 100), "colour_rate": (0, 1),
        }  # fmt: skip
        check_ranges(self, ranges)


@dataclass(frozen=True, eq=False)
class DrawStep(Step):
    """The drawing after `index` updates."""

    picture: VectorPicture
    loss: float
    """What is minimised."""
    agreement: tuple[float, ...]
    """For each prompt the cosine between the view of its region and where it should lie; it rises."""
    memory: Memory = field(repr=False, compare=False)
    """What a following run needs to go on as if it were the same one."""


def blank(size: tuple[float, float]) -> VectorPicture:
    """A white drawing without paths.

    Args:
        size: width and height in user units, one pixel each.

    Raises:
        InputError: no such size, or one of more than 40 megapixels.
    """
    if not all(math.isfinite(side) and side >= 1 for side in size) or size[0] * size[1] > MAX_PIXELS:
        raise InputError(
            f"A drawing has a width and a height of at least 1 and {MAX_PIXELS // 10**6} megapixels at most; "
            f"this is {size[0]:g} x {size[1]:g}."
        )
    return VectorPicture(assemble([], (float(size[0]), float(size[1])), background=(1.0, 1.0, 1.0)))


def draw(
    picture: VectorPicture,
    prompts: PromptsLike,
    *,
    words: TextImageModel | None = None,
    settings: DrawSettings = DrawSettings(),
    after: DrawStep | None = None,
) -> Iterator[DrawStep]:
    """Yield the drawing with new strokes on top of it, then once after each update. Closing the iterator stops.

    Args:
        picture: what is drawn on, such as `blank` makes; its own paths stay bit for bit.
        prompts: what the strokes should show, in the whole or in boxes in user units; each gets an equal share of them.
        words: the text-image model; None for the embedded one.
        settings: the method's parameters.
        after: a step to go on from, with its strokes; the schedule goes on, too. `picture` is then that step's.

    Raises:
        InputError: prompts that cannot be used, or a step of another drawing.
        CheckpointError: there is no text-image model.
    """
    asked = as_prompts(prompts, picture.scene.size)
    scene, movable = picture.scene.detach(), None
    if after is None:
        strokes = _strokes(scene, asked, settings)
        movable = torch.arange(len(scene) + len(strokes), device=scene.points.device) >= len(scene)
        scene = stacked([scene, strokes])
    unit = max(scene.size) / CANVAS
    rates = Rates(
        points=settings.shape_rate * unit,
        colours=settings.colour_rate,
        opacity=settings.colour_rate,
        stroke_width=settings.width_rate * unit,
    )
    memory = None if after is None else after.memory
    widths = WIDTHS[0] * unit, WIDTHS[1] * unit
    moving = Variables(scene, rates, movable=movable, memory=memory, widths=widths)
    model = words or load_words(device=scene.points.device)
    return _updates(picture.with_scene(scene), asked, model, settings, moving)


def _updates(
    picture: VectorPicture,
    prompts: tuple[Prompt, ...],
    words: TextImageModel,
    settings: DrawSettings,
    moving: Variables,
) -> Iterator[DrawStep]:
    start = moving.memory.start
    crops = replace(VIEWS, count=settings.crops)
    size = painted_size(start.size, prompts, words.input_size, sum(crops.side) / 2, LARGEST)
    with torch.no_grad():
        before = rasterise(start, size)
    published = settings.direction == "words"
    guidance = Guidance(
        words,
        prompts,
        start.size,
        before,
        crops,
        weights=(1.0, float(settings.crops)),
        comparison="none",
        reference=None if published else "photo",
        templates=PLAIN if published else TEMPLATES,
        seed=settings.seed,
    )
    for index in range(settings.max_steps + 1):
        painted = rasterise(moving.scene(), size)
        pull = guidance(painted, moving.memory.taken)
        now = picture.with_scene(moving.still())
        yield DrawStep(index, now, pull.loss, pull.agreement, moving.memory)
        if index == settings.max_steps:
            return
        painted.backward(pull.gradient)
        moving.update({"points": _share(moving.memory.taken / settings.max_steps)})


def _share(progress: float) -> float:
    """Of the rate of points, by the share of the steps that are done."""
    return 1.0 if progress < 0.5 else 0.4 if progress < 0.75 else 0.1


def _strokes(scene: Scene, prompts: tuple[Prompt, ...], settings: DrawSettings) -> Scene:
    """New random strokes in a group of their own, on nothing."""
    rng = np.random.default_rng(settings.seed)
    unit = max(scene.size) / CANVAS
    boxes = [prompt.box or (0.0, 0.0, *scene.size) for prompt in prompts]
    paths = [
        Path(
            [Subpath(_walk(rng, boxes[number % len(boxes)]), closed=False)],
            stroke=(rng.random(), rng.random(), rng.random()),
            stroke_width=settings.width * unit,
            opacity=rng.random(),
            group=0,
        )
        for number in range(settings.strokes)
    ]
    taken = {group.id for group in scene.groups}
    count = next(number for number in range(1, len(taken) + 2) if _name(number) not in taken)
    group = Group(_name(count), _name(count).capitalize().replace("-", " "))
    return assemble(paths, scene.size, groups=[group]).to(scene.points.device, scene.points.dtype)


def _name(number: int) -> str:
    """Of the group of strokes, the first, second and so on."""
    return "strokes" if number == 1 else f"strokes-{number}"


def _walk(rng: np.random.Generator, box: Box) -> NDArray[np.float64]:
    """Points [3n + 1, 2] of one to three cubics that begin somewhere in a box."""
    x, y, width, height = box
    ways = (rng.random((3 * int(rng.integers(1, 4)) + 1, 2)) - 0.5) * REACH * max(width, height)
    ways[0] = x + rng.random() * width, y + rng.random() * height
    return ways.cumsum(0)
