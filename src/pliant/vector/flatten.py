"""Cubic Bézier segments as short lines, with the gradient back to the control points.

The number of lines of a segment follows Wang's bound: n = ceil(sqrt(0.75 M / tolerance)), where M is the larger
second difference of its control points. The counts are constants of the gradient; the vertices are linear in the
control points. Every sum over a run of lines or vertices has a fixed order, so that results are the same each time
on every device.

A GPU that is asked for a number makes the program wait for all that it was told before. So sizes are asked for together
(`read`), small tensors are made on the device, and no operation is used that asks by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from pliant.errors import InputError
from pliant.vector.scene import Scene

__all__ = ["Polylines", "columns", "flatten", "offsets", "pair", "ragged", "read", "run_sums", "taken"]

TOLERANCE = 0.05
"""How far a line may be from its curve, in pixels."""
MAX_LINES = 64
"""Lines of one segment at most."""
PART = 64
"""Items of a long sum that are added up by themselves."""


@dataclass(frozen=True)
class Polylines:
    """V vertices in the order of the subpaths; a line goes from each vertex to the next of its subpath."""

    vertices: Tensor
    """float64 [V, 2] in pixels, (x, y); gradients go through it."""
    following: Tensor
    """int64 [V]: the vertex at the other end of the line; the first of the subpath for its last."""
    path: Tensor
    """int64 [V]: the path of the vertex."""
    last: Tensor
    """int64 [B]: the last vertex of each subpath."""
    closed: Tensor
    """bool [B]: the line from the last vertex belongs to the subpath; else it only closes it for filling."""


def flatten(scene: Scene, points: Tensor) -> Polylines:
    """The lines of a scene whose points, in pixels, are `points` [P, 2].

    Raises:
        InputError: points or widths that are not finite.
    """
    points = points.double()
    corners = points[scene.segments]
    counts = _line_counts(corners.detach())
    vertex_counts = counts + scene.gaps
    total, numbers = read(
        vertex_counts.sum(), points.detach().sum() + scene.stroke_width.detach().sum(dtype=torch.float64)
    )
    if not math.isfinite(numbers):
        raise InputError("A point or a width of the drawing is not a finite number, so it cannot be drawn.")
    ends = offsets(vertex_counts)
    segment = torch.repeat_interleave(vertex_counts, output_size=int(total))
    number = torch.arange(len(segment), dtype=points.dtype, device=points.device)
    t = (number - taken(ends, segment)) / taken(counts, segment)
    vertices = cast("Tensor", _Vertices.apply(corners, segment, ends, _bernstein(t)))

    places = taken(ends, scene.places)
    last = places[1:] - 1
    following = torch.arange(1, len(segment) + 1, device=points.device).index_copy_(0, last, places[:-1])
    return Polylines(vertices, following, taken(scene.path_of, segment), last, scene.closed)


def read(*numbers: Tensor) -> list[float]:
    """Numbers that are on the device, int64 or float64, with one wait for all of them."""
    return torch.stack(numbers).tolist()


def pair(first: float, second: float, like: Tensor) -> Tensor:
    """Both numbers as a tensor [2] like another, made on its device: copying them there would wait."""
    return torch.linspace(first, second, 2, dtype=like.dtype, device=like.device)


def offsets(counts: Tensor) -> Tensor:
    """int64 [R + 1]: where each of R runs begins, and where the last one ends."""
    places = counts.new_zeros(len(counts) + 1)
    torch.cumsum(counts, 0, out=places[1:])
    return places


def ragged(counts: Tensor, total: int) -> tuple[Tensor, Tensor]:
    """Items of runs with counts[i] items each: the run that each is of, and its number within it, both int64."""
    owner = torch.repeat_interleave(counts, output_size=total)
    return owner, torch.arange(total, device=counts.device) - taken(counts.cumsum(0) - counts, owner)


def run_sums(values: Tensor, places: Tensor) -> Tensor:
    """Sums of values [K, ...] over consecutive runs that begin and end at `places` [R + 1], in order: [R, ...]."""
    return sums_of_parts(values, places) if values.is_cuda else short_sums(values, places)


def sums_of_parts(values: Tensor, places: Tensor) -> Tensor:
    """As `run_sums`, by way of the sums of parts of at most `PART` items: a GPU walks along each sum with one thread."""
    every = torch.arange(0, len(values), PART, device=values.device)
    cuts = torch.sort(torch.cat([every, places]))[0]
    return short_sums(short_sums(values, cuts), torch.searchsorted(cuts, places))


def short_sums(values: Tensor, places: Tensor) -> Tensor:
    """As `run_sums`, for runs that are short on any device."""
    if len(values) == 0:
        return values.new_zeros((len(places) - 1, *values.shape[1:]))
    return torch.segment_reduce(values, "sum", offsets=places, axis=0, initial=0, unsafe=True)


def taken(values: Tensor, numbers: Tensor) -> Tensor:
    """values[numbers], several times as fast; not for what has a gradient, whose order on a GPU would vary."""
    return values.index_select(0, numbers)


def columns(table: Tensor, numbers: Tensor) -> Tensor:
    """table[:, numbers] of a table of few rows, several times as fast."""
    return table.gather(1, numbers.expand(len(table), -1))


def _line_counts(corners: Tensor) -> Tensor:
    bends = torch.sub(corners[:, :2], corners[:, 1:3], alpha=2) + corners[:, 2:]
    bound = (bends.norm(dim=-1).amax(dim=1) * (0.75 / TOLERANCE)).sqrt()
    return bound.ceil().clamp(1, MAX_LINES).long()


def _bernstein(t: Tensor) -> Tensor:
    """Weights [V, 4] of the control points at t [V]; exact at 0 and 1."""
    both = torch.stack([1 - t, t], dim=1)
    weights = (both.square()[:, :, None] * both[:, None]).flatten(1)
    weights[:, 1:3].mul_(3)
    return weights


class _Vertices(torch.autograd.Function):
    """vertices = Σ weights · control points; its gradient sums runs instead of scattering."""

    @staticmethod
    def forward(ctx: Any, corners: Tensor, segment: Tensor, places: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(places, weights)
        return (weights[:, :, None] * corners.index_select(0, segment)).sum(dim=1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        places, weights = ctx.saved_tensors
        return short_sums(weights[:, :, None] * grads[0][:, None], places), None, None, None
