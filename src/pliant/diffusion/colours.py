"""What colour latents have, roughly: a linear map, learnt from every picture that is encoded or decoded."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["LatentColours"]


class LatentColours:
    """A linear map from latents to the mean colours of their cells, fitted by least squares.

    Args:
        channels: of the latents.
    """

    def __init__(self, channels: int) -> None:
        self._squares = 1e-3 * torch.eye(channels + 1, dtype=torch.float64)
        self._products = torch.zeros(channels + 1, 3, dtype=torch.float64)
        self.known = False
        """There was an example."""

    def learn(self, latents: Tensor, pixels: Tensor) -> None:
        """One more example: latents [C, h, w] and the picture [3, H, W] that they are of."""
        self.known = True
        seen = _rows(latents)
        cells = F.adaptive_avg_pool2d(pixels, (latents.shape[1], latents.shape[2]))
        colours = cells.flatten(1).T.double().cpu()
        self._squares += seen.T @ seen
        self._products += seen.T @ colours

    def of(self, latents: Tensor) -> Tensor:
        """Colours [3, h, w] of latents [C, h, w], in [-1, 1], on the CPU."""
        weights = torch.linalg.solve(self._squares, self._products)
        return (_rows(latents) @ weights).T.float().clamp(-1, 1).unflatten(1, latents.shape[1:])


def _rows(latents: Tensor) -> Tensor:
    """[h * w, C + 1], with ones."""
    cells = latents.detach().flatten(1).T.double().cpu()
    return torch.cat([cells, torch.ones(len(cells), 1, dtype=torch.float64)], 1)
