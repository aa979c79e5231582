"""Select things by hand: by a click, by a box around them. Colours and edges only, no network.

Click and box compare each place with samples of what is selected and of what is around it, by colour and place together
(densities with Gaussian kernels), let the answer flow where there is no edge (random walks with prior probabilities: Grady,
CVPR 2005), and learn the samples anew from it. That is done in a small copy; the edge then follows the colours of the picture
itself (guided filter: He et al., ECCV 2010).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pliant.errors import InputError
from pliant.selecting.edge import refined, shrunk
from pliant.selecting.flow import (
    Floats,
    Mask,
    closed,
    compared,
    density,
    distances,
    edges,
    features,
    likely,
    oklab,
    smoothed,
    some,
)

__all__ = ["grow", "in_box"]

CLICK_SIDE, BOX_SIDE = 96, 112
"""Longer sides of the small copies."""
UNLIKE = -6.0
"""Logarithm of a density below which a place is unlike the samples."""
REACH = 0.4
"""How much difference a selection by click crosses at tolerance 0.5; a tenth of that at 0, ten times as much at 1."""
TOLL = 0.2
"""What a place that is nothing of the thing adds to it."""
GROUND = (0.15, 0.12)
"""What looks so much like the point, all the way to so large a share of the picture's frame, is no thing but ground or sky."""


def grow(image: NDArray[np.uint8], point: tuple[float, float], tolerance: float = 0.5) -> Mask:
    """What a person means who clicks on a picture: the thing there, or the ground or sky.

    Args:
        image: uint8 [H, W, 3].
        point: (x, y) in pixels.
        tolerance: 0 selects only what looks the same, 1 almost everything that can be reached from the point.

    Returns:
        [H, W], true around the point.

    Raises:
        InputError: a point outside the picture or a tolerance outside its range.
    """
    height, width = _checked(image)
    if not all(map(math.isfinite, point)) or not (0 <= point[0] <= width - 1 and 0 <= point[1] <= height - 1):
        raise InputError(
            f"The point ({point[0]:g}, {point[1]:g}) lies outside the picture; "
            f"x goes from 0 to {width - 1}, y from 0 to {height - 1}."
        )
    if not 0 <= tolerance <= 1:
        raise InputError(f"The tolerance is {tolerance:g}; give 0 (the same colour) to 1 (almost anything).")
    small = shrunk(image, CLICK_SIDE)
    lab = oklab(small)
    y, x = np.mgrid[: lab.shape[0], : lab.shape[1]]
    at_x, at_y = ((p + 0.5) * lab.shape[1] / width - 0.5 for p in point)
    seed = np.hypot(x - at_x, y - at_y) <= max(0.75, 0.015 * max(lab.shape))
    found = _grown(lab, seed, REACH * 100 ** (tolerance - 0.5))
    mask = refined(image, small, found)
    mask[round(point[1]), round(point[0])] = True
    return mask


def in_box(image: NDArray[np.uint8], box: Sequence[float]) -> Mask:
    """The thing that a person drew a box around.

    Args:
        image: uint8 [H, W, 3].
        box: x, y, width and height in pixels; the thing should fit in it closely.

    Returns:
        [H, W]: the thing; the whole box where nothing in it stands out.

    Raises:
        InputError: a box without area, or none of it in the picture.
    """
    height, width = _checked(image)
    left, top, right, bottom = _checked_box(box, width, height)
    margin = round(max(8, 0.2 * max(right - left, bottom - top)))
    first, start = max(0, top - margin), max(0, left - margin)
    part = image[first : bottom + margin, start : right + margin]
    small = shrunk(part, BOX_SIDE)
    scale = small.shape[0] / part.shape[0], small.shape[1] / part.shape[1]
    y, x = np.mgrid[: small.shape[0], : small.shape[1]] + 0.5
    off_x = (2 * (x / scale[1] + start) - left - right) / (right - left)  # -1 to 1 in the box
    off_y = (2 * (y / scale[0] + first) - top - bottom) / (bottom - top)
    inside = np.maximum(abs(off_x), abs(off_y)) < 1
    found = _found_in_box(oklab(small), inside, (0.8 - off_x**2 - off_y**2).astype(np.float32))
    mask = np.zeros((height, width), np.bool_)
    mask[first : bottom + margin, start : right + margin] = refined(part, small, found)
    boxed = np.zeros_like(mask)
    boxed[top:bottom, left:right] = True
    mask &= boxed
    return mask if mask.sum() > 0.02 * boxed.sum() else boxed


