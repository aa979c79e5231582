"""Labels of a picture: attributes, landmarks and part map as the picture is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from caption import caption
from parts import MIRRORED_PART, MIRRORED_POINT, Part
from sample import Portrait


def mirror_labels(parts: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flip labels with their picture.

    Args:
        parts: [H, W] uint8 class ids.
        points: [68, 2] (x, y) pixels from the picture's corner.

    Returns:
        Both as they are after a left-right flip.
    """
    flipped = np.ascontiguousarray(MIRRORED_PART[parts[:, ::-1]])
    return flipped, points[MIRRORED_POINT] * [-1, 1] + [parts.shape[1], 0]


def split_brows(parts: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Tell left from right brow, which are one mesh, by the projected middle line of the face."""
    parts = parts.copy()
    top, bottom = landmarks[27], landmarks[33]
    y, x = np.nonzero(parts == Part.LEFT_BROW)
    if len(y):
        down = np.sign(bottom[1] - top[1] + 1e-6)
        t = (y - top[1]) / max(abs(bottom[1] - top[1]), 1) * down
        middle = top[0] + t.clip(-1.5, 1) * (bottom[0] - top[0]) * 0.35
        parts[y, x] = np.where(x > middle, Part.LEFT_BROW, Part.RIGHT_BROW)
    return parts


def describe(portrait: Portrait) -> dict[str, Any]:
    """JSON-ready attributes of the picture as shown, mirrored or not."""
    person, expression, pose, hair = portrait.person, portrait.expression, portrait.pose, portrait.hair
    face, clothes, background_ = portrait.face, portrait.clothes, portrait.background
    sign = -1 if portrait.mirror else 1
    open_eyes = (expression.left_eye_open, expression.right_eye_open)[::sign]
    other = {"left": "right", "right": "left", "": ""}
    attributes = {
        "seed": portrait.seed,
        "years": person.years,
        "theme": expression.theme,
        "smile": expression.smile,
        "mouth_open": expression.mouth_open,
        "brow": expression.brow,
        "eye_left_open": open_eyes[0],
        "eye_right_open": open_eyes[1],
        "wink": other[expression.wink] if portrait.mirror else expression.wink,
        "hair_style": hair.style,
        "hair_colour": hair.colour,
        "beard": hair.beard,
        "eye_colour": face.eye_colour,
        "lipstick": face.lipstick,
        "glasses": face.glasses,
        "cloth": clothes.name,
        "cloth_colour": clothes.colour,
        "cloth_colour2": clothes.colour2,
        "background": background_.kind,
        "bg_colour": background_.colour,
        "mirror": portrait.mirror,
    }
    numbers = {
        "yaw": sign * pose.yaw,
        "pitch": pose.pitch,
        "roll": sign * pose.roll,
        "gaze_yaw": sign * pose.gaze_yaw,
        "gaze_pitch": pose.gaze_pitch,
        "gender": person.gender,
        "age": person.age,
        "freckles": face.freckles,
        "blush": face.blush,
        "weight": person.weight,
        "eyes_open": sum(open_eyes) / 2,
        "skin_tone": person.tone,
    }
    attributes |= {name: round(float(value), 3) for name, value in numbers.items()}
    return attributes | {
        "has_hair": hair.style != "bald",
        "hair_length": round(hair.length, 3),
        "fringe": hair.fringe > 0,
        "cloth_pattern": clothes.pattern,
        "caption": caption(portrait),
    }
