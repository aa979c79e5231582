"""The smile benchmark of EditGAN's table 1, on generated portraits. See `benchmarks/parts.py`."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pliant.gan.latent import LatentPicture, load_generator, sample
from pliant.gan.part_edit import RepaintSettings
from pliant.gan.parts import load_head
from pliant.gan.stylegan2 import Generator
from pliant.gan.vectors import EditVector, find_vector
from pliant.perception.frechet import frechet_distance
from pliant.perception.identity import load_identity
from pliant.perception.landmarks import LandmarkNet, interocular, load_landmarks
from quality.perceptual import PerceptualDistance

HELD_OUT = 300
"""Renders on which the classifier is judged."""
FIRST_SEED = 100_000
NEUTRAL = -1.0
"""Log odds of a smile below which a portrait counts as neutral."""
COMPARED = 20
"""Pictures on which the direction is made as strong as the vector."""


class SmileClassifier:
    """Logistic regression on landmarks: centred, turned upright, in units of the distance between the eyes.

    Args:
        points: [N, 68, 2] pixels of pictures, as the landmark net finds them.
        smiles: [N] bool.
    """

    def __init__(self, points: Tensor, smiles: Tensor) -> None:
        shapes = upright(points)
        self.mean, self.spread = shapes.mean(0), shapes.std(0) + 1e-3
        weights = torch.zeros(shapes.shape[1] + 1, requires_grad=True)
        wanted = smiles.float()
        adam = torch.optim.Adam([weights], 0.05)
        for _ in range(400):
            adam.zero_grad()
            score = self._scaled(shapes) @ weights[1:] + weights[0]
            loss = F.binary_cross_entropy_with_logits(score, wanted) + 1e-3 * weights[1:].square().sum()
            loss.backward()
            adam.step()
        self.weights = weights.detach()

    def __call__(self, points: Tensor) -> Tensor:
        """Log odds [N] of a smile."""
        return self._scaled(upright(points)) @ self.weights[1:] + self.weights[0]

    def _scaled(self, shapes: Tensor) -> Tensor:
        return (shapes - self.mean) / self.spread


def upright(points: Tensor) -> Tensor:
    """Landmarks [N, 68, 2] without place, size and roll: [N, 136]."""
    centre = (points[:, 36:48]).mean(1, keepdim=True)
    eyes = points[:, 45] - points[:, 36]
    cos, sin = (eyes / interocular(points)[:, None]).unbind(1)
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    return (((points - centre) @ turn) / interocular(points)[:, None, None]).flatten(1)


def labelled_smiles(data: Path) -> tuple[Tensor, Tensor]:
    """Pictures [N, 3, H, W] uint8 of the labelled set and which of them smile with a closed or open mouth."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "recipes" / "portraits"))
    from part_net import read_labelled

    read = read_labelled(data)
    return read.images, torch.tensor([each["smile"] > 0.4 for each in read.attributes])


@torch.no_grad()
def painted(pictures: list[LatentPicture]) -> Tensor:
    """[N, 3, H, W] on the CPU."""
    return torch.stack([each.pixels().cpu() for each in pictures])


@torch.no_grad()
def direction(generator: Any, judge: Callable[[Tensor], Tensor], count: int, seed: int) -> Tensor:
    """InterFaceGAN's direction: the unit normal [w_dim] of the plane between codes that smile and codes that do not.

    The most certain fifth on either side is kept; the plane is a ridge regression's.
    """
    rng = torch.Generator().manual_seed(seed)
    codes, scores = [], []
    for _ in range(0, count, 20):
        z = torch.randn(20, generator.config.z_dim, generator=rng).to(generator.device)
        ws = generator.mapping(z, None, 0.7)
        scores.append(judge(generator.synthesis(ws).clamp(-1, 1).cpu()))
        codes.append(ws[:, 0].cpu())
    codes, scores = torch.cat(codes), torch.cat(scores)
    order = scores.argsort()
    fifth = len(order) // 5
    chosen = torch.cat([order[:fifth], order[-fifth:]])
    signs = torch.cat([-torch.ones(fifth), torch.ones(fifth)])
    x = codes[chosen] - codes[chosen].mean(0)
    normal = torch.linalg.solve(
        x.T @ x + x.square().sum() / len(x) * 0.1 * torch.eye(x.shape[1]), x.T @ signs
    )
    return normal / normal.norm()


Edited = tuple[Tensor, float]
"""Pictures [N, 3, H, W] on the CPU, and the seconds that one took."""


def refined_share(
    model: str, device: str, vector: str, steps: int, seeds: list[int]
) -> tuple[NDArray[np.float32], float]:
    """One process's share of the portraits, edited with a vector and steps of refinement; seconds of all of them."""
    torch.set_num_threads(1)
    generator = load_generator(model, device)
    head, edit = load_head(generator), find_vector(generator, vector)
    settings = RepaintSettings(max_steps=steps)
    after: list[LatentPicture] = []
    began = time.perf_counter()
    for seed in seeds:
        *_, last = edit.refined(sample(generator, seed), head=head, settings=settings)
        after.append(last.picture)
    return painted(after).numpy(), time.perf_counter() - began


@dataclass(frozen=True)
class Judges:
    """Where the judges come from."""

    data: Path
    """Folder with the zip shards of labelled renders."""
    identity: Path | None
    """Folder of an identity network; None for the embedded one."""
    stlpips: Path
    """File of ST-LPIPS weights."""


