"""Fill a hole in a picture from around it, in milliseconds and without a network.

Three layers. *Lines*: through each place of the hole go lines of many slopes; where both ends of one show the same colour, such
as the sky left and right of a tower, it belongs between them, and so a horizon goes on through the hole. *Seam*: what the lines
miss at the rim is spread smoothly over the hole (a membrane, by push and pull), so that nothing shows where it began.
*Grain*: fine texture comes in blocks from places around the hole that look like what is filled in, and as rough as its rim.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Box", "box_around", "fill_hole", "push_pull"]

KNOWN = 0.02
"""A place with less of the hole in it than this is known."""
LEVEL = (0.0, 0.1, -0.1, 0.25, -0.25, 0.6, -0.6)
STEEP = (0.0, 0.3, -0.3)
"""Slopes of the lines: down for each step to the right, and to the right for each step down. Horizons are near to level."""
LIKE = 0.16
"""Colours in [-1, 1] that are this far apart hardly agree."""
ALONE = 0.1
"""How much a line with one end counts, which agrees with nothing."""
MOST = 8_000
"""Places of a hole that lines are drawn through; a larger one is filled from a smaller picture."""
LONGEST = 224
LARGE = 512
"""Of a hole that is about twice as large, or more, all but the grain is made in a smaller picture."""
NEAR = 0.01
"""How much what is at either end counts beside what both say; it falls with the fourth power of how far it is."""
NEXT = 24
"""Holes that are so many pixels apart have nothing to do with one another."""
AROUND = 0.5
"""Fine texture is looked for so far around a hole, in shares of it."""
CELL, CELLS = 4, 3_000
"""Fine is what is smaller than so many pixels; than more where the hole and what is around it would have more such cells."""
BLOCK, STEP = 8, 6
"""Cells of a block of fine texture, and to the next, which overlaps it."""
ROUGH = 0.1
"""How much likeness of roughness counts, in logarithms, beside that of colours."""
CHOICE, APART = 8, 3
"""Each block takes another one of so many places that are most alike, so many cells apart, so that none is seen all over."""
CLEAR = 2.0
"""Fine texture beyond so many times the usual is part of something, and is cut there."""

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
"""Numbers of places, row by row."""
Ends = tuple[tuple[Places, Floats], tuple[Places, Floats]]
"""Where both ends of lines are, -1 if outside the picture, and how far away in places."""
NOWHERE = np.float32(1e6)
Box = tuple[int, int, int, int]
"""Top, bottom, left, right of a part of a picture, bottom and right outside."""


def fill_hole(pixels: Tensor, hole: Tensor) -> Tensor:
    """A picture whose hole looks like what is around it.

    Args:
        pixels: float32 [3, H, W] in [-1, 1].
        hole: float32 [H, W], 1 where nothing is known; where it is between 0 and 1, so much of the pixel is filled.

    Returns:
        [3, H, W]; where `hole` is 0 it is `pixels` to the bit. Grey if there is nothing to fill from.
    """
    unknown = hole > KNOWN
    if hole.max() <= KNOWN:
        return pixels.clone()
    if hole.min() > KNOWN:
        return torch.zeros_like(pixels)
    made = pixels.clone()
    for start, stop in _runs(np.asarray(unknown.numpy().any(0))):
        tight = _box(unknown[:, start:stop], start)
        top, bottom, left, right = _widened(tight, unknown.shape, 0.15, NEXT)
        there = (slice(None), slice(top, bottom), slice(start, stop))
        filled = _filled(pixels[:, top:bottom, left:right], unknown[top:bottom, left:right])
        rows, end, columns, last = _widened(tight, unknown.shape, AROUND, 2 * NEXT)
        wide = pixels[:, rows:end, columns:last].clone()
        within = wide[:, top - rows : bottom - rows, left - columns : right - columns]
        within.copy_(filled)
        _add_grain(wide, unknown[rows:end, columns:last])
        filled = within.clamp_(-1, 1)
        share = hole[there[1:]]
        mixed = pixels[there].lerp(filled[:, :, start - left : stop - left], share)
        made[there] = torch.where(share > 0, mixed, pixels[there])
    return made


def _runs(some: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last (outside) of what is true in [N], in one run where less than `NEXT` is between."""
    places = np.flatnonzero(some)
    runs = np.split(places, np.flatnonzero(np.diff(places) > NEXT) + 1)
    return [(int(each[0]), int(each[-1]) + 1) for each in runs]


