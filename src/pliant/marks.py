"""Handles, targets and the way between them, drawn onto a frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

__all__ = ["draw_marks"]

HANDLE = (229, 57, 53)
TARGET = (30, 112, 235)
_EDGE = (20, 20, 20, 200)
_LINE = (255, 255, 255, 230)

XY = tuple[float, float]


def draw_marks(
    image: Image.Image,
    handles: Sequence[XY],
    targets: Sequence[XY],
    trails: Sequence[Sequence[XY]] = (),
) -> Image.Image:
    """A copy of `image` with each handle in red, its target in blue and an arrow from one to the other.

    Args:
        image: the frame.
        handles: (x, y) in pixels, the centre of the top-left pixel being (0, 0).
        targets: as many.
        trails: for each handle the places where it has been, drawn as a thin red line.
    """
    scale = (
        4 if max(image.size) <= 512 else 2
    )  # drawn larger and shrunk, because PIL draws without antialiasing
    unit = max(1.0, max(image.size) / 256) * scale
    layer = Image.new("RGBA", (image.width * scale, image.height * scale))
    pen = ImageDraw.Draw(layer)

    def at(point: XY) -> XY:
        return (point[0] + 0.5) * scale, (point[1] + 0.5) * scale

    for trail in trails:
        if len(trail) > 1:
            pen.line([at(point) for point in trail], (*HANDLE, 170), round(unit), "curve")
    for handle, target in zip(handles, targets, strict=True):
        _arrow(pen, at(handle), at(target), unit)
    for points, colour in ((targets, TARGET), (handles, HANDLE)):
        for point in points:
            pen.circle(at(point), 3.6 * unit, _EDGE)
            pen.circle(at(point), 3.1 * unit, (*colour, 255))
    marked = image.convert("RGBA")
    marked.alpha_composite(layer.resize(image.size, Image.Resampling.BOX))
    return marked.convert("RGB")


def _arrow(pen: ImageDraw.ImageDraw, start: XY, end: XY, unit: float) -> None:
    """A white arrow with a dark edge that ends where the target's dot begins."""
    length = math.dist(start, end)
    if length < 8 * unit:
        return
    ahead = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
    tip = (end[0] - 4 * unit * ahead[0], end[1] - 4 * unit * ahead[1])
    for colour, extra in ((_EDGE, 0.6 * unit), (_LINE, 0.0)):
        neck = (tip[0] - 3 * unit * ahead[0], tip[1] - 3 * unit * ahead[1])
        half = 2.2 * unit + extra
        wings = [
            (
                neck[0] - 2 * unit * ahead[0] + side * half * -ahead[1],
                neck[1] - 2 * unit * ahead[1] + side * half * ahead[0],
            )
            for side in (1, -1)
        ]
        pen.line([start, neck], colour, round(1.3 * unit + 2 * extra))
        pen.polygon([(tip[0] + extra * ahead[0], tip[1] + extra * ahead[1]), *wings], colour)
