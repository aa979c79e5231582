"""`pliant generate`: pictures from words."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass, replace
from typing import Annotated, Any

import tyro

from pliant.cli.edit import settings_class
from pliant.cli.options import Device, Part, parse, pick_device
from pliant.cli.runs import Given, Output, carry_out, check_places
from pliant.errors import InputError
from pliant.settings import make_settings, read_settings

__all__ = ["SUMMARY", "run"]

SUMMARY = "Make a picture from words."
_SETTINGS = "pliant.diffusion.generate:GenerateSettings"


@dataclass(frozen=True)
class Words:
    """The words, and the model that reads them."""

    prompt: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="PROMPT")]
    """What the picture shows, such as "a red car on grass under a blue sky"."""
    negative_prompt: Annotated[str, tyro.conf.arg(metavar="TEXT", help_behavior_hint="")] = ""
    """What it should not show."""
    model: Annotated[str | None, tyro.conf.arg(metavar="MODEL", help_behavior_hint="")] = None
    """Stable Diffusion by name, folder (as diffusers keeps it), .safetensors or hub:OWNER/NAME; scenes-256 if not given."""
    count: int = 1
    """Pictures to make, each from the next seed: out.png, out-2.png, …"""


def run(arguments: list[str]) -> int:
    """Read everything, sample, write everything."""
    made = settings_class(read_settings(_SETTINGS), "How the picture is made.")
    device = Annotated[Device, tyro.conf.arg(help="Where to compute.")]
    parts: list[tuple[str, Any, Any]] = [
        ("words", Annotated[Words, Part], field()),
        ("output", Annotated[Output, Part], field()),
        ("settings", Annotated[made, Part], field(default_factory=made)),
        ("device", device, field(default="auto")),
    ]
    options: Any = parse(make_dataclass("Options", parts, frozen=True), "generate", SUMMARY, arguments)
    words: Words = options.words
    if not 1 <= words.count <= 100:
        raise InputError(f"--count must be from 1 to 100; it is {words.count}.")
    check_places(options.output)
    from pliant.diffusion.generate import GenerateSettings, generate
    from pliant.diffusion.loading import EMBEDDED, load_diffusion
    from pliant.files import is_file
    from pliant.project import Project
    from pliant.restoring import loader
    from pliant.steps import Run

    settings: GenerateSettings = make_settings(GenerateSettings, vars(options.settings))
    where = pick_device(options.device)
    path = options.output.project
    project = None
    if path is not None:
        project = Project.open(path, loader(model=words.model, device=where)) if is_file(path) else Project()
    model = load_diffusion(words.model or EMBEDDED, where)
    for number in range(words.count):
        chosen = replace(settings, seed=settings.seed + number)
        out = options.output.out
        there = out if number == 0 else out.with_stem(f"{out.stem}-{number + 1}")
        writing = replace(
            options.output, out=there, project=None, video=None if number else options.output.video
        )
        steps = generate(words.prompt, negative_prompt=words.negative_prompt, model=model, settings=chosen)
        running = Run(steps, max_steps=chosen.max_steps)
        given = Given("generate", {"prompt": words.prompt, "model": model.name}, chosen)
        code = carry_out(running, given, writing, None, facts={"device": where, "out": str(there)})
        if project is not None and path is not None:
            project.add(running.trace[-1].picture)
            project.save(path)
        if code:
            return code
    return 0
