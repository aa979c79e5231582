"""Numbers, lengths and transforms in SVG attributes, as SVG 2 (w3.org/TR/SVG2, chapter 8) has them.

All of it takes time linear in the text, whatever the text is: regular expressions do not give back what they took.
"""

from __future__ import annotations

import math
import re
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pliant.errors import InputError

__all__ = ["NUMBER", "Matrix", "combined", "finite", "length", "numbers", "transform"]

Matrix = NDArray[np.float64]
"""[3, 3], applied to columns (x, y, 1)."""

NUMBER = r"[+-]?+(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?+[0-9]++)?+"
"""A number as a regular expression."""
_NUMBERS = re.compile(NUMBER)
_LENGTH = re.compile(rf"\s*+({NUMBER})\s*+([a-z%]*+)\s*+")
_UNITS = {
    "": 1.0,
    "px": 1.0,
    "pt": 4 / 3,
    "pc": 16.0,
    "in": 96.0,
    "cm": 96 / 2.54,
    "mm": 9.6 / 2.54,
    "em": 16.0,
    "ex": 8.0,
}
_MOST = 2_000_000
"""Numbers in one attribute."""


def numbers(text: str, what: str) -> list[float]:
    """Numbers with spaces or commas between them.

    Raises:
        InputError: something else is in it, or a number is too large.
    """
    found = [finite(each.group(), what) for each in islice(_NUMBERS.finditer(text), _MOST + 1)]
    if len(found) > _MOST:
        raise InputError(f"The {what} of the drawing is too long.")
    odd = _NUMBERS.sub(" ", text).replace(",", " ").split()
    if odd:
        raise InputError(f"The {what} of the drawing cannot be read at '{odd[0][:30]}'.")
    return found


def length(text: str, whole: float, what: str) -> float:
    """A length in user units.

    Args:
        text: a number with a unit or none.
        whole: what 100 % is.
        what: it is for, to name it in errors.

    Raises:
        InputError: not a length.
    """
    found = _LENGTH.fullmatch(text)
    if found is None or (found[2] != "%" and found[2] not in _UNITS):
        raise InputError(f"The {what} of the drawing is '{text[:30]}', which is not a length.")
    return finite(found[1], what) * (whole / 100 if found[2] == "%" else _UNITS[found[2]])


def transform(text: str) -> Matrix:
    """The matrix of a `transform` attribute.

    Raises:
        InputError: an unknown function or a wrong number of values.
    """
    whole = np.eye(3)
    *functions, rest = text.split(")")
    if rest.strip(" ,\t\r\n"):
        raise InputError(f"The transform of the drawing cannot be read at '{rest.strip()[:30]}'.")
    for each in functions:
        name, _, values = each.partition("(")
        whole = combined(whole, _function(name.strip(" ,\t\r\n"), numbers(values, "transform")))
    return whole


def combined(outer: Matrix, inner: Matrix) -> Matrix:
    """The transform that does the inner one first.

    Raises:
        InputError: it moves or scales by more than 1e9.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        both = outer @ inner
    if not (np.abs(both) <= 1e9).all():
        raise InputError("The transforms of the drawing scale or move by too much, so it cannot be drawn.")
    return both


def _function(name: str, values: list[float]) -> Matrix:
    match name, values:
        case "matrix", [a, b, c, d, e, f]:
            return np.array([[a, c, e], [b, d, f], [0, 0, 1]])
        case "translate", [x, *rest] if len(rest) <= 1:
            return _affine(1, 0, 0, 1, x, *(rest or [0.0]))
        case "scale", [x, *rest] if len(rest) <= 1:
            return _affine(x, 0, 0, *(rest or [x]))
        case "rotate", [turn, *centre] if len(centre) in {0, 2}:
            x, y = centre or (0.0, 0.0)
            cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
            return _affine(1, 0, 0, 1, x, y) @ _affine(cos, sin, -sin, cos) @ _affine(1, 0, 0, 1, -x, -y)
        case "skewX", [turn]:
            return _affine(1, 0, math.tan(math.radians(turn)), 1)
        case "skewY", [turn]:
            return _affine(1, math.tan(math.radians(turn)), 0, 1)
        case _:
            raise InputError(
                f"The drawing has a transform '{name[:20]}' with {len(values)} values, which is unknown."
            )


def _affine(a: float, b: float, c: float, d: float, *shift: float) -> Matrix:
    e, f = shift or (0.0, 0.0)
    return np.array([[a, c, e], [b, d, f], [0, 0, 1]], dtype=np.float64)


def finite(text: str, what: str) -> float:
    """The number that a text of that form is.

    Raises:
        InputError: it is larger than numbers get.
    """
    value = float(text) if len(text) <= 400 else math.inf
    if not math.isfinite(value):
        raise InputError(f"The {what} of the drawing has a number that is too large: '{text[:30]}'.")
    return value
