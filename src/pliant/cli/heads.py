"""`pliant train head`: teach a model's parts from a folder of labels."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pliant.cli.edit import settings_class
from pliant.cli.options import DEFAULT_MODEL, Device, File, Part, Switch, parse, pick_device, print_json
from pliant.cli.progress import Progress, duration, stop_on_signal
from pliant.errors import InputError
from pliant.settings import import_from, make_settings, read_settings

if TYPE_CHECKING:
    from pliant.gan.head import PartClass
    from pliant.gan.stylegan2 import Generator
    from pliant.train.head import LabelledPicture

__all__ = ["run"]

SETTINGS = "pliant.train.head:HeadTrainSettings"


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


def run(arguments: list[str]) -> int:
    """Train; Ctrl-C ends it without a head."""
    settings_type = settings_class(read_settings(SETTINGS), "How the head is trained.")
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
    settings = make_settings(import_from(SETTINGS), vars(options.settings))
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
