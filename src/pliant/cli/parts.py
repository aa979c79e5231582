"""`pliant segment`: which pixel of a picture belongs to what part."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pliant.cli.options import Device, File, Part, Switch, parse, pick_device, print_json
from pliant.cli.sources import LatentSource, Start, latent_picture
from pliant.errors import InputError

__all__ = ["run"]


@dataclass(frozen=True)
class SegmentOptions:
    """Say which pixel of a picture belongs to what part."""

    out: Path
    """Part map to write (.png): a palette picture whose values are the ids of the parts."""
    source: Annotated[LatentSource, Part] = field(default_factory=LatentSource)
    start: Start = None
    head: File = None
    """Folder of the part head; the model's own if not given."""
    uncertainty: File = None
    """Picture to write that is bright where the map cannot be trusted (.png, .jpg or .webp)."""
    device: Device = "auto"
    """Where to compute."""
    json: Switch = False
    """Print one JSON object instead of a sentence."""


def run(arguments: list[str]) -> int:
    """Write the part map."""
    options = parse(SegmentOptions, "segment", SegmentOptions.__doc__ or "", arguments)
    from pliant.files import check_place
    from pliant.gan.parts import load_head, save_parts, segment
    from pliant.images import check_image_path, save_image, to_pil

    if options.out.suffix.lower() != ".png":
        raise InputError(
            f"'{options.out}' should end in .png: other formats would change the ids of a part map."
        )
    check_place(options.out)
    if options.uncertainty is not None:
        check_image_path(options.uncertainty)
    device = pick_device(options.device)
    picture, _ = latent_picture(options.start, options.source, device)
    head = load_head(picture.generator, options.head)
    began = time.perf_counter()
    found = segment(picture, head, uncertainty=options.uncertainty is not None)
    seconds = time.perf_counter() - began
    save_parts(found, options.out)
    if found.uncertainty is not None and options.uncertainty is not None:
        bright = found.uncertainty / found.uncertainty.max().clamp_min(1e-6) * 2 - 1
        save_image(to_pil(bright.expand(3, -1, -1)), options.uncertainty)
    shares = {name: round(share, 6) for name, share in found.shares.items()}
    if options.json:
        parts = {"parts": shares, "uncertainty": found.score, "seconds": seconds, "device": device}
        print_json({"out": str(options.out), **parts})
    else:
        listed = ", ".join(
            f"{name} {share:.1%}" for name, share in sorted(shares.items(), key=lambda x: -x[1]) if share
        )
        print(f"{options.out}: {listed}")
    return 0
