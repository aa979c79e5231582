"""The rasteriser: a scene as pixels, with gradients to its points, colours, opacities and stroke widths.

Curves become lines (`flatten.py`), fills the exact area of each pixel that they cover (`coverage.py`), strokes the
area of a bar across the pixel at the nearest place of the line (`stroke.py`), and all of it is laid over one another
(`composite.py`). Time grows with the pixels of the paths' boxes and the length of the boundaries, memory with what is seen
of them: drawings with very many large paths are worked on in bands.

The same scene gives the same bits each time, on a GPU too: winding areas are sums of whole numbers, and every sum of
real numbers has a fixed order. No gradient comes from sampling.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from pliant.vector.composite import blend, without_hidden
from pliant.vector.coverage import Fragments, covered, planned, winding_areas, wound
from pliant.vector.flatten import flatten, pair, read
from pliant.vector.scene import Scene
from pliant.vector.stroke import bars_along, stroked

__all__ = ["rasterise"]

WHITE = (1.0, 1.0, 1.0)
AT_ONCE = 2**25
"""Pixels of boxes and bars that are worked on at once, some 40 bytes each; what has more is drawn in bands of rows."""


def rasterise(scene: Scene, size: tuple[int, int] | None = None) -> Tensor:
    """Draw a scene.

    Args:
        scene: its points, colours, opacities and stroke widths may ask for gradients.
        size: width and height in pixels; None for one pixel a user unit.

    Returns:
        RGB [3, H, W] in [-1, 1], of the type and on the device of the points; a transparent drawing is on white.

    Raises:
        InputError: points that are not finite, such as after a step that was too large.
    """
    width, height = size or (max(1, round(scene.size[0])), max(1, round(scene.size[1])))
    across, down = width / scene.size[0], height / scene.size[1]
    lines = flatten(scene, scene.points * pair(across, down, scene.points))
    widths = scene.stroke_width * math.sqrt(across * down)
    plan = planned(lines, scene.filled, (width, height))
    needs = list(plan.needs())
    bars = bars_along(lines, scene.stroked & (widths > 0), widths) if scene.strokes else None
    if bars is not None:
        needs.append(bars.area((width, height)))
    areas, rows, pieces, *compared = (int(number) for number in read(*needs))

    bands: list[Tensor] = []
    for top, bottom in _bands(height, areas + sum(compared)):
        part, band = (width, bottom - top), lines
        if bottom - top == height:
            area = wound(plan, areas, rows, pieces)
        else:
            band = replace(lines, vertices=lines.vertices - pair(0, top, lines.vertices))
            area = winding_areas(band, scene.filled, part)
        fragments = covered(area, band, scene.even_odd if scene.folds else None, scene.points.dtype)
        if bars is not None:
            fragments = _interleaved(fragments, stroked(band, bars, widths, part))
        bands.append(_painted(scene, fragments, part))
    return bands[0] if len(bands) == 1 else torch.cat(bands, dim=1)


def _bands(height: int, work: int) -> list[tuple[int, int]]:
    """First row and the row after the last of each band, so that none has much more than `AT_ONCE` of the work."""
    count = min(height, work // AT_ONCE + 1)
    return list(pairwise(height * index // count for index in range(count + 1)))


def _painted(scene: Scene, fragments: Fragments, size: tuple[int, int]) -> Tensor:
    """The fragments of a scene over its background, [3, H, W]; with strokes, shapes are as `_interleaved` has them."""
    colours, opacity = _colours(scene, scene.colour_of), scene.opacity
    if scene.strokes:
        colours = torch.stack([colours, _colours(scene, scene.stroke_of)], dim=1).flatten(0, 1)
        opacity = torch.stack([opacity, opacity], dim=1).flatten()
    pixels = size[0] * size[1]
    background = [2 * value - 1 for value in scene.background or WHITE]
    shown = without_hidden(fragments, opacity, pixels)
    return blend(shown, 2 * colours - 1, opacity, background, pixels).reshape(3, size[1], size[0])


def _colours(scene: Scene, rows: Tensor) -> Tensor:
    """Colours [N, 3] of the paths' fills or strokes; any where there is none."""
    return scene.colours[rows] if len(scene.colours) else scene.colours.new_zeros(len(rows), 3)


def _interleaved(fills: Fragments, strokes: Fragments) -> Fragments:
    """Both as the shapes fill 0, stroke 0, fill 1, stroke 1, and so on."""
    shape = torch.cat([2 * fills.shape, 2 * strokes.shape + 1])
    shape, order = torch.sort(shape, stable=True)
    pixel = torch.cat([fills.pixel, strokes.pixel])[order]
    return Fragments(pixel, shape, torch.cat([fills.coverage, strokes.coverage]).index_select(0, order))
