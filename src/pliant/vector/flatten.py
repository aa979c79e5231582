"""Cubic Bézier segments as short lines, with the gradient back to the control points.

The number of lines of a segment follows Wang's bound: n = ceil(sqrt(0.75 M / tolerance)), where M is the larger
second difference of its control points. The counts are constants of the gradient; the vertices are linear in the
control points. Every sum over a run of lines or vertices has a fixed order, so that results are the same each time
on every device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from pliant.vector.scene import Scene

__all__ = ["Polylines", "flatten", "ragged", "run_sums", "taken"]

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
    closing: Tensor
    """bool [V]: the line only closes an open subpath, for filling."""


def flatten(scene: Scene, points: Tensor) -> Polylines:
    """The lines of a scene whose points, in pixels, are `points` [P, 2]."""
    corners = points.double()[scene.segments]
    counts = _line_counts(corners.detach())
    last = torch.zeros_like(counts, dtype=torch.bool)
    last[scene.lengths.cumsum(0) - 1] = True
    opened = last & ~scene.closed[scene.subpath_of]
    vertex_counts = counts + opened.long()
    segment, within = ragged(vertex_counts)
    t = within.double() / counts[segment]
    vertices = cast("Tensor", _Vertices.apply(corners, segment, vertex_counts, _bernstein(t)))

    subpath = scene.subpath_of[segment]
    per_subpath = torch.bincount(subpath, minlength=len(scene.lengths))
    starts, ends = _starts(per_subpath), per_subpath.cumsum(0) - 1
    following = torch.arange(1, len(segment) + 1, device=points.device)
    following[ends] = starts
    closing = torch.zeros(len(segment), dtype=torch.bool, device=points.device)
    closing[ends] = ~scene.closed
    return Polylines(vertices, following, scene.path_of[segment], closing)


def ragged(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Items of runs with counts[i] items each: the run that each is of, and its number within it, both int64."""
    owner = torch.repeat_interleave(counts)
    return owner, torch.arange(len(owner), device=counts.device) - _starts(counts)[owner]


def run_sums(values: Tensor, lengths: Tensor) -> Tensor:
    """Sums of values [K, ...] over consecutive runs of the given lengths [R], in order: [R, ...]."""
    if len(values) == 0:
        return values.new_zeros((len(lengths), *values.shape[1:]))
    if values.is_cuda:
        return sums_of_parts(values, lengths)
    return torch.segment_reduce(values, "sum", lengths=lengths, axis=0, initial=0)


def sums_of_parts(values: Tensor, lengths: Tensor) -> Tensor:
    """As `run_sums`, by way of the sums of parts of `PART` items: a GPU walks along each sum with one thread."""
    counts = (lengths + PART - 1) // PART
    run, within = ragged(counts)
    parts = torch.minimum(lengths[run] - PART * within, lengths.new_tensor(PART))
    sums = torch.segment_reduce(values, "sum", lengths=parts, axis=0, initial=0)
    return torch.segment_reduce(sums, "sum", lengths=counts, axis=0, initial=0)


def taken(values: Tensor, numbers: Tensor) -> Tensor:
    """values[numbers], several times as fast; not for what has a gradient, whose order on a GPU would vary."""
    return values.index_select(0, numbers)


def _line_counts(corners: Tensor) -> Tensor:
    bends = corners[:, :2] - 2 * corners[:, 1:3] + corners[:, 2:]
    bound = (0.75 / TOLERANCE * bends.norm(dim=-1).amax(dim=1)).sqrt()
    return bound.ceil().clamp(1, MAX_LINES).long()


def _bernstein(t: Tensor) -> Tensor:
    """Weights [V, 4] of the control points at t [V]; exact at 0 and 1."""
    s = 1 - t
    return torch.stack([s**3, 3 * s * s * t, 3 * s * t * t, t**3], dim=1)


def _starts(counts: Tensor) -> Tensor:
    return counts.cumsum(0) - counts


class _Vertices(torch.autograd.Function):
    """vertices = Σ weights · control points; its gradient sums runs instead of scattering."""

    @staticmethod
    def forward(ctx: Any, corners: Tensor, segment: Tensor, counts: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(counts, weights)
        return (weights[:, :, None] * corners.index_select(0, segment)).sum(dim=1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        counts, weights = ctx.saved_tensors
        return run_sums(weights[:, :, None] * grads[0][:, None], counts), None, None, None
