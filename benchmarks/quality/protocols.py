"""The three questions put to every row, and how the answers are measured.

Faces (DragGAN, section 4.1): two random faces; drag landmarks of the first to where they are in the second;
detect again; mean distance in pixels. Pairs (section 4.2): perturb a code; drag 32 points of the optical
flow between the two pictures; compare the result with the perturbed picture. There and back (FreeDrag's
CCSD): drag, drag back, compare with the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pliant.gan.latent import LatentPicture, sample
from pliant.gan.stylegan2 import Generator
from pliant.perception.frechet import frechet_distance
from pliant.perception.landmarks import NOSE_TIP, LandmarkNet, five_points
from quality.flow import flow_pairs, grey
from quality.perceptual import PerceptualDistance
from quality.rows import Outcome, Row, Watch, run

FIRST_SEED = 1000
PSI = 0.7
POINT_COUNTS = (1, 5, 68)
FLOW_POINTS = 32
LOOKS = (0, 5, 10, 20, 40, 80, 150, 300)
"""Nudges after which the landmarks are detected on the way, for the curve."""


@dataclass(frozen=True)
class Bench:
    """What the protocols need."""

    generator: Generator
    net: LandmarkNet
    perceptual: PerceptualDistance | None
    """None leaves the perceptual columns out."""
    pairs: int
    batch: int
    max_steps: int
    """Of the face protocol and of each way of there-and-back; pairs take a third."""

    def paint(self, ws: Tensor) -> Tensor:
        """Pictures of codes, in [-1, 1]."""
        with torch.no_grad():
            return torch.cat([self.generator.synthesis(part).clamp(-1, 1) for part in ws.split(self.batch)])


@dataclass(frozen=True)
class Faces:
    """Pairs of random faces with their landmarks."""

    start: list[LatentPicture]
    start_images: Tensor
    start_points: Tensor
    """[N, 68, 2]."""
    goal_images: Tensor
    goal_points: Tensor


def faces(bench: Bench) -> Faces:
    """Pair i is made of the seeds 1000 + 2i and 1001 + 2i, truncated at 0.7."""
    seeds = range(FIRST_SEED, FIRST_SEED + 2 * bench.pairs)
    pictures = [sample(bench.generator, seed, PSI) for seed in seeds]
    images = bench.paint(torch.stack([picture.ws for picture in pictures]))
    points = bench.net.detect(images).points.cpu()
    return Faces(pictures[::2], images[::2], points[::2], images[1::2], points[1::2])


def chosen(points: Tensor, count: int) -> Tensor:
    """The 1, 5 or 68 points of a setting, [N, count, 2].

    One: the tip of the nose. Five: centres of the eyes, tip of the nose, corners of the mouth.
    """
    if count == 1:
        return points[:, [NOSE_TIP]]
    return five_points(points) if count == 5 else points


@dataclass(frozen=True)
class Task:
    """Which points are measured and which of them are dragged, for each of N pictures."""

    handles: list[Tensor]
    targets: list[Tensor]
    start: Tensor
    """[N, K, 2] all points of the setting."""
    goal: Tensor
    measured: Tensor
    """[N, K] points that lie inside the picture at the start and at the goal."""


def task(start: Tensor, goal: Tensor, size: tuple[int, int]) -> Task:
    """Leave out of the drag what cannot be dragged.

    Points outside the picture at the start or at the goal are neither dragged nor measured. Of handles less
    than a pixel apart (closed eyes and lips) only the first is dragged; all are measured.
    """
    limit = torch.tensor(size) - 1
    measured = ((start >= 0) & (start <= limit) & (goal >= 0) & (goal <= limit)).all(2)
    handles, targets = [], []
    for a, b, keep in zip(start, goal, measured, strict=True):
        kept: list[int] = []
        for k in keep.nonzero().flatten().tolist():
            if all(float((a[k] - a[j]).norm()) >= 1 for j in kept):
                kept.append(k)
        handles.append(a[kept])
        targets.append(b[kept])
    return Task(handles, targets, start, goal, measured)


def distance(found: Tensor, what: Task) -> Tensor:
    """Mean distance in pixels of the measured points of each picture to their goals, [N]."""
    gap = (found.cpu() - what.goal).norm(dim=2) * what.measured
    return gap.sum(1) / what.measured.sum(1).clamp_min(1)


def face_protocol(
    bench: Bench, row: Row, pairs: Faces, count: int
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Landmarks of one face to those of another.

    Returns:
        Figures for the tables, and tensors for pictures and plots: final codes, distance of each pair.
    """
    what = task(
        chosen(pairs.start_points, count), chosen(pairs.goal_points, count), bench.generator.config.size
    )
    usable = [i for i, handles in enumerate(what.handles) if len(handles)]
    before = distance(what.start, what)
    looks = {k: torch.full((len(usable),), torch.nan) for k in LOOKS if k <= bench.max_steps}

    def measured(indices: list[int], images: Tensor) -> Tensor:
        found = chosen(bench.net.detect(images).points, count)
        return distance(found, Task([], [], what.start[indices], what.goal[indices], what.measured[indices]))

    def watch(part: slice) -> Watch:
        def look(nudges: int, ws: Tensor) -> None:
            if nudges in looks:
                looks[nudges][part] = measured(usable[part], bench.paint(ws))

        return look

    outcome = run(
        row,
        [pairs.start[i] for i in usable],
        [what.handles[i] for i in usable],
        [what.targets[i] for i in usable],
        max_steps=bench.max_steps,
        batch=bench.batch,
        watch=watch if row.settings else None,
    )
    images = bench.paint(outcome.ws)
    after = measured(usable, images)
    figures = _face_figures(bench, images, pairs.start_images[usable], before[usable], after)
    figures |= _run_figures(outcome, row)
    if row.settings:
        # A batch that has arrived stops: what it reached holds for the later looks.
        figures["curve"] = {
            str(k): _mean(torch.where(look.isnan(), after, look)) for k, look in looks.items()
        }
        targets = [what.targets[i] for i in usable]
        left = [(h - t).norm(dim=1).mean() for h, t in zip(outcome.handles, targets, strict=True)]
        figures["believed_distance"] = _mean(torch.stack(left))
    saved = {"ws": _moving(outcome.ws, row), "distance": after, "before": before[usable]}
    return figures, saved | {"index": torch.tensor(usable)}


