"""A pair of glasses made of tubes."""

from __future__ import annotations

import math

import numpy as np

SIDES = 6
"""Sides of a tube."""


def tubes(paths: list[tuple[np.ndarray, bool, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and triangles of round tubes along (points, closed, radius)."""
    vertices, triangles, base = [], [], 0
    for path, closed, radius in paths:
        points = np.asarray(path, np.float32)
        along = np.roll(points, -1, 0) - np.roll(points, 1, 0)
        if not closed:
            along[0], along[-1] = points[1] - points[0], points[-1] - points[-2]
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        mostly_across = abs(along[:, 2]).mean() < 0.7
        side = np.cross(along, [0.05, 0.1, 1.0]) if mostly_across else np.cross(along, [0, 1.0, 0])
        side /= np.linalg.norm(side, axis=1, keepdims=True)
        up = np.cross(along, side)
        count = len(points)
        for k in range(SIDES):
            angle = 2 * math.pi * k / SIDES
            vertices.append(points + radius * (math.cos(angle) * side + math.sin(angle) * up))
        for i in range(count if closed else count - 1):
            after = (i + 1) % count
            for k in range(SIDES):
                this, other = base + k * count, base + (k + 1) % SIDES * count
                triangles += [[this + i, other + i, other + after], [this + i, other + after, this + after]]
        base += count * SIDES
    return np.concatenate(vertices).astype(np.float32), np.array(triangles)


def glasses(
    eyes: np.ndarray, front: float, side: float, scale: float, form: tuple[float, float, float, float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Glasses in front of the eyes.

    Args:
        eyes: [2, 3] centres of the eyes.
        front: depth of the frame.
        side: half the head's width at the temples.
        scale: size of the face relative to the base mesh.
        form: half width and half height of a lens, roundness, drop below the eyes, radius of the tube.

    Returns:
        Vertices and triangles; their number does not depend on the arguments.
    """
    width, height, power, drop, radius = form
    angle = np.linspace(0, 2 * math.pi, 36, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    across = np.sign(cos) * abs(cos) ** power * width
    upward = np.sign(sin) * abs(sin) ** power * height * (1 - 0.12 * (sin < 0) * abs(cos))
    rim = np.stack([across, upward, 0 * angle], 1) * scale
    y = float(eyes[:, 1].mean()) - drop * scale
    eye_x = float(abs(eyes[:, 0]).mean()) + 0.01 * scale
    paths = []
    for sign in (1, -1):
        lens = rim * [sign, 1, 1] + [sign * eye_x, y, front]
        lens[:, 2] -= 0.35 * (abs(lens[:, 0]) / scale) ** 2 * 0.35 * scale
        paths.append((lens, True, radius * scale))
        hinge = lens[np.argmax(abs(lens[:, 0]))] + [0, 0.05 * scale, 0]
        ear = np.array([sign * side, y + 0.06 * scale, float(eyes[:, 2].mean()) - 0.75 * scale])
        k = np.linspace(0, 1, 8)[:, None]
        arm = hinge + (ear - hinge) * k
        arm[:, 0] = hinge[0] + (ear[0] - hinge[0]) * np.sqrt(k[:, 0])
        paths.append((arm, False, radius * scale * 0.9))
    inner = eye_x - width * scale
    k = np.linspace(-1, 1, 9)
    height_of_bridge = y + 0.05 * scale + 0.04 * scale * (1 - k * k)
    depth_of_bridge = np.full(9, front + 0.03 * scale) - 0.03 * scale * k * k
    bridge = np.stack([k * inner, height_of_bridge, depth_of_bridge], 1)
    paths.append((bridge, False, radius * scale * 0.9))
    return tubes(paths)
