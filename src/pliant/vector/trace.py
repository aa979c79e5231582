"""Turn a photo into a drawing in several rounds, coarse below fine (as CLIPVG, arXiv 2212.02122, prepares its photos).

Each round reduces the photo to some colours and traces the areas of each with vtracer. The coarse round keeps what lies
behind a shape filled when the shape moves; the fine ones add detail; a round of its own for a region adds it there. We
differ from a plain trace in that each path takes a colour of the round's palette, so that a swatch is one colour, in
that palettes become the photo's mean colours where they are seen, in that what adds nothing is dropped, and in that of
a photo of noise only areas are traced that leave the drawing small enough to be read again.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import Annotated, Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pliant.errors import InputError, MissingExtraError
from pliant.images import to_tensor
from pliant.settings import Slider
from pliant.steps import Step
from pliant.vector.compare import psnr, traced_size
from pliant.vector.outline import Path, assemble, polygon
from pliant.vector.raster import rasterise
from pliant.vector.refine import RefineSettings, refine
from pliant.vector.scene import Group, Scene, VectorPicture, stacked
from pliant.vector.svg import read_svg

__all__ = ["Box", "TraceSettings", "TraceStep", "trace", "trace_steps"]

Box = tuple[float, float, float, float]
"""x, y, width, height in pixels."""
MAX_ROUNDS = 8
MAX_REGIONS = 32
MAX_COMMANDS = 200_000
"""Path commands of a drawing: fewer than `read_svg` takes, even where one path has them all."""


@dataclass(frozen=True)
class TraceSettings:
    """How a photo is traced."""

    colours: tuple[int, ...] = (10, 30)
    """Colours of each round, from few to many; the first lies at the bottom."""
    region_colours: Annotated[int, Slider(2, 64)] = 30
    """Colours of the round of each region, such as a face."""
    refine: Annotated[int, Slider(0, 300)] = 0
    """Updates that fit the drawing to the photo afterwards; 40 make a clear difference."""
    max_side: Annotated[int, Slider(64, 2048)] = 768
    """A larger photo is traced at this size; the drawing keeps the photo's own."""
    speckle: Annotated[int, Slider(0, 16)] = 4
    """Areas of less than this many pixels squared are merged into their surroundings."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if not self.colours:
            raise InputError("A photo is traced in one round at least; give its number of colours.")
        for count in (*self.colours, self.region_colours):
            if not 2 <= count <= 256:
                raise InputError(f"A round of tracing has 2 to 256 colours, not {count}.")
        if any(first > second for first, second in pairwise(self.colours)):
            raise InputError(
                "Give the rounds of tracing from few colours to many: the first is at the bottom."
            )
        if len(self.colours) > MAX_ROUNDS:
            raise InputError(f"A photo is traced in at most {MAX_ROUNDS} rounds, besides those of regions.")
        if self.refine < 0:
            raise InputError(f"refine must be 0 or more; it is {self.refine}.")
        if not 16 <= self.max_side <= 2048:
            raise InputError(f"max_side must be between 16 and 2048; it is {self.max_side}.")
        if not 0 <= self.speckle <= 64:
            raise InputError(f"speckle must be between 0 and 64; it is {self.speckle}.")


@dataclass(frozen=True, eq=False)
class TraceStep(Step):
    """A round that is done, or an update that fits the drawing to the photo."""

    picture: VectorPicture
    psnr: float
    """How like the photo it is at the size at which it is traced, in decibels."""
    stage: Literal["trace", "refine"]


def trace(
    photo: Image.Image, regions: Sequence[Box] = (), settings: TraceSettings = TraceSettings()
) -> VectorPicture:
    """A drawing that looks like the photo, with a group for each round and each region; the last of `trace_steps`.

    Args:
        photo: RGB.
        regions: boxes that get a round of their own, cut at the photo's edges.
        settings: the method's parameters.

    Raises:
        InputError: a region outside the photo or of no size.
        MissingExtraError: vtracer is not installed.
    """
    *_, last = trace_steps(photo, regions, settings)
    return last.picture


def trace_steps(
    photo: Image.Image,
    regions: Sequence[Box] = (),
    settings: TraceSettings = TraceSettings(),
    origin: Mapping[str, Any] | None = None,
) -> Iterator[TraceStep]:
    """Yield the drawing after each round, then after each update that fits it to the photo. Closing the iterator stops.

    Args:
        photo: RGB.
        regions: boxes that get a round of their own, cut at the photo's edges.
        settings: the method's parameters.
        origin: JSON-ready facts on where the photo comes from.

    Raises:
        InputError: too many regions, or one outside the photo or of no size.
        MissingExtraError: vtracer is not installed.
    """
    if len(regions) > MAX_REGIONS:
        raise InputError(f"{len(regions)} regions are too many; give at most {MAX_REGIONS}.")
    small = photo.convert("RGB").resize(traced_size(photo.size, settings.max_side), Image.Resampling.LANCZOS)
    zoom = small.width / photo.width, small.height / photo.height
    boxes = [_pixels(box, photo.size, zoom, small.size) for box in regions]
    made = {"traced": {"colours": list(settings.colours), "regions": [list(b) for b in regions]}}
    return _steps(photo, small, boxes, settings, {**(origin or {}), **made})


def _steps(
    photo: Image.Image,
    small: Image.Image,
    boxes: Sequence[tuple[int, int, int, int]],
    settings: TraceSettings,
    origin: Mapping[str, Any],
) -> Iterator[TraceStep]:
    target = to_tensor(small)
    drawn: Scene | None = None
    below = torch.zeros_like(target)
    picture: VectorPicture | None = None
    rounds = list(_rounds(small.size, boxes, settings))
    for index, (box, count, group) in enumerate(rounds):
        left = MAX_COMMANDS - (_commands(drawn) if drawn else 0)
        room = left // (len(rounds) - index)
        layer = _round(small, box, count, group, base=drawn is None, room=room, settings=settings)
        drawn = layer if drawn is None else stacked([drawn, _without_repeats(layer, below)])
        below = rasterise(drawn)
        to_photo = torch.tensor([photo.width / small.width, photo.height / small.height])
        scene = replace(drawn, points=drawn.points * to_photo, size=(float(photo.width), float(photo.height)))
        picture = VectorPicture(scene, origin=origin)
        yield TraceStep(index, picture, psnr(below, target), "trace")
    assert picture is not None  # noqa: S101 (there is a round at least)
    if settings.refine:
        fitting = refine(picture, photo, RefineSettings(steps=settings.refine, max_side=settings.max_side))
        for step in islice(fitting, 1, None):
            yield TraceStep(len(rounds) + step.index - 1, step.picture, step.psnr, "refine")


def _rounds(
    size: tuple[int, int], boxes: Sequence[tuple[int, int, int, int]], settings: TraceSettings
) -> Iterator[tuple[tuple[int, int, int, int], int, Group]]:
    """Box, number of colours and group of each round."""
    for number, count in enumerate(settings.colours, 1):
        yield (0, 0, *size), count, _group(f"round-{number}-{count}-colours")
    for number, box in enumerate(boxes, 1):
        count = settings.region_colours
        yield box, count, _group(f"region-{number}-{count}-colours")


def _group(name: str) -> Group:
    return Group(name, name.replace("-", " ").capitalize())


def _pixels(
    box: Box, size: tuple[int, int], zoom: tuple[float, float], small: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a region in pixels of the photo as traced."""
    x, y, width, height = box
    if not all(map(math.isfinite, box)) or width <= 0 or height <= 0:
        raise InputError("A region is x, y, width, height in pixels, with a width and a height above 0.")
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + width, size[0]), min(y + height, size[1])
    if left >= right or top >= bottom:
        raise InputError(
            f"The region {x:g},{y:g},{width:g},{height:g} is outside the photo of {size[0]} x {size[1]}."
        )
    low = min(int(left * zoom[0]), small[0] - 1), min(int(top * zoom[1]), small[1] - 1)
    high = math.ceil(right * zoom[0]), math.ceil(bottom * zoom[1])
    return *low, min(max(high[0], low[0] + 1), small[0]), min(max(high[1], low[1] + 1), small[1])


