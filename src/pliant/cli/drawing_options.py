"""The options of the verbs of drawings, made from the entries of their edits in the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from pliant.catalogue import Edit
from pliant.cli.drawing_files import DrawingWriting
from pliant.cli.edit import settings_class
from pliant.cli.options import Part, Size, Switch, pick_device, read_box

if TYPE_CHECKING:
    from pliant.prompts import Box

__all__ = ["Layers", "Only", "Prompts", "Words", "drawing_device", "options_class"]

DrawingDevice = Literal["auto", "cpu", "cuda"]
"""Drawings are painted in double precision, which MPS does not have."""

_REPEATED = tyro.conf.arg(help_behavior_hint="(repeatable)")


def _region(text: str) -> tuple[Box, str]:
    box, equals, words = text.partition("=")
    if not equals:
        raise ValueError(f"expected X,Y,WIDTH,HEIGHT=TEXT, such as 40,20,300,300=a red hat, got '{text}'")
    return read_box(box), words


def _swatch(text: str) -> tuple[int, str]:
    row, _, colour = text.partition("=")
    if not row.isdecimal():
        raise ValueError(f"expected NUMBER=#rrggbb, such as 3=#c0392b, got '{text}'")
    return int(row), colour


def _region_text(value: tuple[Box, str]) -> str:
    return f"{','.join(f'{each:g}' for each in value[0])}={value[1]}"


def _swatch_text(value: tuple[int, str]) -> str:
    return f"{value[0]}={value[1]}"


def _one(metavar: str, read: Any, write: Any) -> Any:
    """How an option of one word becomes a pair."""
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar=metavar,
        instance_from_str=lambda given: read(given[0]),
        is_instance=lambda value: isinstance(value, tuple),
        str_from_instance=lambda value: [write(value)],
    )


Region = Annotated[
    tuple[tuple[float, float, float, float], str], _one("X,Y,WIDTH,HEIGHT=TEXT", _region, _region_text)
]
Swatch = Annotated[tuple[int, str], _one("NUMBER=COLOUR", _swatch, _swatch_text)]
Texts = Annotated[
    tuple[str, ...],
    tyro.conf.UseAppendAction,
    tyro.conf.arg(metavar="TEXT", help_behavior_hint="(repeatable)"),
]
Parts = Annotated[
    tuple[str, ...],
    tyro.conf.UseAppendAction,
    tyro.conf.arg(metavar="PART", help_behavior_hint="(repeatable)"),
]


@dataclass(frozen=True)
class Prompts:
    """The words; at least one --prompt or --roi."""

    prompt: Texts = ()
    """What the whole picture should become."""
    roi: Annotated[tuple[Region, ...], tyro.conf.UseAppendAction, _REPEATED] = ()
    """What a part of it should become: the box in pixels, and words for it."""
    strength: Annotated[tuple[float, ...], tyro.conf.UseAppendAction, _REPEATED] = ()
    """How much each of them counts beside the others, 0 to 3, those of --prompt first; 1 if not given."""


@dataclass(frozen=True)
class Words:
    """The model that compares pictures with words."""

    words: Annotated[str | None, tyro.conf.arg(metavar="MODEL", help_behavior_hint="")] = None
    """Name, folder or OWNER/NAME of a text-image model (Pliant's, CLIP, SigLIP, open_clip); words-small if not given."""
    judge: Annotated[str | None, tyro.conf.arg(metavar="MODEL", help_behavior_hint="")] = None
    """Another such model that measures the gain; the same one if not given, which flatters it."""


@dataclass(frozen=True)
class Layers:
    """Parts of the drawing: a layer's or path's id as in the SVG, or a path's number from 0 (the lowest)."""

    hide: Parts = ()
    """Do not paint it."""
    show: Parts = ()
    """Paint it again."""
    lock: Parts = ()
    """Keep its shapes and colours."""
    unlock: Parts = ()
    """Let its shapes and colours change again."""
    swatch: Annotated[tuple[Swatch, ...], tyro.conf.UseAppendAction, _REPEATED] = ()
    """A swatch's new colour as #rrggbb; every path of the swatch takes it."""


@dataclass(frozen=True)
class Only:
    """Shorter words for a setting."""

    shapes_only: Switch = False
    """The same as --change shapes, such as for letters."""
    colours_only: Switch = False
    """The same as --change colours."""


@dataclass(frozen=True)
class Canvas:
    """Where to draw if no picture is given."""

    canvas: Size = (224, 224)
    """Width and height in pixels of a white canvas."""


_INPUTS: dict[str, type] = {"prompts": Prompts, "words": Words, "layers": Layers}
_MORE: dict[str, type] = {"restyle": Only, "draw": Canvas}
_PICTURE = tyro.conf.arg(
    metavar="PICTURE",
    help="Photo, which is traced first, drawing (.svg) or project (.pliant).",
    help_behavior_hint="",
)


def options_class(edit: Edit) -> type:
    """The options of an edit's verb: what to write, the source, the inputs, the settings."""
    settings = settings_class(edit.settings, "How the edit behaves.")
    needed = edit.name != "draw"
    start = Annotated[Path if needed else Path | None, tyro.conf.Positional, _PICTURE]
    parts: list[tuple[str, Any, Any]] = [("start", start, field())] if needed else []
    parts.append(("output", Annotated[DrawingWriting, Part], field()))
    for name, part in [(name, _INPUTS[name]) for name in edit.inputs] + [
        ("more", part) for name, part in _MORE.items() if name == edit.name
    ]:
        parts.append((name, Annotated[part, Part], field(default_factory=part)))
    parts.append(("settings", Annotated[settings, Part], field(default_factory=settings)))
    if not needed:
        parts.append(("start", start, field(default=None)))
    device = Annotated[DrawingDevice, tyro.conf.arg(help="Where to compute.")]
    return make_dataclass("Options", [*parts, ("device", device, field(default="auto"))], frozen=True)


def drawing_device(device: DrawingDevice) -> str:
    """The device to compute on; "auto" takes CUDA, then the CPU.

    Raises:
        InputError: this machine does not have it.
    """
    found = pick_device(device)
    return "cpu" if found == "mps" else found