def _face_figures(
    bench: Bench, images: Tensor, start_images: Tensor, before: Tensor, after: Tensor
) -> dict[str, Any]:
    """How near the landmarks came, and how natural the pictures are.

    Args:
        bench: the judges.
        images: [N, 3, H, W] after the drags.
        start_images: the same before them.
        before: [N] mean distances before.
        after: [N] mean distances after.
    """
    figures: dict[str, Any] = {
        "pairs": len(after),
        "mean_distance": _mean(after),
        "ratio_to_no_edit": _mean(after) / _mean(before),
        "median_distance": float(after.median()),
        "closer_than_2_px": _mean(after < 2),
        "worse_than_before": _mean(after > before + 0.1),
        "frechet_landmark_features": frechet_distance(bench.net.embed(images), bench.net.embed(start_images)),
    }
    if bench.perceptual:
        embed = bench.perceptual.embed
        figures["frechet_stlpips_features_x1e6"] = 1e6 * frechet_distance(embed(images), embed(start_images))
    return figures


@dataclass(frozen=True)
class PerturbedPairs:
    """Pictures, the same pictures perturbed, and 32 points that went from the one to the other."""

    start: list[LatentPicture]
    start_images: Tensor
    goal_images: Tensor
    handles: list[Tensor]
    targets: list[Tensor]


def perturbed_pairs(bench: Bench) -> PerturbedPairs:
    """The perturbation of Endo (2022), as DragGAN's section 4.2 has it.

    w1 = a code truncated at 0.3; w2' = another untruncated code for every layer; the goal is w1 + 0.1 (w2'
    - w1) on the layers 0 to 5 and w1 elsewhere. Points: 32 random pixels of the DIS flow that pass a
    forward-backward check.
    """
    config = bench.generator.config
    start, goal = [], []
    for i in range(bench.pairs):
        random = np.random.RandomState(FIRST_SEED + i)
        ws = _codes(bench.generator, random.randn(1, config.z_dim), 0.3)[0]
        others = _codes(bench.generator, random.randn(config.num_ws, config.z_dim), 1.0)
        other = others[torch.arange(config.num_ws), torch.arange(config.num_ws)]
        moved = ws.clone()
        moved[:6] += 0.1 * (other[:6] - ws[:6])
        start.append(LatentPicture(bench.generator, ws))
        goal.append(moved)
    start_images = bench.paint(torch.stack([picture.ws for picture in start]))
    goal_images = bench.paint(torch.stack(goal))
    random = np.random.default_rng(0)
    points = [
        flow_pairs(a, b, FLOW_POINTS, random)
        for a, b in zip(grey(start_images), grey(goal_images), strict=True)
    ]
    return PerturbedPairs(start, start_images, goal_images, [p[0] for p in points], [p[1] for p in points])


