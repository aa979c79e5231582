"""What the verbs' options have in common: how they are parsed, points, devices, where pictures come from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import tyro

from pliant.errors import InputError

if TYPE_CHECKING:
    from pliant.picture import Picture
    from pliant.project import Project

__all__ = [
    "DEFAULT_MODEL",
    "XY",
    "Device",
    "File",
    "Grid",
    "LatentSource",
    "Part",
    "Switch",
    "parse",
    "pick_device",
    "print_json",
]

DEFAULT_MODEL = "portraits-256"

Device = Literal["auto", "cpu", "cuda", "mps"]

File = Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")]
"""A file that may be left out."""

Switch = Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")]
"""Something to turn on."""

Part = tyro.conf.OmitArgPrefixes
"""Marks a group of options: its name is the group's title, not a prefix of the options."""

T = TypeVar("T")


def _pair(text: str, separator: str, kind: type[T], expected: str) -> tuple[T, T]:
    parts = text.strip("()[] ").split(separator)
    try:
        first, second = (kind(part) for part in parts)  # pyright: ignore[reportCallIssue]
    except ValueError:
        raise ValueError(f"expected {expected}, got '{text}'") from None
    return first, second


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple)


XY = Annotated[
    tuple[float, float],
    tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="X,Y",
        instance_from_str=lambda given: _pair(given[0], ",", float, "X,Y in pixels, such as 100,120"),
        is_instance=_is_pair,
        str_from_instance=lambda value: [f"{value[0]:g},{value[1]:g}"],
    ),
]
"""A point on the command line."""

Grid = Annotated[
    tuple[int, int],
    tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="COLUMNSxROWS",
        instance_from_str=lambda given: _pair(given[0], "x", int, "COLUMNSxROWS, such as 4x4"),
        is_instance=_is_pair,
        str_from_instance=lambda value: [f"{value[0]}x{value[1]}"],
    ),
]
"""Columns and rows on the command line."""


def parse(options: type[T], words: str, summary: str, arguments: list[str]) -> T:
    """Options from arguments; prints help or says what is wrong and raises SystemExit."""
    return tyro.cli(
        options,
        prog=f"pliant {words}",
        description=summary,
        args=arguments,
    )


def pick_device(device: Device) -> str:
    """The device to compute on; "auto" takes CUDA, then MPS, then the CPU.

    Raises:
        InputError: this machine does not have it.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(name for name, available in there.items() if available)
    if not there[device]:
        raise InputError(
            f"This machine has no {device} device that torch can use; leave out --device {device}."
        )
    return device


def print_json(result: dict[str, Any]) -> None:
    """One object on one line of standard output."""
    print(json.dumps(result), flush=True)


@dataclass(frozen=True)
class LatentSource:
    """The picture to start from: that of a seed, of a project, or of a latent file."""

    model: Annotated[str | None, tyro.conf.arg(metavar="MODEL", help_behavior_hint="")] = None
    """Name, folder or file of the model; portraits-256 if not given, or the one that the project names."""
    seed: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")] = None
    """Seed of the picture; 0 if nothing else is given."""
    psi: float = 0.7
    """Truncation of the seed's picture: 1 for the model's full variety, less for more typical pictures."""
    picture: File = None
    """Project (.pliant) to go on from, at its current place."""
    latent: File = None
    """Latent code (.safetensors) to start from, as --save-latent writes it."""

    def open(self, device: str) -> tuple[Picture, Project | None]:
        """The picture, and the project that it came from if any.

        Raises:
            InputError: more than one source, or one that cannot be used.
            CheckpointError: no such model.
        """
        if sum(each is not None for each in (self.seed, self.picture, self.latent)) > 1:
            raise InputError(
                "Give only one of --seed, --picture and --latent; each is a picture to start from."
            )
        from pliant import catalogue
        from pliant.gan.latent import LatentPicture, load_generator, sample
        from pliant.project import Project

        if self.picture is not None:
            project = Project.open(self.picture, catalogue.loader(model=self.model, device=device))
            return project.picture(), project
        generator = load_generator(self.model or DEFAULT_MODEL, device)
        if self.latent is not None:
            return LatentPicture.open_latent(self.latent, generator), None
        return sample(generator, self.seed or 0, self.psi), None
