"""`pliant sample`: pictures from seeds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from pliant.cli.options import DEFAULT_MODEL, Device, File, Grid, Switch, parse, pick_device, print_json
from pliant.cli.progress import Progress
from pliant.errors import InputError

__all__ = ["run"]

MAX_GRID = 1024


@dataclass(frozen=True)
class Options:
    """Make a picture, or a sheet of them, from seeds."""

    out: Path
    """Picture to write (.png, .jpg or .webp); a PNG says in its metadata what made it."""
    model: str = DEFAULT_MODEL
    """Name, folder or file of the model."""
    seed: int = 0
    """Seed of the picture, or of the first one of a sheet."""
    psi: float = 0.7
    """Truncation: 1 for the model's full variety, less for more typical pictures."""
    grid: Annotated[Grid | None, tyro.conf.arg(metavar="COLUMNSxROWS", help_behavior_hint="")] = None
    """A sheet of the pictures of consecutive seeds, such as 4x4."""
    save_latent: File = None
    """File (.safetensors) for the picture's code, which `pliant drag --latent` takes."""
    device: Device = "auto"
    """Where to compute."""
    json: Switch = False
    """Print one JSON object instead of a sentence."""
    quiet: Switch = False
    """Show no progress."""


def run(arguments: list[str]) -> int:
    """Make the pictures."""
    options = parse(Options, "sample", Options.__doc__ or "", arguments)
    columns, rows = options.grid or (1, 1)
    if not 1 <= columns * rows <= MAX_GRID or columns < 1:
        raise InputError(f"A grid has 1 to {MAX_GRID} pictures; {columns}x{rows} was asked for.")
    if options.grid and options.save_latent:
        raise InputError("--save-latent keeps the code of one picture; leave out --grid.")
    from pliant.files import check_place
    from pliant.gan.latent import load_generator, sample
    from pliant.images import check_image_path, contact_sheet, save_image

    check_image_path(options.out)
    if options.save_latent is not None:
        check_place(options.save_latent)
    began = time.perf_counter()
    device = pick_device(options.device)
    generator = load_generator(options.model, device)
    seeds = range(options.seed, options.seed + columns * rows)
    if options.grid is None:
        picture = sample(generator, options.seed, options.psi)
        picture.save(options.out)
        if options.save_latent is not None:
            picture.save_latent(options.save_latent)
    else:
        images = []
        with Progress("sample", len(seeds), quiet=options.quiet or options.json) as progress:
            for done, seed in enumerate(seeds, 1):
                images.append(sample(generator, seed, options.psi).render())
                progress.show(done)
        sheet = contact_sheet(images, columns, [f"seed {seed}" for seed in seeds])
        facts = {"model": generator.name, "seeds": [seeds[0], seeds[-1]], "truncation_psi": options.psi}
        save_image(sheet, options.out, facts)
    seconds = time.perf_counter() - began
    if options.json:
        print_json({"out": str(options.out), "seeds": list(seeds), "seconds": seconds, "device": device})
    else:
        which = f"seed {seeds[0]}" if options.grid is None else f"seeds {seeds[0]} to {seeds[-1]}"
        print(f"{options.out}: {which} of {generator.name}")
    return 0
