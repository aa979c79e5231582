"""The discriminator of StyleGAN2: residual blocks from the picture down to 4 x 4 (arXiv 1912.04958, appendix B).

As in the generator, the low-pass filter before a stride-2 convolution is folded into its kernel. The residual
skip averages 2 x 2 pixels instead of using the longer filter: one small convolution, and seen only by the loss.
For growing, pictures may enter at any block, and a new block is faded in (arXiv 1710.10196).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pliant.gan.stylegan2 import LEAK, Dense, fold_matrix
from pliant.train.activation import activate
from pliant.train.convolution import convolve
from pliant.train.synthesis import SQRT2, Parameters, equalized_gains, folded


class Conv(nn.Module):
    """Weights of a convolution with equalised learning rate; the gain of its activation is included in `gain`."""

    def __init__(self, n_in: int, n_out: int, kernel: int, *, bias: bool = True, gain: float = SQRT2) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in, kernel, kernel))
        self.gains = {"weight": gain / math.sqrt(n_in * kernel * kernel)}
        if bias:
            self.bias = nn.Parameter(torch.zeros(n_out))
            self.gains["bias"] = gain


class Block(nn.Module):
    """Weights at one resolution: entrance for pictures of that size, two convolutions, the residual skip."""

    def __init__(self, n_in: int, n_out: int, img_channels: int) -> None:
        super().__init__()
        self.fromrgb = Conv(img_channels, n_in, 1)
        self.conv0 = Conv(n_in, n_in, 3)
        self.conv1 = Conv(
            n_in, n_out, 3, gain=1.0
        )  # sqrt(2) of the activation times sqrt(1/2) of the residual sum
        self.skip = Conv(n_in, n_out, 1, bias=False, gain=math.sqrt(0.5))


class Epilogue(nn.Module):
    """Weights of the 4 x 4 end."""

    def __init__(self, channels: int, img_channels: int) -> None:
        super().__init__()
        self.fromrgb = Conv(img_channels, channels, 1)
        self.conv = Conv(channels + 1, channels, 3)
        self.fc = Dense(channels * 16, channels, activate=True)
        self.out = Dense(channels, 1)


def minibatch_deviation(x: Tensor, group: int) -> Tensor:
    """[N, C, H, W] with one more channel: standard deviation over groups of pictures, averaged over all else.

    Groups are neighbours in the batch; their size is the largest divisor of N up to `group`.
    """
    n = len(x)
    group = max(k for k in range(1, min(group, n) + 1) if n % k == 0)
    spread = x.unflatten(0, (n // group, group)).var(1, correction=0).add(1e-8).sqrt()
    means = spread.mean((1, 2, 3)).repeat_interleave(group)
    return torch.cat([x, means[:, None, None, None].expand(-1, 1, *x.shape[2:])], 1)


class Discriminator(nn.Module):
    """Tells pictures of the training set from generated ones.

    Args:
        channels: feature channels at 4, 8, 16, ... as in `StyleGAN2Config.channels`.
        img_channels: 3 for RGB.
        group: minibatch-deviation group size.
        dtype: of the blocks' convolutions; the 4 x 4 end stays float32.
    """

    fold: Tensor

    def __init__(
        self,
        channels: Sequence[int],
        img_channels: int = 3,
        *,
        group: int = 4,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.group, self.dtype = group, dtype
        self.b4 = Epilogue(channels[0], img_channels)
        for k in range(1, len(channels)):
            self.add_module(f"b{4 << k}", Block(channels[k], channels[k - 1], img_channels))
        self.register_buffer("fold", fold_matrix(3, 1.0).T.contiguous(), persistent=False)

    def gains(self) -> dict[str, float]:
        """Factor from stored to effective value of every parameter."""
        own = {
            f"{name}.{part}": gain
            for name, module in self.named_modules()
            if isinstance(module, Conv)
            for part, gain in module.gains.items()
        }
        return own | equalized_gains(self)

    def half_parameters(self) -> set[str]:
        """Names of the parameters that may be rounded."""
        return {
            name for name, _ in self.named_parameters() if not name.startswith("b4.") or "fromrgb" in name
        }

    def enter(self, p: Parameters, image: Tensor) -> Tensor:
        """Features of a picture at its own resolution; padded to 8 channels, which tensor cores need."""
        name = f"b{image.shape[2]}.fromrgb"
        missing = -image.shape[1] % 8
        x = F.pad(image.to(self.dtype), (0, 0, 0, 0, 0, missing)).contiguous(
            memory_format=torch.channels_last
        )
        x = convolve(x, F.pad(p[f"{name}.weight"], (0, 0, 0, 0, 0, missing)))
        return activate(x, p[f"{name}.bias"])

    def block(self, p: Parameters, name: str, x: Tensor) -> Tensor:
        """[N, n_in, H, W] to [N, n_out, H/2, W/2]."""
        skip = convolve(x, (p[f"{name}.skip.weight"] * 0.25).expand(-1, -1, 2, 2), stride=2)
        x = activate(convolve(x, p[f"{name}.conv0.weight"], padding=1), p[f"{name}.conv0.bias"])
        kernel = folded(p[f"{name}.conv1.weight"], self.fold)
        return skip + activate(convolve(x, kernel, stride=2, padding=2), p[f"{name}.conv1.bias"])

    def finish(self, p: Parameters, x: Tensor) -> Tensor:
        """[N, C, 4, 4] to [N] logits."""
        x = minibatch_deviation(x.float(), self.group)
        x = activate(convolve(x, p["b4.conv.weight"], padding=1), p["b4.conv.bias"])
        x = F.leaky_relu(F.linear(x.flatten(1), p["b4.fc.weight"], p["b4.fc.bias"]), LEAK)
        return F.linear(x, p["b4.out.weight"], p["b4.out.bias"])[:, 0]

    def forward(self, p: Parameters, image: Tensor, fade: Tensor | None = None) -> Tensor:
        """Logits [N], positive for real.

        Args:
            p: effective parameters.
            image: [N, 3, R, R] float32 in [-1, 1], R a power of two up to the network's resolution.
            fade: scalar tensor, share of the block at R against the picture averaged to R/2; None is all of it.
        """
        resolution = image.shape[2]
        x = self.enter(p, image)
        while resolution > 4:
            x = self.block(p, f"b{resolution}", x)
            resolution //= 2
            if fade is not None and resolution == image.shape[2] // 2:
                x = self.enter(p, F.avg_pool2d(image, 2)).lerp(x, fade.to(x.dtype))
        return self.finish(p, x)
