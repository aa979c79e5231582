"""The tree of a project file that may come from anyone: what the studio reads of it is what an edit could have written.

`read_tree` has checked the tree itself; here are the values in it that people see, and that go into scripts which they run.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pliant import catalogue
from pliant.errors import InputError
from pliant.gan.align import Crop
from pliant.project_file import Node, Tree
from pliant.prompts import MAX_PROMPTS as MOST_PROMPTS
from pliant.studio.messages import (
    LARGEST_BLANK,
    MAX_LAYERS,
    MAX_POINTS,
    MAX_TEXT,
    MAX_THINGS,
    MAX_VECTORS,
    XY,
    Box,
    Colour,
    Layer,
    ModelName,
    Name,
    Psi,
    Seed,
    Strength,
)
from pliant.studio.parts import check_vector_name

__all__ = ["check_tree"]


Side = Annotated[int, Field(ge=1, le=LARGEST_BLANK)]


class _Prompt(BaseModel):
    """A prompt, as a run was given it."""

    model_config = ConfigDict(strict=True)

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    box: Box | None = None
    strength: Annotated[float, Field(ge=0, le=3)] = 1.0


class _Layers(BaseModel):
    """Changes of layers, as a run was given them."""

    model_config = ConfigDict(strict=True)

    hidden: list[Layer] = Field(default=[], max_length=MAX_LAYERS)
    shown: list[Layer] = Field(default=[], max_length=MAX_LAYERS)
    locked: list[Layer] = Field(default=[], max_length=MAX_LAYERS)
    unlocked: list[Layer] = Field(default=[], max_length=MAX_LAYERS)
    swatches: dict[Annotated[str, Field(pattern=r"^\d{1,9}$")], Colour] = Field(
        default={}, max_length=MAX_LAYERS
    )


class _Thing(BaseModel):
    """Where a thing went; its mask is a tensor."""

    model_config = ConfigDict(strict=True)

    shift: XY
    scale: Annotated[float, Field(ge=0.05, le=20)]
    turn: Annotated[float, Field(ge=-100_000, le=100_000)]
    pivot: XY | None = None


class _Inputs(BaseModel):
    """What a person gave an edit."""

    model_config = ConfigDict(strict=True)

    handles: list[XY] = Field(default=[], max_length=MAX_POINTS)
    targets: list[XY] = Field(default=[], max_length=MAX_POINTS)
    locked: list[bool] = Field(default=[], max_length=MAX_POINTS)
    goes_on: bool = False
    vectors: dict[Name, Strength] = Field(default={}, max_length=MAX_VECTORS)
    model: ModelName | None = None
    crop: dict[str, Any] | None = None
    prompts: list[_Prompt] = Field(default=[], max_length=MOST_PROMPTS)
    words: ModelName | None = None
    layers: _Layers | None = None
    boxes: list[Box] = Field(default=[], max_length=MOST_PROMPTS)
    things: list[_Thing] = Field(default=[], max_length=MAX_THINGS)
    prompt: Annotated[str, Field(max_length=10_000)] = ""
    diffuser: ModelName | None = None


class _Origin(BaseModel):
    """Where a picture comes from."""

    model_config = ConfigDict(strict=True)

    seed: Seed | None = None
    truncation_psi: Psi | None = None
    file: Annotated[str, Field(max_length=1000)] | None = None
    blank: Annotated[list[Side], Field(min_length=2, max_length=2)] | None = None


def check_tree(tree: Tree) -> None:
    """Refuse a tree with values that no edit writes.

    Raises:
        InputError: there are some.
    """
    for node in tree.nodes:
        try:
            _check_node(node)
        except ValidationError as error:
            where = ".".join(str(each) for each in error.errors()[0]["loc"])
            raise InputError(
                f"The project is damaged: {where} of its node {node.id} is not what it should be."
            ) from error


def _check_node(node: Node) -> None:
    given = _Inputs.model_validate_json(json.dumps(dict(node.inputs)))
    if len(given.targets) != len(given.handles) or len(given.locked) not in {0, len(given.handles)}:
        raise InputError(f"The project is damaged: the points of its node {node.id} do not belong together.")
    for name in given.vectors:
        check_vector_name(name)
    if given.crop is not None:
        Crop.from_facts(given.crop)
    for facts in node.facts:
        origin = facts.get("origin")
        made = _Origin.model_validate(origin if isinstance(origin, dict) else {})
        if node.kind == "latent" and (made.seed is None) != (made.truncation_psi is None):
            raise InputError(f"The project is damaged: its node {node.id} has half of a seed.")
    known = {edit.name for edit in catalogue.EDITS}
    if node.edit in known:
        catalogue.get(node.edit).make_settings(node.settings)
