"""`pliant train gan`: a generator of one's own."""

from __future__ import annotations

import os
import threading
from dataclasses import field, make_dataclass
from typing import Annotated, Any

import tyro

from pliant.cli.edit import settings_class
from pliant.cli.options import Part, Switch, parse, print_json
from pliant.cli.progress import Progress, duration, stop_on_signal
from pliant.settings import import_from, make_settings, read_settings

__all__ = ["run_gan"]

SETTINGS = "pliant.train.settings:GanTrainSettings"
SUMMARY = """Train a StyleGAN2 generator on a folder of pictures; run it again to go on where it stopped.

Several GPUs: torchrun --nproc-per-node 4 -m pliant.cli train gan --data FOLDER …"""


def run_gan(arguments: list[str]) -> int:
    """Train until the budget is used up or Ctrl-C; either way the run is saved."""
    settings_type = settings_class(read_settings(SETTINGS), "What to train on, and how.")
    options_type = make_dataclass(
        "Options",
        [
            (
                "settings",
                Annotated[settings_type, Part],
                field(default_factory=settings_type),
            ),
            (
                "json",
                Annotated[Switch, tyro.conf.arg(help="Print one JSON object at the end.")],
                field(default=False),
            ),
            ("quiet", Annotated[Switch, tyro.conf.arg(help="Show no progress.")], field(default=False)),
        ],
    )
    options: Any = parse(options_type, "train gan", SUMMARY, arguments)
    from pliant.train.gan import train

    settings = make_settings(import_from(SETTINGS), vars(options.settings))
    silent = options.json or options.quiet or os.environ.get("RANK", "0") != "0"
    stop = threading.Event()
    steps = train(settings)
    last = None
    with Progress("train", settings.images, quiet=silent) as progress, stop_on_signal(stop.set):
        for last in steps:
            losses = ", ".join(f"{name} {value:.3g}" for name, value in last.losses.items())
            pace = f"{last.images_per_second:.1f} pictures/s"
            progress.show(last.images, last.seconds_left, f"{last.resolution} px, {pace}, {losses}")
            if stop.is_set():
                break
        steps.close()  # pyright: ignore[reportAttributeAccessIssue]
    stopped = "interrupted" if stop.is_set() else "finished"
    images, seconds = (last.images, last.seconds) if last else (0, 0.0)
    if options.json:
        print_json({"out": str(settings.out), "stopped": stopped, "images": images, "seconds": seconds})
    elif not silent:
        print(f"Training {stopped} after {images:,} pictures, {duration(seconds)}: {settings.out}")
    return 130 if stop.is_set() else 0
