"""Colours of one thing given to another: a first idea of its looks, without a network."""

from __future__ import annotations

import torch
from torch import Tensor

from pliant.diffusion.warp import Warped

__all__ = ["recolour_pixels"]


def recolour_pixels(source: Tensor, mask: Tensor, other: Tensor, other_mask: Tensor) -> Warped:
    """Give what is in a mask the mean and the spread of colours of what is in another picture's mask.

    The linear map between the two that moves colours least (Pitié and Kokaram, The linear Monge-Kantorovitch linear colour
    mapping, 2007).

    Args:
        source: [3, H, W] in [-1, 1].
        mask: [H, W] of it.
        other: [3, H, W] of any size.
        other_mask: [H, W] of that.
    """
    mean, spread = _statistics(source, mask)
    wanted, other_spread = _statistics(other, other_mask)
    root = _root(spread)
    inverse = torch.linalg.inv(root)
    mapping = inverse @ _root(root @ other_spread @ root) @ inverse
    moved = (
        torch.einsum("ij,jhw->ihw", mapping, source.double() - mean[:, None, None]) + wanted[:, None, None]
    )
    pixels = mask * moved.float().clamp(-1, 1) + (1 - mask) * source
    return Warped(pixels, mask, torch.zeros_like(mask), mask)


def _statistics(pixels: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Mean [3] and covariance [3, 3] of colours in a mask."""
    weights = mask.flatten().double() / mask.double().sum()
    colours = pixels.flatten(1).double()
    mean = colours @ weights
    apart = colours - mean[:, None]
    return mean, (apart * weights) @ apart.T + 1e-4 * torch.eye(3, dtype=torch.float64)


def _root(matrix: Tensor) -> Tensor:
    """Square root of a symmetric positive matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T
