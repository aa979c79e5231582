"""What one training iteration does: four losses, each with its backward pass (arXiv 1912.04958, 1801.04406).

*generator*: non-saturating loss on pictures from mixed styles. *path length*: keeps how far a picture moves per step in W
constant, which is what makes edits smooth. *discriminator*: logistic loss on generated and real pictures. *R1*: gradient
penalty on real pictures. The two regularisers run lazily, every few iterations, as steps of their own.

Each loss leaves its gradients in the parameters' `grad` and returns device tensors; nothing here waits for the device, so
that on CUDA a whole phase can be captured once and replayed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.train.augment import Augment
from pliant.train.discriminator import Discriminator
from pliant.train.flat import FlatParameters
from pliant.train.synthesis import Parameters, TrainingSynthesis

Stats = dict[str, Tensor]


def path_lengths(image: Tensor, ws: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """[N] lengths |J^T y| of the picture's Jacobian with respect to ws, for random pictures y of unit energy.

    Squared lengths are averaged over the layers of `ws` [N, L, w_dim], which `image` [N, 3, H, W] depends on.
    """
    noise = (
        torch.randn(image.shape, device=image.device, generator=rng)
        / (image.shape[2] * image.shape[3]) ** 0.5
    )
    (gradient,) = torch.autograd.grad((image * noise).sum(), ws, create_graph=True)
    return gradient.square().sum(2).mean(1).sqrt()


def gradient_penalty(logits: Tensor, image: Tensor) -> Tensor:
    """[N] squared norms of d logits / d image (R1, arXiv 1801.04406, eq. 9)."""
    (gradient,) = torch.autograd.grad(logits.sum(), image, create_graph=True)
    return gradient.square().sum((1, 2, 3))


@dataclass(frozen=True)
class LossOptions:
    """Weights of the losses, and how lazily the regularisers run."""

    z_dim: int
    r1_gamma: float
    path_weight: float
    style_mixing: float
    path_interval: int
    r1_interval: int


class Phases:
    """The losses at one resolution and batch size.

    Args:
        generator: trained network, as a function of its parameters.
        discriminator: its opponent, likewise.
        weights: parameters of (generator, discriminator), whose gradients the losses leave.
        augment: what real and generated pictures pass through before the discriminator; None for nothing.
        resolution: of the pictures.
        batch: pictures per loss in this process.
        rng: source of all randomness, on the networks' device.
        options: weights and laziness of the regularisers.
        path_mean: scalar tensor, running mean of path lengths; 0 before the first measurement.
    """

    def __init__(
        self,
        generator: TrainingSynthesis,
        discriminator: Discriminator,
        weights: tuple[FlatParameters, FlatParameters],
        augment: Augment | None,
        *,
        resolution: int,
        batch: int,
        rng: torch.Generator,
        options: LossOptions,
        path_mean: Tensor,
    ) -> None:
        self.generator, self.discriminator, self.augment = generator, discriminator, augment
        self.generator_weights, self.discriminator_weights = weights
        self.resolution, self.batch, self.rng, self.options = resolution, batch, rng, options
        self.path_mean = path_mean
        self.num_ws = 2 * (resolution.bit_length() - 2)
        self.reals = torch.zeros(batch, 3, resolution, resolution, device=path_mean.device)
        self.layers = torch.arange(self.num_ws, device=path_mean.device)
        self.fade: Tensor | None = None

    def codes(self, p: Parameters, n: int) -> Tensor:
        """[n, num_ws, w_dim] codes; a share of them changes from one w to another at a random layer."""
        device = self.path_mean.device
        z = torch.randn(2 * n, self.options.z_dim, device=device, generator=self.rng)
        first, second = self.generator.mapping(p, z).chunk(2)
        crossover = torch.randint(1, self.num_ws, (n, 1), device=device, generator=self.rng)
        single = torch.rand(n, 1, device=device, generator=self.rng) >= self.options.style_mixing
        takes_first = (self.layers < crossover) | single
        return torch.where(takes_first[:, :, None], first[:, None], second[:, None])

    def fakes(self, p: Parameters, ws: Tensor) -> Tensor:
        """Generated pictures."""
        return self.generator(p, ws, rng=self.rng)

    def augmented(self, image: Tensor) -> Tensor:
        """What the discriminator gets to see."""
        return image if self.augment is None else self.augment(image, self.rng)

    def train_generator(self) -> Stats:
        """Non-saturating loss: the generator raises the discriminator's logits."""
        p = self.generator_weights.effective()
        with torch.no_grad():
            opponent = self.discriminator_weights.effective()
        image = self.augmented(self.fakes(p, self.codes(p, self.batch)))
        loss = F.softplus(-self.discriminator(opponent, image, self.fade)).mean()
        loss.backward()
        return {"generator": loss.detach()}

    def smooth_generator(self) -> Stats:
        """Path length regularisation, on half a batch."""
        p = self.generator_weights.effective()
        ws = self.codes(p, max(self.batch // 2, 1))
        lengths = path_lengths(self.fakes(p, ws), ws, self.rng)
        now = lengths.detach().mean()
        # The first mean is the first measurement: a fresh or just grown network is not pulled toward zero.
        self.path_mean.copy_(torch.where(self.path_mean == 0, now, self.path_mean.lerp(now, 0.01)))
        penalty = (lengths - self.path_mean).square().mean()
        (penalty * (self.options.path_weight * self.options.path_interval)).backward()
        return {"path_penalty": penalty.detach(), "path_length": now}

    def train_discriminator(self) -> Stats:
        """Logistic loss on as many generated as real pictures."""
        with torch.no_grad():
            frozen = self.generator_weights.effective()
            fakes = self.fakes(frozen, self.codes(frozen, self.batch))
        p = self.discriminator_weights.effective()
        images = self.augmented(torch.cat([fakes, self.reals]))
        if (
            self.batch % self.discriminator.group
        ):  # a group of the minibatch deviation must not hold both kinds
            fake_logits, real_logits = (self.discriminator(p, half, self.fade) for half in images.chunk(2))
        else:
            fake_logits, real_logits = self.discriminator(p, images, self.fade).chunk(2)
        loss = F.softplus(fake_logits).mean() + F.softplus(-real_logits).mean()
        loss.backward()
        signs = real_logits.detach().sign().mean()
        if self.augment is not None:
            self.augment.observe(signs)
        return {"discriminator": loss.detach(), "real_sign": signs}

    def penalize_discriminator(self) -> Stats:
        """R1 on pictures as the discriminator sees them, after augmentation, on half a batch."""
        image = self.augmented(self.reals[: max(self.batch // 2, 1)]).detach().requires_grad_()
        p = self.discriminator_weights.effective()
        penalty = gradient_penalty(self.discriminator(p, image, self.fade), image).mean()
        (penalty * (self.options.r1_gamma / 2 * self.options.r1_interval)).backward()
        return {"r1": penalty.detach()}


class Replayed:
    """A phase as a CUDA graph: run a few times to settle kernels, captured once, replayed ever after.

    Args:
        phase: reads and writes only tensors that stay where they are.
        rng: the generator that the phase draws from.
        pool: memory pool, shared by phases that never run at the same time.
    """

    def __init__(self, phase: Callable[[], Stats], rng: torch.Generator, pool: Any) -> None:
        side = torch.cuda.Stream()
        seen: Stats = {}
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(2):
                seen = phase()
        torch.cuda.current_stream().wait_stream(side)
        # Results are kept outside the shared pool, where another phase's replay would write over them.
        self.stats = {name: torch.zeros_like(value) for name, value in seen.items()}
        self.graph = torch.cuda.CUDAGraph()
        self.graph.register_generator_state(rng)
        # Other threads (the watchdog of a distributed run) may call CUDA meanwhile.
        with torch.cuda.graph(self.graph, pool=pool, capture_error_mode="thread_local"):
            for name, value in phase().items():
                self.stats[name].copy_(value)

    def __call__(self) -> Stats:
        """Replay; the tensors returned are overwritten by the next call."""
        self.graph.replay()
        return self.stats
