"""Read people's SVG drawings as scenes.

Paths, basic shapes, groups, transforms, `use`, nested drawings, style sheets with simple selectors, fills and strokes
become paths whose coordinates are pixels of the drawing as its width and height say. A scene has less than SVG: a
gradient becomes its mean colour, the opacity of a group that of its paths, ends and corners of strokes are round, and
text, pictures, filters, masks and clipping paths are left out; `Drawing.left_out` says what.

What rules of a style sheet paint in one colour shares it, as the swatches of Illustrator's files do.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path as File

import numpy as np
import torch

from pliant.errors import InputError
from pliant.vector.outline import Colour, Path, Subpath, assemble
from pliant.vector.scene import Group, Scene
from pliant.vector.svg_canvas import canvas, check_size, fitted, view_box
from pliant.vector.svg_data import Matrix, combined, length, transform
from pliant.vector.svg_path import path_outlines, shape_outlines
from pliant.vector.svg_style import Sheet, Style, Value, colour, mean_colour, share, worded
from pliant.vector.svg_xml import MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, Element, parse

__all__ = ["Drawing", "read_svg"]

MAX_COMMANDS = 300_000
MAX_COORDINATE = 1e6

_SHAPES = {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"}
_HOLDERS = {"svg", "g", "a", "switch", "symbol"}
_SEEN_ELSEWHERE = {
    *(
        "defs",
        "style",
        "title",
        "desc",
        "metadata",
        "linearGradient",
        "radialGradient",
        "stop",
        "clipPath",
        "mask",
    ),
    *("filter", "marker", "symbol", "pattern"),
}
_LEFT_OUT = {"clip-path": "clipping path", "mask": "mask", "filter": "filter"}


@dataclass(frozen=True)
class Drawing:
    """What was read."""

    scene: Scene
    left_out: tuple[str, ...]
    """What the scene lacks of the file, as people read it, such as "3 x text"; empty when it has all."""


@dataclass(frozen=True)
class _Place:
    """Where in the drawing an element is."""

    matrix: Matrix
    viewport: tuple[float, float]
    """What 100 % is."""
    style: Style
    opacity: float = 1.0
    group: int = -1
    hidden: bool = False
    locks: frozenset[str] = frozenset()
    depth: int = 0


def read_svg(source: str | File | bytes) -> Drawing:
    """Read a drawing that may come from anyone.

    Args:
        source: a path, or the bytes of a file.

    Raises:
        InputError: not an SVG, damaged, larger than 32 MiB, 100,000 elements, 300,000 path commands or 40 megapixels,
            with entities, or with nothing in it that can be drawn.
        MissingExtraError: lxml is not installed.
    """
    root = parse(source)
    reader = _Reader(root)
    size, matrix, viewport = canvas(root.attributes)
    reader.inside(root, _Place(matrix, viewport, reader.sheet.of("svg", root.attributes, {})))
    return reader.drawing(size)


class _Reader:
    """Collects paths, groups and colours while it walks through the elements."""

    def __init__(self, root: Element) -> None:
        self.by_id: dict[str, Element] = {}
        for element in root.walk():
            self.by_id.setdefault(element.attributes.get("id", ""), element)
        self.sheet = Sheet([element.text for element in root.walk() if element.tag == "style"])
        self.left_out = self.sheet.left_out
        self.paths: list[Path] = []
        self.fills: list[bool] = []
        self.strokes: list[bool] = []
        """Whether a style rule coloured it, for each fill and each stroke."""
        self.flags: list[tuple[bool, bool, bool]] = []
        """Hidden, locked shape, locked colour, of each path."""
        self.groups: list[Group] = []
        self.background: Colour | None = None
        self._commands, self._visits, self._letters = 0, 0, 0

    def inside(self, element: Element, place: _Place) -> None:
        """Read what a group holds."""
        for child in element.children:
            if child.tag in _SHAPES or child.tag in _HOLDERS - {"symbol"} or child.tag == "use":
                self._element(child, place)
            elif child.tag not in _SEEN_ELSEWHERE:
                self.left_out[child.tag] += 1

    def _element(self, element: Element, place: _Place) -> None:
        attributes = element.attributes
        self._visits += 1
        self._letters += sum(map(len, attributes.values()))
        if place.depth >= MAX_DEPTH or self._visits > MAX_ELEMENTS or self._letters > 2 * MAX_BYTES:
            raise InputError(
                "The drawing repeats parts of itself too often or too deep; save it without copies."
            )
        style = self.sheet.of(element.tag, attributes, place.style)
        for name, what in _LEFT_OUT.items():
            self.left_out[what] += style.get(name, Value("none")).text != "none"
        place = replace(
            place,
            matrix=place.matrix @ transform(attributes["transform"])
            if "transform" in attributes
            else place.matrix,
            style=style,
            opacity=place.opacity * share(style["opacity"].text if "opacity" in style else "1"),
            hidden=place.hidden or ("display" in style and style["display"].text == "none"),
            locks=place.locks | set(attributes.get("data-locked", "").split()),
            depth=place.depth + 1,
        )
        if element.tag in _SHAPES:
            self._shape(element, place)
        elif element.tag == "use":
            self._use(attributes, place)
        else:
            place = self._viewport(attributes, place) if element.tag in {"svg", "symbol"} else place
            self.inside(element, replace(place, group=self._group(attributes, place.group)))

    def _use(self, attributes: dict[str, str], place: _Place) -> None:
        address = attributes.get("href", "")
        target = self.by_id.get(address[1:]) if address.startswith("#") else None
        if target is None or target.tag not in _SHAPES | _HOLDERS | {"use"}:
            self.left_out["use of something that is not in the file"] += 1
            return
        if target.tag in {"svg", "symbol"}:
            given = {name: attributes[name] for name in ("width", "height") if name in attributes}
            target = replace(target, attributes=target.attributes | given)
        self._element(target, replace(place, matrix=_shifted(attributes, place)))

    def _viewport(self, attributes: dict[str, str], place: _Place) -> _Place:
        """The place inside a nested drawing or a symbol, which are not clipped."""
        whole = place.viewport
        width = length(attributes.get("width", "100%"), whole[0], "width")
        height = length(attributes.get("height", "100%"), whole[1], "height")
        box = view_box(attributes)
        if box is None:
            return replace(place, matrix=_shifted(attributes, place), viewport=(width, height))
        inner = fitted(box, (width, height), attributes.get("preserveAspectRatio", ""))
        return replace(place, matrix=combined(_shifted(attributes, place), inner), viewport=(box[2], box[3]))

    def _group(self, attributes: dict[str, str], parent: int) -> int:
        """The number of a group with a name, or of the one around it."""
        if "data-continues" in attributes:
            known = [
                index for index, group in enumerate(self.groups) if group.id == attributes["data-continues"]
            ]
            return known[0] if known else parent
        name = attributes.get("id", "")
        label = attributes.get("inkscape:label", name)
        if not label:
            return parent
        self.groups.append(Group(name or label, label, parent))
        return len(self.groups) - 1

    def _shape(self, element: Element, place: _Place) -> None:
        attributes = element.attributes
        if element.tag == "path":
            outlines = path_outlines(attributes.get("d", ""), self._charge)
        else:
            outlines = shape_outlines(element.tag, attributes, place.viewport)
            self._charge(sum(len(each.points) // 3 for each in outlines))
        if not outlines:
            return
        fill, fill_opacity = self._paint("fill", place, "black")
        stroke, stroke_opacity = self._paint("stroke", place, "none")
        if (
            attributes.get("id") == "background"
            and not self.paths
            and fill
            and attributes.get("width") == "100%"
        ):
            self.background = fill
            return
        matrix = place.matrix
        outlines = [Subpath(each.points @ matrix[:2, :2].T + matrix[:2, 2], each.closed) for each in outlines]
        if any(
            np.abs(each.points).max() > MAX_COORDINATE or np.isnan(each.points).any() for each in outlines
        ):
            raise InputError(
                "A point of the drawing is more than a million pixels away, so it cannot be drawn."
            )
        path = Path(
            outlines,
            fill,
            opacity=fill_opacity,
            even_odd=worded(place.style, "fill-rule", "nonzero") == "evenodd",
            group=place.group,
            name=attributes.get("inkscape:label", attributes.get("id", "")),
        )
        width = self._stroke_width(place) if stroke else 0.0
        drawn = replace(path, stroke=stroke, stroke_width=width, opacity=stroke_opacity)
        if stroke is None or width <= 0:
            self._add(path, place)
        elif fill is None or fill_opacity == stroke_opacity:
            self._add(drawn, place)
        else:
            self._add(path, place)
            self._add(replace(drawn, fill=None), place)

    def _add(self, path: Path, place: _Place) -> None:
        """Keep a path if something of it is seen."""
        if path.fill is None and path.stroke is None:
            return
        for kind, rules, paint in (("fill", self.fills, path.fill), ("stroke", self.strokes, path.stroke)):
            if paint is not None:
                rules.append(kind in place.style and place.style[kind].by_rule)
        hidden = place.hidden or worded(place.style, "visibility", "visible") != "visible"
        self.flags.append((hidden, "shape" in place.locks, "colour" in place.locks))
        self.paths.append(path)

    def _charge(self, commands: int) -> None:
        self._commands += commands
        if self._commands > MAX_COMMANDS:
            raise InputError(f"The drawing has more than {MAX_COMMANDS} path commands; simplify it first.")

    def _stroke_width(self, place: _Place) -> float:
        """In pixels; of a stroke that a transform distorts, the mean."""
        diagonal = math.hypot(*place.viewport) / math.sqrt(2)
        width = length(worded(place.style, "stroke-width", "1"), diagonal, "stroke-width")
        if worded(place.style, "stroke-dasharray", "none") != "none":
            self.left_out["dashes of a stroke"] += 1
        if {worded(place.style, f"stroke-line{part}", "") for part in ("cap", "join")} != {"round"}:
            self.left_out["stroke with flat ends or sharp corners (drawn round)"] += 1
        thin, wide = sorted(np.linalg.svd(place.matrix[:2, :2], compute_uv=False))
        if wide > 1.01 * thin:
            self.left_out["stroke that a transform distorts (its mean width is used)"] += 1
        return min(width * math.sqrt(abs(np.linalg.det(place.matrix[:2, :2]))), MAX_COORDINATE)

    def _paint(self, kind: str, place: _Place, default: str) -> tuple[Colour | None, float]:
        """Colour and opacity of a fill or a stroke; None for none."""
        text = worded(place.style, kind, default)
        opacity = place.opacity * share(worded(place.style, f"{kind}-opacity", "1"))
        current = colour(worded(place.style, "color", "black")) or ((0.0, 0.0, 0.0), 1.0)
        if text.startswith("url("):
            name, _, fallback = text[4:].partition(")")
            found = self._gradient(name.strip("'\" ").removeprefix("#"))
            if found is not None:
                return found[0], opacity * found[1]
            text = fallback.strip() or "none"
        if text == "none":
            return None, opacity
        rgb, alpha = colour(text, current[0]) or ((0.0, 0.0, 0.0), 1.0)
        return (rgb if alpha > 0 else None), opacity * alpha

    def _gradient(self, name: str) -> tuple[Colour, float] | None:
        """Mean colour and opacity of a gradient's stops; None if there is no such gradient."""
        element = self.by_id.get(name)
        for _ in range(8):
            stops = [each for each in element.children if each.tag == "stop"] if element else []
            if stops or element is None:
                break
            element = self.by_id.get(element.attributes.get("href", "").removeprefix("#"))
        else:
            return None
        self._charge(len(stops))
        self.left_out["gradient (its mean colour is used)" if stops else "pattern or gradient"] += 1
        if not stops:
            return None
        return mean_colour([(each.attributes, self.sheet.of("stop", each.attributes, {})) for each in stops])

    def drawing(self, size: tuple[float, float] | None) -> Drawing:
        """All of it as a scene; a file that does not say its size is as large as what is in it."""
        if not self.paths and self.background is None:
            raise InputError("There is nothing in the drawing that can be drawn: no path, no shape.")
        if size is None:
            low = np.concatenate(
                [each.points for path in self.paths for each in path.subpaths] or [np.zeros((1, 2))]
            )
            size = (float(math.ceil(low[:, 0].max())), float(math.ceil(low[:, 1].max())))
            check_size(size)
        scene = assemble(self.paths, size, groups=_distinct(self.groups), background=self.background)
        hidden, shape, painted = torch.tensor(self.flags, dtype=torch.bool).reshape(-1, 3).unbind(1)
        scene = replace(
            _tied(scene, self.fills, self.strokes), hidden=hidden, locked_shape=shape, locked_colour=painted
        )
        left_out = tuple(f"{count} x {what}" for what, count in self.left_out.items() if count)
        return Drawing(scene.check(), left_out)


