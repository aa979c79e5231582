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

from pliant.vector.flatten import Polylines, columns, offsets, read, run_sums, taken

__all__ = ["Fragments", "Plan", "covered", "fold", "planned", "winding_areas", "wound"]

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
class _Cells:
    """Where I intervals, each from one number to another, are cut at whole numbers."""

    counts: Tensor
    """int64 [I]: cells of each, as long as it touches any."""
    places: Tensor
    """int64 [I + 1]: where its cells begin among all, and where the last ones end."""
    table: Tensor
    """[8, I], for both ends in turn: the interval's, as far as its cells reach, the whole numbers around those, and what to
    add to the number of a cell among all for where the interval enters and leaves it; then the ends themselves."""


@dataclass(frozen=True)
class Plan:
    """What there is to cut, and how much of it, before any memory for it is taken."""

    vertices: Tensor
    """[2, V]."""
    ends: Tensor
    """[2, V]: where the line of each vertex ends."""
    path: Tensor
    """int64 [V]."""
    rows: _Cells
    """Of the lines of paths that are filled."""
    boxes: tuple[Tensor, Tensor, Tensor, Tensor]
    """Left, top, width and height, each int64 [N], of what the filled paths touch of the picture; widths have two to spare."""
    areas: Tensor
    """int64 [N + 1]: where the winding areas in each box begin, and where the last ones end."""
    box_rows: Tensor
    """int64 [N + 1]: so for the rows of the boxes."""
    size: tuple[int, int]

    def needs(self) -> tuple[Tensor, Tensor, Tensor]:
        """How many winding areas there will be, rows of them, and pieces of lines between rows of pixels."""
        return self.areas[-1], self.box_rows[-1], self.rows.places[-1]


@dataclass(frozen=True)
class Pieces:
    """C pieces of V lines, cut at rows and columns of pixels, in the order of the lines."""

    places: Tensor
    """int64 [V + 1]: where the pieces of each line begin and end; none for a line above or below the picture."""
    line: Tensor
    """int64 [C]: which of the lines it is of."""
    span: Tensor
    """[C]: its share of the line, 0 to 1."""
    middle: Tensor
    """[C]: where on the line its middle lies, 0 to 1."""
    cell: Tensor
    """int64 [C]: where among the winding areas it lies; what lies left or right of the picture is in the nearest column."""
    outside: Tensor
    """bool [C]: it lies left or right of the picture."""
    height: Tensor
    """[C], units, whole; positive for lines that go down."""
    place: Tensor
    """[C]: mean x within the column, 0 to 1; 0 outside the picture."""


@dataclass(frozen=True)
class Area:
    """Winding areas in the boxes of all paths: rows of one path after another, each with two columns to spare."""

    winding: Tensor
    """int64 [A], units."""
    pieces: Pieces
    cell: Tensor
    """int64 [C]: where in `winding` each piece lies; the last, a spare one, for what lies outside of the picture."""
    row_of: Tensor
    """int64 [A]: number of the row."""
    shift: Tensor
    """int64 [R]: what makes a place in `winding` a pixel of the picture, for each row."""
    path: Tensor
    """int64 [R]."""


def planned(polylines: Polylines, filled: Tensor, size: tuple[int, int]) -> Plan:
    """Boxes of the paths that are filled, a bool [N], and rows of their lines, in a picture of (width, height) pixels."""
    vertices = polylines.vertices.detach().T.contiguous()
    ends = columns(vertices, polylines.following)
    heights = torch.stack([vertices[1], ends[1]])
    rows = _cells(heights, heights, (0, size[1]), taken(filled, polylines.path))
    boxes = _boxes(vertices, polylines.path, filled, size)
    _, _, stride, height = boxes
    areas = offsets(stride * height)
    return Plan(vertices, ends, polylines.path, rows, boxes, areas, offsets(height), size)