class Smiles:
    """Neutral portraits, the judges, and every way to make the portraits smile.

    Args:
        generator: makes the portraits.
        vector: the edit.
        judges: where the judges come from.
        count: how many portraits.
        codes: random codes for InterFaceGAN's direction.
        workers: processes that refine.
    """

    def __init__(
        self,
        generator: Generator,
        vector: EditVector,
        judges: Judges,
        *,
        count: int,
        codes: int,
        workers: int,
    ) -> None:
        self.generator, self.vector, self.workers = generator, vector, workers
        self.net: LandmarkNet = load_landmarks(device=generator.device)
        self.persons = load_identity(judges.identity, generator.device)
        images, smiles = labelled_smiles(judges.data)
        rest = len(images) - HELD_OUT
        found = torch.cat([self.found(each.float() / 127.5 - 1) for each in images.split(64)])
        self.classifier = SmileClassifier(found[:rest], smiles[:rest])
        right = (self.classifier(found[rest:]) > 0) == smiles[rest:]
        self.accuracy = float(right.float().mean())
        self.real = self.embedded(images[smiles].float() / 127.5 - 1)
        self.seeds = self._neutral(count)
        self.starts = [sample(generator, seed) for seed in self.seeds]
        self.before = painted(self.starts)
        self.distance = PerceptualDistance(judges.stlpips).to(generator.device)
        self.normal = direction(generator, self.score, codes, 1).to(generator.device)

    def found(self, pictures: Tensor) -> Tensor:
        """Landmarks [N, 68, 2] on the CPU."""
        return torch.cat(
            [self.net.detect(part.to(self.generator.device)).points.cpu() for part in pictures.split(64)]
        )

    def embedded(self, pictures: Tensor) -> Tensor:
        """Features of the landmark net, on the CPU."""
        return torch.cat(
            [self.net.embed(part.to(self.generator.device)).cpu() for part in pictures.split(64)]
        )

    def score(self, pictures: Tensor) -> Tensor:
        """Log odds [N] of a smile in pictures [N, 3, H, W]."""
        return self.classifier(self.found(pictures))

    def _neutral(self, count: int) -> list[int]:
        """Seeds of the first generated portraits that do not smile."""
        found: list[int] = []
        for seed in itertools.count(FIRST_SEED):
            if len(found) == count:
                break
            if float(self.score(sample(self.generator, seed).pixels()[None])[0]) < NEUTRAL:
                found.append(seed)
        return found

    def moved(self, strength: float) -> Callable[[LatentPicture], LatentPicture]:
        """InterFaceGAN's edit: so far along the direction."""
        return lambda picture: picture.with_ws(picture.ws + strength * self.normal)

    def edited(self, edit: Callable[[LatentPicture], LatentPicture]) -> Edited:
        """All portraits, edited one after another."""
        began = time.perf_counter()
        after = painted([edit(each) for each in self.starts])
        return after, (time.perf_counter() - began) / len(self.starts)

    def refined(self, steps: int) -> Edited:
        """All portraits with the vector and steps of refinement, shared out among processes."""
        shares = [share for k in range(self.workers) if (share := self.seeds[k :: self.workers])]
        job = partial(refined_share, self.generator.name, str(self.generator.device), self.vector.name, steps)
        with ProcessPoolExecutor(len(shares), get_context("spawn")) as pool:
            done = list(pool.map(job, shares))
        after = torch.empty_like(self.before)
        for k, (pictures, _) in enumerate(done):
            after[k :: self.workers] = torch.from_numpy(pictures)
        return after, sum(seconds for _, seconds in done) / len(self.seeds)

    @cached_property
    def strength(self) -> float:
        """How far along the direction the score rises as with the vector: medians over some portraits."""
        some = self.starts[:COMPARED]

        def rise(edit: Callable[[LatentPicture], LatentPicture]) -> float:
            return float(
                (
                    self.score(painted([edit(each) for each in some])) - self.score(self.before[:COMPARED])
                ).median()
            )

        wanted = rise(self.vector.apply)
        strengths = torch.linspace(0.5, 12, 24).tolist()
        return min(strengths, key=lambda each: abs(rise(self.moved(each)) - wanted))

    def rows(self) -> Mapping[str, Callable[[], Edited]]:
        """Every way."""
        return {
            "nothing": lambda: self.edited(lambda picture: picture),
            f"direction in W, {self.strength:.1f}": lambda: self.edited(self.moved(self.strength)),
            "vector": lambda: self.edited(self.vector.apply),
            "vector + 10 steps": lambda: self.refined(10),
            "vector + 30 steps": lambda: self.refined(30),
        }

    def judged(self, after: Tensor, seconds: float) -> Judged:
        """What portraits [N, 3, H, W] are like that took so many seconds each."""
        pairs = list(zip(self.before.split(32), after.split(32), strict=True))
        look = torch.cat([self._on_device(self.distance, *pair) for pair in pairs])
        alike = torch.cat([self._on_device(self.persons.similarity, *pair) for pair in pairs])
        return Judged(
            success=float((self.score(after) > 0).float().mean()),
            frechet=frechet_distance(self.embedded(after), self.real),
            st_lpips=float(look.mean()),
            identity=float(alike.mean()),
            seconds=seconds,
        )

    @torch.no_grad()
    def _on_device(self, compare: Callable[[Tensor, Tensor], Tensor], one: Tensor, two: Tensor) -> Tensor:
        device = self.generator.device
        return compare(one.to(device), two.to(device)).cpu()


@dataclass(frozen=True)
class Judged:
    """Figures of one row."""

    success: float
    """Share of the portraits that the classifier calls smiling."""
    frechet: float
    """On landmarks-68 features, to renders that smile."""
    st_lpips: float
    """To the portrait before."""
    identity: float
    """Cosine of the persons' vectors, to the portrait before: 1 is the same person."""
    seconds: float
    """A portrait."""
