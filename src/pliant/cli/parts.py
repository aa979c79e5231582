"""The verbs of parts: segment, repaint, vector, train head."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, make_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import tyro

from pliant.cli.edit import Given, Mask, Writing, carry_out, check_places, project_for, settings_class
from pliant.cli.options import (
    DEFAULT_MODEL,
    Device,
    File,
    LatentSource,
    Part,
    Switch,
    parse,
    pick_device,
    print_json,
)
from pliant.cli.progress import Progress, duration, stop_on_signal
from pliant.errors import InputError
from pliant.settings import import_from, make_settings, read_settings

if TYPE_CHECKING:
    from pliant.gan.head import PartClass
    from pliant.gan.latent import LatentPicture
    from pliant.gan.stylegan2 import Generator
    from pliant.project import Project
    from pliant.steps import Step
    from pliant.train.head import LabelledPicture

__all__ = [
    "run_repaint",
    "run_segment",
    "run_train_head",
    "run_vector_apply",
    "run_vector_list",
    "run_vector_save",
]

REPAINT = "pliant.gan.part_edit:RepaintSettings"
TRAIN = "pliant.train.head:HeadTrainSettings"
REPAINT_SUMMARY = "Change a picture so that it has the parts you painted into its part map."

Start = Annotated[
    Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="[PICTURE]", help_behavior_hint="")
]
"""A project, a latent file, or a picture that Pliant wrote; a seed otherwise."""
Parts = Annotated[
    tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(help_behavior_hint="(repeatable)")
]


def latent_picture(
    start: Path | None, source: LatentSource, device: str
) -> tuple[LatentPicture, Project | None]:
    """The picture to work on: of a file, or as the options say.

    Raises:
        InputError: several sources, a file that holds no code, or a picture without a generator.
    """
    from pliant.gan.latent import LatentPicture

    if start is not None:
        if any(each is not None for each in (source.picture, source.latent, source.seed)):
            raise InputError("Give either a file or one of --seed, --picture and --latent.")
        source = _as_source(start, source)
    picture, project = source.open(device)
    if not isinstance(picture, LatentPicture):
        raise InputError("This picture has no code of a generator; find one first with pliant invert.")
    return picture, project


def _as_source(start: Path, source: LatentSource) -> LatentSource:
    """What a file says of where its picture comes from."""
    if start.suffix == ".pliant":
        return replace(source, picture=start)
    if start.suffix == ".safetensors":
        return replace(source, latent=start)
    from pliant.images import read_metadata

    made = (read_metadata(start) or {}).get("picture", {})
    origin = made.get("origin", {}) if isinstance(made, dict) else {}
    seed, psi = origin.get("seed"), origin.get("truncation_psi", source.psi)
    if (
        not isinstance(seed, int)
        or not isinstance(psi, int | float)
        or "edit" in (read_metadata(start) or {})
    ):
        raise InputError(
            f"'{start}' does not say which code makes it; give its project (.pliant) or latent code (.safetensors), "
            "or find a code for a photo with pliant invert."
        )
    return replace(source, seed=seed, psi=float(psi), model=source.model or _named(made.get("model")))


def _named(model: Any) -> str | None:
    """A model that a file names, if it is a name: a foreign file must not have a path opened."""
    from pliant import zoo

    return model if model in [entry.name for entry in zoo.entries()] else None


@dataclass(frozen=True)
class SegmentOptions:
    """Say which pixel of a picture belongs to what part."""

    out: Path
    """Part map to write (.png): a palette picture whose values are the ids of the parts."""
    source: Annotated[LatentSource, Part] = field(default_factory=LatentSource)
    start: Start = None
    head: File = None
    """Folder of the part head; the model's own if not given."""
    uncertainty: File = None
    """Picture to write that is bright where the map cannot be trusted (.png, .jpg or .webp)."""
    device: Device = "auto"
    """Where to compute."""
    json: Switch = False
    """Print one JSON object instead of a sentence."""


def run_segment(arguments: list[str]) -> int:
    """Write the part map."""
    options = parse(SegmentOptions, "segment", SegmentOptions.__doc__ or "", arguments)
    from pliant.files import check_place
    from pliant.gan.parts import load_head, save_parts, segment
    from pliant.images import check_image_path, save_image, to_pil

    if options.out.suffix.lower() != ".png":
        raise InputError(
            f"'{options.out}' should end in .png: other formats would change the ids of a part map."
        )
    check_place(options.out)
    if options.uncertainty is not None:
        check_image_path(options.uncertainty)
    device = pick_device(options.device)
    picture, _ = latent_picture(options.start, options.source, device)
    head = load_head(picture.generator, options.head)
    began = time.perf_counter()
    found = segment(picture, head, uncertainty=options.uncertainty is not None)
    seconds = time.perf_counter() - began
    save_parts(found, options.out)
    if found.uncertainty is not None and options.uncertainty is not None:
        bright = found.uncertainty / found.uncertainty.max().clamp_min(1e-6) * 2 - 1
        save_image(to_pil(bright.expand(3, -1, -1)), options.uncertainty)
    shares = {name: round(share, 6) for name, share in found.shares.items()}
    if options.json:
        parts = {"parts": shares, "uncertainty": found.score, "seconds": seconds, "device": device}
        print_json({"out": str(options.out), **parts})
    else:
        listed = ", ".join(
            f"{name} {share:.1%}" for name, share in sorted(shares.items(), key=lambda x: -x[1]) if share
        )
        print(f"{options.out}: {listed}")
    return 0


