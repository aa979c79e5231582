"""The runs on things of photos of a way through a project, as calls in a Python program and as commands.

Such a way begins with words, or at a photo, which the project file holds; the program reads masks and second pictures from
there too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from pliant.studio.things import GENERATE
from pliant.studio.way import Leg, changed, short

_EDITS = "from pliant.diffusion.edits import ThingSettings, "
CALLS = {
    "move": (f"{_EDITS}move", "move", "ThingSettings"),
    "remove": (f"{_EDITS}remove", "remove", "ThingSettings"),
    "paste": (f"{_EDITS}paste", "paste", "ThingSettings"),
    "swap": (f"{_EDITS}swap", "swap", "ThingSettings"),
    "dragcontent": (f"{_EDITS}drag_content", "drag_content", "ThingSettings"),
    "dragdiffusion": (
        "from pliant.diffusion.drag_diffusion import DragDiffusionSettings, drag_diffusion",
        "drag_diffusion",
        "DragDiffusionSettings",
    ),
    GENERATE: (
        "from pliant.diffusion.generate import GenerateSettings, generate",
        "generate",
        "GenerateSettings",
    ),
}
"""For each edit what is imported, what is called, and the class of its settings."""


def thing_arguments(leg: Leg, picture: str, given: str, imports: set[str]) -> list[str]:
    """What a call is given before its settings.

    Args:
        leg: a run of one of the edits in `CALLS`.
        picture: expression of the picture that it begins with.
        given: name of the inputs of the run, as the project keeps them.
        imports: lines that the expressions need are added.
    """
    edit, inputs = str(leg.node.edit), leg.node.inputs
    arguments = [repr(inputs.get("prompt", ""))] if edit == GENERATE else [picture]
    if edit == "swap":
        arguments.append(f'{given}["mask"]')
    if edit in {"paste", "swap"}:
        imports |= {"from PIL import Image", "from pliant.picture import PixelPicture"}
        arguments.append(f'PixelPicture.of(Image.fromarray({given}["other"].numpy()))')
    if edit in {"move", "paste"}:
        imports.add("from pliant.diffusion.things import Thing")
        arguments.append(f"[{', '.join(_things(inputs, given))}]")
    if "handles" in inputs:
        arguments += [
            repr([short(point) for point in cast("Sequence[Any]", inputs[name])])
            for name in ("handles", "targets")
        ]
    if edit in {"remove", "dragcontent", "dragdiffusion"}:
        arguments.append(f'{given}["mask"]' if "mask" in leg.maps else "None")
    if edit == "swap":
        arguments.append(f'{given}["other_mask"]')
    if inputs.get("prompt") and edit != GENERATE:
        arguments.append(f"prompt={inputs['prompt']!r}")
    if "diffuser" in inputs:
        imports.add("from pliant.diffusion.loading import load_diffusion")
        arguments.append(f"model=load_diffusion({inputs['diffuser']!r})")
    return arguments


def _things(inputs: Mapping[str, Any], given: str) -> list[str]:
    """The expressions of things."""
    made: list[str] = []
    for number, each in enumerate(cast("Sequence[Mapping[str, Any]]", inputs.get("things", ()))):
        words = [f'{given}["thing{number}"]', f"shift={tuple(each['shift'])!r}"]
        words += [f"{name}={each[name]!r}" for name in ("scale", "turn")]
        if each.get("pivot"):
            words.append(f"pivot={tuple(each['pivot'])!r}")
        made.append(f"Thing({', '.join(words)})")
    return made


def from_words(legs: Sequence[Leg]) -> bool:
    """The way begins with words; there is no picture before."""
    return bool(legs) and legs[0].node.edit == GENERATE


def ended(leg: Leg) -> bool:
    """The run came to its end, after the leg's last step or there."""
    arrived = leg.numbers.get("arrived")
    return arrived is not None and len(arrived) == leg.node.steps and bool(arrived[-1])


def steps_taken(leg: Leg) -> str:
    """The expression of a run's steps up to the leg's last one.

    A photo that was edited before need not be looked at again, so that steps are counted from the end.
    """
    if not ended(leg):
        return f"list(islice(run, {leg.steps}))"
    rest = leg.node.steps - leg.steps
    return f"list(run)[:-{rest}]" if rest else "list(run)"


def thing_commands(legs: Sequence[Leg], option: Callable[[str, Any], list[str]], joined: Any) -> str:
    """The commands, one a line; or one line of comment that says why there are none.

    Args:
        legs: the runs, from a photo.
        option: writes a setting as words.
        joined: writes words as a line.
    """
    if not all(ended(leg) and leg.steps == leg.node.steps for leg in legs):
        return "# A frame from before the end of a run needs the Python program."
    if any(leg.node.edit in {"paste", "swap"} for leg in legs):
        return "# A second picture is in the project only; use the Python program."
    if any(each.get("pivot") for leg in legs for each in leg.node.inputs.get("things", ())):
        return "# No command turns a thing about another place than its middle; use the Python program."
    lines = [] if from_words(legs) else ["# Export the photo that this began with as photo.png."]
    for number, leg in enumerate(legs, 1):
        words = ["pliant", str(leg.node.edit)]
        words += [] if leg.node.edit == GENERATE else ["photo.png" if number == 1 else "way.pliant"]
        for name in leg.maps:
            lines.append(f"echo {leg.png(name)} | base64 -d > {name}-{number}.png")
            words += ["--mask", f"{name}-{number}.png"]
        words += _ways(leg.node.inputs)
        given = {"prompt": leg.node.inputs.get("prompt"), "model": leg.node.inputs.get("diffuser")}
        said = given.pop("prompt") if leg.node.edit == GENERATE else None
        given = {name: value for name, value in given.items() if value} | changed(leg)
        words += [word for name, value in given.items() for word in option(name, value)]
        words += ["--out", "result.png" if number == len(legs) else f"step{number}.png"]
        words += ["--project", "way.pliant"] if len(legs) > 1 else []
        words += [] if said is None else ["--", str(said)]
        lines.append(joined(words))
    return "\n".join(lines)


def _ways(inputs: Mapping[str, Any]) -> list[str]:
    """Where things go, and points."""
    words: list[str] = []
    for each in cast("Sequence[Mapping[str, Any]]", inputs.get("things", ())):
        words += [f"--by={each['shift'][0]!r},{each['shift'][1]!r}"]
        words += [f"--scale={each['scale']!r}", f"--turn={each['turn']!r}"]
    for name in ("handles", "targets"):
        points = [short(point) for point in cast("Sequence[Any]", inputs.get(name, ()))]
        words += [f"--{name[:-1]}={x!r},{y!r}" for x, y in points]
    return words
