"""Classes of the part map, landmark order, and the kinds of surface the shaders know."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Part(IntEnum):
    """Class ids of the part map; left and right are the subject's."""

    BACKGROUND = 0
    SKIN = 1
    NOSE = 2
    LEFT_EYE = 3
    RIGHT_EYE = 4
    LEFT_BROW = 5
    RIGHT_BROW = 6
    UPPER_LIP = 7
    LOWER_LIP = 8
    MOUTH = 9
    EAR = 10
    HAIR = 11
    NECK = 12
    CLOTHES = 13
    BEARD = 14
    GLASSES = 15


NO_PART = 31
"""Label of geometry that takes no part in the vote for a pixel's class (lashes)."""

PALETTE = (
    (40, 40, 48),
    (250, 205, 170),
    (250, 150, 80),
    (255, 255, 255),
    (190, 220, 255),
    (120, 60, 20),
    (160, 100, 40),
    (220, 60, 80),
    (255, 100, 120),
    (120, 0, 0),
    (180, 120, 220),
    (90, 60, 30),
    (150, 180, 120),
    (60, 110, 220),
    (60, 140, 140),
    (0, 200, 0),
)
"""Colour of each class in the palette of a part map."""


class Surface(IntEnum):
    """How a mesh is shaded; the shaders get these as macros of the same names."""

    PLAIN = 0
    SKIN = 1
    HAIR = 2
    BROW = 3
    LASH = 4
    CLOTH = 5
    EYE = 6
    SHELL = 7
    METAL = 8


MIRRORED_POINT = np.array(
    [
        *range(16, -1, -1),
        *range(26, 16, -1),
        *(27, 28, 29, 30, 35, 34, 33, 32, 31),
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
        *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
        *(64, 63, 62, 61, 60, 67, 66, 65),
    ]
)
"""The 68-point order after a left-right mirror."""

MIRRORED_PART = np.arange(256, dtype=np.uint8)
"""What each class id becomes after a left-right mirror."""
MIRRORED_PART[[Part.LEFT_EYE, Part.RIGHT_EYE]] = [Part.RIGHT_EYE, Part.LEFT_EYE]
MIRRORED_PART[[Part.LEFT_BROW, Part.RIGHT_BROW]] = [Part.RIGHT_BROW, Part.LEFT_BROW]
