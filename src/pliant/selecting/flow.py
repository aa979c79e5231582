"""What places of a small picture have to do with one another: how alike they are, what flows between them, how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Floats",
    "Mask",
    "closed",
    "compared",
    "density",
    "differences",
    "distances",
    "edges",
    "features",
    "likely",
    "oklab",
    "smoothed",
    "some",
]

Mask = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]

LINEAR = ((np.arange(256) / 255) ** 2.2).astype(np.float32)
TO_CONES = np.array(
    [[0.4122, 0.2119, 0.0883], [0.5363, 0.6807, 0.2818], [0.0514, 0.1074, 0.6300]], np.float32
)
TO_LAB = np.array(
    [[0.2105, 2 * 1.9780, 2 * 0.0259], [0.7936, -2 * 2.4286, 2 * 0.7828], [-0.0041, 2 * 0.4506, -2 * 0.8087]],
    np.float32,
)
COLOUR = 0.055
"""Colours differ clearly from here on: OKLab, its two colour axes counted twice."""
ACROSS, DOWN = 0.5, 0.1
"""So do places, as shares of the longer side: what is beside a place says more of it than what is above or below, where
other ground lies."""
SAMPLES = 160
EDGE = 0.05
"""Difference of colours that stops most of what flows from place to place."""
PRIOR = 0.02
"""How much a place's own probability counts beside its neighbours'."""
ROUNDS = 30
"""How far probabilities flow, in places."""
NOISE = 0.04
"""Differences of colours above this are edges in any picture."""
SWEEPS = 8
"""How often ways may turn back; more is rarely needed."""
HOLES = 0.4
"""Holes of a region are closed if together they are at most such a share of it."""


def oklab(pixels: NDArray[np.uint8]) -> Floats:
    """Colours [..., 3] uint8 sRGB in OKLab (Ottosson, 2020), the two colour axes doubled: equal steps look equally large."""
    return np.cbrt(LINEAR[pixels] @ TO_CONES) @ TO_LAB


def features(lab: Floats, side: float) -> Floats:
    """[h * w, 5]: colour and place, in units that count alike."""
    height, width = lab.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    places = np.stack([x / (ACROSS * side), y / (DOWN * side)], 2)
    return np.concatenate([lab / COLOUR, places], 2).reshape(-1, 5).astype(np.float32)


def some(region: Mask) -> NDArray[np.int64]:
    """Numbers of places of a region, evenly over it."""
    places = np.flatnonzero(region)
    return places[np.linspace(0, len(places) - 1, min(SAMPLES, len(places))).astype(np.int64)]


def density(features: Floats, samples: Floats) -> Floats:
    """Logarithm of how densely samples [S, D] lie around features [N, D]; no less than -16."""
    ones = np.ones((1, 1), np.float32)
    own = -0.5 * np.square(features).sum(1, keepdims=True)
    others = -0.5 * np.square(samples).sum(1, keepdims=True)
    left = np.concatenate([features, own, ones.repeat(len(features), 0)], 1)
    right = np.concatenate([samples, ones.repeat(len(samples), 0), others], 1)
    near = left @ right.T  # half the squared distances, negative
    np.exp(np.maximum(near, -30, out=near), out=near)  # smaller numbers are slow, and count for nothing
    return np.log(near @ np.full(len(samples), 1 / len(samples), np.float32) + np.float32(1e-7))


def likely(odds: Floats) -> Floats:
    """Probabilities of the logarithms of odds, none quite sure."""
    return 1 / (1 + np.exp(-odds.clip(-8, 8)))


def compared(
    places: Floats,
    thing: NDArray[np.int64],
    others: NDArray[np.int64],
    where: NDArray[np.int64] | slice = slice(None),
    prior: Floats | float = 0.25,
) -> Floats:
    """How likely places are to be of the thing, by samples of it and of others."""
    asked = places[where]
    odds = density(asked, places[thing]) - density(asked, places[others])
    return likely(0.5 * (odds - 0.5) + prior)


def differences(lab: Floats) -> list[Floats]:
    """[h, w] each: how colours differ from those above, below, left and right; 0 at the border."""
    down = np.pad(np.sqrt(np.square(lab[1:] - lab[:-1]).sum(2)), ((1, 1), (0, 0)))
    right = np.pad(np.sqrt(np.square(lab[:, 1:] - lab[:, :-1]).sum(2)), ((0, 0), (1, 1)))
    return [down[:-1], down[1:], right[:, :-1], right[:, 1:]]


def edges(lab: Floats) -> list[Floats]:
    """The same, less what is usual in this picture: noise and texture are no edges, however long the way through them."""
    steps = differences(lab)
    usual = min(NOISE, 2 * float(np.median(np.concatenate([steps[0].ravel(), steps[2].ravel()]))))
    return [np.maximum(step - usual, 0) for step in steps]


def distances(seed: Mask, steps: Sequence[Floats], toll: Floats) -> Floats:
    """[h, w]: the least that a way from the seed costs; entering a place costs its difference and its toll."""
    away = np.where(seed, 0, 1e3).astype(np.float32)
    for _ in range(SWEEPS):
        before = away
        for way, step in enumerate(steps):  # from above, below, left, right: whole rows or columns at once
            axis, turn = way // 2, way % 2
            paid = np.cumsum(_turned(step + toll, axis, turn), axis)
            least = np.minimum.accumulate(_turned(away, axis, turn) - paid, axis) + paid
            away = np.minimum(away, _turned(least, axis, turn))
        if np.abs(away - before).max() < 1e-3:
            break
    return away


def _turned(values: NDArray[Any], axis: int, turn: int) -> NDArray[Any]:
    return np.flip(values, axis) if turn else values


def smoothed(share: Floats, lab: Floats) -> Floats:
    """Probabilities that have flowed to neighbours of like colours."""
    above, below, before, after = (1e-3 + np.exp(-np.square(step / EDGE)) for step in differences(lab))
    above[0] = below[-1] = before[:, 0] = after[:, -1] = 0
    total = PRIOR + above + below + before + after
    above, below, before, after, own = (each / total for each in (above, below, before, after, PRIOR * share))
    flowed = np.pad(share, 1)
    for _ in range(ROUNDS):
        flowed[1:-1, 1:-1] = (
            own
            + above * flowed[:-2, 1:-1]
            + below * flowed[2:, 1:-1]
            + before * flowed[1:-1, :-2]
            + after * flowed[1:-1, 2:]
        )
    return flowed[1:-1, 1:-1].astype(np.float32)


def closed(found: Mask, outside: Mask) -> Mask:
    """A region without its holes, which are what cannot be reached from outside, unless they are much of it."""
    free = ~found
    steps = [np.zeros(found.shape, np.float32)] * 4
    reached = distances(outside & free, steps, np.where(free, 0, 1e3).astype(np.float32)) < 500
    holes = free & ~reached
    return found | holes if holes.sum() <= HOLES * found.sum() else found
