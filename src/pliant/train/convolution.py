"""Convolutions whose second derivatives are convolutions too.

Regularisers differentiate a gradient. PyTorch does that by forward convolutions with kernels as large as the picture, ten
times slower than the convolution itself. Here the gradients are functions with gradients of their own, each of which is a
convolution or the gradient of one's kernel (as in NVIDIA's StyleGAN2-ADA).
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd import Function


def convolve(x: Tensor, kernel: Tensor, *, stride: int = 1, padding: int = 0) -> Tensor:
    """`F.conv2d` without bias.

    Args:
        x: [N, I, H, W], where H + 2 * padding - h and the same of W are multiples of the stride.
        kernel: [O, I, h, w].
        stride: of both axes.
        padding: zeros on every side.
    """
    return cast("Tensor", _Convolution.apply(x, kernel, (stride, padding, False)))


def convolve_up(x: Tensor, kernel: Tensor, *, stride: int = 1, padding: int = 0) -> Tensor:
    """`F.conv_transpose2d` without bias; `kernel` is [I, O, h, w]."""
    return cast("Tensor", _Convolution.apply(x, kernel, (stride, padding, True)))


Geometry = tuple[int, int, bool]
"""Stride, padding, whether it is transposed."""


def _sides(geometry: Geometry) -> tuple[object, ...]:
    """Stride, padding, dilation, transposed, output padding and groups, as PyTorch's operators take them."""
    stride, padding, up = geometry
    return [stride] * 2, [padding] * 2, [1, 1], up, [0, 0], 1


def _opposite(geometry: Geometry) -> Geometry:
    stride, padding, up = geometry
    return stride, padding, not up


class _Convolution(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor, geometry: Geometry) -> Tensor:
        ctx.save_for_backward(x, kernel)
        ctx.geometry = geometry
        return torch.ops.aten.convolution(x, kernel, None, *_sides(geometry))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (x, kernel), (g,) = ctx.saved_tensors, gradients
        needs_x, needs_kernel, _ = ctx.needs_input_grad
        for_x = _Convolution.apply(g, kernel, _opposite(ctx.geometry)) if needs_x else None
        for_kernel = _KernelGradient.apply(x, g, kernel.detach(), ctx.geometry) if needs_kernel else None
        return for_x, for_kernel, None


class _KernelGradient(Function):
    """Bilinear in the input x and the gradient g of the output; the kernel lends only its shape."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, g: Tensor, kernel: Tensor, geometry: Geometry) -> Tensor:
        ctx.save_for_backward(x, g)
        ctx.geometry = geometry
        wanted = [False, True, False]
        return torch.ops.aten.convolution_backward(g, x, kernel, None, *_sides(geometry), wanted)[1]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (x, g), (u,) = ctx.saved_tensors, gradients
        needs_x, needs_g, _, _ = ctx.needs_input_grad
        for_x = _Convolution.apply(g, u, _opposite(ctx.geometry)) if needs_x else None
        for_g = _Convolution.apply(x, u, ctx.geometry) if needs_g else None
        return for_x, for_g, None, None
