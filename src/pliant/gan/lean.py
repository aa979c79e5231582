"""The forward pass of an edit's inner loop: from w to the features of one block, and nothing else.

An edit moves only the first few w vectors. Every layer that takes a later one has a constant style, so its modulated and
demodulated kernel is computed once when the edit opens; the layers before it are modulated anew at each pass. Noise and bias
are one constant. Pictures are not painted. The result is that of `SynthesisNetwork.run`, its plain twin, up to rounding.

Layouts follow measurements (docs/decisions.md): channels-last; bf16 where the machine multiplies it; doubling as a transposed
3x3 and a depthwise filter on the CPU, as one folded kernel on CUDA.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.gan.stylegan2 import (
    EPSILON,
    LEAK,
    Generator,
    NoiseMode,
    SkipConv,
    SynthesisLayer,
    fir_kernel,
    fold,
)


class LowPass(torch.autograd.Function):
    """The 4x4 filter on every channel of [N, C, H, W]; being symmetric, it is its own adjoint but for the padding."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor, padding: int) -> Tensor:  # noqa: D102
        ctx.save_for_backward(kernel)
        ctx.padding = 3 - padding
        return F.conv2d(x, kernel, padding=padding, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:  # noqa: D102
        (kernel,) = ctx.saved_tensors
        return F.conv2d(grads[0], kernel, padding=ctx.padding, groups=kernel.shape[0]), None, None


def low_pass(x: Tensor, kernel: Tensor, padding: int) -> Tensor:
    """Apply `LowPass`; `kernel` is [C, 1, 4, 4]."""
    return LowPass.apply(x, kernel, padding)  # pyright: ignore[reportReturnType]


@dataclass(frozen=True)
class Layer:
    """One convolution of the lean pass."""

    kernel: Tensor
    """[O, I, 3, 3], modulated if the style is constant and the batch is one. Where it doubles the size: [I, O, 3, 3] before
    `smooth`, or with the filter folded in [4 O, I, 3, 3], one kernel for each of four phases."""
    noise: Tensor
    """[H, W], times the activation gain."""
    added: Tensor
    """[1, O, H, W], noise and bias, times the activation gain."""
    up: bool
    """Doubles the size."""
    clamp: float | None
    """Limit of the output, the gain included."""
    style: Tensor | None = None
    """[B, I, 1, 1] constant style that could not go into the kernel (several pictures)."""
    factor: Tensor | None = None
    """[B, O, 1, 1] its demodulation, times the gain."""
    smooth: Tensor | None = None
    """[O, 1, 4, 4] low-pass filter, where it is not folded into the kernel."""
    carried: Tensor | None = None
    """[I, O, 4, 4] kernel of the residual path that starts here ('resnet')."""
    ends_block: bool = False
    """The residual path is added to this layer's output."""


class Modulation:
    """Styles and demodulations of all moving layers, each from its own w, in two batched products."""

    def __init__(self, layers: list[SynthesisLayer], gains: list[float]) -> None:
        weights = [layer.affine.weight * layer.affine.weight_gain for layer in layers]
        self.n_in = [w.shape[0] for w in weights]
        self.n_out = [layer.weight.shape[0] for layer in layers]
        if not layers:
            return
        most = max(self.n_in + self.n_out)
        self.weight = _stack([w.T for w in weights], (weights[0].shape[1], most))
        self.bias = _stack([layer.affine.bias[None] for layer in layers], (1, most))
        energies = [
            layer.weight.square().sum((2, 3)).T / gain**2 for layer, gain in zip(layers, gains, strict=True)
        ]
        self.energy = _stack(energies, (most, most))
        self.epsilon = self.bias.new_tensor([EPSILON / gain**2 for gain in gains])[:, None, None]

    def __call__(self, ws: Tensor) -> tuple[Tensor, Tensor]:
        """[B, L or more, w_dim] to styles [L, B, I] and demodulations times gain [L, B, O], padded to the widest layer."""
        styles = torch.baddbmm(self.bias, ws[:, : len(self.n_in)].transpose(0, 1), self.weight)
        return styles, torch.baddbmm(self.epsilon, styles.square(), self.energy).rsqrt()


Modulated = tuple[Tensor | None, Tensor | None]
"""Style [B, I, 1, 1] and demodulation [B, O, 1, 1] of a layer, None where they are in its kernel."""


def _stack(parts: list[Tensor], shape: tuple[int, int]) -> Tensor:
    """Matrices of several shapes as one batch, padded with zeros."""
    made = parts[0].new_zeros(len(parts), *shape)
    for row, part in zip(made, parts, strict=True):
        row[: part.shape[0], : part.shape[1]] = part
    return made


class LeanForward:
    """Features of block `until` as a function of the first w vectors.

    Args:
        generator: its weights must be frozen, unless `trained`.
        ws: [B, num_ws, w_dim], the codes when the edit opens.
        until: the block to read, e.g. "b128".
        moving: how many of the first ws will change; 0 for none.
        dtype: float32 or bfloat16.
        noise: "const" or "none".
        folded: double sizes by one folded kernel; None takes what is faster on the device.
        trained: gradients reach the generator's weights; the pass is then good for one step of their training.
    """

    def __init__(
        self,
        generator: Generator,
        ws: Tensor,
        until: str,
        moving: int,
        dtype: torch.dtype,
        *,
        noise: NoiseMode = "const",
        folded: bool | None = None,
        trained: bool = False,
    ) -> None:
        self.dtype, self.batch, self.noise = dtype, len(ws), noise
        self.folded = ws.is_cuda if folded is None else folded
        self.layers: list[Layer] = []
        moved: list[SynthesisLayer] = []
        gains: list[float] = []
        index = generator.synthesis.w_index()
        with torch.set_grad_enabled(trained):
            blocks = generator.synthesis.blocks()[: generator.config.block_names.index(until) + 1]
            self.const = self._cast(blocks[0].const[None])
            for block in blocks:
                for name, layer in block.layers().items():
                    if isinstance(layer, SynthesisLayer):
                        residual = block.architecture == "resnet" and block.index > 0
                        gain = math.sqrt(2) * (math.sqrt(0.5) if residual and name.endswith("conv1") else 1)
                        w = None if index[name] < moving else ws[:, index[name]]
                        carried = block.skip if residual and name.endswith("conv0") else None
                        ends = residual and name.endswith("conv1")
                        self.layers.append(self._layer(layer, w, gain, carried, ends_block=ends))
                        if w is None:
                            moved.append(layer)
                            gains.append(gain)
            self.modulation = Modulation(moved, gains)

    def _cast(self, x: Tensor) -> Tensor:
        return x.to(self.dtype, memory_format=torch.channels_last)

    def _layer(
        self,
        layer: SynthesisLayer,
        w: Tensor | None,
        gain: float,
        carried: SkipConv | None,
        *,
        ends_block: bool,
    ) -> Layer:
        """Prepare a layer: everything that stays constant while the first ws move (its own among them if w is None)."""
        kernel = layer.weight
        bias = layer.bias[None, :, None, None] * gain
        noise = layer.noise_const * layer.noise_strength * (gain if self.noise == "const" else 0.0)
        style = factor = smooth = None
        if w is not None:
            style = layer.affine(w)
            factor = layer.demodulation(style, kernel) * gain
            if self.batch == 1:
                kernel = kernel * style[0, :, None, None] * factor[0, :, None, None, None]
                style = factor = None
            else:
                style, factor = style.to(self.dtype)[..., None, None], factor.to(self.dtype)[..., None, None]
        if layer.up and self.folded:
            kernel = phases(fold(kernel, layer.resample))
        elif layer.up:
            smooth = self._cast((fir_kernel(kernel.device) * 4).expand(len(kernel), 1, 4, 4).contiguous())
            kernel = kernel.transpose(0, 1)
        return Layer(
            kernel=self._cast(kernel),
            noise=noise.to(self.dtype),
            added=self._cast(bias + noise),
            up=layer.up,
            clamp=None if layer.clamp is None else layer.clamp * gain / math.sqrt(2),
            style=style,
            factor=factor,
            smooth=smooth,
            carried=None if carried is None else self._cast(carried.kernel().transpose(0, 1)),
            ends_block=ends_block,
        )

    def constants(self) -> list[Tensor]:
        """What depends on the codes that it was opened with."""
        held = [part for layer in self.layers for part in (layer.kernel, layer.style, layer.factor)]
        return [part for part in held if part is not None]

    def __call__(self, moving: Tensor) -> Tensor:
        """Features [B, C, h, w] in `dtype` from the first ws [B, moving, w_dim], differentiable in them."""
        return self.run(self.modulate(moving), len(self.layers))

    def modulate(self, moving: Tensor) -> list[Modulated]:
        """Style [B, I, 1, 1] and demodulation [B, O, 1, 1] of every layer, where they are not in its kernel."""
        if not self.modulation.n_in:
            return [(layer.style, layer.factor) for layer in self.layers]
        styles, factors = (x.to(self.dtype)[..., None, None] for x in self.modulation(moving))
        widths = zip(self.modulation.n_in, self.modulation.n_out, strict=True)
        moved = [(styles[k, :, :n_in], factors[k, :, :n_out]) for k, (n_in, n_out) in enumerate(widths)]
        return [*moved, *((layer.style, layer.factor) for layer in self.layers[len(moved) :])]

    def run(self, modulation: list[Modulated], count: int) -> Tensor:
        """Features after the first `count` layers, as whole maps."""
        x = self.const.expand(self.batch, -1, -1, -1)
        for x in islice(self.walk(modulation), count):  # noqa: B007 - the last one counts
            pass
        return x

    def walk(self, modulation: list[Modulated]) -> Iterator[Tensor]:
        """Features after each layer, as whole maps."""
        x = self.const.expand(self.batch, -1, -1, -1)
        carried: Tensor | None = None
        for layer, (style, factor) in zip(self.layers, modulation, strict=True):
            if layer.carried is not None:
                carried = F.conv_transpose2d(x, layer.carried, stride=2, padding=1)
            x = convolve(x, layer, style, factor, layer.added)
            if layer.ends_block and carried is not None:
                x = x + carried
            yield x


def fast_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the machine multiplies it natively, else float32."""
    if device.type == "cuda":
        return torch.bfloat16
    abilities: Mapping[str, object] = (
        getattr(torch.cpu, "get_capabilities", dict)() if device.type == "cpu" else {}
    )
    native = abilities.get("avx512_bf16") or abilities.get("amx_bf16")
    return torch.bfloat16 if native else torch.float32


def phases(kernel: Tensor) -> Tensor:
    """A stride-2 transposed 6x6 kernel [O, I, 6, 6] as plain 3x3 ones [4 O, I, 3, 3] for even and odd rows and columns."""
    taps = torch.tensor([[4, 2, 0], [5, 3, 1]], device=kernel.device)
    return kernel[:, :, taps][..., taps].permute(2, 4, 0, 1, 3, 5).flatten(0, 2)


def interleave(x: Tensor) -> Tensor:
    """[N, 4 O, H, W] from `phases` to [N, O, 2H, 2W], channels-last."""
    n, channels, height, width = x.shape
    parts = x.permute(0, 2, 3, 1).view(n, height, width, 2, 2, channels // 4)
    return parts.transpose(2, 3).reshape(n, 2 * height, 2 * width, channels // 4).permute(0, 3, 1, 2)


def convolve(
    x: Tensor,
    layer: Layer,
    style: Tensor | None,
    factor: Tensor | None,
    added: Tensor,
    *,
    valid: bool = False,
) -> Tensor:
    """One layer on whole maps, or on windows, of which only what needs no padding comes out (`valid`)."""
    if style is not None:
        x = x * style
    if not layer.up:
        x = F.conv2d(x, layer.kernel, padding=0 if valid else 1)
    elif layer.smooth is None:
        x = interleave(F.conv2d(x, layer.kernel, padding=0 if valid else 1))
    else:
        x = F.conv_transpose2d(x, layer.kernel, stride=2, padding=1 if valid else 0)
        x = low_pass(x, layer.smooth, padding=0 if valid else 1)
    x = added + x if factor is None else torch.addcmul(added, x, factor)
    x = F.leaky_relu(x, LEAK, inplace=True)
    return x if layer.clamp is None else x.clamp(-layer.clamp, layer.clamp)
