"""How much of each pixel a filled path covers: exact areas, and their exact gradient.

Every line is cut at the edges of pixels. A piece of signed height dy whose mean place within its pixel is m (0 left,
1 right) adds dy (1 - m) to that pixel and dy m to the next; the sum along the row is the signed winding area A of
each pixel. Non-zero paths cover min(|A|, 1), even-odd paths the triangular fold of A with period 2. That is exact
where one boundary crosses a pixel, and as browsers have it where several of one path do.

Heights and areas are kept as whole numbers of 2^-32 of a pixel. Whole numbers add up to the same in any order, the
winding of a closed path returns to exactly 0 at the end of each row, and what is inside is covered exactly.

The gradient is the boundary integral: when a point of a line moves by δ, the area of the pixel changes by the flux of
δ through the piece of the line that lies in it. So each piece needs only the gradient of its own pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from pliant.vector.flatten import Polylines, ragged, run_sums, taken

__all__ = ["Fragments", "box_area", "covered", "fold", "winding_areas"]

UNIT = 2.0**32
"""Whole numbers for the height or the area of one pixel."""
FAINT = 1e-4
"""Pixels covered less than this are left out, unless a boundary of the path touches them."""
KINK = 1e-6
"""Step with which the slope of the coverage is taken, always towards the side that the piece can reach."""


@dataclass(frozen=True)
class Fragments:
    """K pairs of a pixel and a shape that covers some of it, in the order of the shapes."""

    pixel: Tensor
    """int64 [K]: y * width + x."""
    shape: Tensor
    """int64 [K]."""
    coverage: Tensor
    """[K], 0 to 1."""


@dataclass(frozen=True)
class Pieces:
    """C pieces of L lines, cut at rows and columns of pixels, in the order of the lines."""

    lines: Tensor
    """int64 [L]: the vertex where each line begins."""
    counts: Tensor
    """int64 [L]: pieces of each line; none for a line above or below the picture."""
    line: Tensor
    """int64 [C]: which of the L lines it is of."""
    span: Tensor
    """[C]: its share of the line, 0 to 1."""
    middle: Tensor
    """[C]: where on the line its middle lies, 0 to 1."""
    row: Tensor
    """int64 [C]."""
    column: Tensor
    """int64 [C]; -1 for all that lies left of the picture, the width for all right of it."""
    height: Tensor
    """int64 [C], units; positive for lines that go down."""
    place: Tensor
    """[C]: mean x within the column, 0 to 1; 0 outside the picture."""


@dataclass(frozen=True)
class Area:
    """Winding areas in the boxes of all paths: rows of one path after another, each with two columns to spare."""

    winding: Tensor
    """int64 [A], units."""
    pieces: Pieces
    cell: Tensor
    """int64 [C]: where in `winding` each piece lies."""
    inside: Tensor
    """bool [C]: the piece lies in the picture."""
    row_of: Tensor
    """int64 [A]: number of the row."""
    shift: Tensor
    """int64 [R]: what makes a place in `winding` a pixel of the picture, for each row."""
    path: Tensor
    """int64 [R]."""


def winding_areas(polylines: Polylines, filled: Tensor, size: tuple[int, int]) -> Area:
    """Winding areas of the paths that are filled, a bool [N], in a picture of (width, height) pixels."""
    vertices = polylines.vertices.detach()
    pieces = _cut(vertices, polylines.following, filled[polylines.path].nonzero()[:, 0], size)
    left, top, width, height = _boxes(vertices, polylines.path, filled, size)
    stride = width + 2
    first = (height * stride).cumsum(0) - height * stride
    path, row = ragged(height)
    row_of = torch.repeat_interleave(stride[path])
    shift = (top[path] + row) * size[0] + left[path] - first[path] - row * stride[path]

    owner = taken(polylines.path[pieces.lines], pieces.line)
    cell = taken(first - top * stride - left, owner) + pieces.row * taken(stride, owner)
    cell += pieces.column.clamp(min=0)
    beyond = (pieces.height * pieces.place).round().long()
    winding = torch.zeros(len(row_of), dtype=torch.int64, device=path.device)
    winding.scatter_add_(0, cell, pieces.height - beyond).scatter_add_(0, cell + 1, beyond)
    inside = (pieces.column >= 0) & (pieces.column < size[0])
    return Area(winding.cumsum(0), pieces, cell, inside, row_of, shift, path)


def box_area(polylines: Polylines, filled: Tensor, size: tuple[int, int]) -> int:
    """How many winding areas `winding_areas` would hold."""
    _, _, width, height = _boxes(polylines.vertices.detach(), polylines.path, filled, size)
    return int(((width + 2) * height).sum())


def covered(
    area: Area, polylines: Polylines, even_odd: Tensor, dtype: torch.dtype = torch.float32
) -> Fragments:
    """The pixels that filled paths cover, and those that their boundaries touch where a gradient is wanted.

    Args:
        area: of these polylines.
        polylines: gradients go to their vertices.
        even_odd: bool [N], the fill rule of each path.
        dtype: of the coverage.
    """
    wound = area.winding.to(dtype) / UNIT
    folded = even_odd[area.path][area.row_of] if even_odd.any() else None
    coverage = fold(wound, folded)
    keep = coverage > FAINT
    if polylines.vertices.requires_grad:
        keep[area.cell[area.inside]] = True
    kept = keep.nonzero()[:, 0]
    row = taken(area.row_of, kept)
    shown = _Shown(area, polylines.following, even_odd, kept)
    differentiable = cast("Tensor", _Covered.apply(polylines.vertices, taken(coverage, kept), shown))
    return Fragments(kept + taken(area.shift, row), taken(area.path, row), differentiable)


def fold(winding: Tensor, even_odd: Tensor | None) -> Tensor:
    """Coverage of winding areas in pixels; `even_odd` is a bool of the same shape, None for non-zero only."""
    nonzero = winding.abs().clamp_(max=1)
    if even_odd is None:
        return nonzero
    return torch.where(even_odd, 1 - ((winding.remainder(2)) - 1).abs(), nonzero)


@dataclass(frozen=True)
class _Shown:
    """What the gradient of coverage needs beside the vertices."""

    area: Area
    following: Tensor
    even_odd: Tensor
    kept: Tensor
    """int64 [K]: places in `area.winding` that became fragments."""


class _Covered(torch.autograd.Function):
    """The coverage that was computed, with the boundary integral as its gradient."""

    @staticmethod
    def forward(ctx: Any, vertices: Tensor, coverage: Tensor, shown: _Shown) -> Tensor:
        ctx.save_for_backward(vertices)
        ctx.shown = shown
        return coverage

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (vertices,) = ctx.saved_tensors
        shown: _Shown = ctx.shown
        area = shown.area
        pieces = area.pieces
        ends = shown.following[pieces.lines]
        delta = vertices.index_select(0, ends) - vertices.index_select(0, pieces.lines)
        dense = torch.zeros(len(area.winding), dtype=torch.float64, device=vertices.device)
        dense[shown.kept] = grads[0].double()
        flux = taken(dense, area.cell) * area.inside * pieces.span * _slope(area, delta, shown.even_odd)
        later = flux * pieces.middle
        sums = run_sums(torch.stack([flux - later, later], dim=1), pieces.counts)
        normal = torch.stack([-delta[:, 1], delta[:, 0]], dim=1)
        gradient = torch.zeros_like(vertices)
        gradient[pieces.lines] = normal * sums[:, :1]
        gradient[ends] += normal * sums[:, 1:]  # each vertex ends one line, so nothing collides
        return gradient, None, None


def _slope(area: Area, delta: Tensor, even_odd: Tensor) -> Tensor:
    """Slope [C] of coverage over winding at each piece, as it moves into its pixel: right, or down for flat lines.

    On whole coordinates the winding sits on a kink of the coverage; the side that the piece can reach decides.
    """
    dx, dy = delta.unbind(1)
    toward = taken(torch.where(dx.abs() > dy.abs(), dx.sign(), -dy.sign()) * KINK, area.pieces.line)
    wound = taken(area.winding, area.cell).double() / UNIT
    folded = even_odd[area.path[area.row_of[area.cell]]] if even_odd.any() else None
    change = fold(wound + toward, folded) - fold(wound, folded)
    return torch.where(toward == 0, 0, change / torch.where(toward == 0, 1, toward))


def _boxes(
    vertices: Tensor, path: Tensor, filled: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Left, top, width and height, each int64 [N], of what the filled paths touch of the picture."""
    low = vertices.new_full((len(filled), 2), float("inf"))
    high = -low
    index = path[:, None].expand(-1, 2)
    low.scatter_reduce_(0, index, vertices, "amin")
    high.scatter_reduce_(0, index, vertices, "amax")
    limit = torch.tensor(size, device=path.device)
    start = torch.minimum(low.floor().clamp(min=0), limit).long()
    stop = torch.minimum((high.floor() + 1).clamp(min=0), limit).long()
    extent = (stop - start).clamp(min=0) * filled[:, None]
    return start[:, 0], start[:, 1], extent[:, 0], extent[:, 1]


