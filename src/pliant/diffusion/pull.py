"""Pull the content of a picture along arrows as if it were a soft sheet whose edge is held.

The pull is a flow: all handles travel straight to their targets at once, in so many small steps that nothing folds, and at each
moment everything else moves with them, by the similarity that fits the handles near it best (moving least squares: Schaefer et
al., SIGGRAPH 2006; here of velocities), less the farther it is from all handles as compared with the edge. A place of the new
picture is followed back through all moments to where it came from. So handles land on their targets exactly, several arrows act
at once, an arrow of no length is a pin, the map has no cracks and the edge stays. What is stretched too far to be believed is
reported as torn; so are the few places that a grid cannot follow, such as between two handles that change places.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pliant.diffusion.holes import box_around

__all__ = ["pulled"]

CELLS = 96
"""The flow is followed for so many places along the longer side of the mask's box."""
WORK = 1_500_000
"""Places times handles; with more handles fewer places are followed."""
STEP = 0.3
"""How far handles go in one step, as a share of their distance to the edge and to one another."""
MOST_STEPS = 40
STIFF = 1.0
"""How fast the pull fades away from the handles: where they are as far as the edge, half of it is left for 1."""
TURNING = 0.06
"""Handles closer than this share of the box's longer side hardly turn or scale what is around them."""
BEYOND = 0.25
"""Where a mask goes on beyond the picture, the edge is held this share of the box's longer side outside."""
STRETCHED = (0.4, 0.2)
"""Pixels of the old picture for one of the new: below the first it begins to be torn, at the second it is."""
STILL = 0.02
"""What moves by fewer pixels stays."""
BAND = 1 << 18
"""Pixels that are sampled at once."""


