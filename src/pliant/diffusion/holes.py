"""Fill a hole in a picture from around it, in milliseconds and without a network.

Three layers. *Lines*: through each place of the hole go lines of many slopes; where both ends of one show the same colour, such
as the sky left and right of a tower, it belongs between them, and so a horizon goes on through the hole. *Seam*: what the lines
miss at the rim is spread smoothly over the hole (a membrane, by push and pull), so that nothing shows where it began.
*Grain*: the fine texture of the ground beside it is mirrored into the hole at its own height.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["box_around", "fill_hole", "push_pull"]

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
NEAR = 0.01
"""How much what is at either end counts beside what both say; it falls with the fourth power of how far it is."""
MIRROR = 24
"""Fine texture is taken from so many pixels beside the hole, again and again if it is large."""
CLEAR = 3.0
"""Fine texture beyond so many times the usual is part of something, and is not mirrored."""

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
"""Numbers of places, row by row."""
Ends = tuple[tuple[Places, Floats], tuple[Places, Floats]]
"""Where both ends of lines are, -1 if outside the picture, and how far away in places."""
NOWHERE = np.float32(1e6)


def fill_hole(pixels: Tensor, hole: Tensor) -> Tensor:
    """A picture whose hole looks like what is around it.

    Args:
        pixels: float32 [3, H, W] in [-1, 1].
        hole: float32 [H, W], 1 where nothing is known; where it is between 0 and 1, so much of the pixel is filled.

    Returns:
        [3, H, W]; where `hole` is 0 it is `pixels` to the bit. Grey if there is nothing to fill from.
    """
    unknown = hole > KNOWN
    if not bool(unknown.any()):
        return pixels
    if bool(unknown.all()):
        return torch.zeros_like(pixels)
    made = pixels.clone()
    for start, stop in _runs(unknown.any(0)):
        own = torch.zeros_like(unknown)
        own[:, start:stop] = unknown[:, start:stop]
        top, bottom, left, right = box_around(own, 0.15, MIRROR)
        there = (slice(None), slice(top, bottom), slice(start, stop))
        filled = _filled(pixels[:, top:bottom, left:right], unknown[top:bottom, left:right])
        share = hole[there[1:]]
        mixed = pixels[there].lerp(filled[:, :, start - left : stop - left], share)
        made[there] = torch.where(share > 0, mixed, pixels[there])
    return made


def _runs(some: Tensor) -> list[tuple[int, int]]:
    """First and last (outside) of what is true in [N], in one run where less than `MIRROR` is between."""
    places = some.nonzero()[:, 0]
    cuts = (places.diff() > MIRROR).nonzero()[:, 0] + 1
    return [(int(each[0]), int(each[-1]) + 1) for each in places.tensor_split(cuts)]


def box_around(region: Tensor, share: float = 0.0, least: int = 0) -> tuple[int, int, int, int]:
    """Top, bottom, left, right (bottom and right outside) around what is true in [H, W], with a margin.

    Args:
        region: bool [H, W], true somewhere.
        share: of the longer side of the box, as margin.
        least: margin in pixels.
    """
    rows, columns = region.any(1).nonzero()[:, 0], region.any(0).nonzero()[:, 0]
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    margin = max(least, round(share * max(bottom - top, right - left)))
    height, width = region.shape
    return (
        max(top - margin, 0),
        min(bottom + margin, height),
        max(left - margin, 0),
        min(right + margin, width),
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
    shrink = min(1.0, LONGEST / max(height, width), math.sqrt(MOST / int(gap.sum())))
    if shrink < 1:
        size = (max(1, round(height * shrink)), max(1, round(width * shrink)))
        small = F.interpolate(torch.cat([part * known, known[None]])[None], size, mode="area")[0]
        sure = small[-1] > 0.5
        if not bool(sure.any()):
            return push_pull(part, known)
        drawn = _along_lines(small[:-1] / small[-1:].clamp_min(1e-3), sure)
        drawn = F.interpolate(drawn[None], (height, width), mode="bicubic", align_corners=False)[0]
    else:
        drawn = _along_lines(part, ~gap)
    seam = push_pull((part - drawn) * known, known)
    filled = torch.where(gap, drawn + seam, part)
    return (filled + _grain(filled, gap)).clamp_(-1, 1)


def _grain(part: Tensor, gap: Tensor) -> Tensor:
    """[h, w]: fine texture for the places of a gap, mirrored at its rim from left and right, in shades of grey."""
    # not from above and below: in most pictures texture there is nearer or farther, so larger or smaller
    height, width = gap.shape
    grey = part.mean(0)[None, None]
    coarse = F.interpolate(grey, (max(1, height // 4), max(1, width // 4)), mode="area")
    fine = (grey - F.interpolate(coarse, (height, width), mode="bilinear", align_corners=False))[0, 0].numpy()
    sure = ~gap.numpy()
    some = np.abs(fine[::3, ::3][sure[::3, ::3]])
    most = CLEAR * float(np.median(some)) if len(some) else 0.0
    fine = np.where(sure, fine.clip(-most, most), 0).ravel()
    holes = np.flatnonzero(~sure)
    x = holes % width
    total, power = np.zeros(len(holes), np.float32), np.full(len(holes), 1e-6, np.float32)
    for end, far in _ends(sure, holes, 0.0):
        step = far.astype(np.int64) - 1  # beyond the end, forth and back
        there = end % width + np.sign(end - holes) * (MIRROR - abs(step % (2 * MIRROR) - MIRROR))
        share = np.where((end >= 0) & (there >= 0) & (there < width), 1 / far, 0)
        total += share * fine.take(holes - x + there, mode="clip")
        power += share**2
    grain = np.zeros(height * width, np.float32)
    grain[holes] = total / np.sqrt(power)
    return torch.from_numpy(grain).view(height, width)


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
    return made


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
