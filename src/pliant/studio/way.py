"""The way to a frame of a project: what it began with, and the runs from there."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pliant import catalogue
from pliant.errors import InputError
from pliant.photo import INVERT
from pliant.project import Project
from pliant.project_file import Node
from pliant.studio.frames import to_png
from pliant.studio.things import GENERATE

GOES_ON = "goes_on"
"""Key in a node's inputs: the run went on with the memory of the one before it."""


@dataclass(frozen=True)
class Beginning:
    """The frame that the way begins with: an opened picture, or what an inversion made of a photo; unused before words."""

    node: Node
    step: int

    @property
    def seed(self) -> tuple[str, int, float] | None:
        """Model, seed and truncation of a picture that came from a seed."""
        facts = self.node.facts[0] if self.node.facts else {}
        origin = cast("Mapping[str, Any]", facts.get("origin") or {})
        if self.node.kind != "latent" or self.node.edit is not None or "seed" not in origin:
            return None
        return str(facts.get("model")), int(origin["seed"]), float(origin["truncation_psi"])

    @property
    def blank(self) -> tuple[int, int] | None:
        """Width and height of a drawing that was begun empty."""
        origin = self.node.facts[0].get("origin") if self.node.facts else None
        side = cast("Mapping[str, Any]", origin or {}).get("blank")
        if self.node.kind != "vector" or self.node.edit is not None or not side:
            return None
        return int(side[0]), int(side[1])


@dataclass(frozen=True)
class Leg:
    """One run on the way to the frame."""

    node: Node
    steps: int
    """How many of its steps are taken, the start included."""
    goes_on: bool
    """With the memory of the run before."""
    maps: Mapping[str, Tensor]
    """"mask", "parts" and masks of things, where it was given them."""
    numbers: Mapping[str, Tensor]
    """What its steps measured."""

    def png(self, name: str) -> str:
        """A map as it was given, 8 bits of grey: base64 of the PNG.

        Raises:
            InputError: it is damaged.
        """
        values = self.maps[name]
        if values.ndim != 2 or not values.numel():
            raise InputError(f"The project is damaged: the {name} of its node {self.node.id} is no picture.")
        grey = values.numpy() if values.dtype == torch.uint8 else np.rint(values.float().numpy() * 255)
        return base64.b64encode(to_png(Image.fromarray(grey.astype(np.uint8)))).decode()


def way_to(project: Project, node: str, step: int) -> tuple[Beginning, list[Leg]]:
    """What a frame began with, and the runs from there to it.

    Raises:
        InputError: a run of an edit that there is not, or without the picture that it began from.
    """
    legs: list[Leg] = []
    at = project.nodes[node]
    last = step
    while at.edit is not None:
        parent = project.nodes.get(at.parent or "")
        if parent is None:
            raise InputError("The project has lost the picture that this run began from.")
        takes = catalogue.get(at.edit).pictures
        if at.edit == INVERT or parent.kind not in {at.kind, *takes}:
            break  # a photo that was opened: the project file keeps what came of it
        given = project.inputs(at.id)
        names = ("mask", "parts", *(f"thing{each}" for each in range(len(at.inputs.get("things", ())))))
        maps = {name: given[name] for name in names if isinstance(given.get(name), Tensor)}
        legs.append(Leg(at, last + 1, bool(at.inputs.get(GOES_ON)), maps, project.numbers(at.id)))
        if at.edit == GENERATE:
            return Beginning(parent, 0), legs[::-1]
        last = at.from_step if at.from_step is not None else parent.steps - 1
        at = parent
    return Beginning(at, last), legs[::-1]


def changed(leg: Leg) -> dict[str, Any]:
    """Settings of a run that differ from the defaults."""
    settings = catalogue.get(str(leg.node.edit)).settings
    defaults = {each.name: _as_kept(each.default) for each in settings}
    given = leg.node.settings.items()
    return {name: value for name, value in given if name in defaults and defaults[name] != value}


def _as_kept(value: Any) -> Any:
    """A value as a project has it, which knows no tuples."""
    return list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else value


def short(point: Sequence[float]) -> list[float]:
    """The numbers with the fewest digits that are the same in float32, which is how points are held."""
    return [float(str(np.float32(value))) for value in point]
