"""How alike two pictures look: distances on features, of the kind that LPIPS made known (arXiv 1801.03924), for optimising.

Features of each scale are scaled to length one at every place; the distance is the mean squared difference, summed over
scales. LPIPS does the same on networks whose licences or sizes do not fit here, with weights fitted to people's judgements;
these have none, so they go by their own names and their values compare only with themselves.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from pliant.perception.landmarks import LandmarkNet, load_landmarks

Features = Callable[[Tensor], list[Tensor]]
"""Pictures [N, 3, H, W] in [-1, 1] to feature maps [N, C, h, w] of several scales, differentiable."""


def landmark_features(net: LandmarkNet | None = None) -> Features:
    """What the landmark network's encoder sees: edges, parts and the shape of faces; little of colour.

    Args:
        net: by default the embedded one, on the device of the pictures.
    """

    def features(images: Tensor) -> list[Tensor]:
        return (net or load_landmarks(device=images.device)).encode(images)

    return features


def gradient_features(scales: int = 5) -> Features:
    """Differences of neighbouring pixels, across and down, of the picture and of its halves; knows nothing of faces."""

    def features(images: Tensor) -> list[Tensor]:
        found: list[Tensor] = []
        for _ in range(scales):
            across = functional.pad(images[..., 1:] - images[..., :-1], (0, 1))
            down = functional.pad(images[..., 1:, :] - images[..., :-1, :], (0, 0, 0, 1))
            found.append(torch.cat([across, down], 1))
            images = functional.avg_pool2d(images, 2)
        return found

    return features


class Likeness:
    """Distance of pictures to one picture, whose features are computed once.

    Args:
        target: [1, 3, H, W] in [-1, 1].
        features: of `landmark_features` or `gradient_features`, or any other.
        unit: scale features to length one at every place.
    """

    def __init__(self, target: Tensor, features: Features, *, unit: bool = True) -> None:
        self.features, self.unit = features, unit
        with torch.no_grad():
            self.wanted = [self._scaled(each) for each in features(target)]

    def __call__(self, images: Tensor) -> Tensor:
        """Distance [N] of pictures [N, 3, H, W], differentiable."""
        total = images.new_zeros(len(images))
        for found, wanted in zip(self.features(images), self.wanted, strict=True):
            total = total + (self._scaled(found) - wanted).square().sum(1).mean((1, 2))
        return total

    def _scaled(self, features: Tensor) -> Tensor:
        features = features.float()
        return functional.normalize(features, dim=1, eps=1e-6) if self.unit else features
