"""The generator's forward pass as training runs it: the same function as `Generator.synthesis`, in far fewer kernels.

Training at small sizes is bound by the number of kernels and at large sizes by memory traffic. Here all styles and
demodulation factors of all layers are computed together, noise is drawn once for all layers, the picture is upsampled by a
matrix product and painted by one per block; convolutions run in bfloat16, channels last. Synthesis can stop at a lower
resolution, for growing. A test compares it with the plain network.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pliant.gan.stylegan2 import (
    EPSILON,
    LEAK,
    Dense,
    Generator,
    SynthesisLayer,
    ToRGB,
    fold_matrix,
    normalize,
)
from pliant.train.activation import Modulation, activate_and_style
from pliant.train.convolution import convolve, convolve_up

SQRT2 = math.sqrt(2)
Parameters = Mapping[str, Tensor]
"""Effective parameters by name (see `flat`)."""


def equalized_gains(module: nn.Module) -> dict[str, float]:
    """Factor from stored to effective value of every parameter of a network of `gan.stylegan2` parts.

    The activation gain sqrt(2) is included in the weights and biases before it: leaky ReLU is positively homogeneous.
    """
    gains: dict[str, float] = {}
    for name, part in module.named_modules():
        if isinstance(part, Dense):
            active = SQRT2 if part.activate else 1.0
            gains |= {f"{name}.weight": part.weight_gain * active, f"{name}.bias": part.bias_gain * active}
        elif isinstance(part, SynthesisLayer):
            gains |= {f"{name}.bias": SQRT2, f"{name}.noise_strength": SQRT2}
        elif isinstance(part, ToRGB):
            gains[f"{name}.weight"] = part.style_gain
    return gains


def half_parameters(generator: Generator) -> set[str]:
    """Names of the generator's parameters that convolutions use directly, and may use rounded."""
    layers = {name for name, part in generator.named_modules() if isinstance(part, SynthesisLayer)}
    return {f"{name}.{part}" for name in layers for part in ("weight", "bias", "noise_strength")}


def upsampling_matrix(size: int) -> Tensor:
    """[2 * size, size]: one axis of the [1, 3, 3, 1] upsampling filter."""
    matrix = torch.zeros(2 * size, size)
    for k in range(size):
        for tap, value in zip(range(2 * k - 1, 2 * k + 3), (0.25, 0.75, 0.75, 0.25), strict=True):
            if 0 <= tap < 2 * size:
                matrix[tap, k] = value
    return matrix


def folded(kernel: Tensor, matrix: Tensor) -> Tensor:
    """Kernels [A, B, 3, 3] with the low-pass filter folded in, [A, B, 6, 6]; both channels last.

    Args:
        kernel: its memory order should be A, h, w, B; any other costs a copy.
        matrix: [36, 9], transposed `fold_matrix`.
    """
    taps = kernel.permute(0, 2, 3, 1).flatten(1, 2)
    return (
        torch.bmm(matrix.to(taps.dtype).expand(len(taps), -1, -1), taps)
        .unflatten(1, (6, 6))
        .permute(0, 3, 1, 2)
    )


