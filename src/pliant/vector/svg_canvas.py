"""Where an SVG's user units come to lie: size, viewBox and preserveAspectRatio (SVG 2, chapter 7)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pliant.errors import InputError
from pliant.images import MAX_PIXELS
from pliant.vector.svg_data import Matrix, length, numbers

__all__ = ["canvas", "check_size", "fitted", "view_box"]


def canvas(attributes: Mapping[str, str]) -> tuple[tuple[float, float] | None, Matrix, tuple[float, float]]:
    """Size in pixels (None for a file that does not say), user units to pixels, and the viewport in user units."""
    box = view_box(attributes)
    sides: list[float | None] = []
    for name in ("width", "height"):
        text = attributes.get(name, "auto").strip()
        sides.append(None if text == "auto" or text.endswith("%") else length(text, 0, name))
    width, height = sides
    if box is None:
        size = None if width is None or height is None else (width, height)
        check_size(size)
        return size, np.eye(3), size or (100.0, 100.0)
    if width is None and height is None:
        width, height = box[2], box[3]
    elif height is None:
        height = (width or 0) * box[3] / box[2]
    elif width is None:
        width = height * box[2] / box[3]
    size = (float(width or 0), height)
    check_size(size)
    return size, fitted(box, size, attributes.get("preserveAspectRatio", "")), (box[2], box[3])


def check_size(size: tuple[float, float] | None) -> None:
    """Refuse a drawing without area or of more pixels than Pliant draws.

    Raises:
        InputError: it is one.
    """
    if size is not None and not (size[0] > 0 and size[1] > 0):
        raise InputError(f"The drawing is {size[0]:g} x {size[1]:g}: it has no area to draw on.")
    if size is not None and size[0] * size[1] > MAX_PIXELS:
        raise InputError(
            f"The drawing is too large: at most {MAX_PIXELS // 10**6} megapixels; give it a smaller width and height."
        )


def view_box(attributes: Mapping[str, str]) -> list[float] | None:
    """x, y, width, height in user units; None if there is none.

    Raises:
        InputError: it has no area.
    """
    if not attributes.get("viewBox", "").strip():
        return None
    box = numbers(attributes["viewBox"], "viewBox")
    if len(box) != 4 or not (box[2] > 0 and box[3] > 0):
        raise InputError("The viewBox of the drawing has no area; it should be x, y, width, height.")
    return box


def fitted(box: list[float], size: tuple[float, float], aspect: str) -> Matrix:
    """User units to pixels by `preserveAspectRatio`."""
    along, down = size[0] / box[2], size[1] / box[3]
    align = aspect.split() or ["xMidYMid"]
    if align[0] != "none":
        along = down = max(along, down) if "slice" in align else min(along, down)
    shares = {"Min": 0.0, "Mid": 0.5, "Max": 1.0}
    left = shares.get(align[0][1:4], 0.5) * (size[0] - box[2] * along)
    top = shares.get(align[0][5:8], 0.5) * (size[1] - box[3] * down)
    return np.array([[along, 0, left - box[0] * along], [0, down, top - box[1] * down], [0, 0, 1]])