def pulled(
    source: Tensor, handles: Tensor, targets: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """The picture with its content pulled.

    Args:
        source: float32 [3, H, W] in [-1, 1] on the CPU.
        handles: float32 [N, 2] (x, y) in pixels.
        targets: the same, where they go; one outside the mask is not reached.
        mask: float32 [H, W], 1 where the picture may move; None holds only its border.

    Returns:
        Pixels [3, H, W]; where they moved [H, W], 0 where they are the source's to the bit; and where they are torn [H, W].
    """
    height, width = source.shape[1:]
    region = torch.ones(height, width, dtype=torch.bool) if mask is None else mask > 0.5 * mask.amax()
    sheet = _sheet(region, len(handles))
    fields = _fields(sheet, handles, targets)
    made, moved, torn = source.clone(), torch.zeros(height, width), torch.zeros(height, width)
    top, bottom, left, right = box_around(region)
    levels = _levels(source, float(fields[3].amax()))
    rows = max(1, BAND // (right - left))
    for row in range(top, bottom, rows):
        band = (slice(row, min(bottom, row + rows)), slice(left, right))
        shift_x, shift_y, tear, shrink = sheet.at_pixels(fields, band)
        x = torch.arange(left, right) - shift_x
        y = torch.arange(row, band[0].stop)[:, None] - shift_y
        outside = (torch.maximum((-x).maximum(x - width + 1), (-y).maximum(y - height + 1)) - 0.5).clamp(0, 1)
        far = torch.hypot(shift_x, shift_y)
        share = (2 * far).clamp(0, 1) * (far > STILL) * region[band]
        moved[band] = share
        torn[band] = torch.maximum(tear.clamp(0, 1), outside) * share
        pixels = _sampled(levels, x, y, shrink)
        made[:, *band] = torch.where(share > 0, pixels, source[:, *band])
    return made, moved, torn


@dataclass(frozen=True, eq=False)
class _Sheet:
    """The part of a picture that may move, in square cells."""

    depth: Tensor
    """float32 [h, w]: how far the edge is, in cells; 0 where nothing moves."""
    corner: tuple[float, float]
    """(x, y) in pixels of the middle of the first cell."""
    cell: float
    """Its side in pixels."""

    def to_cells(self, points: Tensor) -> Tensor:
        """(x, y) in cells, counted from the middle of the first, of [N, 2] in pixels."""
        return (points - torch.tensor(self.corner)) / self.cell

    def depth_at(self, places: Tensor) -> Tensor:
        """[N] depth at places [N, 2] in cells."""
        size = torch.tensor([self.depth.shape[1], self.depth.shape[0]], dtype=torch.float32)
        grid = ((2 * places + 1) / size - 1)[None, None]
        return F.grid_sample(self.depth[None, None], grid, align_corners=False)[0, 0, 0]

    def at_pixels(self, fields: Tensor, band: tuple[slice, slice]) -> Tensor:
        """[C, h, w]: smooth fields [C, h, w] of the cells at the pixels of a band of rows."""
        steps = [torch.arange(part.start, part.stop) for part in band]
        size = (fields.shape[1], fields.shape[2])
        y, x = (
            (2 * (step - first) / self.cell + 1) / count - 1
            for step, first, count in zip(steps, reversed(self.corner), size, strict=True)
        )
        grid = torch.stack(torch.broadcast_tensors(x[None], y[:, None]), 2)
        return F.grid_sample(fields[None], grid[None], padding_mode="border", align_corners=False)[0]


def _sheet(region: Tensor, count: int) -> _Sheet:
    height, width = region.shape
    held = bool(region.all())
    top, bottom, left, right = box_around(region)
    longest = max(bottom - top, right - left)
    cell = max(1.0, longest / min(CELLS, math.sqrt(WORK / count)))
    beyond = 0.0 if held else BEYOND * longest
    margin = [cell + beyond * at for at in (left == 0, top == 0, right == width, bottom == height)]
    start = (left - margin[0], top - margin[1])
    size = (right + margin[2] - start[0], bottom + margin[3] - start[1])
    x, y = (
        first - 0.5 + cell * (np.arange(max(1, math.ceil(length / cell))) + 0.5)
        for first, length in zip(start, size, strict=True)
    )
    columns, rows = (np.rint(x).astype(np.int64), np.rint(y).astype(np.int64))
    inside = region.numpy()[rows.clip(0, height - 1)[:, None], columns.clip(0, width - 1)]
    if held:
        inside = inside & ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    depth = np.maximum(_distance(inside) - 0.5, 0)
    depth = torch.from_numpy(depth)
    smooth = F.avg_pool2d(depth[None], 3, 1, 1)[0]  # no ridge half-way between two edges
    return _Sheet(torch.where(depth > 1.5, smooth, depth), (float(x[0]), float(y[0])), cell)


def _distance(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far the nearest cell outside is from each cell, in cells; there is nothing beyond the border."""
    inside = np.pad(inside, 1)
    x = np.arange(inside.shape[1], dtype=np.float32)
    before = np.maximum.accumulate(np.where(inside, -np.inf, x), 1)
    after = np.minimum.accumulate(np.where(inside, np.inf, x)[:, ::-1], 1)[:, ::-1]
    across = np.minimum(x - before, after - x).astype(np.float32) ** 2  # [h, w]
    y = np.arange(len(inside), dtype=np.float32)
    apart = np.square(y[:, None] - y)  # [h, h]
    far = np.stack([(across + row[:, None]).min(0) for row in apart])
    return np.sqrt(far)[1:-1, 1:-1]


def _fields(sheet: _Sheet, handles: Tensor, targets: Tensor) -> Tensor:
    """[4, h, w] of the cells: by how many pixels content moved right and down, how torn it is, how much it shrinks."""
    height, width = sheet.depth.shape
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    places = torch.stack([x, y], 2).float()
    moving = sheet.depth > 0
    origins = places.clone()
    origins[moving] = _followed_back(sheet, places[moving], sheet.to_cells(handles), sheet.to_cells(targets))
    is_line = min(height, width) == 1
    down, right = (origins * 0, origins * 0) if is_line else torch.gradient(origins, dim=(0, 1))
    volume = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
    both = right.square().sum(2) + down.square().sum(2)
    longest = (0.5 * (both + (both.square() - 4 * volume.square()).clamp_min(0).sqrt())).sqrt()
    shortest = volume / longest.clamp_min(1e-6)
    begun, whole = STRETCHED
    torn = ((begun - shortest) / (begun - whole)).clamp(0, 1) * moving
    shift = (places - origins) * sheet.cell
    return torch.cat([shift.permute(2, 0, 1), torn[None], longest[None]])


def _followed_back(sheet: _Sheet, places: Tensor, handles: Tensor, targets: Tensor) -> Tensor:
    """Where places [M, 2] came from when handles [N, 2] went to targets, all in cells."""
    ways = targets - handles
    steps = _steps(sheet, handles, ways)
    loose = (TURNING * max(sheet.depth.shape)) ** 2
    for step in range(steps, 0, -1):
        places = places - _velocity(sheet, places, handles + ways * (step / steps), ways, loose) / steps
    return places


def _velocity(sheet: _Sheet, places: Tensor, handles: Tensor, ways: Tensor, loose: float) -> Tensor:
    """[M, 2]: how fast content at places moves while it moves by `ways` at the handles."""
    near = 1 / ((places[:, None] - handles).square().sum(2) + 1e-8)
    total = near.sum(1, keepdim=True)
    share = (near / total).square()
    share = share / share.sum(1, keepdim=True)
    turning = handles[:, 0] * ways[:, 1] - handles[:, 1] * ways[:, 0]
    spreading = (handles * ways).sum(1)
    sums = share @ torch.cat(
        [handles, ways, torch.stack([turning, spreading, handles.square().sum(1)], 1)], 1
    )
    middle, way = sums[:, :2], sums[:, 2:4]
    spread = (sums[:, 6] - middle.square().sum(1)).clamp_min(0) + loose
    turn = (sums[:, 4] - middle[:, 0] * way[:, 1] + middle[:, 1] * way[:, 0]) / spread
    grow = (sums[:, 5] - (middle * way).sum(1)) / spread
    x, y = (places - middle).unbind(1)
    way = way + torch.stack([grow * x - turn * y, turn * x + grow * y], 1)
    depth = sheet.depth_at(places).square()
    return way * (depth / (depth + STIFF / total[:, 0]).clamp_min(1e-12))[:, None]


def _steps(sheet: _Sheet, handles: Tensor, ways: Tensor) -> int:
    """In how many steps handles must go so that none goes far as compared with the edge or with another."""
    times = torch.linspace(0, 1, 16)[:, None, None]
    there = handles + times * ways  # [16, N, 2]
    depth = sheet.depth_at(there.reshape(-1, 2)).clamp_min(1.0)
    rate = float((ways.norm(dim=1) / depth.view(16, -1)).amax())
    if len(handles) > 1:
        apart = torch.cdist(there, there).clamp_min(1.0)
        rate = max(rate, float((torch.cdist(ways, ways) / apart).amax()))
    return min(MOST_STEPS, max(1, math.ceil(rate / STEP)))


def _levels(source: Tensor, shrink: float) -> list[Tensor]:
    """The picture, and, where content shrinks, the same at 1/2 and 1/4 of its size."""
    levels = [source]
    while len(levels) < 3 and shrink > 1.25 * 2 ** (len(levels) - 1) and min(levels[-1].shape[1:]) > 1:
        levels.append(F.avg_pool2d(levels[-1][None], 2, ceil_mode=True, count_include_pad=False)[0])
    return levels


def _sampled(levels: list[Tensor], x: Tensor, y: Tensor, shrink: Tensor) -> Tensor:
    """[3, h, w]: colours at places (x, y) [h, w] in pixels, of so small a level that nothing flickers."""
    height, width = levels[0].shape[1:]
    made = torch.empty(0)
    wanted = shrink.clamp_min(1).log2()
    for number, level in enumerate(levels):
        full = torch.tensor([level.shape[2], level.shape[1]]) * 2**number  # may be a pixel too much
        places = torch.stack([x.clamp(-0.5, width - 0.5), y.clamp(-0.5, height - 0.5)], 2)
        grid = ((2 * places + 1) / full - 1)[None]
        mode = "bicubic" if number == 0 else "bilinear"
        seen = F.grid_sample(level[None], grid, mode=mode, padding_mode="border", align_corners=False)
        there = seen[0]
        made = there if number == 0 else made.lerp(there, (wanted - number + 1).clamp(0, 1))
    return made.clamp(-1, 1)
