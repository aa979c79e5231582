"""Random slanted crops of a region, all of them by one sampling, with gradients to the region."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Crops", "slants", "views"]


@dataclass(frozen=True)
class Crops:
    """How the random crops of a region are taken."""

    count: int
    """Of each region in each step."""
    side: tuple[float, float]
    """Least and most side, as a share of the region's longer side."""
    margin: float
    """How far they may reach beyond the region, where all is white, as a share of their own side."""
    distortion: float
    """By which share of half a side each corner moves inward at most, 0 to 0.6."""


def slants(size: tuple[int, int], crops: Crops, generator: torch.Generator) -> Tensor:
    """Random crops as maps from the unit square, in which a crop is seen, to pixels of the region: [count, 3, 3] float64.

    A square of random side and place is seen with each of its corners moved inward by a random amount.
    """
    random = torch.rand(crops.count, 11, generator=generator, dtype=torch.float64)
    side = max(size) * (crops.side[0] + (crops.side[1] - crops.side[0]) * random[:, 0])
    lowest = -crops.margin * side[:, None]
    room = torch.tensor(size) - side[:, None] - 2 * lowest
    corner = lowest + room * random[:, 1:3]
    corners = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    inward = random[:, 3:].unflatten(1, (4, 2)) * crops.distortion / 2
    seen = torch.linalg.inv(_from_square(corners + (1 - 2 * corners) * inward))
    place = torch.eye(3, dtype=torch.float64).repeat(crops.count, 1, 1)
    place[:, 0, 0] = place[:, 1, 1] = side
    place[:, :2, 2] = corner
    return place @ seen


def views(region: Tensor, places: Tensor, side: int) -> Tensor:
    """Crops of a region, white where there is nothing of it; one sampling for all of them, smoothed where they shrink.

    Args:
        region: [3, h, w] in [-1, 1].
        places: [N, 3, 3] maps from the unit square to pixels of the region, as `slants` makes them.
        side: of the crops in pixels.

    Returns:
        [N, 3, side, side], differentiable in the region.
    """
    height, width = region.shape[1:]
    corners = places.new_tensor([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    ends = _divided(places @ corners)
    zoom = side / float((ends.amax(2) - ends.amin(2)).mean())
    if zoom < 1:
        small = max(1, round(height * zoom)), max(1, round(width * zoom))
        region = functional.interpolate(region[None], small, mode="bilinear", antialias=True)[0]
    middles = (torch.arange(side, dtype=torch.float64, device=places.device) + 0.5) / side
    y, x = torch.meshgrid(middles, middles, indexing="ij")
    at = _divided(places @ torch.stack([x, y, torch.ones_like(x)]).flatten(1))
    grid = (2 * at / places.new_tensor([[width], [height]]) - 1).mT.reshape(1, len(places) * side, side, 2)
    sampled = functional.grid_sample(
        region[None] - 1, grid.to(region), mode="bilinear", padding_mode="zeros", align_corners=False
    )
    return sampled.reshape(3, len(places), side, side).transpose(0, 1) + 1


def _from_square(corners: Tensor) -> Tensor:
    """Perspective maps [N, 3, 3] of the unit square to quadrangles [N, 4, 2], clockwise from the origin's corner."""
    a, b, c, d = corners.unbind(1)
    first, second, rest = b - c, d - c, a - b + c - d

    def crossed(p: Tensor, q: Tensor) -> Tensor:
        return p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]

    area = crossed(first, second)
    g, h = crossed(rest, second) / area, crossed(first, rest) / area
    columns = torch.stack([b - a + g[:, None] * b, d - a + h[:, None] * d, a], dim=2)
    return torch.cat([columns, torch.stack([g, h, torch.ones_like(g)], dim=1)[:, None]], dim=1)


def _divided(points: Tensor) -> Tensor:
    """Places [N, 2, K] of homogeneous ones [N, 3, K]."""
    return points[:, :2] / points[:, 2:].clamp(min=1e-3)
