"""The engine of a drag: state on the device, and one step over it as plain tensor arithmetic.

All pictures and points of a drag are one batch (points padded to a few sizes), nothing inside a step waits for the host, and
every buffer keeps its address. So on CUDA a step is captured once as a graph and replayed; elsewhere it simply runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pliant.gan.lean import LeanForward, fast_dtype
from pliant.gan.reads import PictureReads, area_averaged, masked_change, square
from pliant.gan.region import KnownRegion
from pliant.gan.stylegan2 import Generator
from pliant.gan.windows import FeatureWindows, WindowedForward

if TYPE_CHECKING:
    from pliant.gan.drag import DragSettings

REFERENCE_HEIGHT = 512
"""Height of the picture in which the settings give lengths."""
FAR = 1e30
KEPT_GRAPHS = 2
"""Captured graphs that a generator keeps for later drags."""


@dataclass(frozen=True)
class DragMemory:
    """What a drag leaves for one that follows it: anchors of its points, the picture under the mask, Adam's moments."""

    handles: Tensor
    """[N, 2] where the handles were."""
    anchors: Tensor
    """[N, K, C] features of the patch that each handle had around it at its very start."""
    start: Tensor
    """[num_ws, w_dim] code that the mask and the pulls refer to."""
    moments: Tensor
    """[3, L, w_dim] Adam's two moments, and the number of updates."""


@dataclass(frozen=True)
class LoopInput:
    """One picture's share of a drag, checked."""

    ws: Tensor
    handles: Tensor
    targets: Tensor
    movable: Tensor | None
    locked: Tensor
    memory: DragMemory | None


@dataclass(frozen=True)
class LoopState:
    """What a step found, before it nudged the code."""

    ws: Tensor
    """[B, num_ws, w_dim]."""
    handles: Tensor
    """[B, N, 2] on the CPU, as are the rest."""
    distances: Tensor
    loss: Tensor
    strain: Tensor
    arrived: Tensor
    moments: Tensor

    @property
    def all_arrived(self) -> bool:
        """Every picture's handles are close enough to their targets."""
        return bool(self.arrived.all())


@dataclass(frozen=True)
class Found:
    """What a step leaves on the device."""

    moving: Tensor
    """[B, L, w_dim], the moving ws before the nudge."""
    moments: Tensor
    """[B, 3, L, w_dim] Adam's state before the nudge."""
    facts: Tensor
    """[B, 3 N + 3]: handles, distances, loss, strain, arrived; one tensor, to be fetched at once."""


@dataclass(frozen=True)
class CapturedStep:
    """A step as a CUDA graph, with the tensors that it reads and writes."""

    replay: Callable[[], None]
    buffers: list[Tensor]
    found: Found
    owner: object
    """The loop it was captured from, whose memory the graph uses."""


def carried_handles(handles: Tensor, memory: DragMemory) -> dict[int, int]:
    """Which handles [N, 2] were already there in the drag before: row now to row then, told by their place.

    Where several had met at one pixel each keeps its own row.
    """
    found: dict[int, int] = {}
    for row, match in enumerate((handles.round()[:, None] == memory.handles[None]).all(-1)):
        if match.any():
            found[row] = row if row < len(match) and bool(match[row]) else int(match.nonzero()[0])
    return found


def feature_block(generator: Generator, wanted: str) -> str:
    """The block to read: the wanted one, or the largest that is smaller than the picture."""
    names = generator.config.block_names
    return wanted if wanted in names else names[max(0, len(names) - 2)]


def bucket(count: int) -> int:
    """Points are padded to the next power of two, so that few shapes occur."""
    return 1 << (count - 1).bit_length()