def winding_areas(polylines: Polylines, filled: Tensor, size: tuple[int, int]) -> Area:
    """Winding areas of the paths that are filled, a bool [N], in a picture of (width, height) pixels."""
    plan = planned(polylines, filled, size)
    areas, rows, pieces = (int(number) for number in read(*plan.needs()))
    return wound(plan, areas, rows, pieces)


def wound(plan: Plan, areas: int, rows: int, pieces: int) -> Area:
    """Winding areas as planned; the numbers are what the plan needs."""
    left, top, stride, height = plan.boxes
    first = plan.areas[:-1] - left
    cut = _cut(plan, torch.stack([torch.addcmul(first, top, stride, value=-1), stride]), pieces)

    path = torch.repeat_interleave(height, output_size=rows)
    less = plan.size[0] - stride
    shift = torch.addcmul(top * plan.size[0] - first, plan.box_rows[:-1], less, value=-1)
    stride, less, shift = columns(torch.stack([stride, less, shift]), path)
    shift = torch.addcmul(shift, torch.arange(rows, device=path.device), less)
    row_of = torch.repeat_interleave(stride, output_size=areas)

    beyond = (cut.height * cut.place).round()
    winding = torch.zeros(areas, dtype=torch.int64, device=path.device)
    winding.scatter_add_(0, cut.cell, (cut.height - beyond).long())
    winding.scatter_add_(0, cut.cell + 1, beyond.long())
    cell = cut.cell.masked_fill(cut.outside, areas - 1)
    return Area(winding.cumsum(0), cut, cell, row_of, shift, path)


def covered(
    area: Area, polylines: Polylines, even_odd: Tensor | None, dtype: torch.dtype = torch.float32
) -> Fragments:
    """The pixels that filled paths cover, and those that their boundaries touch where a gradient is wanted.

    Args:
        area: of these polylines.
        polylines: gradients go to their vertices.
        even_odd: bool [N], the fill rule of each path; None if all are non-zero.
        dtype: of the coverage.
    """
    folded = None if even_odd is None else even_odd[area.path][area.row_of]
    coverage = fold(area.winding.to(dtype) / UNIT, folded)
    keep = coverage > FAINT
    if polylines.vertices.requires_grad:
        keep.index_fill_(0, area.cell, True)
        keep[-1:].zero_()  # the spare one, which stands for what lies outside
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
    even_odd: Tensor | None
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
        delta = taken(vertices, shown.following) - vertices
        dense = grads[0].new_zeros(len(area.winding)).index_copy_(0, shown.kept, grads[0])
        flux = taken(dense, area.cell) * pieces.span * _slope(area, delta, shown.even_odd)
        later = flux * pieces.middle
        sums = run_sums(torch.stack([flux - later, later], dim=1), pieces.places)
        normal = torch.stack([-delta[:, 1], delta[:, 0]], dim=1)
        gradient = normal * sums[:, :1]
        # Each vertex ends one line, so nothing collides.
        return gradient.index_add_(0, shown.following, normal * sums[:, 1:]), None, None


def _slope(area: Area, delta: Tensor, even_odd: Tensor | None) -> Tensor:
    """Slope [C] of coverage over winding at each piece, as it moves into its pixel: right, or down for flat lines.

    On whole coordinates the winding sits on a kink of the coverage; the side that the piece can reach decides.
    """
    dx, dy = delta.unbind(1)
    across, down = delta.abs().unbind(1)
    toward = taken(torch.where(across > down, dx, -dy).sign() * KINK, area.pieces.line)
    here = taken(area.winding, area.cell).double() / UNIT
    folded = None if even_odd is None else even_odd[area.path[area.row_of[area.cell]]]
    after, before = fold(torch.stack([here + toward, here]), folded)
    return ((after - before) / toward).nan_to_num_(0)  # a line without length goes nowhere