def _round(
    photo: Image.Image,
    box: tuple[int, int, int, int],
    count: int,
    group: Group,
    *,
    base: bool,
    room: int,
    settings: TraceSettings,
) -> Scene:
    """One layer of the drawing: a part of the photo in some colours, its hidden paths dropped."""
    part = photo.crop(box)
    settled = 1 + part.width * part.height // 200  # pixels that may still change their colour
    reduced = part.quantize(
        count, Image.Quantize.MEDIANCUT, kmeans=settled, dither=Image.Dither.NONE
    ).convert("RGB")
    palette = torch.from_numpy(np.unique(np.asarray(reduced).reshape(-1, 3), axis=0)).float() / 255
    scene = _areas(reduced, base=base, room=room, speckle=settings.speckle)
    nearest = torch.cdist(scene.colours[scene.colour_of], palette).argmin(1)
    scene = replace(
        scene,
        size=(float(photo.width), float(photo.height)),
        points=scene.points + torch.tensor(box[:2]),
        colours=palette,
        colour_of=nearest,
        groups=(group,),
        group_of=torch.zeros_like(nearest),
    )
    seen, mean, _ = _seen(scene, to_tensor(photo))
    kept = seen >= 0.5
    return _recoloured(scene.subset(kept), seen[kept], mean[kept])


