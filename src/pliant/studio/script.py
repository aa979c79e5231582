"""A frame of a project as a Python program, and as commands, that make it again exactly.

Both begin at the seed, if the picture came from one, else at the project file. Every run on the way becomes one drag, cut off
at the step that the next one began from; a mask is written into the program as a PNG.
"""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from PIL import Image
from torch import Tensor

from pliant import catalogue
from pliant.errors import InputError
from pliant.project import Project
from pliant.project_file import Node
from pliant.studio.frames import to_png

__all__ = ["script"]

PROJECT_FILE = "project.pliant"
GOES_ON = "goes_on"
"""Key in a node's inputs: the run went on with the memory of the one before it."""


@dataclass(frozen=True)
class _Leg:
    """One run on the way to the frame."""

    node: Node
    steps: int
    """How many of its steps are taken, the start included."""
    goes_on: bool
    """With the memory of the run before."""
    mask: Tensor | None


def script(project: Project, node: str, step: int) -> tuple[str, str]:
    """The program and the commands.

    Args:
        project: where the frame is.
        node: its node.
        step: its step.
    """
    root, legs = _way(project, node, step)
    return _python(root, legs), _commands(root, legs)


def _way(project: Project, node: str, step: int) -> tuple[Node, list[_Leg]]:
    """The picture that it all began with, and the runs from there to the frame."""
    legs: list[_Leg] = []
    at = project.nodes[node]
    last = step
    while at.edit is not None:
        if at.parent is None:
            raise InputError("The project has lost the picture that this run began from.")
        mask = project.inputs(at.id).get("mask")
        legs.append(_Leg(at, last + 1, bool(at.inputs.get(GOES_ON)), cast("Tensor | None", mask)))
        last = at.from_step if at.from_step is not None else project.nodes[at.parent].steps - 1
        at = project.nodes[at.parent]
    return at, legs[::-1]


def _seed(root: Node) -> tuple[str, int, float] | None:
    """Model, seed and truncation of a picture that came from a seed."""
    facts = root.facts[0] if root.facts else {}
    origin = cast("Mapping[str, Any]", facts.get("origin") or {})
    if root.kind != "latent" or "seed" not in origin:
        return None
    return str(facts.get("model")), int(origin["seed"]), float(origin["truncation_psi"])


def _changed(leg: _Leg) -> dict[str, Any]:
    """Settings of a run that differ from the defaults."""
    defaults = {setting.name: setting.default for setting in catalogue.get(str(leg.node.edit)).settings}
    given = leg.node.settings.items()
    return {name: value for name, value in given if name in defaults and defaults[name] != value}


# ---- Python


def _python(root: Node, legs: Sequence[_Leg]) -> str:
    imports = {"from itertools import islice", "import pliant"} if legs else {"import pliant"}
    lines: list[str] = []
    seed = _seed(root)
    if seed is not None:
        lines.append(f"picture = pliant.sample({seed[0]!r}, seed={seed[1]}, truncation_psi={seed[2]!r})")
    else:
        imports |= {"from pliant.project import Project"}
        lines.append("# Export the project from the studio to this file.")
        lines.append(f'picture = Project.open("{PROJECT_FILE}").picture("{root.id}")')
    for number, leg in enumerate(legs, 1):
        lines += ["", *_python_leg(leg, number, imports)]
    result = f"steps{len(legs)}[-1].picture" if legs else "picture"
    lines += ["", f'{result}.save("result.png")']
    order = sorted(
        imports, key=lambda line: (line.startswith(("import pliant", "from pliant", "from PIL")), line)
    )
    return "\n".join([*order, "", *lines, ""])


