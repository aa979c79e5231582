"""Write scenes as SVG that designers' programs open well.

Named groups become layers; paths are absolute, of lines and cubics with two decimals, without transforms, filters or
clipping; a colour that several paths share becomes a class, so that one swatch recolours them all. Read again, it is the
same scene up to the rounding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import torch

from pliant import __version__
from pliant.files import write_whole
from pliant.vector.scene import Group, Scene
from pliant.vector.svg_style import MOST_RULES

__all__ = ["save_svg", "svg_text"]

INKSCAPE = "http://www.inkscape.org/namespaces/inkscape"
_STRAIGHT = 0.008
"""How far handles may be from the thirds of a line that is written as one: what two decimals cannot tell."""


def save_svg(
    scene: Scene, path: str | Path, facts: Mapping[str, Any] | None = None, *, title: str = ""
) -> int:
    """Write a scene to a file; returns its size in bytes.

    Args:
        scene: with its size in user units as width, height and viewBox.
        path: the file.
        facts: JSON-ready, kept in `metadata`.
        title: as people read it.

    Raises:
        InputError: the file cannot be written there.
    """
    data = svg_text(scene, facts, title=title).encode()
    with write_whole(path) as part:
        part.write_bytes(data)
    return len(data)


def svg_text(scene: Scene, facts: Mapping[str, Any] | None = None, *, title: str = "") -> str:
    """The scene as the text of an SVG file; arguments as of `save_svg`."""
    width, height = (_number(side) for side in scene.size)
    shared = _shared(scene)
    namespaces = f'xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="{INKSCAPE}"'
    lines = [f'<svg {namespaces} width="{width}" height="{height}" viewBox="0 0 {width} {height}">']
    if title:
        lines.append(f"<title>{escape(_printable(title))}</title>")
    known = json.dumps({"software": f"Pliant {__version__}", **(facts or {})})
    lines.append(f"<metadata>{escape(known)}</metadata>")
    if shared:
        rules = "".join(_rules(scene, row) for row in sorted(shared))
        lines.append(f"<style>{rules}</style>")
    if scene.background is not None:
        lines.append(f'<rect id="background" width="100%" height="100%" fill="{_hex(scene.background)}"/>')
    return "\n".join([*lines, *_Layers(scene, shared).lines(), "</svg>", ""])


def _shared(scene: Scene) -> set[int]:
    """Rows of colours that more than one fill or stroke has, those that most have of more than a reader takes."""
    rows = torch.cat([scene.colour_of, scene.stroke_of])
    counts = torch.bincount(rows[rows >= 0], minlength=len(scene.colours))
    most = counts.argsort(descending=True, stable=True)[: MOST_RULES // 2]
    return set(most[counts[most] > 1].tolist())


def _rules(scene: Scene, row: int) -> str:
    """The classes of a swatch: as a fill, and as a stroke if something is stroked in it."""
    rgb = _hex(scene.colours[row].tolist())
    rules = f".c{row}{{fill:{rgb}}}" if (scene.colour_of == row).any() else ""
    return rules + (f".s{row}{{stroke:{rgb}}}" if (scene.stroke_of == row).any() else "")


class _Layers:
    """Paths in painter's order inside their groups; a group that goes on later is opened again."""

    def __init__(self, scene: Scene, shared: set[int]) -> None:
        self.scene, self.shared = scene, shared
        self.ids: set[str] = {"background"}
        self.group_ids = [self._id(group.id) for group in scene.groups]
        self.begun: set[int] = set()

    def lines(self) -> Iterator[str]:
        """The elements, line by line."""
        opened: list[int] = []
        outlines = _outlines(self.scene)
        for index, group in enumerate(self.scene.group_of.tolist()):
            chain = _chain(self.scene.groups, group)
            common = 0
            while common < min(len(chain), len(opened)) and chain[common] == opened[common]:
                common += 1
            yield from ["</g>"] * (len(opened) - common)
            yield from (self._layer(number) for number in chain[common:])
            opened = chain
            yield self._path(index, next(outlines))
        yield from ["</g>"] * len(opened)

    def _layer(self, number: int) -> str:
        group, name = self.scene.groups[number], self.group_ids[number]
        if number in self.begun:
            return f'<g data-continues="{name}">'
        self.begun.add(number)
        return f'<g id="{name}" inkscape:label={_quoted(group.label)} inkscape:groupmode="layer">'

    def _path(self, index: int, data: str) -> str:
        scene, name = self.scene, self.scene.names[index]
        parts = [f'd="{data}"', *self._paint("fill", "c", int(scene.colour_of[index]))]
        parts.append(f'fill-rule="{"evenodd" if scene.even_odd[index] else "nonzero"}"')
        stroked = int(scene.stroke_of[index])
        if stroked >= 0:
            parts += self._paint("stroke", "s", stroked)
            width = _number(float(scene.stroke_width[index]))
            parts.append(f'stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round"')
        opacity = _number(float(scene.opacity[index]), 4)
        if opacity != "1":
            parts.append(
                f'fill-opacity="{opacity}"' + (f' stroke-opacity="{opacity}"' if stroked >= 0 else "")
            )
        if name:
            given = self._id(name)
            parts.insert(0, f'id="{given}"' + ("" if given == name else f" inkscape:label={_quoted(name)}"))
        locks = ["shape"] * bool(scene.locked_shape[index]) + ["colour"] * bool(scene.locked_colour[index])
        if locks:
            parts.append(f'data-locked="{" ".join(locks)}"')
        if scene.hidden[index]:
            parts.append('display="none"')
        return f"<path {' '.join(_one_class(parts))}/>"

    def _paint(self, what: str, letter: str, row: int) -> list[str]:
        if row < 0:
            return [f'{what}="none"']
        return (
            [f'class="{letter}{row}"']
            if row in self.shared
            else [f'{what}="{_hex(self.scene.colours[row].tolist())}"']
        )

    def _id(self, name: str) -> str:
        """A valid XML name that nothing has yet."""
        plain = re.sub(r"[^A-Za-z0-9_.-]", "-", name)[:100]
        plain = plain if re.match("[A-Za-z_]", plain) else f"n{plain}"
        number, made = 1, plain
        while made in self.ids:
            number += 1
            made = f"{plain}-{number}"
        self.ids.add(made)
        return made


