"""`pliant trace`: a photo as a vector drawing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from pliant.cli.invert import Box
from pliant.cli.options import Switch, parse, print_json
from pliant.cli.progress import Progress, stop_on_signal
from pliant.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

    from pliant.vector.scene import VectorPicture

__all__ = ["run"]


@dataclass(frozen=True)
class TraceOptions:
    """Turn a photo into a vector drawing."""

    photo: tyro.conf.Positional[Path]
    """Photo to trace (PNG, JPEG, WebP, BMP or GIF)."""
    out: tyro.conf.Positional[Path]
    """Drawing to write (.svg)."""
    colours: tuple[int, ...] = (10, 30)
    """Colours of each round, from few to many; the first lies at the bottom."""
    region: Annotated[tyro.conf.UseAppendAction[tuple[Box, ...]], tyro.conf.arg(help_behavior_hint="")] = ()
    """Part of the photo that gets a round of its own, such as a face; may be given several times."""
    region_colours: int = 30
    """Colours of the round of each region."""
    refine: int = 0
    """Updates that fit the drawing to the photo afterwards; 40 make a clear difference."""
    json: Switch = False
    """Print one JSON object instead of a sentence."""


def run(arguments: list[str]) -> int:
    """Trace and write."""
    options = parse(TraceOptions, "trace", TraceOptions.__doc__ or "", arguments)
    from pliant.files import check_place
    from pliant.images import load_image
    from pliant.vector.compare import likeness
    from pliant.vector.svg_writer import save_svg
    from pliant.vector.trace import TraceSettings, trace

    if options.out.suffix.lower() != ".svg":
        raise InputError(f"'{options.out}' should end in .svg: a drawing is written as SVG.")
    check_place(options.out)
    settings = TraceSettings(options.colours, options.region_colours)
    photo = load_image(options.photo)
    began = time.perf_counter()
    picture = trace(photo, options.region, settings)
    before = likeness(picture, photo)
    stopped = False
    if options.refine:
        picture, stopped = _refined(picture, photo, options)
    facts: dict[str, Any] = {"psnr": likeness(picture, photo), "psnr_before": before}
    size = save_svg(picture.scene, options.out, dict(picture.origin), title=options.photo.stem)
    facts |= {"paths": len(picture.scene), "bytes": size, "seconds": time.perf_counter() - began}
    if options.json:
        print_json(facts | {"out": str(options.out)})
    else:
        print(
            f"{options.out}: {facts['paths']} paths, {facts['psnr']:.1f} dB like the photo, {size / 1000:.0f} kB"
        )
    return 130 if stopped else 0


def _refined(picture: VectorPicture, photo: Image.Image, options: TraceOptions) -> tuple[VectorPicture, bool]:
    """The drawing fitted to the photo, and whether someone stopped it on the way."""
    from pliant.steps import Run
    from pliant.vector.refine import RefineSettings, refine

    running = Run(refine(picture, photo, RefineSettings(steps=options.refine)), max_steps=options.refine + 1)
    with Progress("refine", options.refine, quiet=options.json) as progress, stop_on_signal(running.stop):
        for step in running:
            progress.show(step.index, running.eta, f"{step.psnr:.1f} dB")
            picture = step.picture
    return picture, running.stopped == "interrupted"
