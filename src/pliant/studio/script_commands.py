"""A way through a project as commands for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any, cast

from pliant.studio import script_things
from pliant.studio.script_drawings import command_steps, command_words
from pliant.studio.way import Beginning, Leg, changed, short

_VERBS = {"vector": ["vector", "apply"]}
"""Of edits whose command is not their name."""


def commands(beginning: Beginning, legs: Sequence[Leg]) -> str:
    """The commands, one a line; or one line of comment that says why there are none.

    Args:
        beginning: what it begins with.
        legs: the runs from there.
    """
    if beginning.blank is not None:
        return _drawing_commands(beginning.blank, legs)
    seed = beginning.seed
    if seed is None:
        return _without_seed(beginning, legs)
    source = ["--model", seed[0], "--seed", str(seed[1]), "--psi", repr(seed[2])]
    if not legs:
        return shlex.join(["pliant", "sample", *source, "--out", "result.png"])
    if reason := _why_not(legs):
        return reason
    lines: list[str] = []
    for number, leg in enumerate(legs, 1):
        last = number == len(legs)
        lines += _leg(leg, number, source if number == 1 else ["--picture", "way.pliant"], last=last)
        if not last or number > 1:
            lines[-1] += " --project way.pliant"
    return "\n".join(lines)


def _without_seed(beginning: Beginning, legs: Sequence[Leg]) -> str:
    """The commands of runs on a photo, which only things have."""
    if beginning.node.kind == "pixels" and not legs:
        return "# This picture was not made by Pliant; export it as a file."
    if legs and all(leg.node.edit in script_things.CALLS for leg in legs):
        return script_things.thing_commands(legs, _option, shlex.join)
    return (
        "# Only pictures from a seed, and drawings that were begun empty, can be made again by a command; "
        "use the Python program."
    )


def _why_not(legs: Sequence[Leg]) -> str | None:
    """Why commands would not end at the same picture; None when they do."""
    if any(leg.goes_on for leg in legs):
        return "# A run that was continued or whose settings were changed on the way needs the Python program to be exact."
    if not all(_can_be_repeated(leg) for leg in legs):
        return "# A frame from before the end of a run needs the Python program to be exact."
    return None


def _drawing_commands(size: tuple[int, int], legs: Sequence[Leg]) -> str:
    """The commands of runs on a drawing that was begun empty, which strokes come first on."""
    if not legs or legs[0].node.edit != "draw":
        return "# No command makes an empty drawing; use the Python program."
    lines: list[str] = []
    for number, leg in enumerate(legs, 1):
        words, steps = command_words(leg), command_steps(leg)
        if words is None or steps is None or leg.goes_on:
            return "# A run that was stopped or continued, or with strengths of words, needs the Python program to be exact."
        last = number == len(legs)
        source = [f"--canvas={size[0]}x{size[1]}"] if number == 1 else ["way.pliant"]
        given = {**changed(leg), **steps}
        options = [word for name, value in given.items() for word in _option(name, value)]
        kept = ["--project", "way.pliant"] if len(legs) > 1 else []
        out = ["--out", "result.png" if last else f"step{number}.png"]
        lines.append(shlex.join(["pliant", str(leg.node.edit), *source, *words, *options, *out, *kept]))
    return "\n".join(lines)


def _can_be_repeated(leg: Leg) -> bool:
    """A command runs an edit to its end; only a drag can be told where to stop without ending differently."""
    if leg.node.edit == "drag":
        return True
    if leg.steps != leg.node.steps:
        return False
    if leg.node.edit == "vector":
        return leg.steps == 2 + int(leg.node.settings.get("refine_steps", 0))
    losses = leg.numbers["loss"].tolist() if "loss" in leg.numbers else []
    return losses[-1:] == [min(losses[:-1], default=None)]  # at its end the best step comes once more


def _leg(leg: Leg, number: int, source: list[str], *, last: bool) -> list[str]:
    edit, inputs = str(leg.node.edit), leg.node.inputs
    words = ["pliant", *_VERBS.get(edit, [edit]), *source]
    lines: list[str] = []
    locked = cast("Sequence[bool]", inputs.get("locked") or [False] * len(inputs.get("handles", ())))
    pairs = list(zip(inputs.get("handles", ()), inputs.get("targets", ()), locked, strict=True))
    for handle, target, held in pairs:
        words += ["--lock", _xy(handle)] if held else ["--handle", _xy(handle), "--target", _xy(target)]
    for name, strength in cast("dict[str, float]", inputs.get("vectors", {})).items():
        words += ["--vector", f"{name}={strength!r}"]
    for name in leg.maps:
        file = f"{name}{number}.png"
        lines.append(f"echo {leg.png(name)} | base64 -d > {file}")
        words += [f"--{name}", file]
    given = changed(leg) | ({"max_steps": leg.steps} if edit == "drag" else {})
    words += [word for name, value in given.items() for word in _option(name, value)]
    words += ["--out", "result.png" if last else f"step{number}.png"]
    return [*lines, shlex.join(words)]


def _option(name: str, value: Any) -> list[str]:
    option = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [option if value else f"--no-{option[2:]}"]
    text = str(value)
    return [f"{option}={text}"] if text.startswith("-") else [option, text]


def _xy(point: Sequence[float]) -> str:
    x, y = short(point)
    return f"{x!r},{y!r}"
