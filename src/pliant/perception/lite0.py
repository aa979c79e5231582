"""EfficientNet-Lite0: a picture to 1,280 features (arXiv 1905.11946, in the variant for small devices).

Inverted residuals (a 1 x 1 convolution widens, one per channel looks around, a 1 x 1 narrows again), without the squeeze of
the larger family, with ReLU6. Written from the paper and the published shapes of the weights; those come from TensorFlow,
so a stride of two pads more at the right and the bottom, and normalisation adds 0.001 to variances.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval


@dataclass(frozen=True)
class Stage:
    """Blocks of one width."""

    widening: int
    """How many times wider than its input a block is inside."""
    kernel: int
    """Side of the convolution that looks around, odd."""
    stride: int
    """Of the first block: 1 or 2."""
    channels: int
    depth: int
    """How many blocks."""


@dataclass(frozen=True)
class Lite0Config:
    """Shape of the network; the defaults are the published ones."""

    stem: int = 32
    """Channels at half the input size."""
    stages: tuple[Stage, ...] = (
        Stage(1, 3, 1, 16, 1),
        Stage(6, 3, 2, 24, 2),
        Stage(6, 5, 2, 40, 2),
        Stage(6, 3, 2, 80, 3),
        Stage(6, 5, 1, 112, 3),
        Stage(6, 5, 2, 192, 4),
        Stage(6, 3, 1, 320, 1),
    )
    features: int = 1280


class _Convolution(nn.Sequential):
    """Convolution and normalisation, with TensorFlow's padding."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01),
        )
        missing = kernel - stride
        self.padding = (missing // 2, missing - missing // 2) * 2

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        return super().forward(functional.pad(input, self.padding) if any(self.padding) else input)


class _Block(nn.Module):
    """Widen, look around, narrow; beside it the input, where the shapes agree."""

    def __init__(self, inputs: int, stage: Stage, stride: int) -> None:
        super().__init__()
        inside = inputs * stage.widening
        self.widen = _Convolution(inputs, inside, 1) if stage.widening > 1 else None
        self.look = _Convolution(inside, inside, stage.kernel, stride, groups=inside)
        self.narrow = _Convolution(inside, stage.channels, 1)
        self.residual = stride == 1 and inputs == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        inside = functional.relu6(self.widen(x), inplace=True) if self.widen is not None else x
        out = self.narrow(functional.relu6(self.look(inside), inplace=True))
        return x + out if self.residual else out


class Lite0(nn.Module):
    """Pictures [N, 3, S, S] in [-1, 1], S a multiple of 32, to features [N, 1280], none negative."""

    def __init__(self, config: Lite0Config | None = None) -> None:
        super().__init__()
        config = config or Lite0Config()
        self.stem = _Convolution(3, config.stem, 3, 2)
        blocks: list[nn.Module] = []
        widths = (config.stem, *(stage.channels for stage in config.stages))
        for stage, (before, width) in zip(config.stages, pairwise(widths), strict=True):
            blocks.append(_Block(before, stage, stage.stride))
            blocks += [_Block(width, stage, 1) for _ in range(stage.depth - 1)]
        self.blocks = nn.Sequential(*blocks)
        self.head = _Convolution(widths[-1], config.features, 1)

    def forward(self, pictures: Tensor) -> Tensor:  # noqa: D102 - the class says it
        seen = self.blocks(functional.relu6(self.stem(pictures), inplace=True))
        return functional.relu6(self.head(seen), inplace=True).mean((2, 3))


def folded(net: Lite0) -> Lite0:
    """A copy that only looks, more than twice as fast: normalisation is part of the convolutions, channels lie side by side."""
    lean = copy.deepcopy(net).eval()
    for name, module in list(lean.named_modules()):
        if isinstance(module, _Convolution):
            parent, _, own = name.rpartition(".")
            setattr(lean.get_submodule(parent), own, _Folded(module))
    lean.requires_grad_(requires_grad=False)
    return lean.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


class _Folded(nn.Module):
    """What a `_Convolution` does once its statistics stay."""

    def __init__(self, made_of: _Convolution) -> None:
        super().__init__()
        self.convolution = fuse_conv_bn_eval(
            cast("nn.Conv2d", made_of[0]), cast("nn.BatchNorm2d", made_of[1])
        )
        left, right = made_of.padding[:2]
        even = left == right  # what is the same on both sides needs no copy
        self.padding = (0, 0, 0, 0) if even else made_of.padding
        self.convolution.padding = (left, left) if even else (0, 0)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.convolution(functional.pad(pictures, self.padding) if any(self.padding) else pictures)