def _shifted(attributes: dict[str, str], place: _Place) -> Matrix:
    """The matrix of a place, moved by `x` and `y`."""
    if "x" not in attributes and "y" not in attributes:
        return place.matrix
    shift = np.eye(3)
    for axis, name in enumerate("xy"):
        shift[axis, 2] = length(attributes.get(name, "0"), place.viewport[axis], name)
    return combined(place.matrix, shift)


def _distinct(groups: list[Group]) -> list[Group]:
    """The same groups where a second one of a name has a number after it."""
    seen: Counter[str] = Counter()
    out: list[Group] = []
    for group in groups:
        seen[group.id] += 1
        out.append(group if seen[group.id] == 1 else replace(group, id=f"{group.id}-{seen[group.id]}"))
    return out


def _tied(scene: Scene, fills: list[bool], strokes: list[bool]) -> Scene:
    """The scene where all that style rules paint in one colour has that colour in common."""
    rows: dict[object, int] = {}
    row_of: list[int] = []
    kept: list[int] = []
    for index, (by_rule, rgb) in enumerate(zip(fills + strokes, scene.colours.tolist(), strict=True)):
        key = tuple(rgb) if by_rule else index
        if key not in rows:
            rows[key] = len(kept)
            kept.append(index)
        row_of.append(rows[key])
    table = torch.tensor([*row_of, -1], dtype=torch.int64)
    return replace(
        scene, colours=scene.colours[kept], colour_of=table[scene.colour_of], stroke_of=table[scene.stroke_of]
    )
