"""Adaptive augmentation for small training sets (Karras et al., arXiv 2006.06676).

Every picture that the discriminator sees, real or generated, is turned, moved, scaled and recoloured at random,
each with probability p; p follows how sure the discriminator is of the training pictures, which is how
overfitting shows. Transforms and their strengths are the paper's (appendix B: blitting, geometry, colour). We
sample bilinearly with reflected borders instead of through its wavelet filters. Nothing waits for the device.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def gray_axis(device: torch.device) -> Tensor:
    """[3] unit vector of luminance in RGB."""
    return torch.full((3,), 1 / math.sqrt(3), device=device)


def warp(image: Tensor, matrix: Tensor) -> Tensor:
    """Resample [N, C, R, R]: the pixel at (x, y) of the result is read at `matrix` (x, y, 1).

    Args:
        image: square pictures.
        matrix: [N, 3, 3] affine, in coordinates from -1 to 1 between the picture's edges.
    """
    grid = F.affine_grid(matrix[:, :2], list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def recolour(image: Tensor, matrix: Tensor) -> Tensor:
    """Apply affine colour maps [N, 4, 4] to pictures [N, 3, H, W]."""
    colours = matrix[:, :3, :3] @ image.flatten(2) + matrix[:, :3, 3:]
    return colours.view(image.shape)


def scaling(x: Tensor, y: Tensor) -> Tensor:
    """[N, 3, 3] from factors [N]."""
    return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], 1))


def rotation(angle: Tensor) -> Tensor:
    """[N, 3, 3] from angles [N] in radians."""
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    rows = [cos, -sin, zero, sin, cos, zero, zero, zero, zero + 1]
    return torch.stack(rows, 1).view(-1, 3, 3)


def shifting(offset: Tensor) -> Tensor:
    """[N, k + 1, k + 1] from offsets [N, k]."""
    eye = torch.eye(offset.shape[1] + 1, device=offset.device)
    return eye + F.pad(offset[:, :, None], (offset.shape[1], 0, 0, 1))


def homogeneous(linear: Tensor) -> Tensor:
    """[N, k, k] as affine maps [N, k + 1, k + 1] without offset."""
    corner = F.pad(torch.ones(1, 1, device=linear.device), (linear.shape[1], 0, linear.shape[1], 0))
    return F.pad(linear, (0, 1, 0, 1)) + corner


def hue(angle: Tensor) -> Tensor:
    """[N, 3, 3] rotation of colours about the gray axis (Rodrigues' formula)."""
    gray = gray_axis(angle.device)
    zero = torch.zeros_like(gray[0])
    cross = torch.stack([zero, -gray[2], gray[1], gray[2], zero, -gray[0], -gray[1], gray[0], zero]).view(
        3, 3
    )
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return cos * torch.eye(3, device=angle.device) + sin * cross + (1 - cos) * torch.outer(gray, gray)


class Augment(nn.Module):
    """Random transforms, and the probability with which each of them happens.

    Args:
        target: p rises while the discriminator calls more real pictures real than this says (mean sign of its
            logits, r_t in the paper).
        images: pictures over which p could go from 0 to 1.
    """

    p: Tensor
    certainty: Tensor

    def __init__(self, target: float = 0.6, images: int = 500_000) -> None:
        super().__init__()
        self.target, self.images = target, images
        self.register_buffer("p", torch.zeros([]))
        self.register_buffer("certainty", torch.zeros([]))

    def observe(self, signs: Tensor) -> None:
        """Take in the mean sign of the discriminator's logits for a batch of real pictures."""
        self.certainty.lerp_(signs, 0.25)

    def adapt(self, count: int) -> None:
        """Move p, `count` pictures later."""
        self.p.add_((self.certainty - self.target).sign() * (count / self.images)).clamp_(0, 1)

    def forward(self, image: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Transform pictures [N, 3, R, R], each in its own way."""
        return recolour(warp(image, self.geometry(image, rng)), self.colour(image, rng))

    def geometry(self, image: Tensor, rng: torch.Generator | None) -> Tensor:
        """[N, 3, 3]: flip, quarter turns, whole-pixel shift; scale, turn, stretch, turn, shift."""
        draw = _Draw(image, self.p, rng)
        size = image.shape[2]
        turn_share = 1 - (1 - self.p).clamp(min=0).sqrt()  # the two turns together happen with probability p
        flip = draw.maybe(1 - 2 * draw.choice(2), 1.0)
        matrix = scaling(flip, torch.ones_like(flip))
        matrix = matrix @ rotation(draw.maybe(draw.choice(4) * (math.pi / 2), 0.0))
        whole = ((draw.uniform(2) * 2 - 1) * (0.125 * size)).round() * (2 / size)
        matrix = matrix @ shifting(draw.maybe(whole, 0.0))
        zoom = draw.maybe((draw.normal() * (0.2 * math.log(2))).exp(), 1.0)
        matrix = matrix @ scaling(zoom, zoom)
        matrix = matrix @ rotation(draw.maybe((draw.uniform() * 2 - 1) * math.pi, 0.0, turn_share))
        stretch = draw.maybe((draw.normal() * (0.2 * math.log(2))).exp(), 1.0)
        matrix = matrix @ scaling(stretch, 1 / stretch)
        matrix = matrix @ rotation(draw.maybe((draw.uniform() * 2 - 1) * math.pi, 0.0, turn_share))
        return matrix @ shifting(draw.maybe(draw.normal(2) * (0.125 * 2), 0.0))

    def colour(self, image: Tensor, rng: torch.Generator | None) -> Tensor:
        """[N, 4, 4]: brightness, contrast, luminance flip, hue, saturation."""
        draw = _Draw(image, self.p, rng)
        eye = torch.eye(3, device=image.device)
        gray = gray_axis(image.device)
        onto_gray = torch.outer(gray, gray)
        contrast = draw.maybe((draw.normal() * (0.5 * math.log(2))).exp(), 1.0)
        flip = draw.maybe(draw.choice(2), 0.0)
        angle = draw.maybe((draw.uniform() * 2 - 1) * math.pi, 0.0)
        saturation = draw.maybe((draw.normal() * math.log(2)).exp(), 1.0)
        linear = contrast[:, None, None] * eye
        linear = (eye - 2 * flip[:, None, None] * onto_gray) @ linear
        linear = hue(angle) @ linear
        linear = (onto_gray + saturation[:, None, None] * (eye - onto_gray)) @ linear
        brightness = draw.maybe(draw.normal() * 0.2, 0.0)[:, None].expand(-1, 3)
        return homogeneous(linear) @ shifting(brightness)


class _Draw:
    """Random numbers for a batch."""

    def __init__(self, image: Tensor, p: Tensor, rng: torch.Generator | None) -> None:
        self.n, self.device, self.p, self.rng = len(image), image.device, p, rng

    def _shape(self, columns: int | None) -> tuple[int, ...]:
        return (self.n,) if columns is None else (self.n, columns)

    def uniform(self, columns: int | None = None) -> Tensor:
        """In 0..1."""
        return torch.rand(self._shape(columns), device=self.device, generator=self.rng)

    def normal(self, columns: int | None = None) -> Tensor:
        return torch.randn(self._shape(columns), device=self.device, generator=self.rng)

    def choice(self, count: int) -> Tensor:
        """One of 0 .. count - 1, as a float."""
        return (self.uniform() * count).floor()

    def maybe(self, value: Tensor, otherwise: float, share: Tensor | None = None) -> Tensor:
        """`value` with probability p (or `share`), one decision a picture."""
        happens = self.uniform() < (self.p if share is None else share)
        neutral = torch.full_like(value, otherwise)
        return torch.where(happens if value.ndim == 1 else happens[:, None], value, neutral)
