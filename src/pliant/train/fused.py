"""`activation` as one Triton kernel forward and one backward, which also sums the gradients of everything that is broadcast.

The backward pass is a function with a gradient of its own, of plain operations: only the lazy regularisers ask for it.
Nothing is kept for the backward pass but the convolution's result, from which the rest is computed again.
"""

# pyright: basic, reportMissingImports=false, reportOptionalMemberAccess=false, reportArgumentType=false
# ruff: noqa: PLR0917 (a kernel takes what it reads and writes)
from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd import Function

from pliant.gan.stylegan2 import LEAK
from pliant.train.activation import Modulation

TILE_PIXELS, TILE_CHANNELS, SPAN = 64, 32, 1024
"""A program goes over SPAN pixels of TILE_CHANNELS channels, TILE_PIXELS at a time."""


@triton.jit
def _preactivation(
    x, bias, factor, grain, strength, at, inside, n, rows, row_in, cols, col_in, pixels, channels
):
    """Tiles of the scaled features before the leaky ReLU, and of the features as they came."""
    raw = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
    scaled = raw
    if factor is not None:
        scaled *= tl.load(factor + n * channels + cols, mask=col_in, other=0.0).to(tl.float32)[None, :]
    if grain is not None:
        noise = tl.load(grain + n * pixels + rows, mask=row_in, other=0.0).to(tl.float32)
        scaled += (noise * tl.load(strength).to(tl.float32))[:, None]
    scaled += tl.load(bias + cols, mask=col_in, other=0.0).to(tl.float32)[None, :]
    return scaled, raw


@triton.jit
def _forward(
    x, bias, factor, grain, strength, style, y, styled, pixels, channels,
    LEAK: tl.constexpr, P: tl.constexpr, C: tl.constexpr, SPAN: tl.constexpr,
):  # fmt: skip
    n = tl.program_id(2)
    cols = tl.program_id(1) * C + tl.arange(0, C)
    col_in = cols < channels
    begin = tl.program_id(0) * SPAN
    for start in range(begin, min(begin + SPAN, pixels), P):
        rows = start + tl.arange(0, P)
        row_in = rows < pixels
        inside = row_in[:, None] & col_in[None, :]
        at = n.to(tl.int64) * pixels * channels + rows[:, None] * channels + cols[None, :]
        value, _ = _preactivation(
            x, bias, factor, grain, strength, at, inside, n, rows, row_in, cols, col_in, pixels, channels
        )
        value = tl.where(value > 0, value, value * LEAK)
        tl.store(y + at, value, mask=inside)
        if style is not None:
            weight = tl.load(style + n * channels + cols, mask=col_in, other=0.0).to(tl.float32)
            tl.store(styled + at, value * weight[None, :], mask=inside)


@triton.jit
def _backward(
    x, bias, factor, grain, strength, style, for_y, for_styled, for_x, sums, pixels, channels,
    LEAK: tl.constexpr, P: tl.constexpr, C: tl.constexpr, SPAN: tl.constexpr,
):  # fmt: skip
    """`sums` [4, spans, N, channels] takes what the gradients of bias, factor, style and strength are sums of."""
    n = tl.program_id(2)
    cols = tl.program_id(1) * C + tl.arange(0, C)
    col_in = cols < channels
    begin = tl.program_id(0) * SPAN
    bias_sum = tl.zeros((P, C), tl.float32)
    factor_sum = tl.zeros((P, C), tl.float32)
    style_sum = tl.zeros((P, C), tl.float32)
    strength_sum = tl.zeros((P, C), tl.float32)
    for start in range(begin, min(begin + SPAN, pixels), P):
        rows = start + tl.arange(0, P)
        row_in = rows < pixels
        inside = row_in[:, None] & col_in[None, :]
        at = n.to(tl.int64) * pixels * channels + rows[:, None] * channels + cols[None, :]
        value, raw = _preactivation(
            x, bias, factor, grain, strength, at, inside, n, rows, row_in, cols, col_in, pixels, channels
        )
        slope = tl.where(value > 0, 1.0, LEAK)
        g = tl.zeros((P, C), tl.float32)
        if for_y is not None:
            g += tl.load(for_y + at, mask=inside, other=0.0).to(tl.float32)
        if for_styled is not None:
            h = tl.load(for_styled + at, mask=inside, other=0.0).to(tl.float32)
            weight = tl.load(style + n * channels + cols, mask=col_in, other=0.0).to(tl.float32)
            g += h * weight[None, :]
            style_sum += h * slope * value
        g *= slope
        bias_sum += g
        if factor is not None:
            factor_sum += g * raw
        if grain is not None:
            noise = tl.load(grain + n * pixels + rows, mask=row_in, other=0.0).to(tl.float32)
            strength_sum += g * noise[:, None]
        if factor is not None:
            g *= tl.load(factor + n * channels + cols, mask=col_in, other=0.0).to(tl.float32)[None, :]
        tl.store(for_x + at, g, mask=inside)
    if sums is not None:
        step = tl.num_programs(0) * tl.num_programs(2) * channels
        to = sums + (tl.program_id(0) * tl.num_programs(2) + n) * channels + cols
        tl.store(to, tl.sum(bias_sum, 0), mask=col_in)
        if factor is not None:
            tl.store(to + step, tl.sum(factor_sum, 0), mask=col_in)
        if for_styled is not None:
            tl.store(to + 2 * step, tl.sum(style_sum, 0), mask=col_in)
        if grain is not None:
            tl.store(to + 3 * step, tl.sum(strength_sum, 0), mask=col_in)


