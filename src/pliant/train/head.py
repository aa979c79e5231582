"""Train a part head on a few labelled pictures of a generator (DatasetGAN, arXiv 2104.06490; EditGAN, arXiv 2111.03186).

The published programs keep every feature of every pixel in memory, 160 GB for 16 pictures. Here pixels are drawn, half of them
evenly over the picture and half evenly over its parts, and only their features are kept. All members of the ensemble train at
once: they share each batch and differ in their first weights and in how often each pixel counts (a bootstrap), so the widest
product is one matrix multiplication for all of them.

At the end one classifier is taught what the ensemble says of many unlabelled pictures (distillation); it alone is used
while someone edits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pliant.errors import InputError, ModelMismatchError
from pliant.gan.head import Classifiers, PartClass, PartHead, feature_channels, look, sample_stack
from pliant.gan.latent import fingerprint
from pliant.gan.lean import fast_dtype
from pliant.gan.stylegan2 import Generator
from pliant.settings import Slider

FUSED = {"cpu", "cuda"}
"""Devices on which one kernel does Adam's step."""
LEAST_STEPS = 60
"""In a pass; few pictures are gone through several times in one."""
MANY_CLASSES = 32
"""From so many parts on the hidden layers are twice and four times as wide, as in the published program."""


@dataclass(frozen=True)
class HeadTrainSettings:
    """How a part head is trained."""

    members: Annotated[int, Slider(1, 10)] = 10
    """Classifiers in the ensemble."""
    pixels: Annotated[int, Slider(500, 20000)] = 2000
    """Pixels drawn from each labelled picture."""
    batch: Annotated[int, Slider(64, 4096)] = 512
    """Pixels in one step."""
    learning_rate: Annotated[float, Slider(1e-4, 1e-2, log=True)] = 1e-3
    """Adam's learning rate."""
    epochs: Annotated[int, Slider(1, 100)] = 8
    """Most passes over the pixels, of 60 steps or more; it ends when two passes bring the loss down by less than 2 %."""
    unlabelled: Annotated[int, Slider(0, 200)] = 40
    """Pictures without labels from which the fast classifier learns what the ensemble says."""
    seed: int = 0
    """Of everything that is drawn at random."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        for name in ("members", "pixels", "learning_rate", "epochs"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be greater than 0; it is {getattr(self, name)}.")
        if self.batch < 2:
            raise InputError(
                f"batch must be 2 or more, as pixels are compared with others; it is {self.batch}."
            )
        if self.unlabelled < 0:
            raise InputError(f"unlabelled must be 0 or more; it is {self.unlabelled}.")


@dataclass(frozen=True, eq=False)
class LabelledPicture:
    """A picture of the generator and its parts."""

    ws: Tensor
    """[num_ws, w_dim]."""
    ids: Tensor
    """uint8 [H, W], class ids."""
    weight: float | Tensor = 1.0
    """How much its pixels count, all alike or each [H, W]: less where the code does not make the labelled picture exactly."""


@dataclass(frozen=True, eq=False)
class HeadTrainStep:
    """How far the training is."""

    stage: str
    """"features", "ensemble" or "distilled"."""
    done: int
    """Of `total`, in this stage."""
    total: int
    loss: float | None
    """Cross-entropy of the last pass in nats, per pixel; None while features are read."""
    seconds: float
    """Since the beginning."""
    head: PartHead | None = field(default=None, repr=False)
    """The finished head, with the last step."""


class ClassifierTraining(nn.Module):
    """Classifiers while they are trained: Linear, ReLU, BatchNorm twice, then Linear; M of them side by side.

    Args:
        members: how many.
        samples: [K, D] features, whose mean and spread are taken off first (and folded into the weights at the end).
        classes: how many parts.
    """

    def __init__(self, members: int, samples: Tensor, classes: int) -> None:
        super().__init__()
        hidden, narrow = (128, 32) if classes < MANY_CLASSES else (256, 128)
        self.members = members
        self.register_buffer("mean", samples.mean(0))
        self.register_buffer("spread", samples.std(0, correction=0).clamp_min(1e-4))
        inputs = samples.shape[1]
        self.first = nn.Parameter(torch.randn(members * hidden, inputs) / inputs**0.5)
        self.first_bias = nn.Parameter(torch.zeros(members * hidden))
        self.norm0 = nn.BatchNorm1d(members * hidden)
        self.second = nn.Parameter(torch.randn(members, narrow, hidden) * (2 / hidden) ** 0.5)
        self.second_bias = nn.Parameter(torch.zeros(members, 1, narrow))
        self.norm1 = nn.BatchNorm1d(members * narrow)
        self.third = nn.Parameter(torch.randn(members, classes, narrow) * 0.02)
        self.third_bias = nn.Parameter(torch.zeros(members, 1, classes))

    mean: Tensor
    spread: Tensor

    def forward(self, samples: Tensor) -> Tensor:
        """Features [K, D] to logits [M, K, C]."""
        x = F.linear((samples - self.mean) / self.spread, self.first, self.first_bias)
        x = self.norm0(F.relu(x)).unflatten(1, (self.members, -1)).transpose(0, 1)
        x = torch.baddbmm(self.second_bias, x, self.second.transpose(1, 2))
        x = self.norm1(F.relu(x).transpose(0, 1).flatten(1)).unflatten(1, (self.members, -1)).transpose(0, 1)
        return torch.baddbmm(self.third_bias, x, self.third.transpose(1, 2))

    @torch.no_grad()
    def folded(self) -> Classifiers:
        """The same function as plain layers: each normalisation goes into the layer after it."""
        first = (self.first / self.spread).unflatten(0, (self.members, -1))
        first_bias = self.first_bias.unflatten(0, (self.members, -1)) - first @ self.mean
        second, second_bias = _after_norm(self.norm0, self.second, self.second_bias[:, 0])
        third, third_bias = _after_norm(self.norm1, self.third, self.third_bias[:, 0])
        return Classifiers(first, first_bias, second, second_bias, third, third_bias)


def _after_norm(norm: nn.BatchNorm1d, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """A layer [M, O, I] that takes what comes before the normalisation [M * I] instead of what comes after."""
    if norm.running_mean is None or norm.running_var is None:
        raise AssertionError("the normalisations keep running statistics")
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    shift = norm.bias - norm.running_mean * scale
    members = len(weight)
    shift = (weight @ shift.view(members, -1, 1))[..., 0]
    return weight * scale.view(members, 1, -1), bias + shift


def train_head(
    generator: Generator,
    pictures: Sequence[LabelledPicture],
    classes: Sequence[PartClass],
    settings: HeadTrainSettings = HeadTrainSettings(),
    *,
    facts: dict[str, Any] | None = None,
) -> Iterator[HeadTrainStep]:
    """Train on labelled pictures; the last step brings the head.

    Args:
        generator: that makes them; it is not changed.
        pictures: one or more.
        classes: the parts by id.
        settings: how.
        facts: JSON-ready, to be kept with the head.

    Raises:
        InputError: no pictures, or labels that do not fit.
        ModelMismatchError: codes of another model.
    """
    check_labels(generator, pictures, len(classes))
    began = time.perf_counter()
    rng = torch.Generator().manual_seed(settings.seed)
    rows: list[Tensor] = []
    labels: list[Tensor] = []
    weights: list[Tensor] = []
    for done, picture in enumerate(pictures):
        yield HeadTrainStep("features", done, len(pictures), None, time.perf_counter() - began)
        pixels = draw_pixels(picture.ids, settings.pixels, rng)
        rows.append(_features_at(generator, picture.ws, pixels))
        labels.append(picture.ids[pixels[:, 1], pixels[:, 0]].long())
        each = torch.as_tensor(picture.weight, dtype=torch.float32).expand(picture.ids.shape)
        weights.append(each[pixels[:, 1], pixels[:, 0]])
    samples = torch.cat(rows)
    data = _Samples(samples, F.one_hot(torch.cat(labels), len(classes)).float(), torch.cat(weights))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        training = ClassifierTraining(settings.members, samples, len(classes))
        fast = ClassifierTraining(1, samples, len(classes))
    for done, loss in _passes(training, data, settings, rng, bootstrap=settings.members > 1):
        yield HeadTrainStep("ensemble", done, settings.epochs, loss, time.perf_counter() - began)
    ensemble = training.folded()
    taught = _taught(generator, ensemble, data, settings, rng)
    loss = None
    for done, loss in _passes(fast, taught, settings, rng, bootstrap=False):
        yield HeadTrainStep("distilled", done, settings.epochs, loss, time.perf_counter() - began)
    seconds = time.perf_counter() - began
    head = PartHead(
        classes=tuple(classes),
        channels=feature_channels(generator),
        size=generator.config.size,
        fingerprint=fingerprint(generator),
        fast=fast.folded().to(generator.device),
        ensemble=ensemble.to(generator.device),
        facts={"labelled": len(pictures), "seconds": round(seconds, 1), **(facts or {})},
    )
    yield HeadTrainStep("distilled", settings.epochs, settings.epochs, loss, seconds, head)


def check_labels(generator: Generator, pictures: Sequence[LabelledPicture], classes: int) -> None:
    """Refuse what cannot be trained on.

    Raises:
        InputError: no pictures, another size, ids that are no part, one part only.
        ModelMismatchError: codes of another model.
    """
    if not pictures:
        raise InputError("There are no labelled pictures; give at least one.")
    width, height = generator.config.size
    for number, picture in enumerate(pictures, 1):
        if picture.ws.shape != (generator.config.num_ws, generator.config.w_dim):
            raise ModelMismatchError(
                f"The code of labelled picture {number} has the shape {list(picture.ws.shape)}; it is not of this model."
            )
        if picture.ids.shape != (height, width):
            raise InputError(
                f"The labels of picture {number} are {'x'.join(str(side) for side in reversed(picture.ids.shape))} "
                f"but the picture is {width}x{height}; give labels of its size."
            )
        if int(picture.ids.max()) >= classes:
            raise InputError(
                f"The labels of picture {number} hold the id {int(picture.ids.max())}; ids go from 0 to {classes - 1}."
            )
        weight = torch.as_tensor(picture.weight)
        if weight.shape not in {(), picture.ids.shape} or not bool((weight > 0).all()):
            raise InputError(
                f"The weight of picture {number} must be greater than 0, one number or one for each pixel."
            )
    if len({int(each) for picture in pictures for each in picture.ids.unique()}) < 2:
        raise InputError("All labels name one part; a head needs at least two to tell apart.")


def draw_pixels(ids: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Pixels [K, 2] (x, y) of a part map, K at most `count`: half anywhere, half in equal numbers from each part.

    No pixel is drawn twice. What small parts lack is not made up for, so that no pixel counts for many.
    """
    flat = ids.flatten()
    count = min(count, len(flat))
    chosen = torch.zeros(len(flat), dtype=torch.bool)
    present = flat.unique()
    for each in present:
        places = torch.nonzero(flat == each)[:, 0]
        order = torch.randperm(len(places), generator=rng)[: count // 2 // len(present)]
        chosen[places[order]] = True
    rest = torch.nonzero(~chosen)[:, 0]
    order = torch.randperm(len(rest), generator=rng)[: count - int(chosen.sum())]
    chosen[rest[order]] = True
    places = torch.nonzero(chosen)[:, 0]
    return torch.stack([places % ids.shape[1], places // ids.shape[1]], 1)


@torch.no_grad()
def _features_at(generator: Generator, ws: Tensor, pixels: Tensor) -> Tensor:
    """[K, D] on the generator's device."""
    _, features = look(generator, ws[None].to(generator.device))
    return sample_stack(features, pixels.to(generator.device), generator.config.size)


@dataclass(frozen=True, eq=False)
class _Samples:
    features: Tensor
    """[K, D]."""
    targets: Tensor
    """[K, C], probabilities."""
    weights: Tensor
    """[K]."""


def _passes(
    training: ClassifierTraining,
    data: _Samples,
    settings: HeadTrainSettings,
    rng: torch.Generator,
    *,
    bootstrap: bool,
) -> Iterator[tuple[int, float]]:
    """Train; yields passes done and the mean loss of the last one."""
    device = data.features.device
    training.to(device).train()
    optimiser = torch.optim.Adam(training.parameters(), settings.learning_rate, fused=device.type in FUSED)
    count = len(data.features)
    draws = torch.ones(training.members, count)
    if bootstrap:
        draws = torch.poisson(draws, generator=rng)
    weights = (draws * data.weights).to(device)
    targets = data.targets.to(device)
    steps = max(LEAST_STEPS, round(count / settings.batch))
    losses: list[float] = []
    for done in range(1, settings.epochs + 1):
        repeats = math.ceil(steps * settings.batch / count)
        order = torch.cat([torch.randperm(count, generator=rng) for _ in range(repeats)])
        total = torch.zeros((), device=device)
        for batch in order[: steps * settings.batch].to(device).split(settings.batch):
            with torch.autocast(device.type, torch.bfloat16, enabled=fast_dtype(device) == torch.bfloat16):
                logits = training(data.features[batch]).float()
            each = -(logits.log_softmax(2) * targets[batch]).sum(2)
            loss = (each * weights[:, batch]).sum(1) / weights[:, batch].sum(1).clamp_min(1e-6)
            optimiser.zero_grad(set_to_none=True)
            loss.sum().backward()
            optimiser.step()
            total += loss.detach().mean()
        losses.append(float(total) / steps)
        yield done, losses[-1]
        if done > 3 and losses[-1] > 0.98 * losses[-3]:
            break
    training.eval()


@torch.no_grad()
def _taught(
    generator: Generator,
    ensemble: Classifiers,
    data: _Samples,
    settings: HeadTrainSettings,
    rng: torch.Generator,
) -> _Samples:
    """What the ensemble says of the labelled pixels and of pixels of new pictures (psi 0.7)."""
    rows = [data.features]
    for _ in range(settings.unlabelled):
        z = torch.randn(1, generator.config.z_dim, generator=rng).to(generator.device)
        c = (
            torch.zeros(1, generator.config.c_dim, device=generator.device)
            if generator.config.c_dim
            else None
        )
        ws = generator.mapping(z, c, 0.7)[0]
        _, features = look(generator, ws[None])
        pixels = _certain_of_all_parts(generator, features, ensemble, settings.pixels // 2, rng)
        rows.append(sample_stack(features, pixels, generator.config.size))
    samples = torch.cat(rows)
    targets = torch.cat(
        [ensemble.of_stack(part.T).softmax(1).mean(0).T for part in samples.split(4 * settings.batch)]
    )
    weights = torch.ones(len(samples))
    weights[: len(data.weights)] = data.weights
    return _Samples(samples, targets, weights)


def _certain_of_all_parts(
    generator: Generator, features: dict[str, Tensor], ensemble: Classifiers, count: int, rng: torch.Generator
) -> Tensor:
    """Pixels of an unlabelled picture, drawn as from a labelled one, by what the first member says on a coarse grid."""
    width, height = generator.config.size
    stride = max(1, height // 64)
    y, x = torch.meshgrid(
        torch.arange(stride // 2, height, stride), torch.arange(stride // 2, width, stride), indexing="ij"
    )
    grid = torch.stack([x, y], 2)
    stack = sample_stack(features, grid.flatten(0, 1).to(generator.device), generator.config.size)
    ids = ensemble[:1].of_stack(stack.T)[0].argmax(0).cpu().view(grid.shape[:2])
    chosen = draw_pixels(ids, min(count, ids.numel()), rng)
    jitter = torch.randint(-(stride // 2), stride - stride // 2, chosen.shape, generator=rng)
    pixels = grid[chosen[:, 1], chosen[:, 0]] + jitter
    return pixels.clamp(torch.zeros(2), torch.tensor([width - 1.0, height - 1.0])).long().to(generator.device)
