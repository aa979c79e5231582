"""The options of the verbs of things in photos."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from pliant.catalogue import Edit
from pliant.cli.edit import Points, settings_class
from pliant.cli.options import XY, Box, Device, File, Part
from pliant.cli.runs import Output

__all__ = [
    "Area",
    "Looks",
    "MaybeArea",
    "Model",
    "Other",
    "Selection",
    "ThingOutput",
    "Turns",
    "Ways",
    "Words",
    "options_class",
]

_REPEATED = tyro.conf.arg(help_behavior_hint="(repeatable)")
Files = Annotated[
    tuple[Path, ...],
    tyro.conf.UseAppendAction,
    tyro.conf.arg(metavar="FILE", help_behavior_hint="(repeatable)"),
]
XYs = Annotated[tuple[XY, ...], tyro.conf.UseAppendAction, _REPEATED]
Boxes = Annotated[tuple[Box, ...], tyro.conf.UseAppendAction, _REPEATED]
Model = Annotated[str | None, tyro.conf.arg(metavar="MODEL", help_behavior_hint="")]
Numbers = Annotated[tuple[float, ...], tyro.conf.UseAppendAction, _REPEATED]


@dataclass(frozen=True)
class Selection:
    """The things: masks, or boxes or clicks from which Pliant finds them."""

    mask: Files = ()
    """Picture of the same size: white is the thing."""
    box: Boxes = ()
    """Box around a thing, in pixels of the picture."""
    click: XYs = ()
    """A place on a thing, for one of one colour."""
    sam: File = None
    """Folder of a Segment Anything model, as transformers keeps it, that finds what is in boxes and under clicks."""


@dataclass(frozen=True)
class Ways:
    """Where the things go; one way for all of them, or as many as there are things."""

    by: XYs = ()
    """How far, in pixels to the right and down."""
    to: XYs = ()
    """Where its middle should be, in place of --by."""
    scale: Numbers = ()
    """How much larger it becomes: 2 is twice as wide, 0.5 half."""
    turn: Numbers = ()
    """Degrees that it turns, clockwise."""


@dataclass(frozen=True)
class Turns:
    """What becomes of the things; one for all of them, or as many as there are things."""

    scale: Numbers = ()
    """How much larger it becomes: 2 is twice as wide, 0.5 half."""
    turn: Numbers = ()
    """Degrees that it turns, clockwise."""


@dataclass(frozen=True)
class Other:
    """The second picture."""

    other: Annotated[Path, tyro.conf.arg(metavar="FILE")]
    """Photo or project (.pliant) that shows the thing to paste; --mask, --box and --click are of this one."""


@dataclass(frozen=True)
class Looks:
    """The second picture."""

    other: Annotated[Path, tyro.conf.arg(metavar="FILE")]
    """Photo or project (.pliant) that shows a thing with the looks that are wanted."""
    other_mask: File = None
    """Picture of its size: white is that thing."""
    other_box: Annotated[Box | None, tyro.conf.arg(help_behavior_hint="")] = None
    """Box around that thing, in place of a mask."""


@dataclass(frozen=True)
class Area:
    """Where the picture may change."""

    mask: Annotated[Path, tyro.conf.arg(metavar="FILE")]
    """Picture of the same size: white may change, black must stay."""


@dataclass(frozen=True)
class MaybeArea:
    """Where the picture may change."""

    mask: File = None
    """Picture of the same size: white may change, black must stay; everything may if not given."""


@dataclass(frozen=True)
class Words:
    """The model, and what it is told."""

    prompt: Annotated[str, tyro.conf.arg(metavar="TEXT", help_behavior_hint="")] = ""
    """What the picture shows, in a few words; helps the model."""
    model: Model = None
    """Stable Diffusion by name, folder (as diffusers keeps it), .safetensors or hub:OWNER/NAME; scenes-256 if not given."""


@dataclass(frozen=True)
class ThingOutput(Output):
    """What to write."""

    candidates: int = 1
    """Answers to make, each from the next seed: out.png, out-2.png, …"""


_PARTS: dict[str, tuple[tuple[str, type], ...]] = {
    "move": (("selection", Selection), ("ways", Ways)),
    "resize": (("selection", Selection), ("ways", Turns)),
    "remove": (("selection", Selection),),
    "paste": (("other", Other), ("selection", Selection), ("ways", Ways)),
    "swap": (("looks", Looks), ("selection", Selection)),
    "dragcontent": (("area", Area), ("points", Points)),
    "dragdiffusion": (("area", MaybeArea), ("points", Points)),
}
_NEEDED = (Other, Looks, Area)
_PICTURE = tyro.conf.arg(metavar="PICTURE", help="Photo, or project (.pliant) to go on from.")


def options_class(edit: Edit, words: str) -> type:
    """The options of a verb: the photo, what to write, what is edited, the model, the settings."""
    settings = settings_class(edit.settings, "How the edit behaves.")
    parts: list[tuple[str, Any, Any]] = [
        ("start", Annotated[Path, tyro.conf.Positional, _PICTURE], field()),
        ("output", Annotated[ThingOutput, Part], field()),
    ]
    for name, part in _PARTS[words]:
        default = field() if part in _NEEDED else field(default_factory=part)
        parts.append((name, Annotated[part, Part], default))
    parts.append(("words", Annotated[Words, Part], field(default_factory=Words)))
    parts.append(("settings", Annotated[settings, Part], field(default_factory=settings)))
    device = Annotated[Device, tyro.conf.arg(help="Where to compute.")]
    return make_dataclass("Options", [*parts, ("device", device, field(default="auto"))], frozen=True)