def _launch(kernel: Any, x: Tensor, *arguments: Tensor | None) -> None:
    n, channels, height, width = x.shape
    grid = (triton.cdiv(height * width, SPAN), triton.cdiv(channels, TILE_CHANNELS), n)
    kernel[grid](
        x,
        *arguments,
        height * width,
        channels,
        LEAK=LEAK,
        P=TILE_PIXELS,
        C=TILE_CHANNELS,
        SPAN=SPAN,
        num_warps=4,
    )


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def fused_activation(
    x: Tensor, bias: Tensor, modulation: Modulation | None, style: Tensor | None
) -> tuple[Tensor, Tensor]:
    """`activation.plain_activation` with all arithmetic in float32."""
    factor, grain, strength = (
        (None, None, None)
        if modulation is None
        else (modulation.factor, modulation.grain, modulation.strength)
    )
    parts = [None if part is None else part.contiguous() for part in (bias, factor, grain, strength, style)]
    y, styled = _Activation.apply(_channels_last(x), *parts)
    return y, y if styled is None else styled


class _Activation(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, *parts: Tensor | None) -> tuple[Tensor, Tensor | None]:
        y = torch.empty_like(x)
        styled = None if parts[-1] is None else torch.empty_like(x)
        _launch(_forward, x, *parts, y, styled)
        ctx.save_for_backward(x, *parts)
        ctx.set_materialize_grads(False)
        return y, styled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        for_y, for_styled = (None if g is None else _channels_last(g) for g in gradients)
        summed = any(ctx.needs_input_grad[1:])
        for_x, for_bias, for_factor, for_strength, for_style = _Gradient.apply(
            for_y, for_styled, summed, *ctx.saved_tensors
        )
        return for_x, for_bias, for_factor, None, for_strength, for_style


class _Gradient(Function):
    """Gradients of x, bias, factor, strength and style."""

    @staticmethod
    def forward(
        ctx: Any,
        for_y: Tensor | None,
        for_styled: Tensor | None,
        summed: bool,
        x: Tensor,
        *parts: Tensor | None,
    ) -> tuple[Tensor | None, ...]:
        ctx.save_for_backward(for_y, for_styled, x, *parts)
        ctx.set_materialize_grads(False)
        bias, factor, grain, strength, style = parts
        for_x = torch.empty_like(x)
        n, channels, height, width = x.shape
        spans = triton.cdiv(height * width, SPAN)
        sums = x.new_empty(4, spans, n, channels, dtype=torch.float32) if summed else None
        _launch(_backward, x, *parts, for_y, for_styled, for_x, sums)
        if sums is None:
            return for_x, None, None, None, None
        per_picture = sums.sum(1)
        return (
            for_x,
            per_picture[0].sum(0).to(bias.dtype),
            None if factor is None else per_picture[1].view_as(factor).to(factor.dtype),
            None if grain is None else per_picture[3].sum().to(strength.dtype),
            None if for_styled is None else per_picture[2].view_as(style).to(style.dtype),
        )

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        needed = [ctx.needs_input_grad[k] for k in (0, 1, 3, 4, 5, 6, 7, 8)]
        with torch.enable_grad():
            inputs = [
                None if tensor is None else tensor.detach().requires_grad_(need)
                for tensor, need in zip(ctx.saved_tensors, needed, strict=True)
            ]
            first = [
                (found, g)
                for found, g in zip(plain_gradient(*inputs), gradients, strict=True)
                if g is not None and found is not None and found.requires_grad
            ]
        wanted = [tensor for tensor in inputs if tensor is not None and tensor.requires_grad]
        outputs, cotangents = [found for found, _ in first], [g for _, g in first]
        found = iter(torch.autograd.grad(outputs, wanted, cotangents, allow_unused=True))
        second = [None if t is None or not t.requires_grad else next(found) for t in inputs]
        return second[0], second[1], None, *second[2:]


def plain_gradient(
    for_y: Tensor | None,
    for_styled: Tensor | None,
    x: Tensor,
    bias: Tensor,
    factor: Tensor | None,
    grain: Tensor | None,
    strength: Tensor | None,
    style: Tensor | None,
) -> tuple[Tensor | None, ...]:
    """What `_Gradient` computes, of operations that can be differentiated; the slope of the leaky ReLU is constant."""
    before = (x if factor is None else x * factor) + bias[:, None, None]
    if grain is not None and strength is not None:
        before = before + grain * strength
    slope = torch.where(before.detach() > 0, 1.0, LEAK).to(x.dtype)
    g = x.new_zeros([]) if for_y is None else for_y
    if for_styled is not None and style is not None:
        g = g + for_styled * style
    g = g * slope
    return (
        g if factor is None else g * factor,
        g.sum((0, 2, 3)),
        None if factor is None else (g * x).sum((2, 3), keepdim=True),
        None if grain is None else (g * grain).sum(),
        None if for_styled is None else (for_styled * slope * before).sum((2, 3), keepdim=True),
    )
