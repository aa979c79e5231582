"""Plain twins of the rasteriser: one that samples, for quality, and one that draws path by path, for time."""

from __future__ import annotations

import torch
from torch import Tensor

from pliant.vector.coverage import covered, winding_areas
from pliant.vector.flatten import flatten
from pliant.vector.scene import Scene

__all__ = ["one_by_one", "sampled"]

LINES = 64
"""Lines of each cubic in the sampled picture."""


def sampled(scene: Scene, samples: int = 8) -> Tensor:
    """A scene of fills with samples x samples points a pixel, each inside or outside: RGB [3, H, W] in [-1, 1]."""
    width, height = (round(side) for side in scene.size)
    picture = torch.tensor(scene.background or (1.0, 1.0, 1.0)).expand(height, width, 3).clone()
    for index in range(len(scene)):
        path = scene.subset(torch.tensor([index]))
        low, high = path.points.amin(0).floor().clamp(min=0).int(), path.points.amax(0).ceil().int()
        (left, top), (right, bottom) = low.tolist(), high.minimum(torch.tensor([width, height])).tolist()
        if left >= right or top >= bottom:
            continue
        inside = _wound(
            (_polygons(path) - low) * samples, ((right - left) * samples, (bottom - top) * samples)
        )
        inside = inside % 2 != 0 if path.even_odd[0] else inside != 0
        share = torch.nn.functional.avg_pool2d(inside[None].float(), samples)[0, :, :, None] * path.opacity[0]
        part = picture[top:bottom, left:right]
        part += share * (path.colours[path.colour_of[0]] - part)
    return 2 * picture.permute(2, 0, 1) - 1


def one_by_one(scene: Scene) -> Tensor:
    """The scene as `rasterise` has it, but each path flattened, covered and blended by itself, under autograd."""
    width, height = (round(side) for side in scene.size)
    painted = scene.points.new_tensor(scene.background or (1.0, 1.0, 1.0))[:, None].expand(3, width * height)
    for index in range(len(scene)):
        path = scene.subset(torch.tensor([index], device=scene.points.device))
        lines = flatten(path, path.points)
        part = covered(winding_areas(lines, path.colour_of >= 0, (width, height)), lines, path.even_odd)
        alpha = part.coverage.to(painted.dtype) * path.opacity[0]
        below = painted.index_select(1, part.pixel)
        colour = path.colours[path.colour_of[0]][:, None]
        painted = painted.index_copy(1, part.pixel, below + alpha * (colour - below))
    return 2 * painted.reshape(3, height, width) - 1


def _polygons(path: Scene) -> Tensor:
    """Ends of lines [L, 2, 2] along all closed subpaths of one path."""
    t = torch.linspace(0, 1, LINES + 1)[:, None, None]
    a, b, c, d = path.points[path.segments].unbind(1)
    along = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t * t * (1 - t) * c + t**3 * d
    return torch.stack([along[:-1], along[1:]], dim=2).flatten(0, 1)


def _wound(lines: Tensor, size: tuple[int, int]) -> Tensor:
    """How often the lines [L, 2, 2] wind around the centre of each sample: int64 [H, W]."""
    width, height = size
    crossings = torch.zeros(height, width + 1, dtype=torch.int64)
    (x0, y0), (x1, y1) = (lines[:, end].double().unbind(1) for end in range(2))
    first = (torch.minimum(y0, y1) - 0.5).ceil().long().clamp(0, height)
    last = (torch.maximum(y0, y1) - 0.5).ceil().long().clamp(0, height)
    for offset in range(int((last - first).max().clamp(min=0))):
        row = first + offset
        on = row < last
        level = (row[on] + 0.5 - y0[on]) / (y1 - y0)[on]
        column = (x0[on] + level * (x1 - x0)[on] - 0.5).ceil().long().clamp(0, width)
        way = torch.where(y1 > y0, 1, -1)[on]
        crossings.index_put_((row[on], column), way, accumulate=True)
    return crossings.cumsum(1)[:, :width]