def _one_class(parts: list[str]) -> list[str]:
    """The attributes with the classes of fill and stroke in one."""
    classes = [part[7:-1] for part in parts if part.startswith("class=")]
    if len(classes) < 2:
        return parts
    return [part for part in parts if not part.startswith("class=")] + [f'class="{" ".join(classes)}"']


def _chain(groups: tuple[Group, ...], number: int) -> list[int]:
    """The groups around a path, the outermost first."""
    chain: list[int] = []
    while number >= 0:
        chain.insert(0, number)
        number = groups[number].parent
    return chain


def _outlines(scene: Scene) -> Iterator[str]:
    """Path data of each path."""
    hundredths = (scene.points.detach().double().cpu() * 100).round().long()
    points = scene.points.detach().double().cpu()[scene.segments.cpu()]
    ends = (
        points[:, :1]
        + (points[:, 3:] - points[:, :1]) * torch.tensor([1 / 3, 2 / 3], dtype=torch.float64)[:, None]
    )
    straight = ((points[:, 1:3] - ends).abs().amax((1, 2)) < _STRAIGHT).tolist()
    places = hundredths[scene.segments.cpu()].tolist()
    at, subpath = 0, 0
    lengths, closed = scene.lengths.tolist(), scene.closed.tolist()
    for parts in scene.parts.tolist():
        data: list[str] = []
        for _ in range(parts):
            end = at + lengths[subpath]
            data.append(_subpath(places[at:end], straight[at:end], closed=closed[subpath]))
            at, subpath = end, subpath + 1
        yield "".join(data)


def _subpath(segments: list[list[list[int]]], straight: list[bool], *, closed: bool) -> str:
    """Path data of one subpath, whose control points are hundredths of a unit [n, 4, 2]."""
    data = [f"M{_pair(segments[0][0])}"]
    before = ""
    for index, (points, line) in enumerate(zip(segments, straight, strict=True)):
        last = closed and index == len(segments) - 1
        if last and line and points[3] != points[0]:
            break
        letter = "L" if line else "C"
        listed = " ".join(map(_pair, points[3:] if line else points[1:]))
        data.append(f"{letter if letter != before else ' '}{listed}")
        before = letter
    return "".join(data) + ("Z" if closed else "")


def _pair(point: list[int]) -> str:
    return f"{_hundredths(point[0])},{_hundredths(point[1])}"


def _hundredths(value: int) -> str:
    sign, value = "-" * (value < 0), abs(value)
    whole, rest = divmod(value, 100)
    return f"{sign}{whole}" if rest == 0 else f"{sign}{whole}.{rest:02d}".rstrip("0")


def _number(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")


def _hex(rgb: tuple[float, ...] | list[float]) -> str:
    return "#" + "".join(f"{round(255 * min(max(value, 0.0), 1.0)):02x}" for value in rgb)


def _printable(text: str) -> str:
    """Without the control characters that XML forbids."""
    return "".join(letter for letter in text if letter.isprintable())


def _quoted(text: str) -> str:
    return quoteattr(_printable(text))
