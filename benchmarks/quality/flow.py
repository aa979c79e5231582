"""Dense optical flow (OpenCV's DIS), as a source of point pairs and as a way of tracking handles."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from pliant.gan.drag import DragSettings
from pliant.gan.drag_loop import DragLoop, LoopInput
from pliant.gan.stylegan2 import Generator
from pliant.gan.windows import FeatureWindows

THREADS = os.cpu_count() or 1


def grey(images: Tensor) -> np.ndarray:
    """Pictures [N, 3, H, W] in [-1, 1] as grey bytes [N, H, W] (Rec. 601 luma)."""
    weights = images.new_tensor([0.299, 0.587, 0.114])[:, None, None]
    luma = (images.clamp(-1, 1) * weights).sum(1)
    return ((luma + 1) * 127.5).round().byte().cpu().numpy()


def dense_flow(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Where each pixel of the first picture went: grey bytes [H, W] twice to (dx, dy) [H, W, 2]."""
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(first, second, None)


def dense_flows(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """`dense_flow` of many pictures [N, H, W], several at a time."""
    cv2.setNumThreads(1)
    with ThreadPoolExecutor(THREADS) as pool:
        return np.stack(list(pool.map(dense_flow, first, second)))


def flow_pairs(
    first: np.ndarray, second: np.ndarray, count: int, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Random pixels of the first picture and where they are in the second.

    Only pixels whose flow there and back again ends within a pixel of the start (not occluded, not
    guessed), and whose place in the second picture is inside it.

    Returns:
        Handles and targets, [K, 2] (x, y) each; K is `count`, or less where fewer pixels qualify.
    """
    there, back = dense_flow(first, second), dense_flow(second, first)
    height, width = first.shape
    y, x = np.mgrid[0:height, 0:width]
    to_x, to_y = x + there[..., 0], y + there[..., 1]
    nearest_x = to_x.round().astype(int).clip(0, width - 1)
    nearest_y = to_y.round().astype(int).clip(0, height - 1)
    error = np.linalg.norm(there + back[nearest_y, nearest_x], axis=2)
    inside = (to_x >= 0) & (to_x <= width - 1) & (to_y >= 0) & (to_y <= height - 1)
    rows, columns = np.nonzero((error < 1) & inside)
    chosen = random.choice(len(rows), min(count, len(rows)), replace=False)
    rows, columns = rows[chosen], columns[chosen]
    handles = np.stack([columns, rows], 1).astype(np.float32)
    targets = np.stack([to_x[rows, columns], to_y[rows, columns]], 1).astype(np.float32)
    return torch.from_numpy(handles), torch.from_numpy(targets)


class _Uncaptured:
    """Stands where the engine keeps a step captured as a graph, and runs the step each time."""

    def __init__(self, advance: Callable[[], Any]) -> None:
        self.advance = advance

    def replay(self) -> None:
        self.found = self.advance()


class FlowLoop(DragLoop):
    """A drag whose handles are moved by the optical flow from the first picture to the present one.

    It stands for the paper's comparison with flow-based tracking (there with RAFT). The flow needs the
    whole picture at every step and is worked out on the host, so the step cannot be replayed as one graph.
    """

    def __init__(self, generator: Generator, inputs: Sequence[LoopInput], settings: DragSettings) -> None:
        super().__init__(generator, inputs, settings)
        self.origin = self.handles.clone()
        self.first = grey(self.pictures())

    def _capture(self) -> Any:
        return _Uncaptured(self._advance)

    def close(self) -> None:
        """Nothing to hand on."""

    @torch.no_grad()
    def pictures(self) -> Tensor:
        """The pictures as they are now."""
        return self.generator.synthesis(torch.cat([self.start + self.delta, self.rest], 1))

    def _features(self, moving: Tensor) -> FeatureWindows:
        """Move each handle by the flow at its origin first: it may leave the window around where it was."""
        if hasattr(self, "first"):
            flows = torch.from_numpy(dense_flows(self.first, grey(self.pictures()))).to(self.device)
            x, y = self.origin.long().unbind(-1)
            batch = torch.arange(len(flows), device=self.device)[:, None]
            moved = self.reads.clamp((self.origin + flows[batch, y, x]).round())
            self.handles.copy_(torch.where(self.locked[..., None], self.handles, moved))
        return super()._features(moving)

    def track(self, *_: Any) -> None:
        """Already done."""
