"""How much of each pixel a stroked path covers, with round caps and joins, and its gradient.

A stroke is all that is nearer to its line than half its width. For every pixel near it the nearest of the path's lines
is found; there the stroke's two edges are taken as straight, and the area between them in the pixel is exact for an
edge of any slope. So strokes thinner than a pixel are right as well. Where strands of one stroke run through the same
pixel side by side, only the nearest of them counts. Gradients go to the end points of the nearest line and to the width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pliant.vector.coverage import FAINT, Fragments
from pliant.vector.flatten import Polylines, pair, ragged, read, taken

__all__ = ["Bars", "bars_along", "stroked"]

REACH = 0.71
"""How far beyond its edge a stroke can touch a pixel, from the pixel's centre: half a diagonal."""
FLAT = 1e-5
"""Slopes are not taken smaller than this in the area of a pixel beside an edge, for the sake of a division."""


@dataclass(frozen=True)
class Bars:
    """V lines as bars: rectangles that hold every pixel whose nearest place is on the line, or its end's share.

    They are the same wherever the lines are moved to.
    """

    drawn: Tensor
    """bool [V]: the line is one of a stroke."""
    along: Tensor
    """[V, 2] its direction, of length 1."""
    length: Tensor
    """[V]."""
    before: Tensor
    """[V] how far the bar goes on before the line's begin."""
    after: Tensor
    """[V] how far beyond its end."""
    across: Tensor
    """[V] half the width of the bar."""

    def area(self, size: tuple[int, int]) -> Tensor:
        """How many pairs of a line and a pixel of a picture `stroked` would compare, at most."""
        areas = 2 * self.across * (self.before + self.length + self.after)
        return (areas.clamp(max=size[0] * size[1]) * self.drawn).sum()


def stroked(lines: Polylines, bars: Bars, width: Tensor, size: tuple[int, int]) -> Fragments:
    """The pixels that strokes cover.

    Args:
        lines: gradients go to their vertices.
        bars: of these lines.
        width: [N] in pixels; gradients go to it. The coverage has its type.
        size: width and height of the picture.
    """
    begin = lines.vertices.detach()
    bar, x, y = _pixels(bars, begin, size)
    key = taken(lines.path * (size[0] * size[1]), bar) + y * size[0] + x
    centres = torch.stack([x, y], dim=1) + 0.5
    winner = _nearest(bars, bar, centres - taken(begin, bar), key)
    path, pixel = taken(key, winner) // (size[0] * size[1]), taken(key, winner) % (size[0] * size[1])
    coverage = _bar_area(lines, taken(bar, winner), taken(centres, winner), width.double()[path] / 2)
    kept = (coverage.detach() > FAINT).nonzero()[:, 0]
    return Fragments(pixel[kept], path[kept], coverage[kept].to(width.dtype))


def bars_along(lines: Polylines, painted: Tensor, width: Tensor) -> Bars:
    """Bars of the paths that are stroked, a bool [N], with these widths [N] in pixels."""
    vertices, following = lines.vertices.detach(), lines.following
    delta = vertices[following] - vertices
    length = delta.norm(dim=1)
    along = torch.where(length[:, None] > 0, delta / length[:, None], pair(1, 0, delta))
    # Of the pixels outside a joint that turns by an angle, each line takes those up to half of it.
    turn = ((1 - (along * along[following]).sum(dim=1)) / 2).clamp(min=0).sqrt()
    closing = torch.zeros_like(length, dtype=torch.bool).index_copy_(0, lines.last, ~lines.closed)
    ending = closing | (length == 0)
    loose = ending | ending[following]
    after = torch.where(loose, 1, turn.clamp(max=1))
    before = torch.empty_like(after).index_copy_(0, following, after)
    across = taken(width.detach().double(), lines.path) / 2 + REACH
    slack = 0.01
    return Bars(
        taken(painted, lines.path) & ~closing,
        along,
        length,
        before * across + slack,
        after * across + slack,
        across,
    )


