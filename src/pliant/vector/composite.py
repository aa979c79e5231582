"""Fragments over one another, from the back to the front, with their gradient.

Every pixel has a list of fragments; those of one rank (the lowest of each pixel, the second lowest, ...) lie next to
one another in memory, so that one step of blending is a few operations on slices. Colours are blended as displayed
(sRGB values), as browsers do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from pliant.vector.coverage import Fragments
from pliant.vector.flatten import run_sums

__all__ = ["blend", "without_hidden"]


def without_hidden(fragments: Fragments, opacity: Tensor, pixels: int) -> Fragments:
    """Drop what lies under an opaque fragment and so changes nothing.

    Where a gradient is wanted, what lies under the topmost opaque fragment is kept down to the second one: it would
    show if the topmost became translucent or moved away.

    Args:
        fragments: of M shapes.
        opacity: [M].
        pixels: number of pixels of the picture.
    """
    pixel = fragments.pixel
    alpha = fragments.coverage.detach().float() * opacity.detach().float().index_select(0, fragments.shape)
    opaque = (alpha >= 1).nonzero()[:, 0]
    at = pixel.index_select(0, opaque)
    none = torch.full((pixels,), -1, device=pixel.device)
    lowest = none.scatter_reduce(0, at, opaque, "amax")
    if opacity.requires_grad or fragments.coverage.requires_grad:
        covered = opaque < lowest.index_select(0, at)
        lowest = none.scatter_reduce(0, at[covered], opaque[covered], "amax")
    number = torch.arange(len(pixel), device=pixel.device)
    kept = (number >= lowest.index_select(0, pixel)).nonzero()[:, 0]
    return Fragments(
        pixel.index_select(0, kept),
        fragments.shape.index_select(0, kept),
        fragments.coverage.index_select(0, kept),
    )


def blend(fragments: Fragments, colours: Tensor, opacity: Tensor, background: Tensor, pixels: int) -> Tensor:
    """The picture of fragments over a background.

    Args:
        fragments: of M shapes, in their order from the lowest.
        colours: [M, 3], any range.
        opacity: [M], 0 to 1.
        background: [3].
        pixels: number of pixels of the picture.

    Returns:
        [3, pixels], of the type of `colours`.
    """
    stacks = _stack(fragments, len(colours), pixels, background)
    painted = cast("Tensor", _Blend.apply(fragments.coverage, colours, opacity, stacks))
    return painted.T


@dataclass(frozen=True)
class _Stacks:
    """Where each fragment lies once those of one rank are together; pixels with the longest lists come first."""

    shape: Tensor
    """int64 [K]: the shape of each fragment."""
    counts: Tensor
    """int64 [M]: number of fragments of each shape."""
    slot: Tensor
    """int64 [K]: the new place of each fragment."""
    origin: Tensor
    """int64 [K]: which fragment is in each new place."""
    pixel_at: Tensor
    """int64 [K]: the pixel of each new place."""
    pixel: Tensor
    """int64 [Q]: the pixels that have fragments, in their order."""
    sizes: list[int]
    """Number of pixels that have a fragment of each rank."""
    pixels: int
    """Number of all pixels."""
    background: Tensor
    """[3], behind all of them."""


def _stack(fragments: Fragments, shapes: int, pixels: int, background: Tensor) -> _Stacks:
    pixel = fragments.pixel
    ordered, order = torch.sort(pixel, stable=True)
    depth = torch.bincount(pixel, minlength=pixels)
    number = torch.arange(max(len(pixel), pixels), device=pixel.device)
    rank = number[: len(pixel)] - (depth.cumsum(0) - depth).index_select(0, ordered)
    by_depth = torch.sort(depth, descending=True, stable=True)[1]
    at = torch.empty_like(by_depth).scatter_(0, by_depth, number[:pixels])
    sizes = torch.bincount(rank)
    place = (sizes.cumsum(0) - sizes).index_select(0, rank) + at.index_select(0, ordered)
    counts: list[int] = sizes.tolist()
    return _Stacks(
        shape=fragments.shape,
        counts=torch.bincount(fragments.shape, minlength=shapes),
        slot=torch.empty_like(order).scatter_(0, order, place),
        origin=torch.empty_like(order).scatter_(0, place, order),
        pixel_at=torch.empty_like(order).scatter_(0, place, ordered),
        pixel=by_depth[: counts[0] if counts else 0],
        sizes=counts,
        pixels=pixels,
        background=background,
    )


class _Blend(torch.autograd.Function):
    """Each rank over those before it; backward, the light that passes each fragment is followed from the front."""

    @staticmethod
    def forward(ctx: Any, coverage: Tensor, colours: Tensor, opacity: Tensor, stacks: _Stacks) -> Tensor:
        alpha = (coverage * opacity.index_select(0, stacks.shape)).index_select(0, stacks.origin)
        above = colours.index_select(
            0, stacks.shape.index_select(0, stacks.origin)
        )  # becomes colour minus what is behind it
        seen = stacks.background.expand(len(stacks.pixel), 3).clone()
        begin = 0
        for size in stacks.sizes:
            part = slice(begin, begin + size)
            above[part] -= seen[:size]
            seen[:size].addcmul_(above[part], alpha[part, None])
            begin += size
        picture = stacks.background.expand(stacks.pixels, 3).clone()
        picture[stacks.pixel] = seen
        ctx.save_for_backward(coverage, opacity, alpha, above)
        ctx.stacks = stacks
        return picture

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        coverage, opacity, alpha, above = ctx.saved_tensors
        stacks: _Stacks = ctx.stacks
        gradient = grads[0].contiguous().index_select(0, stacks.pixel_at)
        through = torch.empty_like(alpha)  # what of each fragment reaches the eye
        light = alpha.new_ones(len(stacks.pixel))
        begin = len(alpha)
        for size in reversed(stacks.sizes):
            begin -= size
            part = slice(begin, begin + size)
            through[part] = light[:size]
            light[:size] *= 1 - alpha[part]
        for_alpha = (through * torch.linalg.vecdot(above, gradient)).index_select(0, stacks.slot)
        for_colours = None
        if ctx.needs_input_grad[1]:
            weighted = gradient.mul_((through * alpha)[:, None]).index_select(0, stacks.slot)
            for_colours = run_sums(weighted, stacks.counts)
        return (
            for_alpha * opacity.index_select(0, stacks.shape),
            for_colours,
            run_sums(for_alpha * coverage, stacks.counts),
            None,
        )
