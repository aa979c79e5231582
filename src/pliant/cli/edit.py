"""The verb of an edit, made from its entry in the catalogue."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, dataclass, field, make_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from pliant.catalogue import Edit, Inputs
from pliant.cli.options import XY, Device, File, Part, parse, pick_device
from pliant.cli.runs import Given, Writing, carry_out, check_places, project_for
from pliant.cli.sources import LatentSource, Start, latent_picture, project_of
from pliant.errors import InputError
from pliant.settings import Setting

if TYPE_CHECKING:
    from pliant.gan.latent import LatentPicture

__all__ = ["options_class", "run", "settings_class"]

XYs = Annotated[tuple[XY, ...], tyro.conf.UseAppendAction, tyro.conf.arg(help_behavior_hint="(repeatable)")]


@dataclass(frozen=True)
class Points:
    """The points; give --handle and --target as often as there are points, in the same order."""

    handle: XYs = ()
    """Where a point is, in pixels of the picture from its top-left one (0,0)."""
    target: XYs = ()
    """Where it should go."""
    lock: XYs = ()
    """A point that should stay where it is."""


@dataclass(frozen=True)
class Mask:
    """What may change."""

    mask: File = None
    """Picture of the same size: white may change, black must stay."""


@dataclass(frozen=True)
class Parts:
    """The parts."""

    parts: Annotated[Path, tyro.conf.arg(metavar="FILE")]
    """Part map of the picture's size with your changes painted in, as pliant segment writes it."""
    head: File = None
    """Folder of the part head; the model's own if not given."""


def _strength(text: str) -> tuple[str, float]:
    name, _, strength = text.rpartition("=")
    try:
        return (name, float(strength)) if name else (text, 1.0)
    except ValueError:
        raise ValueError(f"expected NAME=STRENGTH, such as smile=0.8, got '{text}'") from None


Strength = Annotated[
    tuple[str, float],
    tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="NAME[=STRENGTH]",
        instance_from_str=lambda given: _strength(given[0]),
        is_instance=lambda value: isinstance(value, tuple),
        str_from_instance=lambda value: [f"{value[0]}={value[1]:g}"],
    ),
]


@dataclass(frozen=True)
class Vectors:
    """The learnt edits."""

    vector: Annotated[
        tuple[Strength, ...], tyro.conf.UseAppendAction, tyro.conf.arg(help_behavior_hint="(repeatable)")
    ]
    """Name of a vector, or its file, and how much of it: 1 is the edit as it was learnt, negative values reverse it."""
    head: File = None
    """Folder of the part head, for refinement; the model's own if not given."""


_INPUTS: dict[str, Callable[..., Any]] = {"points": Points, "mask": Mask, "parts": Parts, "vectors": Vectors}
_WITHOUT_DEFAULT = {"parts", "vectors"}


def settings_class(settings: Sequence[Setting], title: str) -> type:
    """A dataclass with the same fields that a settings class has, which takes no torch to make."""

    def default(setting: Setting) -> Field[Any]:
        return field() if setting.default is MISSING else field(default=setting.default)

    made = make_dataclass(
        "Settings",
        [
            (each.name, Annotated[each.type, tyro.conf.arg(help=each.help)], default(each))
            for each in settings
        ],
        frozen=True,
    )
    made.__doc__ = title
    return made


def options_class(edit: Edit) -> type:
    """The options of an edit's verb: what to write, the source, the inputs, the settings."""
    settings = settings_class(edit.settings, "How the edit behaves.")
    parts: list[tuple[str, Any, Any]] = [("output", Annotated[Writing, Part], field())]
    for name in sorted(edit.inputs, key=lambda name: name not in _WITHOUT_DEFAULT):
        part = _INPUTS[name]
        default = field() if name in _WITHOUT_DEFAULT else field(default_factory=part)
        parts.append((name, Annotated[part, Part], default))
    parts.append(("source", Annotated[LatentSource, Part], field(default_factory=LatentSource)))
    parts.append(("settings", Annotated[settings, Part], field(default_factory=settings)))
    parts.append(("start", Start, field(default=None)))
    device = Annotated[Device, tyro.conf.arg(help="Where to compute.")]
    return make_dataclass("Options", [*parts, ("device", device, field(default="auto"))], frozen=True)


def run(edit: Edit, words: str, arguments: list[str]) -> int:
    """Do the edit: read everything, run it until it ends or is stopped, write everything.

    Args:
        edit: what to do.
        words: what was typed after `pliant`.
        arguments: what was typed after that.
    """
    options: Any = parse(options_class(edit), words, edit.summary, arguments)
    writing: Writing = options.output
    check_places(writing)
    settings = edit.make_settings(vars(options.settings))
    points = _read_points(options)
    device = pick_device(options.device)
    picture, opened = latent_picture(options.start, options.source, device)
    inputs = replace(points, **_read_files(options, picture))
    project = project_for(writing.project, project_of(options.start, options.source), opened, picture)
    running = edit.run(picture, inputs, settings)
    warnings = [note.sentence for note in edit.warn(picture, inputs, settings)]
    for sentence in () if writing.json or writing.quiet else warnings:
        print(f"pliant: {sentence}", file=sys.stderr)
    given = Given(edit.name, inputs.named(picture.size), settings)
    return carry_out(running, given, writing, project, facts={"device": device, "warnings": warnings})


def _read_points(options: Any) -> Inputs:
    """The inputs that the command line itself holds."""
    points: Points = getattr(options, "points", Points())
    if len(points.handle) != len(points.target):
        raise InputError(
            f"There are {len(points.handle)} --handle but {len(points.target)} --target; every handle needs one."
        )
    return Inputs(
        handles=[*points.handle, *points.lock],
        targets=[*points.target, *points.lock],
        locked=[False] * len(points.handle) + [True] * len(points.lock) if points.lock else None,
    )


def _read_files(options: Any, picture: LatentPicture) -> dict[str, Any]:
    """The inputs that are files, by their names in `Inputs`."""
    from pliant.gan.parts import load_head, load_parts
    from pliant.gan.vectors import SUFFIX
    from pliant.images import load_image

    read: dict[str, Any] = {}
    mask: Mask = getattr(options, "mask", Mask())
    if mask.mask is not None:
        read["mask"] = load_image(mask.mask, background=(0, 0, 0))
    parts: Parts | None = getattr(options, "parts", None)
    if parts is not None:
        read["head"] = load_head(picture.generator, parts.head)
        read["parts"] = load_parts(parts.parts, read["head"])
    vectors: Vectors | None = getattr(options, "vectors", None)
    if vectors is not None:
        read["vectors"] = {
            Path(name) if name.endswith(SUFFIX) else name: value for name, value in vectors.vector
        }
        if vectors.head is not None:
            read["head"] = load_head(picture.generator, vectors.head)
    return read
