"""The published drag step, faithful and unoptimised: the twin that the engine is measured against.

Full synthesis to the final picture at every step, every parameter of the generator trainable, the feature map resized to the
size of the picture, a Python loop over the points with two host reads each: the work that the official program does
(DragGAN, arXiv 2305.10973, as described in our notes), written anew from that description.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.gan.stylegan2 import Generator


@dataclass(frozen=True)
class PlainStep:
    """What one step of the twin shows: the code before it, the handles after tracking, the picture."""

    ws: Tensor
    """[1, num_ws, w_dim]."""
    points: list[tuple[int, int]]
    """(y, x)."""
    image: Tensor
    """uint8 [H, W, 3] on the CPU."""


def plain_drag(
    generator: Generator,
    ws: Tensor,
    points: list[tuple[int, int]],
    targets: list[tuple[int, int]],
    *,
    fixed: Tensor | None = None,
    step_size: float = 1e-3,
    mask_weight: float = 20.0,
    block: str = "b128",
) -> Iterator[PlainStep]:
    """Drag without end.

    Args:
        generator: the network; its parameters are made trainable, as the official program leaves them.
        ws: [1, num_ws, w_dim].
        points: (y, x) of each handle.
        targets: (y, x) of each target.
        fixed: [H, W], 1 where the picture must stay.
        step_size: Adam's learning rate.
        mask_weight: lambda.
        block: where features are read.
    """
    generator.requires_grad_(requires_grad=True)
    start = ws.detach().clone()
    code = ws.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([code], lr=step_size)
    references: list[Tensor] | None = None
    first = torch.empty(0)
    while True:
        full = torch.cat([code[:, :6], start[:, 6:]], dim=1)
        taps = {block: torch.empty(0)}
        image = generator.synthesis.run(generator.synthesis.styles(full), taps=taps).image
        height, width = image.shape[2:]
        resized = F.interpolate(taps[block].float(), (height, width), mode="bilinear", align_corners=False)
        if references is None:
            first = resized.detach()
            references = [first[:, :, round(y), round(x)] for y, x in points]
        with torch.no_grad():
            points = [track(resized, references[i], point) for i, point in enumerate(points)]
        loss, arrived = motion(resized, points, targets)
        if fixed is not None:
            mask = fixed.to(resized.device)[None, None]
            loss = loss + mask_weight * F.l1_loss(resized * mask, first * mask)
        shown = (image[0].permute(1, 2, 0) * 127.5 + 128).clamp(0, 255).to(torch.uint8).cpu()
        yield PlainStep(full.detach().clone(), points, shown)
        if not arrived:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def track(resized: Tensor, reference: Tensor, point: tuple[int, int]) -> tuple[int, int]:
    """The pixel near `point` whose features are nearest to the reference."""
    height, width = resized.shape[2:]
    radius = round(12 / 512 * height)
    top, bottom = max(point[0] - radius, 0), min(point[0] + radius + 1, height)
    left, right = max(point[1] - radius, 0), min(point[1] + radius + 1, width)
    patch = resized[:, :, top:bottom, left:right]
    cost = torch.linalg.norm(patch - reference[:, :, None, None], dim=1)
    best = torch.argmin(cost.flatten())
    return best.item() // (right - left) + top, best.item() % (right - left) + left


def motion(
    resized: Tensor, points: list[tuple[int, int]], targets: list[tuple[int, int]]
) -> tuple[Tensor, bool]:
    """Motion supervision of all points, and whether all have arrived."""
    height, width = resized.shape[2:]
    loss, arrived = resized.new_zeros(()), True
    for point, target in zip(points, targets, strict=True):
        rows, columns = torch.meshgrid(
            torch.linspace(0, height, height), torch.linspace(0, width, width), indexing="ij"
        )
        rows, columns = rows.to(resized.device), columns.to(resized.device)
        direction = torch.tensor([target[1] - point[1], target[0] - point[0]], dtype=torch.float32)
        if torch.linalg.norm(direction) > max(2 / 512 * height, 2):
            arrived = False
        if torch.linalg.norm(direction) > 1:
            distance = ((rows - point[0]) ** 2 + (columns - point[1]) ** 2) ** 0.5
            y, x = torch.where(distance < round(3 / 512 * height))
            direction = direction / (torch.linalg.norm(direction) + 1e-7)
            grid_y = (y + direction[1]) / (height - 1) * 2 - 1
            grid_x = (x + direction[0]) / (width - 1) * 2 - 1
            grid = torch.stack([grid_x, grid_y], dim=-1)[None, None]
            shifted = F.grid_sample(resized, grid, align_corners=True)[:, :, 0]
            loss = loss + F.l1_loss(resized[:, :, y, x].detach(), shifted)
    return loss, arrived
