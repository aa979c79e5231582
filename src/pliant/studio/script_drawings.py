"""The runs on drawings of a way through a project, as calls in a Python program and as commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pliant.studio.way import Leg

CALLS = {
    "trace": ("from pliant.vector.trace import TraceSettings, trace_steps", "trace_steps", "TraceSettings"),
    "restyle": ("from pliant.vector.restyle import RestyleSettings, restyle", "restyle", "RestyleSettings"),
    "draw": ("from pliant.vector.draw import DrawSettings, draw", "draw", "DrawSettings"),
    "layers": (
        "from pliant.vector.layers import LayerChanges, LayerSettings, change_layers, changed_layers",
        "changed_layers",
        "LayerSettings",
    ),
}
"""For each edit what is imported, what is called, and the class of its settings."""


def drawing_arguments(leg: Leg, picture: str, imports: set[str]) -> list[str]:
    """What a call is given before its settings.

    Args:
        leg: a run of one of the edits in `CALLS`.
        picture: expression of the picture that it begins with.
        imports: lines that the expressions need are added.
    """
    inputs = leg.node.inputs
    if leg.node.edit == "trace":
        boxes = [tuple(box) for box in cast("Sequence[Sequence[float]]", inputs.get("boxes", ()))]
        return [f"{picture}.render()", repr(boxes)]
    changes = _changes(cast("Mapping[str, Any]", inputs.get("layers", {})))
    if leg.node.edit == "layers":
        return [picture, changes]
    if inputs.get("layers"):
        imports.add(CALLS["layers"][0])
        picture = f"change_layers({picture}, {changes})"
    imports.add("from pliant.prompts import Prompt")
    prompts = cast("Sequence[Mapping[str, Any]]", inputs.get("prompts", ()))
    arguments = [picture, f"[{', '.join(map(_prompt, prompts))}]"]
    if "words" in inputs:
        imports.add("from pliant.perception.clip import load_words")
        arguments.append(f"words=load_words({inputs['words']!r})")
    return arguments


def _prompt(prompt: Mapping[str, Any]) -> str:
    given = [repr(prompt["text"])]
    if prompt.get("box"):
        given.append(f"box={tuple(prompt['box'])!r}")
    if prompt.get("strength", 1.0) != 1.0:
        given.append(f"strength={prompt['strength']!r}")
    return f"Prompt({', '.join(given)})"


def _changes(layers: Mapping[str, Any]) -> str:
    """The expression of changes of layers."""
    given = dict(layers)
    swatches = cast("Mapping[str, str]", given.pop("swatches", {}))
    if swatches:
        given["swatches"] = {int(row): colour for row, colour in swatches.items()}
    return f"LayerChanges({', '.join(f'{name}={value!r}' for name, value in given.items())})"


def command_words(leg: Leg) -> list[str] | None:
    """What a command is given of a run's inputs; None for what no command can say.

    Args:
        leg: a run of one of the edits in `CALLS`.
    """
    inputs = leg.node.inputs
    prompts = cast("Sequence[Mapping[str, Any]]", inputs.get("prompts", ()))
    boxed = [bool(prompt.get("box")) for prompt in prompts]
    if leg.node.edit == "trace" or boxed != sorted(boxed):
        return None
    words = [_prompt_option(prompt) for prompt in prompts]
    strengths = [float(prompt.get("strength", 1)) for prompt in prompts]
    if any(each != 1 for each in strengths):
        words += [f"--strength={each!r}" for each in strengths]
    if "words" in inputs:
        words.append(f"--words={inputs['words']}")
    layers = cast("Mapping[str, Any]", inputs.get("layers", {}))
    for name, option in (("hidden", "hide"), ("shown", "show"), ("locked", "lock"), ("unlocked", "unlock")):
        words += [f"--{option}={each}" for each in layers.get(name, ())]
    return words + [f"--swatch={row}={colour}" for row, colour in layers.get("swatches", {}).items()]


def _prompt_option(prompt: Mapping[str, Any]) -> str:
    if not prompt.get("box"):
        return f"--prompt={prompt['text']}"
    return f"--roi={','.join(map(repr, prompt['box']))}={prompt['text']}"


def command_steps(leg: Leg) -> dict[str, int] | None:
    """The setting with which a command ends at the leg's last step; None where it would not be the same step."""
    last = leg.steps - 1
    if leg.node.edit == "restyle" and last > 0:
        return {"max_steps": last}
    if leg.node.edit == "draw":  # whose rates fall with its length
        return {} if last == leg.node.settings.get("max_steps") else None
    return {} if leg.node.edit == "layers" and last == 1 else None