@dataclass(frozen=True)
class Painted:
    """The parts."""

    parts: Path
    """Part map of the picture's size with your changes painted in, as pliant segment writes it."""
    head: File = None
    """Folder of the part head; the model's own if not given."""


def run_repaint(arguments: list[str]) -> int:
    """Do the edit: read everything, run it until it ends or is stopped, write everything."""
    settings_type = settings_class(read_settings(REPAINT), "How the edit behaves.")
    options_type = make_dataclass(
        "Options",
        [
            ("output", Annotated[Writing, Part], field()),
            ("painted", Annotated[Painted, Part], field()),
            ("source", Annotated[LatentSource, Part], field(default_factory=LatentSource)),
            ("mask", Annotated[Mask, Part], field(default_factory=Mask)),
            ("settings", Annotated[settings_type, Part], field(default_factory=settings_type)),
            ("start", Start, field(default=None)),
            ("device", Annotated[Device, tyro.conf.arg(help="Where to compute.")], field(default="auto")),
        ],
        frozen=True,
    )
    options: Any = parse(options_type, "repaint", REPAINT_SUMMARY, arguments)
    from pliant.gan.part_edit import repaint
    from pliant.gan.parts import load_head, load_parts
    from pliant.images import load_image
    from pliant.points import as_mask
    from pliant.steps import Run

    writing: Writing = options.output
    check_places(writing)
    settings = make_settings(import_from(REPAINT), vars(options.settings))
    device = pick_device(options.device)
    picture, opened = latent_picture(options.start, options.source, device)
    head = load_head(picture.generator, options.painted.head)
    parts = load_parts(options.painted.parts, head)
    mask = options.mask.mask and as_mask(load_image(options.mask.mask, background=(0, 0, 0)), picture.size)
    steps = repaint(picture, parts, head=head, movable=mask, settings=settings)
    project = project_for(writing.project, _opened_from(options), opened, picture)
    given = Given("repaint", {"parts": parts} if mask is None else {"parts": parts, "mask": mask}, settings)
    running = Run(cast("Iterator[Step]", steps), max_steps=settings.max_steps + 1)
    return carry_out(running, given, writing, project, facts={"device": device}, measure=_measured)


def _opened_from(options: Any) -> Path | None:
    start: Path | None = options.start
    return start if start is not None and start.suffix == ".pliant" else options.source.picture


def _measured(step: Any) -> dict[str, float]:
    return {name: getattr(step, name) for name in ("loss", "agreement", "change", "strain")}


@dataclass(frozen=True)
class ListOptions:
    """List the edits that can be applied to a model's pictures at once."""

    model: str = DEFAULT_MODEL
    """Name, folder or file of the model."""
    json: Switch = False
    """Print one JSON object instead of a table."""


def run_vector_list(arguments: list[str]) -> int:
    """Print the vectors."""
    options = parse(ListOptions, "vector list", ListOptions.__doc__ or "", arguments)
    from pliant.gan.latent import load_generator
    from pliant.gan.vectors import vectors_for

    found = vectors_for(load_generator(options.model)).values()
    if options.json:
        listed = [{"name": each.name, "parts": list(each.parts), "safe": list(each.safe)} for each in found]
        print_json({"vectors": listed})
        return 0
    for each in found:
        print(f"{each.name:<20} {each.safe[0]:g} to {each.safe[1]:g}  {', '.join(each.parts)}")
    if not found:
        print(f"There are no vectors for {options.model} yet; keep one with pliant vector save.")
    return 0


@dataclass(frozen=True)
class VectorUse:
    """The vector."""

    vector: str
    """Name of the vector, or its file."""
    strength: float = 1.0
    """0 leaves the picture as it is, 1 is the edit as it was learnt, negative values reverse it."""
    steps: int = 0
    """Steps of refinement, which bring back what the vector changed elsewhere; 10 to 30 are enough."""
    head: File = None
    """Folder of the part head, for refinement; the model's own if not given."""


