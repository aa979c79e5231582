"""What the verbs' options have in common: how they are parsed, points, devices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import tyro

from pliant.errors import InputError

__all__ = [
    "DEFAULT_MODEL",
    "XY",
    "Box",
    "Device",
    "File",
    "Grid",
    "Part",
    "Size",
    "Switch",
    "parse",
    "pick_device",
    "print_json",
    "read_box",
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


def read_box(text: str) -> tuple[float, float, float, float]:
    """X, y, width and height from the text of an option.

    Raises:
        ValueError: anything else.
    """
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(
            f"expected X,Y,WIDTH,HEIGHT in pixels, such as 40,20,300,300, got '{text}'"
        ) from None
    return x, y, width, height


Box = Annotated[
    tuple[float, float, float, float],
    tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="X,Y,WIDTH,HEIGHT",
        instance_from_str=lambda given: read_box(given[0]),
        is_instance=lambda value: isinstance(value, tuple),
        str_from_instance=lambda value: [",".join(f"{each:g}" for each in value)],
    ),
]
"""A part of a picture on the command line."""


def _times(metavar: str, example: str) -> tyro.constructors.PrimitiveConstructorSpec[tuple[int, int]]:
    """Two whole numbers with an x between them."""
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar=metavar,
        instance_from_str=lambda given: _pair(given[0], "x", int, f"{metavar}, such as {example}"),
        is_instance=_is_pair,
        str_from_instance=lambda value: [f"{value[0]}x{value[1]}"],
    )


Grid = Annotated[tuple[int, int], _times("COLUMNSxROWS", "4x4")]
"""Columns and rows on the command line."""

Size = Annotated[tuple[int, int], _times("WIDTHxHEIGHT", "224x224")]
"""Width and height on the command line."""


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
