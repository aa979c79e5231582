"""Features only where they are looked at: small windows around points instead of whole maps.

A convolution looks one cell far, so a patch of a large feature map depends on a slightly larger patch of the layer before, and
so on down. The blocks in which the windows of all points hold fewer cells than the map are computed in windows; below them
`LeanForward` computes whole maps. Where a window leaves the picture it is filled with the zeros that padding would have
brought, so the result is exact, and forward and backward cost a fraction: a drag of two points reads some 400 of 16,384 cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pliant.gan.lean import Layer, LeanForward, Modulated, convolve

WORTH = 0.7
"""Windows are used while they hold less than this share of a map's cells."""


@dataclass(frozen=True)
class FeatureWindows:
    """Features around points."""

    values: Tensor
    """[B * N, C, n, n], one window for each point; channels-last."""
    origin: Tensor
    """[B * N, 2] (x, y), the cell of the whole map that is each window's first."""
    size: tuple[int, int]
    """(w, h) of the whole map."""
    whole: Tensor | None = None
    """[B, C, h, w], where whole maps were asked for."""


@dataclass(frozen=True)
class Block:
    """One block computed in windows: two layers."""

    need: int
    """Even number of cells a side that the next block, or the reader, asks for."""
    layers: tuple[Layer, Layer]
    index: int
    """Of the first layer."""
    rows: tuple[Tensor, Tensor]
    """What each layer adds, as [H * W, O]."""
    last: Tensor
    """[2, 1] last cell (x, y) of the map."""
    last_below: Tensor
    """[2, 1] last cell (x, y) of the map before it."""


class WindowedForward:
    """`LeanForward` around points.

    Args:
        lean: the pass on whole maps.
        points: how many points each picture has.
        reach: how many cells of the last block around a point's cell are wanted.
        whole: whole maps of the last block are wanted too, so nothing is computed in windows.
    """

    def __init__(self, lean: LeanForward, points: int, reach: int, *, whole: bool = False) -> None:
        self.lean, self.points, self.reach, self.whole = lean, points, reach, whole
        device = lean.const.device
        self.blocks: list[Block] = []
        self.side = need = 2 * reach + 2
        height, width = lean.layers[-1].noise.shape
        self.size = width, height
        if not (whole or any(layer.carried is not None for layer in lean.layers)):
            for index in range(len(lean.layers) - 2, 0, -2):
                height, width = lean.layers[index].noise.shape
                if points * (need + 4) ** 2 > WORTH * height * width:
                    break
                self.blocks.insert(0, self._block(index, need))
                need = 2 * ((need // 2 + 5) // 2)
        widest = max([self.side, *(block.need + 4 for block in self.blocks)])
        self.count = torch.arange(widest, device=device)
        self.zero = torch.zeros(2, 1, device=device, dtype=torch.long)
        self.last = _last(lean.layers[-1])
        self.pictures = torch.arange(lean.batch, device=device).repeat_interleave(points)
        self.each = torch.arange(lean.batch * points, device=device)

    def _block(self, index: int, need: int) -> Block:
        first, second = self.lean.layers[index : index + 2]
        rows = (
            first.added[0].permute(1, 2, 0).flatten(0, 1).contiguous(),
            second.added[0].permute(1, 2, 0).flatten(0, 1).contiguous(),
        )
        return Block(need, (first, second), index, rows, _last(first), _last(self.lean.layers[index - 1]))

    def __call__(self, moving: Tensor, centres: Tensor) -> FeatureWindows:
        """Features around points, differentiable in `moving`.

        Args:
            moving: the first ws [B, moving, w_dim].
            centres: [B, points, 2] (x, y), cells of the last block.
        """
        modulation = self.lean.modulate(moving)
        below = self.blocks[0].index if self.blocks else len(self.lean.layers)
        x = self.lean.run(modulation, below)
        first = centres.flatten(0, 1).long() - self.reach
        if not self.blocks:
            values = self._cut(x, first, self.side, self.last, None)
            return FeatureWindows(values, first, self.size, x if self.whole else None)
        origin: Tensor | None = None
        for block, start in zip(self.blocks, self._starts(first), strict=True):
            x = self._cut(x, start // 2 - 1, block.need // 2 + 4, block.last_below, origin)
            x = self._compute(x, block, modulation, start)
            origin = start + 1
        return FeatureWindows(x, first if origin is None else origin, self.size)

    def _starts(self, first: Tensor) -> list[Tensor]:
        """First cell [B * points, 2] that each block's first layer computes; even, as doubling asks."""
        starts: list[Tensor] = []
        for _ in self.blocks:
            half = (first - 1).div(2, rounding_mode="floor")
            starts.insert(0, half * 2)
            first = half - 1
        return starts

    def _compute(self, x: Tensor, block: Block, modulation: list[Modulated], start: Tensor) -> Tensor:
        """Both layers of a block on its input; the second's window begins one cell after `start`."""
        places = start[:, :, None] + self.count[: block.need + 4]
        clamped = places.clamp(self.zero, block.last)
        inside = (clamped == places).to(x.dtype)
        index = torch.add(
            clamped[:, 0, None, :], clamped[:, 1, :, None], alpha=int(block.layers[0].noise.shape[1])
        )
        parts = ((index, inside[:, 1, :, None] * inside[:, 0, None, :]), (index[:, 1:-1, 1:-1], None))
        for (cells, mask), layer, rows, pair in zip(
            parts, block.layers, block.rows, modulation[block.index :], strict=False
        ):
            style, factor = (None if s is None else self._per_point(s) for s in pair)
            added = rows.index_select(0, cells.flatten()).unflatten(0, cells.shape).permute(0, 3, 1, 2)
            x = convolve(x, layer, style, factor, added, valid=True)
            x = x if mask is None else x * mask[:, None]
        return x

    def _per_point(self, s: Tensor) -> Tensor:
        """[B, C, 1, 1] for every point of each picture."""
        return s if self.lean.batch == 1 else s.repeat_interleave(self.points, 0)

    def _cut(self, x: Tensor, start: Tensor, side: int, last: Tensor, origin: Tensor | None) -> Tensor:
        """Windows of `side` cells from `start`, zero outside the map.

        Args:
            x: whole maps [B, C, h, w], or windows [B * points, C, n, n] whose first cell is `origin`.
            start: [B * points, 2] (x, y) cells of the whole map.
            side: cells.
            last: [2, 1], the map's last cell.
            origin: None for whole maps.
        """
        height, width = x.shape[2:]
        places = start[:, :, None] + self.count[:side]
        clamped = places.clamp(self.zero, last)
        inside = (clamped == places).to(x.dtype)
        picture = self.pictures if origin is None else self.each
        # Cells outside the map may lie outside the window below too: any cell will do, since they are zeroed.
        local = clamped if origin is None else (clamped - origin[:, :, None]).clamp(0, min(height, width) - 1)
        row = torch.add(local[:, 1], picture[:, None], alpha=height)
        index = torch.add(local[:, 0, None, :], row[:, :, None], alpha=width)
        cut = x.permute(0, 2, 3, 1).flatten(0, 2).index_select(0, index.flatten()).unflatten(0, index.shape)
        mask = inside[:, 1, :, None] * inside[:, 0, None, :]
        return (cut * mask[..., None]).permute(0, 3, 1, 2)


def _last(layer: Layer) -> Tensor:
    """[2, 1] last cell (x, y) of a layer's map."""
    height, width = layer.noise.shape
    return torch.tensor([[width - 1], [height - 1]], device=layer.noise.device)
