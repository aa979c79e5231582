"""Train a StyleGAN2 on a folder of pictures (arXiv 1912.04958; growing as in 1710.10196, augmentation as in 2006.06676).

    for step in train(GanTrainSettings(data=Path("pictures"), out=Path("runs/mine"))):
        print(step.images, step.losses, step.seconds_left)

The network may first be trained small and grow: a stage trains all blocks up to its resolution. A new block starts without
a voice in the generator's picture (its ToRGB is zero) and is faded into the discriminator, so nothing jumps.
On CUDA each loss is captured as a graph and replayed. Start it with torchrun to use several devices: every process draws
its own pictures, and gradients are averaged. Closing the generator saves the run; the same settings go on from there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from pliant.train.data import Pictures, load_pictures
from pliant.train.run import TrainingRun
from pliant.train.settings import GanTrainSettings, Stage, plan
from pliant.train.snapshots import restore, save
from pliant.train.world import World, join_world

__all__ = ["GanTrainSettings", "Stage", "TrainStep", "plan", "train"]


@dataclass(frozen=True)
class TrainStep:
    """A report of the run; `losses` are the latest values."""

    images: int
    """Pictures shown to the discriminator so far."""
    resolution: int
    losses: dict[str, float]
    seconds: float
    """Time spent training, over all sessions of this run."""
    images_per_second: float
    seconds_left: float
    """Estimated time until the budget is used up."""
    sheet: Path | None = None
    """A sample sheet that was just written."""
    stats: dict[str, float] = field(default_factory=dict[str, float])
    """Further figures: fade, augmentation probability, learning-rate scale."""


def train(
    settings: GanTrainSettings, *, stages: Sequence[Stage] | None = None, pictures: Pictures | None = None
) -> Iterator[TrainStep]:
    """Train until the budget is used up, yielding a report every `report_every` iterations.

    Args:
        settings: what to train on and how.
        stages: resolutions and budgets; from `plan(settings)` by default.
        pictures: training set already in memory, instead of `settings.data`; more may be added between steps.

    Yields:
        A report; in a torchrun job every process yields, and the first writes the files.

    Raises:
        InputError: unusable pictures or settings.
        CheckpointError: `settings.out` holds a run of another shape.
    """
    world = join_world(settings.device)
    stages = plan(settings) if stages is None else stages
    if pictures is None:
        pictures = load_pictures(settings.data, settings.resolution, world.device, flip=settings.flip)
    run = TrainingRun(settings, pictures, world)
    restore(run)
    budget = math.inf if settings.seconds is None else settings.seconds
    clock = time.monotonic()
    try:
        while run.stage < len(stages):
            stage = stages[run.stage]
            run.enter(stage)
            yield from _run_stage(run, stage, stages, world, clock + budget)
            if world.agree(time.monotonic() >= clock + budget):
                return
            run.leave()
    finally:
        save(run)


def _run_stage(
    run: TrainingRun, stage: Stage, stages: Sequence[Stage], world: World, deadline: float
) -> Iterator[TrainStep]:
    """Iterations of one stage, until its pictures or seconds or the whole run's time are used up."""
    settings = run.settings
    total = sum(each.images for each in stages)
    while not world.agree(
        run.stage_images >= stage.images or run.stage_seconds >= stage.seconds or time.monotonic() >= deadline
    ):
        start, before = time.monotonic(), run.images
        time_left = 1.0 if settings.seconds is None else (deadline - start) / settings.seconds
        run.cool(world.same(min(time_left, 1 - run.images / total)))
        losses: dict[str, Tensor] = {}
        for _ in range(settings.report_every):
            losses |= run.iterate()
        values = {name: float(value) for name, value in losses.items()}
        seconds = time.monotonic() - start
        run.count(seconds)
        speed = (run.images - before) / seconds
        left = min((total - run.images) / speed, deadline - time.monotonic(), math.inf)
        sheet = save(run) if run.images // settings.sheet_images > before // settings.sheet_images else None
        stats = run.stats()
        run.log(values | stats)
        yield TrainStep(
            run.images, stage.resolution, values, run.seconds, speed, max(left, 0.0), sheet, stats
        )