def box_around(region: Tensor, share: float = 0.0, least: int = 0) -> Box:
    """The box around what is true in [H, W], with a margin.

    Args:
        region: bool [H, W], true somewhere.
        share: of the longer side of the box, as margin.
        least: margin in pixels.
    """
    return _widened(_box(region), region.shape, share, least)


def _box(region: Tensor, start: int = 0) -> Box:
    """The box around what is true in [H, w], whose first column is `start`."""
    rows, columns = (np.flatnonzero(region.numpy().any(side)) for side in (1, 0))
    return int(rows[0]), int(rows[-1]) + 1, start + int(columns[0]), start + int(columns[-1]) + 1


def _widened(box: Box, shape: Sequence[int], share: float, least: int) -> Box:
    """A box with a margin, as `box_around` has it, within a picture of this shape (height, width)."""
    top, bottom, left, right = box
    margin = max(least, round(share * max(bottom - top, right - left)))
    return (
        max(top - margin, 0),
        min(bottom + margin, shape[0]),
        max(left - margin, 0),
        min(right + margin, shape[1]),
    )


def push_pull(values: Tensor, known: Tensor) -> Tensor:
    """Values that are known in some places, spread smoothly over all others.

    Args:
        values: float32 [C, H, W].
        known: float32 [H, W], how far each can be trusted, 0 to 1.

    Returns:
        [C, H, W]; `values` where `known` is 1.
    """
    height, width = known.shape
    if min(height, width) <= 1 or bool((known >= 1).all()):
        total = known.sum()
        if float(total) <= 0:
            return values
        mean = (values * known).sum((1, 2), keepdim=True) / total
        return torch.lerp(mean.expand_as(values), values, known)
    both = torch.cat([values * known, known[None]])
    both = F.pad(both, (0, width % 2, 0, height % 2))  # what is added is not known
    both = 0.25 * (both[:, ::2, ::2] + both[:, 1::2, ::2] + both[:, ::2, 1::2] + both[:, 1::2, 1::2])
    weight = both[-1:]
    coarse = push_pull(both[:-1] / weight.clamp_min(1e-6), (4 * weight[0]).clamp(0, 1))
    finer = F.interpolate(coarse[None], scale_factor=2, mode="bilinear", align_corners=False)[0]
    return torch.lerp(finer[:, :height, :width], values, known)