def _grown(lab: Floats, seed: Mask, reach: float) -> Mask:
    """What belongs to a seed in a small picture."""
    height, width = seed.shape
    frame = np.ones_like(seed)
    frame[2:-2, 2:-2] = False
    steps = edges(lab)
    alike = distances(seed, steps, np.full(seed.shape, 0.002, np.float32))
    near, most = GROUND
    if (alike[frame] < min(reach, near)).mean() > most:  # ground or sky: it goes on beyond the picture
        found = alike < reach
    else:
        places = features(lab, max(height, width))
        share = 1 / (1 + np.exp(density(places, places[some(frame)]) - UNLIKE))
        share = smoothed(share.reshape(seed.shape), lab)
        for _ in range(2):
            near = distances(seed, [step * (1.1 - share) for step in steps], TOLL * (1 - share)) < reach
            samples = some(seed | (near & (share > 0.5))), some(frame | (share < 0.3))
            share = compared(places, *samples).reshape(seed.shape)
            share = smoothed(share, lab)
        found = distances(seed, [step * (1.1 - share) for step in steps], TOLL * (1 - share)) < reach
    return closed(found | seed, frame & ~found)


def _found_in_box(lab: Floats, inside: Mask, central: Floats) -> Mask:
    """The thing in a box of a small picture; `central` is how much more likely places are for being in the middle of it."""
    places = features(lab, max(inside.any(0).sum(), inside.any(1).sum()))
    around, within = some(~inside), np.flatnonzero(inside)
    prior = central.ravel()[within]
    share = np.zeros(inside.size, np.float32)
    if not len(around) or not len(within):
        return inside
    share[within] = likely(UNLIKE - density(places[within], places[around]) + prior)
    if share[within].mean() < 0.15:  # nothing stands out much: then what does most
        unlike = density(places[within], places[around])
        share[within] = likely(np.median(unlike) - unlike + prior)
    smooth = smoothed(share.reshape(inside.shape), lab)
    for _ in range(2):
        thing = some((smooth > 0.5) & inside)
        if len(thing) < 10:
            break
        others = np.concatenate([around, some((smooth < 0.3) & inside)])
        share[within] = compared(places, thing, others, within, prior)
        smooth = smoothed(share.reshape(inside.shape), lab)
    return closed((smooth > 0.5) & inside, ~inside)


def _checked(image: NDArray[np.uint8]) -> tuple[int, int]:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise InputError(
            f"The picture is {list(image.shape)} of {image.dtype}; to select in it, give it as uint8 [H, W, 3]."
        )
    return image.shape[0], image.shape[1]


def _checked_box(box: Sequence[float], width: int, height: int) -> tuple[int, int, int, int]:
    if len(box) != 4 or not all(map(math.isfinite, box)):
        raise InputError("A box is four numbers: x, y, width and height in pixels.")
    left, right = (min(max(round(x), 0), width) for x in (box[0], box[0] + box[2]))
    top, bottom = (min(max(round(y), 0), height) for y in (box[1], box[1] + box[3]))
    if right - left < 2 or bottom - top < 2:
        raise InputError(
            f"The box holds {right - left} x {bottom - top} pixels of the picture; "
            "draw it around a thing, from left top to right bottom."
        )
    return left, top, right, bottom
