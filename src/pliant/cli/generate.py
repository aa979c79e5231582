"""`pliant generate`: pictures from words."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from typing import Annotated, Any

import tyro

from pliant.catalogue import Edit, Inputs
from pliant.cli.edit import settings_class
from pliant.cli.options import Device, Part, parse, pick_device
from pliant.cli.runs import check_places, project_for
from pliant.cli.things import check_candidates, load_model, make_candidates
from pliant.cli.things_options import Model, ThingOutput

__all__ = ["options_class", "run"]


@dataclass(frozen=True)
class Said:
    """The words, and the model that reads them."""

    prompt: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="PROMPT")]
    """What the picture shows, such as "a red car on grass under a blue sky"."""
    model: Model = None
    """Stable Diffusion by name, folder (as diffusers keeps it), .safetensors or hub:OWNER/NAME; scenes-256 if not given."""


def options_class(edit: Edit) -> type:
    """The options: the words, what to write, the settings."""
    settings = settings_class(edit.settings, "How the picture is made.")
    device = Annotated[Device, tyro.conf.arg(help="Where to compute.")]
    parts: list[tuple[str, Any, Any]] = [
        ("words", Annotated[Said, Part], field()),
        ("output", Annotated[ThingOutput, Part], field()),
        ("settings", Annotated[settings, Part], field(default_factory=settings)),
        ("device", device, field(default="auto")),
    ]
    return make_dataclass("Options", parts, frozen=True)


def run(edit: Edit, words: str, arguments: list[str]) -> int:
    """Make the pictures; in a project they lie below an empty one.

    Args:
        edit: that makes them.
        words: what was typed after `pliant`.
        arguments: what was typed after that.
    """
    options: Any = parse(options_class(edit), words, edit.summary, arguments)
    writing: ThingOutput = options.output
    check_candidates(writing)
    check_places(writing)
    settings = edit.make_settings(vars(options.settings))
    device = pick_device(options.device)
    from pliant.diffusion.generate import blank

    inputs = Inputs(prompt=options.words.prompt, diffuser=load_model(options.words.model, device))
    picture = blank()
    project = project_for(writing.project, None, None, picture)
    return make_candidates(edit, picture, inputs, settings, writing=writing, project=project, device=device)