def _filled(part: Tensor, gap: Tensor) -> Tensor:
    """The part of a picture around a hole, filled wherever `gap` is true."""
    height, width = gap.shape
    known = (~gap).float()
    times = round(max(height, width) / LARGE)
    if times > 1:
        small, share = _smaller(part, known, (max(1, height // times), max(1, width // times)))
        lost = share < 0.5
        filled = (_filled(small, lost) if lost.any() else small)[None]
        return torch.where(gap, F.interpolate(filled, (height, width), mode="bicubic")[0], part)
    shrink = min(1.0, LONGEST / max(height, width), math.sqrt(MOST / int(gap.sum())))
    if shrink < 1:
        size = (max(1, round(height * shrink)), max(1, round(width * shrink)))
        small, share = _smaller(part, known, size)
        if share.max() <= 0.5:
            return push_pull(part, known)
        drawn = _along_lines(small, share > 0.5)
        drawn = F.interpolate(drawn[None], (height, width), mode="bicubic", align_corners=False)[0]
    else:
        drawn = _along_lines(part, ~gap)
    seam = push_pull((part - drawn) * known, known)
    return torch.where(gap, drawn + seam, part)


def _smaller(part: Tensor, known: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Means of what is known in fewer and larger pixels, [3, h, w], and how much of each is known, [h, w]."""
    small = F.interpolate(torch.cat([part * known, known[None]])[None], size, mode="area")[0]
    return small[:-1] / small[-1:].clamp_min(1e-3), small[-1]


def _add_grain(part: Tensor, gap: Tensor) -> None:
    """Give the filled places of a picture [3, h, w] the fine texture of places around them."""
    cell = max(CELL, round(math.sqrt(gap.numel() / CELLS)))
    apart = max(1, cell // 8)  # of so many pixels one each way is enough to know what a cell looks like
    cell -= cell % apart
    seen = part[None, :, ::apart, ::apart]
    coarse, square = (
        F.avg_pool2d(each, cell // apart, ceil_mode=True)
        for each in (seen, seen.mean(1, keepdim=True).square())
    )
    inside = F.max_pool2d(gap[None, None].float(), cell, ceil_mode=True)
    unknown = F.max_pool2d(inside, 3, 1, 1)  # at a hole's edge there is something of what left it
    spread = (square - coarse.mean(1, keepdim=True).square()).clamp_min(1e-5).sqrt()
    rough = push_pull(spread[0].log(), 1 - unknown[0, 0])  # logarithms: single edges at the rim hardly count
    most = CLEAR * float(spread[unknown == 0].median()) if unknown.min() == 0 else 0.0
    unknown[:, :, gap.shape[0] // cell :] = 1
    unknown[:, :, :, gap.shape[1] // cell :] = 1
    to, origins = _alike(torch.cat([coarse, ROUGH * rough[None]], 1), inside, unknown)
    if not len(to):
        return
    side, lap = BLOCK * cell, (BLOCK - STEP) * cell
    places = [(slice(y, y + side), slice(x, x + side)) for y, x in (cell * origins).tolist()]
    blocks = torch.stack([part[:, down, right] for down, right in places])
    smooth = F.avg_pool2d(blocks, cell)
    smooth = F.interpolate(smooth, scale_factor=cell, mode="bilinear", align_corners=False)
    ramp = (0.5 * math.pi * ((torch.arange(side) + 0.5) / lap).clamp(max=1)).sin()
    window = ramp * ramp.flip(0)  # squares of what overlaps add up to 1, so texture is as strong there
    height, width = torch.maximum(cell * (to.amax(0) + BLOCK), torch.tensor(gap.shape)).tolist()
    grain = torch.zeros(3, height, width)
    fine = (blocks - smooth).clamp_(-most, most) * (window[:, None] * window)
    for (y, x), each in zip((cell * to).tolist(), fine, strict=True):
        grain[:, y : y + side, x : x + side] += each
    part += grain[:, : gap.shape[0], : gap.shape[1]] * gap


def _alike(looks: Tensor, inside: Tensor, unknown: Tensor) -> tuple[Tensor, Tensor]:
    """Blocks of cells that cover a hole, and for each one that looks like it.

    Args:
        looks: [1, C, h, w], what to compare.
        inside: [1, 1, h, w], 1 where there is something of the hole.
        unknown: the same, 1 where nothing may be taken from.

    Returns:
        (y, x) of the first cells of both, [N, 2] each; N is 0 if there is nowhere to take from.
    """
    if min(unknown.shape[2:]) < BLOCK:
        return torch.zeros(0, 2), torch.zeros(0, 2)
    free = APART * (F.max_pool2d(unknown, BLOCK, APART)[0, 0] == 0).nonzero()
    if not len(free):
        return torch.zeros(0, 2), torch.zeros(0, 2)
    below, right = (-(side - BLOCK) % STEP for side in unknown.shape[2:])
    to = (F.max_pool2d(F.pad(inside, (0, right, 0, below)), BLOCK, STEP)[0, 0] > 0).nonzero()
    looks = F.pad(looks, (0, right, 0, below), mode="replicate")[0]
    blocks = looks.unfold(1, BLOCK, 1).unfold(2, BLOCK, 1)
    wanted, offered = (
        blocks[:, each[:, 0] * step, each[:, 1] * step].movedim(1, 0).flatten(1)
        for each, step in ((to, STEP), (free, 1))
    )
    unlike = offered.square().sum(1) - 2 * wanted @ offered.T
    best = unlike.topk(min(CHOICE, len(free)), largest=False).indices
    number = torch.arange(len(to))
    return STEP * to, free[best[number, 5 * number % best.shape[1]]]


def _along_lines(picture: Tensor, known: Tensor) -> Tensor:
    """[3, h, w]: what lines of all slopes say about what is not `known`, weighted by how well their ends agree."""
    sure = known.numpy()
    holes = np.flatnonzero(~sure)
    if not len(holes):
        return picture
    level, steep = (_softened(picture, known, along) for along in ((1, 5), (5, 1)))
    drawn, total = np.zeros((3, len(holes)), np.float32), np.zeros(len(holes), np.float32)
    for number, slope in enumerate((*LEVEL, *STEEP)):
        if number < len(LEVEL):
            colours, weight = _said(level, _ends(sure, holes, slope))
        else:
            colours, weight = _said(steep, _ends_steep(sure, holes, slope))
        drawn += colours * weight
        total += weight
    there = torch.from_numpy(holes)
    made = picture.clone()
    made.reshape(3, -1)[:, there] = torch.from_numpy(drawn / np.maximum(total, 1e-12))
    lost = total <= 1e-12  # no line met anything
    if lost.any():
        found = torch.ones(sure.shape)
        found.view(-1)[there[torch.from_numpy(lost)]] = 0
        made = push_pull(made, found)
    return torch.where(known, picture, _evened(made))


def _evened(picture: Tensor) -> Tensor:
    """Medians of five, along rows and then columns: no streak of one line among others remains, and edges do."""
    for side, margin in ((2, (2, 2, 0, 0)), (1, (0, 0, 2, 2))):
        wide = F.pad(picture[None], margin, mode="replicate")[0]
        a, b, middle, c, d = (wide.narrow(side, start, picture.shape[side]) for start in range(5))
        low = torch.maximum(torch.minimum(a, b), torch.minimum(c, d))
        high = torch.minimum(torch.maximum(a, b), torch.maximum(c, d))
        picture = torch.maximum(torch.minimum(low, high), torch.minimum(torch.maximum(low, high), middle))
    return picture


def _softened(picture: Tensor, known: Tensor, along: tuple[int, int]) -> Floats:
    """[3, h * w]: means of what is known, rows by columns, so that one odd pixel makes no streak."""
    both = torch.cat([picture * known, known[None].float()])[None]
    both = F.avg_pool2d(both, along, 1, (along[0] // 2, along[1] // 2))[0]
    return np.ascontiguousarray((both[:-1] / both[-1:].clamp_min(1e-6)).reshape(3, -1).numpy())


def _ends(sure: NDArray[np.bool_], holes: Places, slope: float) -> Ends:
    """The nearest known places left and right of those in `holes`, along lines of a slope."""
    height, width = sure.shape
    x = np.arange(width, dtype=np.int32)
    down = np.rint(slope * x).astype(np.int32)
    lines = np.arange(height)[:, None] - down + down.max()  # rows of the sheared picture
    there = (lines * width + x).ravel()
    shape = (height + int(down.max() - down.min()), width)
    before, after = np.full(shape, -1, np.int32), np.full(shape, width, np.int32)
    before.ravel()[there] = np.where(sure, x, -1).ravel()
    after.ravel()[there] = np.where(sure, x, width).ravel()
    np.maximum.accumulate(before, 1, out=before)
    np.minimum.accumulate(after[:, ::-1], 1, out=after[:, ::-1])
    lines, columns = there[holes], holes % width
    found: list[tuple[Places, Floats]] = []
    for end, none in ((before.ravel()[lines], -1), (after.ravel()[lines], width)):
        away = end - columns
        far = np.abs(away).astype(np.float32) * math.hypot(1, slope)
        step = down[np.clip(end, 0, width - 1)] - down[columns]
        place = np.where(end == none, -1, holes + step * width + away)
        found.append((place, np.where(end == none, NOWHERE, far)))
    return found[0], found[1]


def _ends_steep(sure: NDArray[np.bool_], holes: Places, slope: float) -> Ends:
    """The same above and below, along lines that go `slope` to the right for each row."""
    height, width = sure.shape
    ends = _ends(np.ascontiguousarray(sure.T), holes % width * height + holes // width, slope)
    above, below = ((np.where(end < 0, -1, end % height * width + end // height), far) for end, far in ends)
    return above, below


def _said(soft: Floats, ends: Ends) -> tuple[Floats, Floats]:
    """Colours [3, N] that lines with these ends give to places, and how much they count [N]."""
    (first, one), (second, other) = ends
    start, stop = soft[:, first], soft[:, second]
    between = start + (stop - start) * (one / (one + other))
    agreed = np.exp(-np.square(start - stop).sum(0) / LIKE**2) + 1e-3
    nearest = np.minimum(one, other)
    single = np.maximum(one, other) >= NOWHERE
    weights = np.where(single, ALONE / 4, agreed) / np.square(np.where(single, nearest, one + other))
    near, nearer = NEAR / one**4, NEAR / other**4
    total = weights + near + nearer
    colours = (between * weights + start * near + stop * nearer) / total
    return colours.astype(np.float32), np.where(nearest < NOWHERE, total, 0).astype(np.float32)
