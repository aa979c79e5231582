"""`pliant trace`: a photo as a vector drawing."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from pliant import catalogue
from pliant.cli.drawing_files import save_drawing, traced
from pliant.cli.edit import settings_class
from pliant.cli.options import Box, Part, Switch, parse, print_json
from pliant.errors import InputError
from pliant.settings import settings_facts

__all__ = ["run"]


@dataclass(frozen=True)
class Files:
    """The photo, and what to write."""

    photo: tyro.conf.Positional[Path]
    """Photo to trace (PNG, JPEG, WebP, BMP or GIF)."""
    out: tyro.conf.Positional[Path]
    """Drawing (.svg), or project with every round (.pliant) to write; an existing project grows a branch."""
    region: Annotated[tyro.conf.UseAppendAction[tuple[Box, ...]], tyro.conf.arg(help_behavior_hint="")] = ()
    """Part of the photo that gets a round of its own, such as a face; may be given several times."""
    json: Switch = False
    """Print one JSON object instead of a sentence."""
    quiet: Switch = False
    """Show no progress."""


def run(arguments: list[str]) -> int:
    """Trace and write."""
    edit = catalogue.get("trace")
    made = settings_class(edit.settings, "How the photo is traced.")
    parts: list[tuple[str, Any, Any]] = [
        ("files", Annotated[Files, Part], field()),
        ("settings", Annotated[made, Part], field(default_factory=made)),
    ]
    options: Any = parse(make_dataclass("Options", parts, frozen=True), edit.name, edit.summary, arguments)
    return _trace(options.files, edit.make_settings(vars(options.settings)))


def _trace(files: Files, settings: Any) -> int:
    from pliant.cli.runs import project_for
    from pliant.files import check_place
    from pliant.images import load_image
    from pliant.picture import PixelPicture

    if files.out.suffix.lower() not in {".svg", ".pliant"}:
        raise InputError(f"'{files.out}' should end in .svg for a drawing, or .pliant for a project.")
    check_place(files.out)
    photo = PixelPicture.of(load_image(files.photo), {"file": files.photo.name[:200]})
    began = time.perf_counter()
    inputs = catalogue.Inputs(boxes=files.region)
    trace, running = traced(photo, inputs, settings, silent=files.json or files.quiet)
    last, facts = trace[-1], settings_facts(settings)
    project = project_for(files.out if files.out.suffix.lower() == ".pliant" else None, None, None, photo)
    if project is not None:
        project.add_run(trace, "trace", inputs.named(photo.size), facts)
        project.save(files.out)
    else:
        save_drawing(last.picture, files.out, {"edit": "trace", "settings": facts}, title=files.photo.stem)
    size, paths = files.out.stat().st_size, len(last.picture.scene)
    if files.json:
        before = [step.psnr for step in trace if step.stage == "trace"][-1]
        result = {"psnr": last.psnr, "psnr_before": before, "paths": paths, "bytes": size}
        print_json(result | {"seconds": time.perf_counter() - began, "out": str(files.out)})
    else:
        print(f"{files.out}: {paths} paths, {last.psnr:.1f} dB like the photo, {size / 1000:.0f} kB")
    return 130 if running.stopped == "interrupted" else 0