def _areas(image: Image.Image, *, base: bool, room: int, speckle: int) -> Scene:
    """The areas of a picture of few colours; where they take more than `room` path commands, without the small ones."""
    while True:
        found = _vtracer(image, base=base, speckle=speckle)
        if b'd="M' not in found:
            return _rectangle(image.size)
        if sum(found.count(letter) for letter in (b"M", b"L", b"C", b"Z")) <= room:
            scene = read_svg(found).scene
            if _commands(scene) <= room:
                return scene
        speckle = max(4, 2 * speckle)


def _commands(scene: Scene) -> int:
    """Path commands of a scene as an SVG, at most: a beginning, an end and one for each segment."""
    return len(scene.segments) + 2 * len(scene.lengths)


def _rectangle(size: tuple[int, int]) -> Scene:
    """For a part in which every area is a speckle."""
    width, height = size
    corners = [(0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height))]
    return assemble([Path([polygon(corners)], (0.5, 0.5, 0.5))], size)


def _vtracer(image: Image.Image, *, base: bool, speckle: int) -> bytes:
    """An SVG of the areas: stacked without holes at the bottom, where no gap may show, abutting above."""
    try:
        import vtracer
    except ImportError as error:
        raise MissingExtraError('Tracing photos needs: pip install "pliant[vector]"') from error
    encoded = io.BytesIO()
    image.save(encoded, "PNG")
    text: str = vtracer.convert_raw_image_to_svg(
        encoded.getvalue(),
        img_format="png",
        hierarchical="stacked" if base else "cutout",
        filter_speckle=speckle,
        color_precision=8,
        layer_difference=16,
        length_threshold=10.0,
        path_precision=2,
    )
    return text.encode()


def _seen(scene: Scene, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How much of each path is seen, [N] pixels, and what lies there of a picture: its mean, and mean square, [N, 3].

    The picture is linear in the colours, so its gradient in them is the visible coverage, summed over pixels.
    """
    own = scene.with_own_colours()
    colours = own.colours.clone().requires_grad_()
    painted = rasterise(own.with_(colours=colours))
    weights = [torch.ones_like(target), (target + 1) / 2, ((target + 1) / 2).square()]
    sums = [
        torch.autograd.grad((painted * weight).sum() / 2, colours, retain_graph=True)[0][own.colour_of]
        for weight in weights
    ]
    area = sums[0].mean(1)
    mean, square = (each / area.clamp_min(1e-9)[:, None] for each in sums[1:])
    return area, mean, square


def _recoloured(scene: Scene, seen: Tensor, mean: Tensor) -> Scene:
    """The scene with each swatch the mean of the photo where the swatch is seen."""
    count = len(scene.colours)
    area = torch.zeros(count).index_add(0, scene.colour_of, seen)
    total = torch.zeros(count, 3).index_add(0, scene.colour_of, mean * seen[:, None])
    return scene.with_(colours=(total / area.clamp_min(1e-9)[:, None]).clamp(0, 1))


def _without_repeats(layer: Scene, below: Tensor) -> Scene:
    """The layer without paths that paint what is there already, to 2 of 255 levels."""
    _, mean, square = _seen(layer, below)
    colour = layer.colours[layer.colour_of]
    difference = (square - 2 * mean * colour + colour.square()).mean(1)
    return layer.subset(difference > (2 / 255) ** 2)