@dataclass(frozen=True)
class ApplyOptions:
    """Apply a learnt edit to a picture, at once or with some steps of refinement."""

    output: Annotated[Writing, Part]
    use: Annotated[VectorUse, Part]
    source: Annotated[LatentSource, Part] = field(default_factory=LatentSource)
    start: Start = None
    device: Device = "auto"
    """Where to compute."""


def run_vector_apply(arguments: list[str]) -> int:
    """Apply, refine, write everything."""
    options = parse(ApplyOptions, "vector apply", ApplyOptions.__doc__ or "", arguments)
    from pliant.gan.part_edit import RepaintSettings
    from pliant.gan.parts import load_head
    from pliant.gan.vectors import find_vector
    from pliant.steps import Run, Step

    writing, use = options.output, options.use
    check_places(writing)
    if use.steps < 0:
        raise InputError(f"--steps must be 0 or more; it is {use.steps}.")
    device = pick_device(options.device)
    picture, opened = latent_picture(options.start, options.source, device)
    vector = find_vector(picture.generator, use.vector)
    if not vector.safe[0] <= use.strength <= vector.safe[1] and not (writing.json or writing.quiet):
        safe = f"{vector.safe[0]:g} to {vector.safe[1]:g}"
        print(
            f"pliant: '{vector.name}' was found to work at strengths of {safe}; beyond them pictures may break.",
            file=sys.stderr,
        )
    settings = RepaintSettings(max_steps=max(1, use.steps))
    if use.steps:
        head = load_head(picture.generator, use.head)
        steps = cast("Iterator[Step]", vector.refined(picture, use.strength, head=head, settings=settings))
    else:
        steps = iter([Step(0, picture), Step(1, vector.apply(picture, use.strength))])
    project = project_for(writing.project, _opened_from(options), opened, picture)
    given = Given("vector", {}, settings)
    facts = {"vector": vector.name, "strength": use.strength, "device": device}
    return carry_out(Run(steps, max_steps=use.steps + 1), given, writing, project, facts=facts)


@dataclass(frozen=True)
class SaveOptions:
    """Keep an edit as a vector, to apply it to other pictures of the model."""

    before: Path
    """The picture before the edit: a project (.pliant), a latent code (.safetensors) or the picture of a seed."""
    after: Path
    """The picture after it."""
    name: str
    """What to call it."""
    out: File = None
    """File to write (.safetensors); by default among your vectors, where it is found by its name."""
    part: Parts = ()
    """Name of a part that the edit concerns; refinement lets the picture differ there."""
    least: float = 0.0
    """Least strength that works, 0 or below."""
    most: float = 1.0
    """Greatest strength that works."""
    model: Annotated[str | None, tyro.conf.arg(metavar="MODEL", help_behavior_hint="")] = None
    """Name, folder or file of the model."""
    json: Switch = False
    """Print one JSON object instead of a sentence."""


def run_vector_save(arguments: list[str]) -> int:
    """Write the vector."""
    options = parse(SaveOptions, "vector save", SaveOptions.__doc__ or "", arguments)
    from pliant.errors import CheckpointError
    from pliant.gan.parts import load_head
    from pliant.gan.vectors import SUFFIX, EditVector, vectors_folder

    source = LatentSource(model=options.model)
    before, _ = latent_picture(options.before, source, "cpu")
    opened, _ = latent_picture(options.after, source, "cpu")
    vector = EditVector.between(
        before,
        _same_generator(opened, before),
        options.name,
        options.part,
        safe=(options.least, options.most),
    )
    try:
        head = load_head(before.generator)
    except CheckpointError:
        head = None  # parts of a model without a head cannot be checked, and are of use once it has one
    for part in options.part if head else ():
        head.id_of(part)  # pyright: ignore[reportOptionalMemberAccess]
    path = options.out
    if path is None:
        vectors_folder().mkdir(parents=True, exist_ok=True)
        path = vectors_folder() / (re.sub(r"[^\w-]+", "-", options.name).strip("-") + SUFFIX)
    vector.save(path)
    if options.json:
        print_json({"out": str(path), "name": vector.name, "parts": list(vector.parts)})
    else:
        print(f"{path}: '{vector.name}' of {before.generator.name}")
    return 0


def _same_generator(picture: LatentPicture, other: LatentPicture) -> LatentPicture:
    """The picture with the other's copy of their network, which was read twice."""
    from pliant.gan.latent import LatentPicture, fingerprint

    if fingerprint(picture.generator) != fingerprint(other.generator):
        raise InputError("The two pictures come from different networks, so no vector lies between them.")
    return LatentPicture(other.generator, picture.ws.to(other.ws), picture.origin)


