"""What the page is told about edits, settings and nodes, in the terms of the messages."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING
from typing import Any, Literal, Union, cast, get_args, get_origin

import torch
from torch import Tensor

from pliant.catalogue import EDITS, Edit
from pliant.photo import INVERT
from pliant.project_file import Node
from pliant.settings import WHOLE_NUMBERS, Setting
from pliant.steps import Step
from pliant.studio.messages import EditInfo, NodeInfo, SettingInfo, StepFacts, Value
from pliant.studio.things import GENERATE

Kind = Literal["number", "integer", "switch", "choice", "text"]
_LISTS, _MEASURES = ("handles", "distances"), ("loss", "strain", "agreement", "psnr", "energy")
"""What steps measure, by the names of both `StepFacts` and the edits."""
_TITLES = {edit.name: edit.title.split(",")[0] for edit in EDITS if edit.group}
"""Of edits whose name is no word."""
BLANK = "Blank"
"""Title of a picture on which nothing is yet."""
_KIND_TITLES = {"pixels": "Photo", "vector": "Drawing"}
_KINDS: dict[Any, Kind] = {
    float: "number",
    int: "integer",
    bool: "switch",
    str: "text",
    WHOLE_NUMBERS: "text",
}


def edit_info(edit: Edit) -> EditInfo:
    """An edit as the page makes a mode of it."""
    settings = [info for each in edit.settings if (info := setting_info(each, edit)) is not None]
    return EditInfo(
        name=edit.name,
        title=edit.title,
        summary=edit.summary,
        pictures=edit.pictures,
        group=edit.group,
        inputs=edit.inputs,
        optional=edit.optional,
        preview=edit.preview is not None,
        settings=tuple(settings),
    )


def setting_info(setting: Setting, edit: Edit) -> SettingInfo | None:
    """A setting as a form shows it; None for those that a form cannot give, such as paths."""
    kind: Kind | None = "choice" if get_origin(setting.type) is Literal else _KINDS.get(setting.type)
    default: Any = " ".join(map(str, setting.default)) if setting.type == WHOLE_NUMBERS else setting.default
    if kind is None or setting.default is MISSING or get_origin(setting.type) in {Union, types.UnionType}:
        return None
    slider = setting.slider
    return SettingInfo(
        name=setting.name,
        kind=kind,
        default=cast("Value", default),
        help=setting.help,
        choices=get_args(setting.type) if kind == "choice" else (),
        low=slider.low if slider else None,
        high=slider.high if slider else None,
        log=slider.log if slider else False,
        live=setting.name in edit.live_settings,
        main=setting.name in edit.main_settings,
    )


def node_title(node: Node) -> str:
    """Short words for the tree."""
    if node.edit == INVERT:
        return "Opened photo"
    if said := _prompts_in_words(node):
        return said
    if node.edit in _TITLES:
        seed, words = node.settings.get("seed", 0), node.inputs.get("prompt")
        title = f"“{words[:40]}”" if words and node.edit == GENERATE else _TITLES[node.edit]
        return f"{title}{f', seed {seed}' if seed else ''}"
    return _run_title(node) if node.edit else _picture_title(node)


def _run_title(node: Node) -> str:
    if node.edit == "vector":
        strengths = cast("Mapping[str, float]", node.inputs.get("vectors", {}))
        return (
            ", ".join(f"{name.capitalize()} {value:+g}" for name, value in strengths.items())[:60] or "Vector"
        )
    count = len(cast("Sequence[Any]", node.inputs.get("handles", ())))
    points = f" {count} point{'' if count == 1 else 's'}" if count else ""
    return f"{str(node.edit).replace('_', ' ').capitalize()}{points}"


def _picture_title(node: Node) -> str:
    first = node.facts[0] if node.facts else {}
    origin = first.get("origin")
    known = cast("Mapping[str, Any]", origin) if isinstance(origin, Mapping) else {}
    if "seed" in known:
        return f"Seed {known['seed']}"
    blank = node.kind == "pixels" and "blank" in known
    return str(known.get("file") or (BLANK if blank else _KIND_TITLES.get(node.kind, "Picture")))[:60]


def _prompts_in_words(node: Node) -> str:
    """The prompts of a run in quotes; empty for a run without."""
    prompts = cast("Sequence[Mapping[str, Any]]", node.inputs.get("prompts", ()))
    return ", ".join(f"“{prompt['text']}”" for prompt in prompts)[:60] if prompts else ""


def node_info(node: Node, size: tuple[int, int], *, photo: bool) -> NodeInfo:
    """A node as the page shows it.

    Args:
        node: of the tree.
        size: of its pictures.
        photo: it comes from a photo, into which it can be put back.
    """
    model = next((each["model"] for each in node.facts if each.get("model")), None)
    return NodeInfo(
        id=node.id,
        parent=node.parent,
        from_step=node.from_step,
        kind=node.kind,
        edit=node.edit,
        steps=node.steps,
        title=node_title(node),
        size=size,
        created=node.created,
        photo=photo,
        model=None if model is None else str(model)[:200],
    )


def step_facts(step: Step) -> StepFacts:
    """What a step measured, of what the page knows to draw."""
    given = {name: getattr(step, name, None) for name in (*_LISTS, *_MEASURES)}
    stage = getattr(step, "stage", None) or getattr(step, "phase", None)
    return _facts(step.index, given, stage)


def all_facts(numbers: Mapping[str, Tensor], steps: int) -> tuple[StepFacts, ...]:
    """The same for every step of a stored run, from what the project kept."""
    kept = {name: numbers[name] for name in (*_LISTS, *_MEASURES) if name in numbers}
    return tuple(
        _facts(index, {name: values[index] for name, values in kept.items() if len(values) > index})
        for index in range(steps)
    )


def _facts(index: int, values: Mapping[str, Any], stage: str | None = None) -> StepFacts:
    found = {name: torch.as_tensor(values[name]) for name in _MEASURES if values.get(name) is not None}
    measured = {name: float(value) for name, value in found.items() if value.ndim == 0}
    agreements = found.get("agreement", torch.zeros(()))
    return StepFacts(
        step=index,
        handles=pairs(values.get("handles")),
        distances=()
        if (d := values.get("distances")) is None
        else tuple(round(x, 3) for x in torch.as_tensor(d).tolist()),
        agreements=tuple(round(x, 4) for x in agreements.tolist()) if agreements.ndim == 1 else (),
        stage=stage,
        **measured,
    )


def pairs(points: Any) -> tuple[tuple[float, float], ...]:
    """Points [N, 2] as numbers."""
    if points is None:
        return ()
    return tuple((float(x), float(y)) for x, y in torch.as_tensor(points).tolist())
