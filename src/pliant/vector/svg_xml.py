"""The door for SVG files that nobody vouches for: bytes in, a tree of plain elements out."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pliant.errors import InputError, MissingExtraError
from pliant.files import is_file

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_ELEMENTS", "Element", "parse"]

MAX_BYTES = 32 * 2**20
MAX_DEPTH = 100
MAX_ELEMENTS = 100_000

SVG = "http://www.w3.org/2000/svg"
INKSCAPE = "http://www.inkscape.org/namespaces/inkscape"
_PREFIXES = {INKSCAPE: "inkscape:", "http://www.w3.org/1999/xlink": "", SVG: "", "": ""}
_ENCODINGS = {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252"}
_ENTITY = re.compile(rb"<!ENTITY([^>]{0,300})>?")
_NAMESPACE = re.compile(rb"""\s+[\w.-]+\s+(["'])https?://[\w./#:~+-]{1,150}\1\s*""")


@dataclass
class Element:
    """An element of SVG; others are not kept."""

    tag: str
    attributes: dict[str, str]
    """By local name; those of Inkscape keep "inkscape:" before it."""
    text: str = ""
    children: list[Element] = field(default_factory=list["Element"])

    def walk(self) -> Iterator[Element]:
        """It and all below it, in the order of the file."""
        waiting: list[Element] = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))


def parse(source: str | Path | bytes) -> Element:
    """The root of an SVG.

    Nothing outside the file is read and no entity is expanded, but the names of namespaces that Illustrator writes.

    Args:
        source: a path, or the bytes of a file.

    Raises:
        InputError: no such file, not an SVG, damaged, or with more in it than a drawing has.
        MissingExtraError: lxml is not installed.
    """
    data = source if isinstance(source, bytes) else _read(Path(source))
    _check_text(data)
    try:
        etree: Any = importlib.import_module("lxml.etree")
    except ImportError as error:
        raise MissingExtraError('SVG files need: pip install "pliant[vector]"') from error
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InputError(f"The drawing is not an SVG that can be read: {str(error)[:150]}.") from error
    if etree.QName(root).localname != "svg":
        raise InputError("The drawing is not an SVG: its outermost element is another.")
    return _plain(root)


def _read(path: Path) -> bytes:
    if not is_file(path):
        raise InputError(f"There is no file '{path}'.")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _check_text(data: bytes) -> None:
    """Refuse what must not even be parsed."""
    if len(data) > MAX_BYTES:
        raise InputError(f"The drawing is too large: at most {MAX_BYTES // 2**20} MiB.")
    if data[:2] == b"\x1f\x8b":
        raise InputError("The drawing is compressed (SVGZ); unpack it first.")
    declared = re.search(rb"""^[^>]{0,100}encoding\s*=\s*["']([\w-]+)""", data[:200])
    if b"\0" in data or (declared and declared[1].decode("ascii").lower() not in _ENCODINGS):
        raise InputError("The drawing is not an SVG in UTF-8; save it in that encoding.")
    if data.count(b"<") > 4 * MAX_ELEMENTS:
        raise InputError(f"The drawing has more than {MAX_ELEMENTS} elements; simplify it first.")
    for entity in _ENTITY.finditer(data):
        if not _NAMESPACE.fullmatch(entity[1]):
            raise InputError(
                "The drawing defines entities of its own, which are not read; save it as plain SVG."
            )


def _plain(root: Any) -> Element:
    """The same tree without anything of the parser's, foreign elements and their contents left away."""
    top = Element("svg", _attributes(root))
    waiting: list[tuple[Any, Element, int]] = [(root, top, 1)]
    count = 1
    while waiting:
        given, element, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise InputError(f"The elements of the drawing lie more than {MAX_DEPTH} deep in each other.")
        element.text = "".join(given.itertext()) if element.tag == "style" else ""
        for child in given:
            namespace, _, tag = child.tag.rpartition("}") if isinstance(child.tag, str) else ("?", "", "")
            if namespace.removeprefix("{") not in {SVG, ""}:
                continue
            count += 1
            if count > MAX_ELEMENTS:
                raise InputError(f"The drawing has more than {MAX_ELEMENTS} elements; simplify it first.")
            element.children.append(Element(tag, _attributes(child)))
            waiting.append((child, element.children[-1], depth + 1))
    return top


def _attributes(given: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in given.attrib.items():
        namespace, _, local = name.rpartition("}")
        prefix = _PREFIXES.get(namespace.removeprefix("{"))
        if prefix is not None:
            found.setdefault(prefix + local, value)
    return found
