"""How far apart two sets of pictures are: the Fréchet distance between their features, each taken as a Gaussian.

The distance known as FID is this formula on features of one particular Inception network. Here the features are those
of Pliant's own landmark network, so the figures compare only with each other and carry the features' name.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pliant.errors import InputError
from pliant.perception.landmarks import LandmarkNet, load_landmarks

FEATURES = "landmarks-68 encoder, 128 channels averaged over the picture"
"""What `portrait_features` gives; to be printed beside every distance."""


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Squared Fréchet distance between Gaussians fitted to two feature sets (Dowson & Landau, 1982).

    It is too large for small sets, the more so the more features there are: compare only sets of equal size, and
    take several times more pictures than features where the value itself matters.

    Args:
        a: [N, D] features of the first set, N at least 2.
        b: [M, D] features of the second set, M at least 2.

    Raises:
        InputError: shapes that do not fit, fewer than two pictures, or features that are not finite.
    """
    for features in (a, b):
        if features.ndim != 2 or features.shape[0] < 2 or features.shape[1] != a.shape[-1]:
            raise InputError(
                f"Expected features [N, D] and [M, D] of at least two pictures each; "
                f"they are {list(a.shape)} and {list(b.shape)}."
            )
        if not torch.isfinite(features).all():
            raise InputError("The features hold NaN or infinite values; check the pictures they come from.")
    return gaussian_distance(*_moments(a), *_moments(b))


def gaussian_distance(mean_a: Tensor, cov_a: Tensor, mean_b: Tensor, cov_b: Tensor) -> float:
    """|mean_a - mean_b|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2) of two Gaussians.

    Args:
        mean_a: [D].
        cov_a: [D, D], symmetric, not necessarily of full rank.
        mean_b: [D].
        cov_b: [D, D].
    """
    mean_a, cov_a, mean_b, cov_b = (x.double() for x in (mean_a, cov_a, mean_b, cov_b))
    values, vectors = torch.linalg.eigh(cov_a)
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    overlap = torch.linalg.eigvalsh(root @ cov_b @ root).clamp_min(0).sqrt().sum()
    distance = (mean_a - mean_b).square().sum() + cov_a.trace() + cov_b.trace() - 2 * overlap
    return max(0.0, float(distance))


def portrait_features(images: Tensor, net: LandmarkNet | None = None) -> Tensor:
    """Features of portraits for `frechet_distance`: [N, 128] float32.

    Args:
        images: [N, 3, H, W] in [-1, 1].
        net: a landmark network on the pictures' device; by default the embedded one.
    """
    return (net or load_landmarks(device=images.device)).embed(images)


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    features = features.double()
    mean = features.mean(0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1)
