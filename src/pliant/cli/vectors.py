"""`pliant vector list` and `pliant vector save`: learnt edits that are kept. Applying them is an edit of the catalogue."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from pliant.cli.options import DEFAULT_MODEL, File, Switch, parse, print_json
from pliant.cli.sources import LatentSource, latent_picture
from pliant.errors import InputError

if TYPE_CHECKING:
    from pliant.gan.latent import LatentPicture

__all__ = ["run_list", "run_save"]

Parts = Annotated[
    tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(help_behavior_hint="(repeatable)")
]


@dataclass(frozen=True)
class ListOptions:
    """List the edits that can be applied to a model's pictures at once."""

    model: str = DEFAULT_MODEL
    """Name, folder or file of the model."""
    json: Switch = False
    """Print one JSON object instead of a table."""


def run_list(arguments: list[str]) -> int:
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


def run_save(arguments: list[str]) -> int:
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