class DragLoop:
    """Everything one drag holds on the device, and its step.

    Args:
        generator: frozen.
        inputs: one for each picture.
        settings: the drag's parameters.
    """

    def __init__(self, generator: Generator, inputs: Sequence[LoopInput], settings: DragSettings) -> None:
        self.generator, self.settings, self.device = generator, settings, generator.device
        self.size = generator.config.size
        self.counts = [len(one.handles) for one in inputs]
        self.targets_shown = [one.targets for one in inputs]
        self.ws = torch.stack([one.ws for one in inputs]).to(self.device, torch.float32)
        self.rest = self.ws[:, settings.moving_layers :]
        self.start = self.ws[:, : settings.moving_layers].clone()
        self.home = torch.stack([one.memory.start if one.memory else one.ws for one in inputs]).to(
            self.device
        )
        self.region = KnownRegion.of(generator)
        block = feature_block(generator, settings.block)
        dtype = (
            fast_dtype(self.device) if settings.precision == "auto" else getattr(torch, settings.precision)
        )
        self.lean = LeanForward(generator, self.ws, block, settings.moving_layers, dtype)
        height, width = self.lean.layers[-1].noise.shape
        self.reads = PictureReads(self.size, (width, height), self.device)
        self._pad_points(inputs)
        self._set_lengths()
        masked = any(one.movable is not None for one in inputs)
        furthest = self.search_radius + self.patch_radius + (1 if settings.exact_grid else 3)
        reach = math.ceil(furthest * height / self.size[1])
        self.forward = WindowedForward(self.lean, self.handles.shape[1], reach, whole=masked)
        self._set_references(inputs)
        rows = 1 if settings.space == "w" else settings.moving_layers
        self.delta = torch.zeros(len(inputs), rows, self.ws.shape[2], device=self.device)
        self.moments = torch.stack(
            [one.memory.moments if one.memory else torch.zeros(3, *self.delta.shape[1:]) for one in inputs]
        ).to(self.device)
        self.graph: CapturedStep | None = None
        self.kept_anchors: dict[int, Tensor] = {}

    # ---- opening

    def _pad_points(self, inputs: Sequence[LoopInput]) -> None:
        count = bucket(max(self.counts))
        shape = (len(inputs), count)
        self.handles = torch.zeros(*shape, 2)
        self.targets = torch.zeros(*shape, 2)
        self.real, self.locked = torch.zeros(shape, dtype=torch.bool), torch.zeros(shape, dtype=torch.bool)
        for i, one in enumerate(inputs):
            n = len(one.handles)
            self.handles[i, :n] = one.handles.round()
            self.targets[i, :n] = one.targets
            self.real[i, :n] = True
            self.locked[i, :n] = one.locked
        self.handles, self.targets = self.handles.to(self.device), self.targets.to(self.device)
        self.real, self.locked = self.real.to(self.device), self.locked.to(self.device)
        # Handles are where they are on the first picture; tracking there again could move one that was going on.
        self.tracking = torch.zeros(1, dtype=torch.bool, device=self.device)

    def _set_lengths(self) -> None:
        """Radii and stop distance in pixels of this picture."""
        scale = self.size[1] / REFERENCE_HEIGHT
        self.patch_radius = max(1, round(self.settings.patch_radius * scale))
        self.search_radius = max(1, round(self.settings.search_radius * scale))
        self.stop = max(self.settings.stop_distance * scale, 2.0)
        self.patch = square(self.patch_radius + (-1 if self.settings.exact_grid else 1), self.device)
        self.window = square(self.search_radius, self.device)
        self.disc = self.patch.norm(dim=-1) < self.patch_radius
        self.axes = [torch.linspace(0, n, n, device=self.device) for n in self.size]

    def _set_references(self, inputs: Sequence[LoopInput]) -> None:
        """Features of the handles and of the picture under the mask, as they are at the start of it all."""
        with torch.no_grad():
            patches = self.reads.clamp(self.handles[:, :, None] + self.patch)
            self.anchors = self.reads.pixels(self._features(self.start), patches)
            for i, one in enumerate(inputs):
                if one.memory is not None:
                    for row, old in carried_handles(one.handles, one.memory).items():
                        self.anchors[i, row] = one.memory.anchors[old].to(self.device)
            self.keep: Tensor | None = None
            if self.forward.whole:
                shape = self.size[1], self.size[0]
                masks = [torch.ones(shape) if one.movable is None else one.movable for one in inputs]
                self.keep = 1 - torch.stack(masks).to(self.device)
                self.reference = self.lean(self.home[:, : self.settings.moving_layers]).float()
                if self.settings.exact_grid:
                    self.keep = area_averaged(self.keep, self.forward.size)

    def _features(self, moving: Tensor) -> FeatureWindows:
        """What the step looks at."""
        return self.forward(moving, self.reads.cells(self.handles))

    # ---- one step

    def step(self) -> LoopState:
        """Track, measure, nudge; what was found is returned, on the CPU but for the code.

        With a captured graph the step after this one is begun already, and runs while the host handles this one: the loop's
        buffers are then a step ahead of what is returned, which holds copies.
        """
        if self.device.type != "cuda":
            return self._state(*self._copied(self._advance()))
        if self.graph is None:
            self.graph = self._capture()
            self.graph.replay()
        copies = self._copied(self.graph.found)
        fetched = torch.cuda.Event()
        fetched.record()
        self.graph.replay()
        fetched.synchronize()
        return self._state(*copies)

    def _copied(self, found: Found) -> tuple[Tensor, Tensor, Tensor]:
        """Codes, moments and facts of a step; the last are on their way to the host."""
        ws = torch.cat([found.moving, self.rest], dim=1)
        return ws, found.moments.clone(), found.facts.to("cpu", non_blocking=True)

    def _state(self, ws: Tensor, moments: Tensor, facts: Tensor) -> LoopState:
        facts = facts.clone()  # out of pinned memory
        n = self.handles.shape[1]
        return LoopState(
            ws=ws,
            handles=facts[:, : 2 * n].unflatten(1, (n, 2)),
            distances=facts[:, 2 * n : 3 * n],
            loss=facts[:, -3],
            strain=facts[:, -2],
            arrived=facts[:, -1] > 0,
            moments=moments,
        )

    def memory(self, i: int, state: LoopState) -> DragMemory:
        """What a drag that follows picture i's needs."""
        n = self.counts[i]
        if i not in self.kept_anchors:
            self.kept_anchors[i] = self.anchors[i, :n].cpu()
        return DragMemory(state.handles[i, :n], self.kept_anchors[i], self.home[i], state.moments[i])

    def close(self) -> None:
        """Leave the captured graph to the next drag of the same shapes."""
        if self.graph is not None:
            kept: dict[Any, CapturedStep] = self.generator.memo.setdefault("drag graphs", {})
            kept[self._shapes()] = self.graph
            while len(kept) > KEPT_GRAPHS:
                kept.pop(next(iter(kept)))
            self.graph = None

    def _shapes(self) -> Any:
        """What two drags must share to share a graph."""
        return self.settings, self.device, tuple(tuple(x.shape) for x in self._buffers())

    def _buffers(self) -> list[Tensor]:
        """Every tensor that a step reads and that differs from drag to drag."""
        held = [self.start, self.home, self.handles, self.targets, self.real, self.locked, self.anchors]
        held += [self.delta, self.moments, self.tracking, *self.lean.constants()]
        return held if self.keep is None else [*held, self.keep, self.reference]

    def _capture(self) -> CapturedStep:
        """The step as a CUDA graph: one that an earlier drag left, given this drag's state, or a new one."""
        kept: dict[Any, CapturedStep] = self.generator.memo.setdefault("drag graphs", {})
        if graph := kept.pop(self._shapes(), None):
            for mine, theirs in zip(self._buffers(), graph.buffers, strict=True):
                theirs.copy_(mine)
            return graph
        state = (self.handles, self.delta, self.moments, self.tracking)
        saved = [x.clone() for x in state]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):
                self._advance()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            found = self._advance()
        for x, value in zip(state, saved, strict=True):  # warming up moved the state
            x.copy_(value)
        return CapturedStep(graph.replay, self._buffers(), found, self)

    def _advance(self) -> Found:
        """One step over the state, without a word from the host."""
        before, moments = (self.start + self.delta), self.moments.clone()
        with torch.enable_grad():
            delta = self.delta.detach().requires_grad_()
            moving = self.start + delta
            features = self._features(moving)
            self.track(replace(features, values=features.values.detach()))
            offset = self.targets - self.handles
            distance = offset.norm(dim=-1) * (self.real & ~self.locked)
            arrived = (distance <= self.stop).all(1)
            loss = self.supervise(features, offset, distance) + self.hold(features, moving)
            (gradient,) = torch.autograd.grad(loss.sum(), delta)
        self.adam(gradient, ~arrived)
        strain = self.region.strain(before)
        parts = [
            self.handles.flatten(1),
            distance,
            loss.detach()[:, None],
            strain[:, None],
            arrived[:, None].float(),
        ]
        return Found(before, moments, torch.cat(parts, dim=1))

    def track(self, features: FeatureWindows) -> None:
        """Point tracking (eq. 2): move each handle to the pixel nearby that looks most like its anchor."""
        pixels = self.handles[:, :, None] + self.window
        inside = self.reads.inside(pixels)
        pixels = self.reads.clamp(pixels)
        difference = self.reads.pixels(features, pixels) - self.anchors[:, :, len(self.patch) // 2, None]
        cost = difference.abs().sum(-1) if self.settings.tracking == "l1" else difference.square().sum(-1)
        best = cost.masked_fill(~inside, FAR).argmin(-1)
        found = pixels.gather(2, best[:, :, None, None].expand(-1, -1, 1, 2))[:, :, 0]
        self.handles.copy_(torch.where(self.locked[..., None] | ~self.tracking, self.handles, found))
        self.tracking.fill_(value=True)

    def supervise(self, features: FeatureWindows, offset: Tensor, distance: Tensor) -> Tensor:
        """Motion supervision (eq. 1): the patch one pixel toward the target should look as the patch does now. [B].

        A locked point's patch should look, where it is, as it did at the start.
        """
        pixels = self.handles[:, :, None] + self.patch
        inside = self.reads.inside(pixels)
        pixels = self.reads.clamp(pixels)
        direction = offset / (distance[..., None] + 1e-7) * (distance > 0)[..., None]
        there = self.reads.between(features, pixels + direction[:, :, None])
        here = self.reads.pixels(replace(features, values=features.values.detach()), pixels)
        if self.settings.anchoring:
            here = here.lerp(self.anchors, self.settings.anchoring)
        here = torch.where(self.locked[:, :, None, None], self.anchors, here)
        active = inside & self.in_disc(pixels) & ((distance > 1) | self.locked)[..., None]
        change = (there - here).abs().mean(-1) * active
        return (change.sum(-1) / active.sum(-1).clamp_min(1)).sum(-1)

    def in_disc(self, pixels: Tensor) -> Tensor:
        """Which pixels [B, N, K, 2] are nearer to their handle than r1, [B, N, K] (or [K], the same for all)."""
        if self.settings.exact_grid:
            return self.disc
        x, y = (axis[pixels[..., i].long()] for i, axis in enumerate(self.axes))
        centre = self.handles[:, :, None]
        return ((y - centre[..., 1]) ** 2 + (x - centre[..., 0]) ** 2).sqrt() < self.patch_radius

    def hold(self, features: FeatureWindows, moving: Tensor) -> Tensor:
        """What keeps a drag from changing more than it should: mask, locked points, pulls on the code. [B]."""
        settings = self.settings
        loss = moving.new_zeros(len(moving))
        if self.keep is not None and features.whole is not None:
            whole = features.whole.float()
            if settings.exact_grid:
                change = (whole - self.reference).abs().mean(1) * self.keep
                loss = loss + settings.mask_weight * change.mean((1, 2))
            else:
                loss = loss + settings.mask_weight * masked_change(whole, self.reference, self.keep)
        if settings.stay_weight:
            home = self.home[:, : settings.moving_layers]
            loss = loss + settings.stay_weight * (moving - home).abs().mean((1, 2))
        if settings.hold_back:
            loss = loss + settings.hold_back * (self.region.strain(moving) - 1).clamp_min(0).square()
        return loss

    def adam(self, gradient: Tensor, active: Tensor) -> None:
        """Adam (Kingma & Ba, betas 0.9 and 0.999) on the pictures [B] that are still active."""
        first, second, count = self.moments.unbind(1)
        keep = active[:, None, None].float()
        count.add_(keep)
        first.lerp_(gradient, 0.1 * keep)
        second.lerp_(gradient.square(), 0.001 * keep)
        seen = count.clamp_min(1)
        size = (second / (1 - 0.999**seen)).sqrt().add_(1e-8).mul_(1 - 0.9**seen)
        self.delta.sub_(first / size * (keep * self.settings.step_size))
