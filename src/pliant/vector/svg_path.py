"""The outlines of SVG path data and basic shapes, as SVG 2 (w3.org/TR/SVG2, chapters 9 and 10) has them.

Arcs become cubics by the formulas of its appendix B.
"""

from __future__ import annotations

import cmath
import math
import re
from collections.abc import Callable, Mapping

import numpy as np

from pliant.errors import InputError
from pliant.vector.outline import Subpath
from pliant.vector.svg_data import NUMBER, finite, length, numbers

__all__ = ["path_outlines", "shape_outlines"]

_GAP = r"[\s,]*+"
_COMMANDS = re.compile(r"([MmLlHhVvCcSsQqTtAaZz])([^MmLlHhVvCcSsQqTtAaZz]*+)")
_ARC = re.compile(
    rf"{_GAP}({NUMBER}){_GAP}({NUMBER}){_GAP}({NUMBER}){_GAP}([01]){_GAP}([01]){_GAP}({NUMBER}){_GAP}({NUMBER})"
)
_ARGUMENTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
_CIRCLE = 4 / 3 * (math.sqrt(2) - 1)
"""Length of the handles of a quarter of the unit circle."""


def path_outlines(data: str, charge: Callable[[int], None]) -> list[Subpath]:
    """The subpaths of path data, without those that have no segment.

    Args:
        data: the `d` attribute.
        charge: told of commands before they are carried out; raises when there were too many.

    Raises:
        InputError: not path data.
    """
    first = _COMMANDS.search(data)
    head = data if first is None else data[: first.start()]
    if head.strip() or (first is not None and first[1] not in "Mm"):
        raise InputError(f"The path data of the drawing begins with '{data.strip()[:30]}', not with M.")
    pen = _Pen()
    for found in _COMMANDS.finditer(data):
        letter = found[1].upper()
        values = _arc_values(found[2]) if letter == "A" else numbers(found[2], "path data")
        count = _ARGUMENTS[letter]
        if (count == 0 and values) or (count and (not values or len(values) % count)):
            raise InputError(f"The path data of the drawing has {len(values)} numbers after '{found[1]}'.")
        charge(len(values) // count if count else 1)
        pen.obey(letter, values, relative=found[1].islower())
    return pen.finish()


def _arc_values(text: str) -> list[float]:
    """Radii, turn, two flags that may stick to what follows, end; for each arc."""
    values: list[float] = []
    at = 0
    while found := _ARC.match(text, at):
        values += [finite(each, "path data") for each in found.groups()]
        at = found.end()
    if text[at:].strip(" ,\t\r\n"):
        raise InputError(f"The path data of the drawing cannot be read at '{text[at:].strip()[:30]}'.")
    return values


class _Pen:
    """Draws path data; places are complex numbers x + iy."""

    def __init__(self) -> None:
        self.done: list[Subpath] = []
        self.points: list[complex] = [0j]
        """Of the subpath in progress: joint, two handles, joint, …"""
        self.handle: complex | None = None
        """The last handle of a curve, which S or T mirrors."""
        self.before = ""

    def obey(self, letter: str, values: list[float], *, relative: bool) -> None:
        """Carry out one command with all its repetitions."""
        size = _ARGUMENTS[letter]
        if letter == "Z":
            self._close()
        for start in range(0, len(values), size or 1):
            part = values[start : start + size]
            origin = self.points[-1] if relative else 0j
            self._one("L" if letter == "M" and start else letter, part, origin)
            self.before = letter
        self.before = letter

    def _one(self, letter: str, part: list[float], origin: complex) -> None:
        at = self.points[-1]
        if letter == "A":
            self._arc(part, origin + complex(*part[5:]))
            return
        if letter in "HV":
            low = origin.real + part[0] if letter == "H" else at.real
            self._line(complex(low, at.imag if letter == "H" else origin.imag + part[0]))
            return
        places = [origin + complex(*pair) for pair in zip(part[::2], part[1::2], strict=True)]
        if letter == "M":
            self._lift()
            self.points = [places[0]]
        elif letter == "L":
            self._line(places[0])
        elif letter in "CS":
            first = places[0] if letter == "C" else self._mirrored("CS")
            self.handle = places[-2]
            self.points += [first, places[-2], places[-1]]
        else:
            quadratic = places[0] if letter == "Q" else self._mirrored("QT")
            self.handle = quadratic
            self.points += [(at + 2 * quadratic) / 3, (places[-1] + 2 * quadratic) / 3, places[-1]]

    def _mirrored(self, family: str) -> complex:
        at = self.points[-1]
        return 2 * at - self.handle if self.before in family and self.handle is not None else at

    def _line(self, end: complex) -> None:
        at = self.points[-1]
        self.points += [(2 * at + end) / 3, (at + 2 * end) / 3, end]

    def _close(self) -> None:
        start, end = self.points[0], self.points[-1]
        if abs(end - start) > 1e-6 * max(1.0, abs(start)):
            self._line(start)
        if len(self.points) > 1:
            self.done.append(_subpath(self.points[:-1], closed=True))
        self.points = [start]

    def _lift(self) -> None:
        if len(self.points) > 1:
            self.done.append(_subpath(self.points, closed=False))

    def finish(self) -> list[Subpath]:
        """All subpaths."""
        self._lift()
        return self.done

    def _arc(self, part: list[float], end: complex) -> None:
        """An elliptical arc: on the circle that the ellipse is when its frame is undone, in steps of at most 90°."""
        start, (rx, ry, turn) = self.points[-1], (abs(part[0]), abs(part[1]), math.radians(part[2]))
        if start == end or rx < 1e-9 or ry < 1e-9:
            self._line(end)
            return
        frame = cmath.rect(1, turn)
        half = (start - end) / 2 * frame.conjugate()
        half = complex(half.real / rx, half.imag / ry)
        stretch = max(1.0, abs(half))
        half /= stretch
        away = math.sqrt(max(0.0, 1 / abs(half) ** 2 - 1)) if abs(half) else 0.0
        centre = 1j * half * away * (-1 if part[3] != part[4] else 1)
        first = cmath.phase(half - centre)
        sweep = cmath.phase((-half - centre) / (half - centre))
        if part[4] and sweep < 0:
            sweep += 2 * math.pi
        elif not part[4] and sweep > 0:
            sweep -= 2 * math.pi

        def place(unit: complex) -> complex:
            return (start + end) / 2 + stretch * complex(unit.real * rx, unit.imag * ry) * frame

        pieces = max(1, math.ceil(abs(sweep) / (math.pi / 2) - 1e-9))
        step = sweep / pieces
        reach = 4 / 3 * math.tan(step / 4)
        for index in range(pieces):
            one, two = cmath.rect(1, first + index * step), cmath.rect(1, first + (index + 1) * step)
            last = end if index == pieces - 1 else place(centre + two)
            self.points += [
                place(centre + one * (1 + 1j * reach)),
                place(centre + two * (1 - 1j * reach)),
                last,
            ]


def shape_outlines(tag: str, attributes: Mapping[str, str], viewport: tuple[float, float]) -> list[Subpath]:
    """The outline of a rect, circle, ellipse, line, polyline or polygon; empty for one that has no size.

    Raises:
        InputError: a value that cannot be read.
    """
    if tag in {"polyline", "polygon"}:
        values = numbers(attributes.get("points", ""), "list of points")
        corners = [complex(*pair) for pair in zip(values[::2], values[1::2], strict=False)]
        return _corners(corners, closed=tag == "polygon")
    wholes = {"x": viewport[0], "y": viewport[1], "r": math.hypot(*viewport) / math.sqrt(2)}
    size = {"width": wholes["x"], "height": wholes["y"], "r": wholes["r"]}

    def value(name: str) -> float:
        whole = size.get(name) or wholes["x" if "x" in name else "y"]
        text = attributes.get(name, "0")
        return length("0" if text == "auto" else text, whole, name)

    if tag == "line":
        return _corners([complex(value("x1"), value("y1")), complex(value("x2"), value("y2"))], closed=False)
    if tag == "rect":
        rx, ry = value("rx" if "rx" in attributes else "ry"), value("ry" if "ry" in attributes else "rx")
        return _rectangle(complex(value("x"), value("y")), value("width"), value("height"), rx, ry)
    rx, ry = (value("r"), value("r")) if tag == "circle" else (value("rx"), value("ry"))
    if rx <= 0 or ry <= 0:
        return []
    low = complex(value("cx") - rx, value("cy") - ry)
    return _rectangle(low, 2 * rx, 2 * ry, rx, ry)


def _corners(places: list[complex], *, closed: bool) -> list[Subpath]:
    if len(places) < 2:
        return []
    pen = _Pen()
    flat = [value for place in places for value in (place.real, place.imag)]
    pen.obey("M", flat, relative=False)
    if closed:
        pen.obey("Z", [], relative=False)
    return pen.finish()


def _rectangle(low: complex, width: float, height: float, rx: float, ry: float) -> list[Subpath]:
    """From the left end of the top side on, to the right."""
    if width <= 0 or height <= 0:
        return []
    rx, ry = min(max(rx, 0), width / 2), min(max(ry, 0), height / 2)
    corners = [low, low + width, low + complex(width, height), low + 1j * height]
    if rx <= 0 or ry <= 0:
        return _corners(corners, closed=True)
    ways = [complex(rx, 0), complex(0, ry), complex(-rx, 0), complex(0, -ry)]
    points: list[complex] = []
    for index, corner in enumerate(corners):
        arrive, leave = ways[index - 1], ways[index]
        begin, end = corner - arrive, corner + leave
        after = corners[(index + 1) % 4] - leave
        points += [begin, corner - (1 - _CIRCLE) * arrive, corner + (1 - _CIRCLE) * leave]
        if abs(after - end) > 1e-9 * abs(ways[0] + ways[1]):
            points += [end, (2 * end + after) / 3, (end + 2 * after) / 3]
    return [_subpath(points, closed=True)]


def _subpath(points: list[complex], *, closed: bool) -> Subpath:
    return Subpath(np.array([(p.real, p.imag) for p in points], dtype=np.float64), closed=closed)