def _pixels(bars: Bars, begin: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels whose centres lie in bars: number of the bar, x and y, each int64."""
    ux, uy = bars.along.unbind(1)
    x0, y0 = begin.unbind(1)
    start, stop = -bars.before, bars.length + bars.after
    side = bars.across * ux.abs()
    top = y0 + torch.minimum(start * uy, stop * uy) - side
    bottom = y0 + torch.maximum(start * uy, stop * uy) + side
    bar, row = _between(top, bottom, size[1], bars.drawn)

    down = row + 0.5 - taken(y0, bar)
    ux, uy, across, start, stop, x0 = (taken(part, bar) for part in (ux, uy, bars.across, start, stop, x0))
    low, high = _interval((ux * down - across, ux * down + across), uy)
    begin, end = _interval((start - uy * down, stop - uy * down), ux)
    span, x = _between(x0 + torch.maximum(low, begin), x0 + torch.minimum(high, end), size[0])
    return taken(bar, span), x, taken(row, span)


def _between(low: Tensor, high: Tensor, count: int, chosen: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Whole numbers n from 0 to count - 1 with low <= n + 0.5 <= high: which interval each is of, and n."""
    first = (low - 0.5).ceil().clamp(0, count)
    last = (high - 0.5).floor().clamp(-1, count - 1)
    counts = (last - first + 1).clamp(min=0).long()
    counts = counts if chosen is None else counts * chosen
    (total,) = read(counts.sum())
    owner, within = ragged(counts, int(total))
    return owner, taken(first.long(), owner) + within


def _interval(bounds: tuple[Tensor, Tensor], slope: Tensor) -> tuple[Tensor, Tensor]:
    """The x with bounds[0] <= slope * x <= bounds[1]; everything for no slope."""
    level = slope.abs() < 1e-9
    safe = torch.where(level, 1, slope)
    first, second = bounds[0] / safe, bounds[1] / safe
    return (
        torch.where(level, -torch.inf, torch.minimum(first, second)),
        torch.where(level, torch.inf, torch.maximum(first, second)),
    )


def _nearest(bars: Bars, bar: Tensor, away: Tensor, key: Tensor) -> Tensor:
    """Of all pairs [K] of a bar and a pixel's centre, away [K, 2] from its begin, the nearest for each key, in its order."""
    along = taken(bars.along, bar)
    on = (away * along).sum(dim=1).clamp(min=0).minimum(taken(bars.length, bar))
    squared = (away - on[:, None] * along).square().sum(dim=1)
    keys, where = torch.unique(key, return_inverse=True)
    least = squared.new_full((len(keys),), torch.inf).scatter_reduce(0, where, squared, "amin")
    number = torch.arange(len(bar), device=bar.device)
    candidate = torch.where(squared == taken(least, where), number, len(bar))
    return torch.full_like(keys, len(bar)).scatter_reduce(0, where, candidate, "amin")


def _bar_area(lines: Polylines, line: Tensor, centres: Tensor, radius: Tensor) -> Tensor:
    """Share [K] of the pixels that lies within the radius of their line."""
    begin, end = lines.vertices[line], lines.vertices[lines.following[line]]
    delta, away = end - begin, centres - begin
    squared = delta.square().sum(dim=1)
    degenerate = squared == 0
    length = torch.where(degenerate, 1, squared).sqrt()
    on = (away * delta).sum(dim=1).detach()
    beside = (on > 0) & (on < squared.detach()) & ~degenerate

    normal = torch.stack([-delta[:, 1], delta[:, 0]], dim=1) / length[:, None]
    from_end = torch.where((on <= 0)[:, None], away, centres - end)
    far = from_end.square().sum(dim=1)
    reach = torch.where(far == 0, 1, far).sqrt()
    distance = torch.where(beside, (away * normal).sum(dim=1).abs(), torch.where(far == 0, 0, reach))
    slope = torch.where(beside[:, None], normal, from_end / reach[:, None]).abs()
    return _half_plane(radius - distance, slope) + _half_plane(radius + distance, slope) - 1


def _half_plane(depth: Tensor, slope: Tensor) -> Tensor:
    """Share [K] of a pixel in a half plane.

    Args:
        depth: [K] how deep inside the pixel's centre lies, in pixels.
        slope: [K, 2] absolute parts of the normal of the edge.
    """
    steep, flat = slope.amax(dim=1).clamp(min=FLAT), slope.amin(dim=1).clamp(min=FLAT)
    outer, inner = (steep + flat) / 2, (steep - flat) / 2

    def ramp(z: Tensor) -> Tensor:
        return z.clamp(min=0).square()

    shares = ramp(depth + outer) - ramp(depth + inner) - ramp(depth - inner) + ramp(depth - outer)
    return shares / (2 * steep * flat)