@dataclass(frozen=True)
class HeadFiles:
    """What to train on, and what to write."""

    labels: Path
    """Folder with part maps NAME.png, each beside its picture's code NAME.safetensors (or named seed12.png for the
    picture of seed 12), and classes.json, a list of parts: {"name": "hair", "colour": [90, 60, 30]}."""
    model: str = DEFAULT_MODEL
    """Name, folder or file of the model."""
    out: File = None
    """Folder to write; by default among your part heads, where the model finds it."""
    psi: float = 0.7
    """Truncation of pictures that are named by their seed."""
    device: Device = "auto"
    """Where to compute."""
    json: Switch = False
    """Print one JSON object at the end."""
    quiet: Switch = False
    """Show no progress."""


def run_train_head(arguments: list[str]) -> int:
    """Train; Ctrl-C ends it without a head."""
    settings_type = settings_class(read_settings(TRAIN), "How the head is trained.")
    options_type = make_dataclass(
        "Options",
        [
            ("files", Annotated[HeadFiles, Part], field()),
            ("settings", Annotated[settings_type, Part], field(default_factory=settings_type)),
        ],
        frozen=True,
    )
    summary = "Train a model's part head on a few labelled pictures."
    options: Any = parse(options_type, "train head", summary, arguments)
    from pliant.gan.latent import load_generator
    from pliant.gan.parts import heads_folder
    from pliant.train.head import train_head

    files: HeadFiles = options.files
    settings = make_settings(import_from(TRAIN), vars(options.settings))
    generator = load_generator(files.model, pick_device(files.device))
    classes = _classes(files.labels, generator)
    pictures = list(_labelled(files, generator, classes))
    stop = threading.Event()
    head = None
    silent = files.json or files.quiet
    with Progress("train head", None, quiet=silent) as progress, stop_on_signal(stop.set):
        for step in train_head(generator, pictures, classes, settings):
            loss = "" if step.loss is None else f", loss {step.loss:.3f}"
            progress.show(step.done, note=f"of {step.total} {step.stage}{loss}")
            head = step.head
            if stop.is_set():
                raise KeyboardInterrupt
    if head is None:
        raise AssertionError("the last step brings the head")
    out = head.save(files.out or heads_folder() / generator.name)
    seconds = float(head.facts["seconds"])
    if files.json:
        print_json(
            {"out": str(out), "labelled": len(pictures), "parts": list(head.names), "seconds": seconds}
        )
    else:
        print(f"{out}: {len(classes)} parts from {len(pictures)} labelled pictures in {duration(seconds)}")
    return 0


def _classes(folder: Path, generator: Generator) -> tuple[PartClass, ...]:
    """The parts that a folder of labels names, or those of the model's own head."""
    from pliant.errors import CheckpointError
    from pliant.gan.head import MAX_CLASSES, PartClass
    from pliant.gan.parts import load_head

    path = folder / "classes.json"
    if not path.is_file():
        try:
            return load_head(generator).classes
        except CheckpointError:
            raise InputError(
                f"There is no '{path}', which says what the parts are: a list such as "
                '[{"name": "background", "colour": [0, 0, 0]}, …].'
            ) from None
    try:
        entries: Any = json.loads(path.read_text(encoding="utf-8"))
        found: list[PartClass] = []
        for entry in entries:
            red, green, blue = (int(value) for value in entry["colour"])
            if not all(0 <= value <= 255 for value in (red, green, blue)):
                raise InputError(f"'{path}' gives {entry['name']!r} a colour outside 0 to 255.")
            found.append(PartClass(str(entry["name"]), (red, green, blue)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"'{path}' is no list of parts, each with a name and a colour ({error}).") from error
    if not 2 <= len(found) <= MAX_CLASSES or len({each.colour for each in found}) < len(found):
        raise InputError(f"'{path}' must list 2 to {MAX_CLASSES} parts, each in a colour of its own.")
    return tuple(found)


def _labelled(
    files: HeadFiles, generator: Generator, classes: tuple[PartClass, ...]
) -> Iterator[LabelledPicture]:
    """The pictures of a folder and their labels, in order of their names."""
    from pliant.gan.latent import LatentPicture, sample
    from pliant.gan.parts import read_parts
    from pliant.train.head import LabelledPicture

    maps = sorted(files.labels.glob("*.png"))
    if not maps:
        raise InputError(f"There are no part maps (.png) in '{files.labels}'.")
    for path in maps:
        latent = path.with_suffix(".safetensors")
        named = re.fullmatch(r"(?:seed)?[-_]?(\d{1,10})", path.stem)
        if latent.is_file():
            picture = LatentPicture.open_latent(latent, generator)
        elif named:
            picture = sample(generator, int(named[1]), files.psi)
        else:
            raise InputError(
                f"'{path}' has no code beside it: save its picture's as '{latent.name}', or name the map after a seed."
            )
        yield LabelledPicture(picture.ws, read_parts(path, classes, generator.config.size))