def _python_leg(leg: _Leg, number: int, imports: set[str]) -> list[str]:
    lines: list[str] = []
    arguments = [
        "picture" if number == 1 else f"steps{number - 1}[-1].picture",
        f"handles={_points(leg, 'handles')}",
        f"targets={_points(leg, 'targets')}",
    ]
    if leg.mask is not None:
        imports |= {"import base64", "import io", "from PIL import Image"}
        text = base64.b64encode(_png(leg.mask)).decode()
        lines.append(f"mask{number} = Image.open(io.BytesIO(base64.b64decode(")
        lines += [f'    "{text[k : k + 100]}"' for k in range(0, len(text), 100)]
        lines.append(")))")
        arguments.append(f"movable=mask{number}")
    if leg.node.inputs.get("locked"):
        arguments.append(f"locked={leg.node.inputs['locked']!r}")
    if changed := _changed(leg):
        given = ", ".join(f"{name}={value!r}" for name, value in changed.items())
        arguments.append(f"settings=pliant.DragSettings({given})")
    if leg.goes_on and number > 1:
        arguments.append(f"after=steps{number - 1}[-1]")
    lines.append(f"run = pliant.{leg.node.edit}(")
    lines += [f"    {argument}," for argument in arguments]
    lines += [")", f"steps{number} = list(islice(run, {leg.steps}))"]
    return lines


def _points(leg: _Leg, name: str) -> str:
    return json.dumps([[_short(x), _short(y)] for x, y in leg.node.inputs.get(name, [])])


def _short(value: float) -> float:
    """The number with the fewest digits that is the same in float32, which is how points are held."""
    return float(str(np.float32(value)))


def _png(mask: Tensor) -> bytes:
    """A mask [H, W] from 0 to 1 as it was given: 8 bits of grey."""
    return to_png(Image.fromarray(np.rint(mask.numpy() * 255).astype(np.uint8)))


# ---- commands


def _commands(root: Node, legs: Sequence[_Leg]) -> str:
    seed = _seed(root)
    if not legs:
        if seed is None:
            return "# This picture was not made by Pliant; export it as a file."
        return _joined(["pliant", "sample", *_source(seed), "--out", "result.png"])
    if seed is None:
        return "# Only pictures from a seed can be made again by a command; use the Python program."
    if any(leg.goes_on for leg in legs):
        return "# A run that was continued or whose settings were changed on the way needs the Python program to be exact."
    lines: list[str] = []
    for number, leg in enumerate(legs, 1):
        last = number == len(legs)
        lines += _command_leg(
            leg, number, _source(seed) if number == 1 else ["--picture", "way.pliant"], last=last
        )
        if not last or number > 1:
            lines[-1] += " --project way.pliant"
    return "\n".join(lines)


def _source(seed: tuple[str, int, float]) -> list[str]:
    return ["--model", seed[0], "--seed", str(seed[1]), "--psi", repr(seed[2])]


def _command_leg(leg: _Leg, number: int, source: list[str], *, last: bool) -> list[str]:
    words = ["pliant", str(leg.node.edit), *source]
    lines: list[str] = []
    inputs = leg.node.inputs
    locked = cast("Sequence[bool]", inputs.get("locked") or [False] * len(inputs.get("handles", ())))
    pairs = list(zip(inputs.get("handles", ()), inputs.get("targets", ()), locked, strict=True))
    for handle, target, held in pairs:
        words += ["--lock", _xy(handle)] if held else ["--handle", _xy(handle), "--target", _xy(target)]
    if leg.mask is not None:
        text = base64.b64encode(_png(leg.mask)).decode()
        lines.append(f"echo {text} | base64 -d > mask{number}.png")
        words += ["--mask", f"mask{number}.png"]
    for name, value in (_changed(leg) | {"max_steps": leg.steps}).items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(option if value else f"--no-{option[2:]}")
        else:
            words += [option, str(value)]
    words += ["--out", "result.png" if last else f"step{number}.png"]
    return [*lines, _joined(words)]


def _xy(point: Sequence[float]) -> str:
    return f"{_short(point[0])!r},{_short(point[1])!r}"


def _joined(words: Sequence[str]) -> str:
    return shlex.join(words)
