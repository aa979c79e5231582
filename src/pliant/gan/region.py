"""Where in W a generator is at home: how far a code has strained away from what the network has seen.

Undoing the last leaky ReLU of the mapping network makes w close to normally distributed; whitened by its principal components
it measures distance evenly in all directions ("P-norm space" of Zhu et al., arXiv 2012.09036).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.gan.stylegan2 import LEAK, Generator

SAMPLES = 4096
QUANTILE = 0.99


@dataclass(frozen=True)
class KnownRegion:
    """Mean and whitening of a generator's w, and how far its own samples reach."""

    mean: Tensor
    """[w_dim], of w before its last leaky ReLU."""
    whiten: Tensor
    """[w_dim, w_dim]; (w - mean) @ whiten has unit covariance."""
    colour: Tensor
    """[w_dim, w_dim], the inverse of `whiten`."""
    reach: float
    """Root mean square of whitened samples below which 99 % of them lie."""

    @staticmethod
    def of(generator: Generator) -> KnownRegion:
        """The region of a generator, worked out once."""
        key = "known region", generator.device
        if key not in generator.memo:
            generator.memo[key] = KnownRegion.fit(generator)
        return generator.memo[key]

    @staticmethod
    @torch.no_grad()
    def fit(generator: Generator) -> KnownRegion:
        """Fit to 4096 samples of the generator (seed 0, no truncation)."""
        config = generator.config
        rng = torch.Generator().manual_seed(0)
        z = torch.randn(SAMPLES, config.z_dim, generator=rng).to(generator.device)
        c = None
        if config.c_dim:
            labels = torch.randint(config.c_dim, (SAMPLES,), generator=rng)
            c = F.one_hot(labels, config.c_dim).float().to(generator.device)
        flat = unbend(generator.mapping.w(z, c))
        mean = flat.mean(0)
        variance, basis = torch.linalg.eigh(torch.cov((flat - mean).T))
        deviation = variance.clamp_min(variance.amax() * 1e-4).sqrt()
        whiten = basis / deviation
        norms = ((flat - mean) @ whiten).square().mean(1).sqrt()
        return KnownRegion(mean, whiten, (basis * deviation).T, norms.quantile(QUANTILE).item())

    def strain(self, ws: Tensor) -> Tensor:
        """How far codes lie from the samples' centre: [..., L, w_dim] to [...]; 1 is where 1 % of samples lie beyond."""
        return ((unbend(ws) - self.mean) @ self.whiten).square().mean((-1, -2)).clamp_min(
            1e-12
        ).sqrt() / self.reach

    def to_code(self, w: Tensor) -> Tensor:
        """Codes w [..., w_dim] in whitened coordinates: the samples have mean 0 and unit covariance there."""
        return (unbend(w) - self.mean) @ self.whiten

    def to_w(self, code: Tensor) -> Tensor:
        """Inverse of `to_code`."""
        return bend(code @ self.colour + self.mean)


def bend(x: Tensor) -> Tensor:
    """The last leaky ReLU of the mapping network, without its gain."""
    return F.leaky_relu(x, LEAK)


def unbend(w: Tensor) -> Tensor:
    """Inverse of the leaky ReLU."""
    return F.leaky_relu(w, 1 / LEAK)
