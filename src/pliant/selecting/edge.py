"""From a picture to a small copy, and from what was selected there back to the picture, along its edges."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pliant.selecting.flow import Floats, Mask

__all__ = ["refined", "shrunk"]

GUIDE = 1e-4
"""How much of a difference of colours, squared and in [0, 1], is no edge to follow."""
AROUND = 5
"""Places of the small copy around a selection that its edge may lie in."""
BAND = 1 << 19
"""Pixels that are refined at once."""


def shrunk(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A small copy whose longer side is at most `side`."""
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))


def refined(image: NDArray[np.uint8], small: NDArray[np.uint8], found: Mask) -> Mask:
    """A selection in a small copy, at the size of the picture, its edge where the picture's colours say.

    Around each place the selection is a linear function of colour (guided filter); it is found in the small copy and applied to
    the picture, band by band.
    """
    height, width = image.shape[:2]
    if small.shape[:2] == (height, width):
        return found
    colours = small.astype(np.float32) / 255
    values = np.concatenate([colours, found[..., None].astype(np.float32)], 2)
    products = (colours[..., None] * values[..., None, :]).reshape(*found.shape, 12)
    means = _means(np.concatenate([values, products], 2))
    mean, chosen, product = means[..., :3], means[..., 3], means[..., 4:].reshape(*found.shape, 3, 4)
    spread = product[..., :3] - mean[..., None] * mean[..., None, :] + GUIDE * np.eye(3, dtype=np.float32)
    slope = np.linalg.solve(spread, (product[..., 3] - mean * chosen[..., None])[..., None])[..., 0]
    linear = _means(np.concatenate([slope / 255, (chosen - (slope * mean).sum(2))[..., None]], 2))
    low, high, share = _between(width, found.shape[1])
    across = torch.from_numpy(linear[:, low] * (1 - share)[:, None] + linear[:, high] * share[:, None])
    low, high, share = _between(height, found.shape[0])
    mask = np.zeros((height, width), np.bool_)
    first, last = _extent(np.flatnonzero(found.any(1)), len(found), height)
    start, stop = _extent(np.flatnonzero(found.any(0)), found.shape[1], width)
    rows = max(1, BAND // max(1, stop - start))
    for row in range(first, last, rows):
        band = slice(row, min(row + rows, last))
        here = across[low[band], start:stop].lerp(
            across[high[band], start:stop], torch.from_numpy(share[band, None, None])
        )
        seen = torch.from_numpy(image[band, start:stop].astype(np.float32))
        mask[band, start:stop] = ((here[..., :3] * seen).sum(2) + here[..., 3] > 0.5).numpy()
    return mask


def _extent(there: NDArray[np.int64], coarse: int, fine: int) -> tuple[int, int]:
    """First and last (outside) of `fine` places where a selection can be that is `there` among `coarse`."""
    if not len(there):
        return 0, 0
    scale = fine / coarse
    first, last = math.floor((there[0] - AROUND) * scale), math.ceil((there[-1] + 1 + AROUND) * scale)
    return max(0, first), min(fine, last)


def _means(values: Floats) -> Floats:
    """Means over 5 x 5 places, fewer at the border, of [h, w, C]."""
    for axis in (0, 1):
        count = values.shape[axis]
        ends = np.arange(count)
        first, last = np.maximum(ends - 2, 0), np.minimum(ends + 3, count)
        sums = np.cumsum(values, axis, dtype=np.float64)
        sums = np.concatenate([np.zeros_like(sums.take([0], axis)), sums], axis)
        size = (last - first).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        values = ((sums.take(last, axis) - sums.take(first, axis)) / size).astype(np.float32)
    return values


def _between(fine: int, coarse: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """For each of `fine` places: the two of `coarse` that it lies between, and how far from the first."""
    at = ((np.arange(fine) + 0.5) * coarse / fine - 0.5).clip(0, coarse - 1)
    low = at.astype(np.int64)
    return low, np.minimum(low + 1, coarse - 1), (at - low).astype(np.float32)
