"""All parameters of a network in one vector, so that what is done to each of them is one kernel for all.

Equalised learning rate multiplies every stored weight by a constant of its own, and mixed precision rounds most of them:
two kernels per tensor and step, and two more on the way back, of which a StyleGAN2 has hundreds. Here the whole vector is
scaled and rounded at once, and the network runs on slices of the result, its *effective parameters*. Adam, averaging and
all-reduce work on the vector too.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import torch
import torch.distributed as dist
from torch import Tensor, nn

ALIGNED = 64
"""Tensors of a multiple of this many values come first, so that each of them starts where vectorised kernels want."""


class FlatParameters:
    """One vector of values and one of gradients; the module's parameters become views of the values.

    Args:
        module: its parameters are moved into the vector (same names, shapes and values).
        gains: factor between stored and effective values by name; 1 where missing.
        half: names of the parameters whose effective values are rounded to `dtype`.
        dtype: that type.
        input_first: names of kernels [O, I, h, w] stored as I, h, w, O, as transposed convolutions read them; all others
            are stored as O, h, w, I (channels last).
    """

    def __init__(
        self,
        module: nn.Module,
        gains: Mapping[str, float] | None = None,
        *,
        half: Collection[str] = (),
        dtype: torch.dtype = torch.float32,
        input_first: Collection[str] = (),
    ) -> None:
        self.module, self.dtype = module, dtype
        gains = gains or {}
        parameters = dict(module.named_parameters())
        aligned_first = sorted(parameters, key=lambda name: parameters[name].numel() % ALIGNED != 0)
        self.full_names = [name for name in aligned_first if name not in half]
        self.half_names = [name for name in aligned_first if name in half]
        names = [*self.full_names, *self.half_names]
        self.shapes = {name: parameters[name].shape for name in names}
        self.sizes = {name: parameters[name].numel() for name in names}
        self.memory_order = {name: _memory_order(parameters[name], name in input_first) for name in names}
        stored = [parameters[name].detach().permute(self.memory_order[name]).flatten() for name in names]
        self.values = nn.Parameter(torch.cat(stored))
        self.gradients = torch.zeros_like(self.values, requires_grad=False)
        self.values.grad = self.gradients
        factors = [torch.full((size,), gains.get(name, 1.0)) for name, size in self.sizes.items()]
        self.gains = torch.cat(factors).to(self.values.device)
        for name, piece in self._pieces(self.values.detach(), names).items():
            parameters[name].data = piece
            parameters[name].requires_grad = False

    def _pieces(self, vector: Tensor, names: list[str]) -> dict[str, Tensor]:
        """Views of a vector in the shapes of these parameters, which are all it holds."""
        found: dict[str, Tensor] = {}
        for name, piece in zip(names, vector.split([self.sizes[name] for name in names]), strict=True):
            order, shape = self.memory_order[name], self.shapes[name]
            back = sorted(range(len(order)), key=order.__getitem__)
            found[name] = piece.view([shape[axis] for axis in order]).permute(back)
        return found

    def effective(self) -> dict[str, Tensor]:
        """What the network computes with, by name; differentiable back to `values`."""
        scaled = self.values * self.gains
        size = sum(self.sizes[name] for name in self.full_names)
        full, half = scaled.split([size, len(scaled) - size])
        found = self._pieces(full, self.full_names)
        return found | self._pieces(half.to(self.dtype), self.half_names) if self.half_names else found

    def average_gradients(self) -> None:
        """Mean over all processes of a distributed run; nothing with one process."""
        if dist.is_initialized() and dist.get_world_size() > 1:
            dist.all_reduce(self.gradients)
            self.gradients /= dist.get_world_size()

    @torch.no_grad()
    def follow(self, source: FlatParameters, weight: float) -> None:
        """Move these values toward another network's: exponential moving average with decay 1 - weight."""
        self.values.lerp_(source.values, weight)


def _memory_order(parameter: Tensor, input_first: bool) -> tuple[int, ...]:
    if parameter.ndim != 4:
        return tuple(range(parameter.ndim))
    return (1, 2, 3, 0) if input_first else (0, 2, 3, 1)


class FlatAdam:
    """Adam on a flat vector, with the step size corrected for lazily regularised training (arXiv 1912.04958, app. B).

    Args:
        flat: the parameters.
        lr: learning rate before the correction.
        beta2: second-moment decay before the correction; the first moment is not averaged (beta1 = 0).
        interval: a regulariser takes a step of its own every this many main steps; None if it has none.
        warmup: steps after a reset over which the learning rate rises.
    """

    def __init__(
        self, flat: FlatParameters, lr: float, beta2: float, interval: int | None, warmup: int = 0
    ) -> None:
        ratio = 1.0 if interval is None else interval / (interval + 1)
        self.flat, self.lr, self.betas, self.warmup = flat, lr * ratio, (0.0, math.pow(beta2, ratio)), warmup
        self.scale = 1.0  # of the learning rate
        self.reset()

    def reset(self) -> None:
        """Forget all moments, as when a network grows."""
        self.steps = 0
        fused = self.flat.values.is_cuda
        self.adam = torch.optim.Adam(
            [self.flat.values], lr=self.lr, betas=self.betas, fused=fused, foreach=False
        )

    def step(self) -> None:
        """One update; gradients that are not finite count as zero."""
        self.flat.gradients.nan_to_num_(0.0, 1e5, -1e5)
        self.flat.average_gradients()
        self.steps += 1
        self.adam.param_groups[0]["lr"] = self.lr * self.scale * min(self.steps / (self.warmup + 1), 1.0)
        self.adam.step()

    def tensors(self) -> dict[str, Tensor]:
        """Moments, for saving; empty before the first step."""
        found = list(self.adam.state.values())
        return (
            {}
            if not found
            else {name: value for name, value in found[0].items() if isinstance(value, Tensor)}
        )

    def restore(self, tensors: dict[str, Tensor], steps: int) -> None:
        """Inverse of `tensors`, after so many steps."""
        self.steps = steps
        vector = self.flat.values
        self.adam.state[vector] = {
            name: value.to(vector.device, copy=True) for name, value in tensors.items()
        }
