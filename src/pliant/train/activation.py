"""What stands between two convolutions: demodulation, noise, bias, leaky ReLU, the style of the next convolution.

As separate operations these read and write the features a dozen times, which was two fifths of an iteration's time. On CUDA
with Triton they are one kernel (`fused`), in the same order; elsewhere the plain operations here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.gan.stylegan2 import LEAK


@dataclass(frozen=True)
class Modulation:
    """How the features [N, C, H, W] that a generator's convolution gave are scaled and shaken."""

    factor: Tensor
    """[N, C, 1, 1] demodulation."""
    grain: Tensor | None
    """[N, 1, H, W] noise."""
    strength: Tensor
    """[] of the noise."""


def activate(x: Tensor, bias: Tensor, modulation: Modulation | None = None) -> Tensor:
    """Leaky ReLU of `x * factor + grain * strength + bias`.

    Args:
        x: [N, C, H, W], channels last; not to be used afterwards.
        bias: [C].
        modulation: of a generator's layer; None in a discriminator.
    """
    return activate_and_style(x, bias, modulation, None)[0]


def activate_and_style(
    x: Tensor, bias: Tensor, modulation: Modulation | None, style: Tensor | None
) -> tuple[Tensor, Tensor]:
    """`activate`, and that times `style` [N, C, 1, 1] (None for nothing)."""
    if x.is_cuda and _has_triton():
        from pliant.train.fused import fused_activation

        return fused_activation(x, bias, modulation, style)
    return plain_activation(x, bias, modulation, style)


@cache
def _has_triton() -> bool:
    return find_spec("triton") is not None


def plain_activation(
    x: Tensor, bias: Tensor, modulation: Modulation | None, style: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The twin of the fused kernel, of ordinary operations."""
    if modulation is not None:
        added = None if modulation.grain is None else modulation.grain * modulation.strength
        x = x * modulation.factor if added is None else torch.addcmul(added, x, modulation.factor)
    y = F.leaky_relu(x + bias[:, None, None], LEAK, inplace=True)
    return y, y if style is None else y * style
