"""A way through a project as a Python program."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pliant.errors import InputError
from pliant.studio import script_things as things
from pliant.studio.script_drawings import CALLS, drawing_arguments
from pliant.studio.things import GENERATE
from pliant.studio.way import Beginning, Leg, changed, short

PROJECT_FILE = "project.pliant"
_PROJECT = "from pliant.project import Project"
_CALLS = {
    "drag": ("import pliant", "pliant.drag", "pliant.DragSettings"),
    "repaint": ("from pliant.gan.part_edit import RepaintSettings, repaint", "repaint", "RepaintSettings"),
    "vector": (
        "from pliant.gan.vectors import VectorSettings, apply_vectors",
        "apply_vectors",
        "VectorSettings",
    ),
    **CALLS,
    **things.CALLS,
}
"""For each edit what is imported, what is called, and the class of its settings."""


def python(beginning: Beginning, legs: Sequence[Leg]) -> str:
    """The program.

    Args:
        beginning: what it begins with.
        legs: the runs from there.

    Raises:
        InputError: a run of an edit that has no function of its own, or one that is damaged.
    """
    imports = {"from itertools import islice"} if legs else set[str]()
    lines: list[str] = []
    if beginning.seed is not None:
        model, seed, psi = beginning.seed
        imports.add("import pliant")
        lines.append(f"picture = pliant.sample({model!r}, seed={seed}, truncation_psi={psi!r})")
    elif beginning.blank is not None:
        imports.add("from pliant.vector.draw import blank")
        lines.append(f"picture = blank({beginning.blank!r})")
    elif not things.from_words(legs):
        imports.add(_PROJECT)
        step = f", {beginning.step}" if beginning.node.steps > 1 else ""
        lines.append(f'picture = Project.open("{PROJECT_FILE}").picture("{beginning.node.id}"{step})')
    for number, leg in enumerate(legs, 1):
        lines += ["", *_leg(leg, number, imports)]
    if _PROJECT in imports:
        lines.insert(0, "# Export the project from the studio to project.pliant.")
    result = f"steps{len(legs)}[-1].picture" if legs else "picture"
    lines += ["", f'{result}.save("result.png")']
    others = ("import numpy", "import pliant", "from pliant", "from PIL")
    order = sorted(imports, key=lambda line: (line.startswith(others), line))
    return "\n".join([*order, "", *lines, ""])


def _leg(leg: Leg, number: int, imports: set[str]) -> list[str]:
    edit = str(leg.node.edit)
    if edit not in _CALLS:
        raise InputError(f"There is no program for the edit '{edit}'.")
    imported, called, settings = _CALLS[edit]
    imports.add(imported)
    lines: list[str] = []
    picture = "picture" if number == 1 else f"steps{number - 1}[-1].picture"
    arguments = drawing_arguments(leg, picture, imports) if edit in CALLS else [picture]
    is_of_things = edit in things.CALLS
    if is_of_things:
        if leg.node.edit != GENERATE:
            imports.add(_PROJECT)
            lines.append(f'given{number} = Project.open("{PROJECT_FILE}").inputs("{leg.node.id}")')
        arguments = things.thing_arguments(leg, picture, f"given{number}", imports)
    if edit == "drag":
        arguments += [f"{name}={_points(leg, name)}" for name in ("handles", "targets")]
    if edit == "repaint":
        imports.add("import numpy as np")
        lines += _map(leg, "parts", f"parts{number}", imports)
        arguments.append(f"np.array(parts{number})")
    if edit == "vector":
        arguments.append(repr(dict(leg.node.inputs.get("vectors", {}))))
    if "mask" in leg.maps and not is_of_things:
        lines += _map(leg, "mask", f"mask{number}", imports)
        arguments.append(f"movable=mask{number}")
    if leg.node.inputs.get("locked"):
        arguments.append(f"locked={leg.node.inputs['locked']!r}")
    if given := ", ".join(f"{name}={value!r}" for name, value in changed(leg).items()):
        arguments.append(f"settings={settings}({given})")
    if leg.goes_on and number > 1:
        arguments.append(f"after=steps{number - 1}[-1]")
    lines.append(f"run = {called}(")
    lines += [f"    {argument}," for argument in arguments]
    steps = things.steps_taken(leg) if is_of_things else f"list(islice(run, {leg.steps}))"
    return [*lines, ")", f"steps{number} = {steps}"]


def _map(leg: Leg, kind: str, name: str, imports: set[str]) -> list[str]:
    """Lines that make a picture of a map."""
    if kind not in leg.maps:
        raise InputError(f"The project has lost the painted {kind} of its node {leg.node.id}.")
    imports |= {"import base64", "import io", "from PIL import Image"}
    text = leg.png(kind)
    pieces = [f'    "{text[k : k + 100]}"' for k in range(0, len(text), 100)]
    return [f"{name} = Image.open(io.BytesIO(base64.b64decode(", *pieces, ")))"]


def _points(leg: Leg, name: str) -> str:
    return json.dumps([short(point) for point in leg.node.inputs.get(name, [])])
