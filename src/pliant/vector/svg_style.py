"""What an element of an SVG looks like: attributes, `style`, rules of style sheets, inheritance, colours."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import ImageColor

from pliant.errors import InputError
from pliant.vector.outline import Colour

__all__ = ["Sheet", "Style", "Value", "colour", "declarations", "mean_colour", "share", "worded"]

PROPERTIES = {
    *("fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-linecap"),
    *("stroke-linejoin", "stroke-dasharray", "color", "visibility", "opacity", "display", "stop-color"),
    *("stop-opacity", "clip-path", "mask", "filter"),
}
OWN = {"opacity", "display", "stop-color", "stop-opacity", "clip-path", "mask", "filter"}
"""Properties that children do not inherit."""
MOST_RULES = 5_000
MOST_COMPARISONS = 5_000_000

_SELECTOR = re.compile(r"(\*|[\w-]++)?+((?:[.#][\w-]++)*+)")
_SIMPLE = re.compile(r"[.#][\w-]++")


@dataclass(frozen=True)
class Value:
    """What a property is set to."""

    text: str
    by_rule: bool = False
    """Whether a rule of a style sheet set it, as those of Illustrator's swatches do."""


Style = Mapping[str, Value]


@dataclass(frozen=True)
class _Rule:
    tag: str
    marks: frozenset[str]
    """Its classes with a dot, its ids with a #."""
    order: tuple[int, int, int, int]
    """Ids, classes, tags, place: the greater wins."""
    values: Mapping[str, str]


class Sheet:
    """Rules by the mark that an element must have for them; selectors of one element only, no combinators.

    Args:
        texts: what is in the `style` elements.

    Raises:
        InputError: more rules than a drawing has.
    """

    def __init__(self, texts: list[str]) -> None:
        self.left_out: Counter[str] = Counter()
        self._rules: dict[str, list[_Rule]] = {}
        self._count, self._compared = 0, 0
        for text in texts:
            for block in filter(None, _without_comments(text).split("}")):
                selectors, _, body = block.rpartition("{")
                self._add(selectors.rpartition(";")[2], declarations(body))

    def _add(self, selectors: str, values: Mapping[str, str]) -> None:
        for selector in selectors.split(","):
            name = selector.strip()
            found = _SELECTOR.fullmatch(name)
            if not name or found is None:
                self.left_out["rule of a style sheet"] += bool(name)
                continue
            marks = frozenset(_SIMPLE.findall(found[2]))
            ids = sum(mark.startswith("#") for mark in marks)
            tag = found[1] or "*"
            self._count += 1
            if self._count > MOST_RULES:
                raise InputError(f"The drawing has more than {MOST_RULES} style rules; simplify it first.")
            order = (ids, len(marks) - ids, int(tag != "*"), self._count)
            self._rules.setdefault(min(marks, default=tag), []).append(_Rule(tag, marks, order, values))

    def of(self, tag: str, attributes: Mapping[str, str], inherited: Style) -> dict[str, Value]:
        """The style of an element: what it inherits, its attributes, the rules, its `style`, later ones winning."""
        style = {name: value for name, value in inherited.items() if name not in OWN}
        own = {name: Value(text) for name, text in attributes.items() if name in PROPERTIES}
        marks = {"#" + attributes["id"]} if "id" in attributes else set[str]()
        marks |= {"." + name for name in attributes.get("class", "").split()}
        for rule in self._matching(tag, marks):
            own |= {name: Value(text, by_rule=True) for name, text in rule.values.items()}
        own |= {name: Value(text) for name, text in declarations(attributes.get("style", "")).items()}
        for name, value in own.items():
            if value.text != "inherit":
                style[name] = value
            elif name in inherited:
                style[name] = inherited[name]
        return style

    def _matching(self, tag: str, marks: set[str]) -> list[_Rule]:
        candidates = [rule for key in (*marks, tag, "*") for rule in self._rules.get(key, ())]
        self._compared += len(marks) + len(candidates)
        if self._compared > MOST_COMPARISONS:
            raise InputError(
                "The style sheet of the drawing is too large for its elements; simplify it first."
            )
        fitting = [rule for rule in candidates if rule.tag in {"*", tag} and rule.marks <= marks]
        return sorted(fitting, key=lambda rule: rule.order)


def declarations(text: str) -> dict[str, str]:
    """The known properties that a list of declarations sets."""
    found: dict[str, str] = {}
    for each in text.split(";"):
        name, _, value = each.partition(":")
        if name.strip() in PROPERTIES and value.strip():
            found[name.strip()] = value.partition("!")[0].strip()
    return found


def colour(text: str, current: Colour = (0.0, 0.0, 0.0)) -> tuple[Colour, float] | None:
    """A colour as RGB and alpha, 0 to 1; None for one that is not known.

    Args:
        text: as in CSS.
        current: what `currentColor` is.
    """
    text = text.strip().lower()
    if text == "currentcolor":
        return current, 1.0
    if text == "transparent":
        return current, 0.0
    try:
        if text.startswith("rgb"):
            return _functional(text)
        red, green, blue, *alpha = ImageColor.getrgb(text[:100])
    except ValueError:
        return None
    return (red / 255, green / 255, blue / 255), (alpha[0] / 255 if alpha else 1.0)


def _functional(text: str) -> tuple[Colour, float]:
    """rgb(…) and rgba(…), with numbers or shares and any of the separators.

    Raises:
        ValueError: it is not that.
    """
    _, _, inside = text[:200].partition("(")
    red, green, blue, *alpha = inside.rstrip(") ").replace(",", " ").replace("/", " ").split()
    rgb = tuple(_within(part, 255) for part in (red, green, blue))
    return (rgb[0], rgb[1], rgb[2]), (_within(alpha[0], 1) if alpha else 1.0)


def share(text: str) -> float:
    """An opacity, 0 to 1; 1 for one that cannot be read."""
    try:
        return _within(text, 1)
    except ValueError:
        return 1.0


def worded(style: Style, name: str, default: str) -> str:
    """What a property is set to, or its default."""
    return style[name].text if name in style else default


def mean_colour(stops: Sequence[tuple[Mapping[str, str], Style]]) -> tuple[Colour, float]:
    """Mean colour and opacity along a gradient, given the attributes and the style of each stop; at least one."""
    places: list[float] = []
    values: list[list[float]] = []
    for attributes, style in stops:
        rgb, alpha = colour(worded(style, "stop-color", "black")) or ((0.0, 0.0, 0.0), 1.0)
        places.append(max(places[-1] if places else 0.0, share(attributes.get("offset", "0"))))
        values.append([*rgb, alpha * share(worded(style, "stop-opacity", "1"))])
    along = np.linspace(0, 1, 101)
    red, green, blue, alpha = (float(np.interp(along, places, each).mean()) for each in np.transpose(values))
    return (red, green, blue), alpha


def _within(text: str, whole: float) -> float:
    """A number as a share of `whole`, or a percentage, brought into 0 to 1.

    Raises:
        ValueError: neither.
    """
    text = text.strip()[:50]
    value = float(text[:-1]) / 100 if text.endswith("%") else float(text) / whole
    if value != value:  # noqa: PLR0124 (NaN)
        raise ValueError(text)
    return min(max(value, 0.0), 1.0)


def _without_comments(text: str) -> str:
    kept, *rest = text.split("/*")
    return kept + "".join(each.partition("*/")[2] for each in rest)