def _codes(generator: Generator, z: np.ndarray, psi: float) -> Tensor:
    with torch.no_grad():
        c = torch.zeros(len(z), generator.config.c_dim) if generator.config.c_dim else None
        return generator.mapping(torch.from_numpy(z).float().to(generator.device), c, truncation_psi=psi)


def reconstruction_protocol(
    bench: Bench, row: Row, pairs: PerturbedPairs
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Drag 32 points so that a picture becomes its perturbed twin; compare the pictures."""
    usable = [i for i, handles in enumerate(pairs.handles) if len(handles)]
    outcome = run(
        row,
        [pairs.start[i] for i in usable],
        [pairs.handles[i] for i in usable],
        [pairs.targets[i] for i in usable],
        max_steps=max(1, bench.max_steps // 3),
        batch=bench.batch,
    )
    images, goal = bench.paint(outcome.ws), pairs.goal_images[usable]
    error = (images - goal).square().mean((1, 2, 3)).cpu()
    figures = {
        "pairs": len(usable),
        "points_each": _mean(torch.tensor([float(len(pairs.handles[i])) for i in usable])),
        "mse_x100": _mean(error) * 100,
        **_run_figures(outcome, row),
    }
    if bench.perceptual:
        figures["stlpips_x10"] = _mean(bench.perceptual(images, goal)) * 10
    return figures, {"ws": _moving(outcome.ws, row), "error": error, "index": torch.tensor(usable)}


def there_and_back_protocol(bench: Bench, row: Row, pairs: Faces) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Drag the five points there, then from there back to where they were; compare with the start."""
    what = task(chosen(pairs.start_points, 5), chosen(pairs.goal_points, 5), bench.generator.config.size)
    # The way back starts at the targets, so those must be told apart too.
    usable = [i for i, points in enumerate(what.targets) if len(points) and _apart(points)]
    start = [pairs.start[i] for i in usable]
    handles, targets = [what.handles[i] for i in usable], [what.targets[i] for i in usable]
    there = run(row, start, handles, targets, max_steps=bench.max_steps, batch=bench.batch)
    middle = [picture.with_ws(ws) for picture, ws in zip(start, there.ws, strict=True)]
    back = run(row, middle, targets, handles, max_steps=bench.max_steps, batch=bench.batch)
    subset = Task([], [], what.start[usable], what.goal[usable], what.measured[usable])
    found = chosen(bench.net.detect(bench.paint(there.ws)).points, 5)
    home = Task([], [], what.goal[usable], what.start[usable], what.measured[usable])
    images, goal = bench.paint(back.ws), pairs.start_images[usable]
    returned = chosen(bench.net.detect(images).points, 5)
    figures = {
        "pairs": len(usable),
        "mean_distance_there": _mean(distance(found, subset)),
        "mean_distance_back": _mean(distance(returned, home)),
        "mse_x100": _mean((images - goal).square().mean((1, 2, 3))) * 100,
        "seconds_per_edit": (there.seconds + back.seconds) / len(usable),
        "strain": _mean(back.strain),
    }
    if bench.perceptual:
        figures["stlpips_x10"] = _mean(bench.perceptual(images, goal)) * 10
    return figures, {"ws": _moving(back.ws, row), "index": torch.tensor(usable)}


def _apart(points: Tensor) -> bool:
    gaps = torch.cdist(points, points) + torch.eye(len(points)) * 1e9
    return bool(gaps.min() >= 1)


def _mean(values: Tensor | Sequence[float]) -> float:
    return float(torch.as_tensor(values).float().mean())


def _moving(ws: Tensor, row: Row) -> Tensor:
    """The part of the codes that a drag may have changed, in half precision."""
    return ws[:, : row.settings.moving_layers if row.settings else 0].half().cpu()


def _run_figures(outcome: Outcome, row: Row) -> dict[str, float]:
    if row.settings is None:
        return {}
    return {
        "steps": _mean(outcome.steps),
        "arrived": _mean(outcome.arrived),
        "strain": _mean(outcome.strain),
        "seconds_per_edit": outcome.seconds / len(outcome.ws),
    }