def _cut(vertices: Tensor, following: Tensor, lines: Tensor, size: tuple[int, int]) -> Pieces:
    """Cut the lines that begin at the vertices `lines` at rows, then at columns."""
    x0, y0 = vertices.index_select(0, lines).unbind(1)
    x1, y1 = vertices.index_select(0, following.index_select(0, lines)).unbind(1)
    dx, dy = x1 - x0, y1 - y0

    low, high = torch.minimum(y0, y1), torch.maximum(y0, y1)
    line, row, top, bottom, _, _ = _cells(low, high, 0, size[1] - 1)
    rise, from_x, from_y, to_x = (taken(part, line) for part in (dy, x0, y0, dx))
    down = rise >= 0
    starts, stops = torch.where(down, top, bottom), torch.where(down, bottom, top)
    level = rise == 0
    rise = torch.where(level, 1, rise)
    t0 = ((starts - from_y) / rise).clamp(0, 1)
    t1 = torch.where(level, 1, ((stops - from_y) / rise).clamp(0, 1))

    xa, xb = from_x + t0 * to_x, from_x + t1 * to_x
    left = xb < xa
    strip, column, west, east, first, last = _cells(torch.minimum(xa, xb), torch.maximum(xa, xb), -1, size[0])
    line, flip, row, t0, t1 = (taken(part, strip) for part in (line, left, row, t0, t1))
    h0, h1 = (taken((part * UNIT).round(), strip) for part in (starts, stops))
    x0, y0, dx, dy = (taken(part, line) for part in (x0, y0, dx, dy))
    run = torch.where(dx == 0, 1, dx)

    def at(x: Tensor, end: Tensor, t_end: Tensor, h_end: Tensor) -> tuple[Tensor, Tensor]:
        t = torch.where(end, t_end, ((x - x0) / run).clamp(t0, t1))
        h = ((y0 + t * dy) * UNIT).round().clamp(torch.minimum(h0, h1), torch.maximum(h0, h1))
        return t, torch.where(end, h_end, h)

    ta, ha = at(west, first, torch.where(flip, t1, t0), torch.where(flip, h1, h0))
    tb, hb = at(east, last, torch.where(flip, t0, t1), torch.where(flip, h0, h1))
    place = ((west + east) / 2).clamp(0, size[0]) - column.clamp(0, size[0])
    return Pieces(
        lines=lines,
        counts=torch.bincount(line, minlength=len(lines)),
        line=line,
        span=(tb - ta).abs(),
        middle=(ta + tb) / 2,
        row=row.long(),
        column=column.long(),
        height=torch.where(flip, ha - hb, hb - ha).long(),
        place=place.clamp(0, 1),
    )


def _cells(
    low: Tensor, high: Tensor, least: int, most: int
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Cut intervals [I] at whole numbers, one after another.

    Intervals of no length count once. Cells are kept from `least` to `most`; when these are -1 and the width, the
    outermost cells reach to infinity, else what is outside is dropped.

    Returns:
        for each cell its interval, its whole number, where it begins and ends, and whether it is the interval's
        first and last.
    """
    bottom = low.floor()
    first = bottom.clamp(min=least)
    last = torch.maximum(high.ceil() - 1, bottom).clamp(max=most)
    if least < 0:
        first, last = first.clamp(max=most), last.clamp(min=least)
    counts = (last - first + 1).clamp(min=0).long()
    owner, within = ragged(counts)
    number = taken(first, owner) + within
    begins, ends = within == 0, within == taken(counts, owner) - 1
    if least < 0:
        start = torch.where(begins, taken(low, owner), number)
        stop = torch.where(ends, taken(high, owner), number + 1)
    else:
        start = torch.maximum(number, taken(low, owner))
        stop = torch.minimum(number + 1, taken(high, owner))
    return owner, number, start, stop, begins, ends