def _boxes(
    vertices: Tensor, path: Tensor, filled: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The boxes of a `Plan`."""
    index = path.expand(2, -1)
    both = vertices.new_full((2, 2, len(filled)), float("inf"))
    low, high = both
    low.scatter_reduce_(1, index, vertices, "amin")
    high.neg_().scatter_reduce_(1, index, vertices, "amax").add_(1)
    both.floor_()
    both[:, 0].clamp_(0, size[0])
    both[:, 1].clamp_(0, size[1])
    start, stop = both.long().unbind()
    extent = (stop - start).clamp_(min=0) * filled
    return start[0], start[1], extent[0] + 2, extent[1]


def _cut(plan: Plan, boxes: Tensor, count: int) -> Pieces:
    """Cut lines at rows, then at columns.

    Args:
        plan: the lines, and their rows.
        boxes: [2, N] by path, where among the winding areas column 0 of row 0 would be, and the areas of a row.
        count: number of pieces between rows.
    """
    width = plan.size[0]
    ends = torch.cat([plan.vertices[0], plan.ends[0]]).view(2, -1)
    line, row, y, t, (x0, x1, first, stride) = _parts(
        plan.rows, torch.cat([ends, columns(boxes, plan.path)]), count
    )
    x = torch.lerp(x0, x1, t)
    strips = _cells(x, x.clamp(-1, width + 0.5), (-1, width + 1))
    (total,) = read(strips.places[-1])
    begins = torch.addcmul(first, row, stride)
    heights = (y * UNIT).round_()
    strip, column, x, share, known = _parts(strips, torch.cat([begins[None], t, heights]), int(total))
    begin, limits = known[0], known[1:].view(2, 2, -1)
    shares = torch.lerp(limits[:, :1], limits[:, 1:], share)
    shares[1].round_()
    span, rise = shares[:, 1] - shares[:, 0]
    held = column.clamp(0, width)
    return Pieces(
        places=taken(strips.places, plan.rows.places),
        line=taken(line, strip),
        span=span,
        middle=shares[0].mean(0),
        cell=(begin + held).long(),
        outside=column != column.clamp(0, width - 1),
        height=rise,
        place=x.clamp(0, width).mean(0) - held,
    )


def _cells(ends: Tensor, held: Tensor, limits: tuple[int, int], chosen: Tensor | None = None) -> _Cells:
    """Cut intervals with these ends [2, I] at whole numbers.

    Intervals of no length count once. Cells are kept within the limits; ends that are held there, a little inside, make
    the outermost cells reach to infinity, else what is outside is dropped.
    """
    low, high = torch.aminmax(held, dim=0)
    first = low.floor()
    whole = torch.stack([first, torch.maximum(high.ceil(), first + 1)])
    start, stop = whole.clamp(*limits)
    counts = (stop - start).long()
    if chosen is not None:
        counts = counts * chosen
    places = offsets(counts)
    back = ends[1] < ends[0]
    shift = start - places[:-1]
    table = torch.cat(
        [
            held,
            torch.where(back, whole.flip(0), whole),
            (shift + back)[None],
            (shift + ~back)[None],
            ends,
        ]
    )
    return _Cells(counts, places, table)


def _parts(cells: _Cells, more: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Intervals [I] in the cells that they are cut into, one after another.

    Args:
        cells: of the intervals.
        more: [M, I], what else the cells are to know of their intervals.
        count: of the cells.

    Returns:
        for each cell its interval, its whole number, where the interval enters and leaves it [2, K], which shares of the
        interval these are, 0 to 1, [2, K], and the columns of `more`.
    """
    owner = torch.repeat_interleave(cells.counts, output_size=count)
    number = torch.arange(count, dtype=more.dtype, device=more.device)
    known = columns(torch.cat([cells.table, more]), owner)
    held, whole, shift, ends = known[:8].view(4, 2, -1)
    edges = number + shift
    outer = edges == whole
    share = (edges - ends[0]) / (ends[1] - ends[0])
    share[0].masked_fill_(outer[0], 0)
    share[1].masked_fill_(outer[1], 1)
    return owner, edges.amin(0), torch.where(outer, held, edges), share, known[8:]
