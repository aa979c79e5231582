"""Exact reads of a feature map as if it had been resized to the size of the picture, without resizing it.

DragGAN compares features "at picture resolution": the map of a block is resized bilinearly and read at pixels, or between
pixels at a shifted patch. Both are linear and separable in x and y, so a read is a row of weights for the cells along each
axis, and many reads of a window are one matrix product. Exact at any size of picture, and only what is looked at is computed.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.gan.windows import FeatureWindows

CHUNK_ELEMENTS = 1 << 22
"""Most elements of a resized band that the mask term holds at a time."""


class PictureReads:
    """Reads at picture resolution, for pictures of one size on one device (nothing is uploaded while reading)."""

    def __init__(self, size: tuple[int, int], cells: tuple[int, int], device: torch.device) -> None:
        self.edge = torch.tensor(size, device=device, dtype=torch.float32) - 1
        self.last = torch.tensor(cells, device=device, dtype=torch.float32) - 1
        self.scale = (self.last + 1) / (self.edge + 1)
        self.shift = 0.5 * self.scale - 0.5
        self.zero = torch.zeros_like(self.edge)
        self.count = torch.arange(max(cells), device=device, dtype=torch.float32)
        self.taps = torch.tensor([0.0, 1.0], device=device)[:, None]

    def cells(self, pixels: Tensor) -> Tensor:
        """Where pixels [..., 2] of the picture lie in the map, in cells, clamped to the map."""
        return torch.addcmul(self.shift, pixels, self.scale).clamp(self.zero, self.last)

    def pixels(self, features: FeatureWindows, pixels: Tensor) -> Tensor:
        """Values of the resized map at whole pixels.

        Args:
            features: windows that hold what is asked for.
            pixels: [B, N, K, 2] (x, y), whole numbers inside the picture.

        Returns:
            [B, N, K, C].
        """
        return self._read(features, self._hats(features, pixels), pixels.shape)

    def between(self, features: FeatureWindows, points: Tensor) -> Tensor:
        """Values of the resized map between pixels: a bilinear mix of four of them, zero outside the picture.

        Args:
            features: as for `pixels`.
            points: [B, N, K, 2] (x, y).

        Returns:
            [B, N, K, C].
        """
        taps = points.floor()[..., None, :] + self.taps
        clamped = taps.clamp(self.zero, self.edge)
        weights = (1 - (points[..., None, :] - taps).abs()) * (clamped == taps)
        hats = self._hats(features, clamped.flatten(2, 3)).unflatten(1, (-1, 2))
        return self._read(features, (hats * weights.flatten(0, 1)[..., None]).sum(2), points.shape)

    def _hats(self, features: FeatureWindows, pixels: Tensor) -> Tensor:
        """Weights of the window's cells along each axis, [B * N, K, 2, n]."""
        places = self.cells(pixels).flatten(0, 1) - features.origin[:, None]
        return F.relu(1 - (places[..., None] - self.count[: features.values.shape[2]]).abs())

    @staticmethod
    def _read(features: FeatureWindows, hats: Tensor, shape: torch.Size) -> Tensor:
        weights = (hats[:, :, 1, :, None] * hats[:, :, 0, None, :]).flatten(2)
        rows = features.values.permute(0, 2, 3, 1).flatten(1, 2).float()
        return (weights @ rows).unflatten(0, shape[:2])

    def inside(self, points: Tensor) -> Tensor:
        """Which points [..., 2] lie in the picture, [...]."""
        return (points.clamp(self.zero, self.edge) == points).all(-1)

    def clamp(self, points: Tensor) -> Tensor:
        """Points [..., 2] moved to the picture's edge where they lie outside."""
        return points.clamp(self.zero, self.edge)


def square(radius: int, device: torch.device) -> Tensor:
    """Whole-pixel offsets [K, 2] (x, y) of a square around a point, in row order."""
    span = torch.arange(-radius, radius + 1, device=device, dtype=torch.float32)
    y, x = torch.meshgrid(span, span, indexing="ij")
    return torch.stack([x, y], dim=-1).flatten(0, 1)


def masked_change(features: Tensor, reference: Tensor, keep: Tensor) -> Tensor:
    """Mean over channels and pixels of |resized(features) - resized(reference)| * keep, differentiable in `features`.

    Resizing is linear, so only the difference is resized, band by band; value and gradient come from the same pass, and no
    map of the picture's size is ever held.

    Args:
        features: [B, C, h, w] float32.
        reference: the same, constant.
        keep: [B, H, W], 1 where the picture must stay.

    Returns:
        [B].
    """
    change = features - reference
    value, gradient = _banded_change(change.detach(), keep)
    surrogate = (change * gradient).sum((1, 2, 3))
    return value + surrogate - surrogate.detach()


def _banded_change(change: Tensor, keep: Tensor) -> tuple[Tensor, Tensor]:
    """Value [B] and gradient [B, C, h, w] of the mask term."""
    batch, channels, h, _ = change.shape
    height, width = keep.shape[1:]
    ratio = height // h
    rows = max(1, min(h, CHUNK_ELEMENTS // (batch * channels * ratio * width)))
    value = change.new_zeros(batch)
    gradient = torch.zeros_like(change)
    for top in range(0, h, rows):
        lo, hi = max(0, top - 1), min(h, top + rows + 1)
        with torch.enable_grad():
            band = change[:, :, lo:hi].clone().requires_grad_()
            resized = F.interpolate(
                band, size=((hi - lo) * ratio, width), mode="bilinear", align_corners=False
            )
            first, last = (top - lo) * ratio, (min(h, top + rows) - lo) * ratio
            weight = keep[:, None, top * ratio : min(h, top + rows) * ratio]
            part = (resized[:, :, first:last].abs() * weight).sum((1, 2, 3)) / (channels * height * width)
            (slope,) = torch.autograd.grad(part.sum(), band)
        value = value + part.detach()
        gradient[:, :, lo:hi] += slope
    return value, gradient


def area_averaged(keep: Tensor, size: tuple[int, int]) -> Tensor:
    """A picture-sized mask [B, H, W] averaged over the cells of a feature map of (w, h): [B, h, w]."""
    return F.interpolate(keep[:, None], size=(size[1], size[0]), mode="area")[:, 0]