class TrainingSynthesis:
    """The part of a generator up to a resolution, as a function of its effective parameters.

    Args:
        generator: architecture 'skip', square, unclamped.
        resolution: where to stop, at most the network's own.
        dtype: of the convolutions; mapping, styles and the picture stay float32.
    """

    def __init__(self, generator: Generator, resolution: int, dtype: torch.dtype = torch.float32) -> None:
        self.dtype, device = dtype, generator.device
        network = generator.synthesis
        index = network.w_index()
        self.blocks = [block.name for block in network.blocks() if 4 << block.index <= resolution]
        layers = {
            name: layer for name, layer in network.layers().items() if name.split(".")[0] in self.blocks
        }
        self.convs = [name for name, layer in layers.items() if isinstance(layer, SynthesisLayer)]
        self.paints = [name for name in layers if name not in self.convs]
        self.widths = {name: layers[name].weight.shape[1] for name in (*self.convs, *self.paints)}
        self.heights = {name: int(name.split(".")[0][1:]) for name in self.convs}
        which = [index[name] for name, width in self.widths.items() for _ in range(width)]
        self.which = torch.tensor(which, device=device)[None, None]
        self.fold = fold_matrix(3, 4.0).T.contiguous().to(device, dtype)
        self.upsampling = {
            f"b{2 * size}": upsampling_matrix(size).to(device) for size in self.heights.values()
        }
        self.mapping_layers = generator.mapping.num_layers

    def mapping(self, p: Parameters, z: Tensor) -> Tensor:
        """[N, z_dim] to w [N, w_dim]."""
        w = normalize(z)
        for k in range(self.mapping_layers):
            w = F.leaky_relu(F.linear(w, p[f"mapping.fc{k}.weight"], p[f"mapping.fc{k}.bias"]), LEAK)
        return w

    def modulation(
        self, p: Parameters, ws: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
        """Styles and demodulation factors of the convolutions, [N, C, 1, 1], and styles of ToRGB, [N, C].

        Every w of a picture meets every layer's affine map in one product, from which each layer takes its own.
        """
        names = [f"synthesis.{name}.affine" for name in self.widths]
        weight = torch.cat([p[f"{name}.weight"] for name in names])
        bias = torch.cat([p[f"{name}.bias"] for name in names])
        every = ws @ weight.T
        styles = every.gather(1, self.which.expand(len(ws), -1, -1)).squeeze(1) + bias
        widths = [self.widths[name] for name in self.convs]
        for_convs, for_rgb = styles.split([sum(widths), styles.shape[1] - sum(widths)], dim=1)
        energy = (for_convs.square() * 0.5).split(
            widths, dim=1
        )  # one half under the root is the gain sqrt(2)
        sums: list[Tensor] = []
        for name, part in zip(self.convs, energy, strict=True):
            kernel = p[f"synthesis.{name}.weight"]
            sums.append(F.linear(part, kernel.square().sum((2, 3), dtype=torch.float32)))
        factors = (torch.cat(sums, 1) + EPSILON).rsqrt().to(self.dtype)[:, :, None, None]
        rounded = for_convs.to(self.dtype)[:, :, None, None].split(widths, dim=1)
        outputs = factors.split([part.shape[1] for part in sums], dim=1)
        paints = for_rgb.split([self.widths[name] for name in self.paints], dim=1)
        return (
            dict(zip(self.convs, rounded, strict=True)),
            dict(zip(self.convs, outputs, strict=True)),
            dict(zip(self.paints, paints, strict=True)),
        )

    def noise(self, n: int, rng: torch.Generator | None) -> dict[str, Tensor]:
        """Fresh noise [N, 1, H, W] for every convolution."""
        sizes = [n * height**2 for height in self.heights.values()]
        grains = torch.randn(sum(sizes), device=self.which.device, dtype=self.dtype, generator=rng).split(
            sizes
        )
        shapes = [(n, 1, height, height) for height in self.heights.values()]
        return {
            name: grain.view(shape) for name, grain, shape in zip(self.convs, grains, shapes, strict=True)
        }

    def __call__(
        self, p: Parameters, ws: Tensor, *, rng: torch.Generator | None = None, noise: bool = True
    ) -> Tensor:
        """Picture [N, 3, resolution, resolution] float32 from ws [N, at least the layers' w's, w_dim]."""
        styles, factors, paints = self.modulation(p, ws)
        grains = self.noise(len(ws), rng) if noise else {}
        following = dict(pairwise(self.convs))
        x = p["synthesis.b4.const"].to(self.dtype) * styles[self.convs[0]]
        styled = x.contiguous(memory_format=torch.channels_last)
        image: Tensor | None = None
        for block in self.blocks:
            for name in (f"{block}.conv0", f"{block}.conv1"):
                if name in styles:
                    strength, bias = (p[f"synthesis.{name}.{part}"] for part in ("noise_strength", "bias"))
                    modulation = Modulation(factors[name], grains.get(name), strength)
                    style = styles[following[name]] if name in following else None
                    x, styled = activate_and_style(self._convolve(p, name, styled), bias, modulation, style)
            part = self._paint(p, f"{block}.torgb", x, paints[f"{block}.torgb"])
            if image is not None:
                part = part + self.upsampling[block] @ image @ self.upsampling[block].T
            image = part
        if image is None:
            raise AssertionError("there is always a block")
        return image

    def _convolve(self, p: Parameters, name: str, x: Tensor) -> Tensor:
        """3x3 convolution; `conv0` doubles the size, with the low-pass filter folded in."""
        kernel = p[f"synthesis.{name}.weight"]
        if name.endswith("conv0"):
            return convolve_up(x, folded(kernel.transpose(0, 1), self.fold), stride=2, padding=2)
        return convolve(x, kernel, padding=1)

    def _paint(self, p: Parameters, name: str, x: Tensor, style: Tensor) -> Tensor:
        """Features to float32 picture channels; the kernel is padded to 8 outputs, which tensor cores need."""
        kernel = style[:, :, None] * p[f"synthesis.{name}.weight"].flatten(1).T
        channels = kernel.shape[2]
        rgb = x.permute(0, 2, 3, 1).flatten(1, 2) @ F.pad(kernel, (0, -channels % 8)).to(x.dtype)
        rgb = rgb[..., :channels].float() + p[f"synthesis.{name}.bias"]
        return rgb.transpose(1, 2).unflatten(2, x.shape[2:])
