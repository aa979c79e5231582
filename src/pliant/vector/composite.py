"""Fragments over one another, from the back to the front, with their gradient.

Every pixel has a list of fragments; those of one rank (the lowest of each pixel, the second lowest, ...) lie next to
one another in memory, so that one step of blending is a few operations on slices. Colours are blended as displayed
(sRGB values), as browsers do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor

from pliant.vector.coverage import Fragments
from pliant.vector.flatten import run_sums, taken

__all__ = ["blend", "without_hidden"]


def without_hidden(fragments: Fragments, opacity: Tensor, pixels: int) -> Fragments:
    """Move what lies under an opaque fragment, and so changes nothing, off the picture: to the pixel `pixels`.

    Where a gradient is wanted, what lies under the topmost opaque fragment is kept down to the second one: it would
    show if the topmost became translucent or moved away.

    Args:
        fragments: of M shapes.
        opacity: [M].
        pixels: number of pixels of the picture.
    """
    pixel = fragments.pixel
    alpha = fragments.coverage.detach().float() * taken(opacity.detach().float(), fragments.shape)
    number = torch.arange(len(pixel), device=pixel.device)
    none = torch.full((pixels,), -1, device=pixel.device)
    opaque = number.masked_fill(alpha < 1, -1)
    lowest = none.scatter_reduce(0, pixel, opaque, "amax")
    if opacity.requires_grad or fragments.coverage.requires_grad:
        second = opaque.masked_fill_(opaque == taken(lowest, pixel), -1)
        lowest = none.scatter_reduce_(0, pixel, second, "amax")
    return replace(fragments, pixel=pixel.masked_fill(number < taken(lowest, pixel), pixels))


def blend(
    fragments: Fragments, colours: Tensor, opacity: Tensor, background: Sequence[float], pixels: int
) -> Tensor:
    """The picture of fragments over a background.

    Args:
        fragments: of M shapes, in their order from the lowest; those of the pixel `pixels` are left out.
        colours: [M, 3], any range.
        opacity: [M], 0 to 1.
        background: three numbers.
        pixels: number of pixels of the picture.

    Returns:
        [3, pixels], of the type of `colours`.
    """
    stacks = _stack(fragments, len(colours), pixels, background)
    painted = cast("Tensor", _Blend.apply(fragments.coverage, colours, opacity, stacks))
    return painted.T


@dataclass(frozen=True)
class _Stacks:
    """Where each of F fragments that are not left out lies once those of one rank are together; long lists come first."""

    shape: Tensor
    """int64 [F]: the shape in each new place."""
    places: Tensor
    """int64 [M + 1]: where the K fragments of each shape begin and end."""
    slot: Tensor
    """int64 [K]: the new place of each fragment; F for what is left out."""
    origin: Tensor
    """int64 [F]: which fragment is in each new place."""
    by_depth: Tensor
    """int64 [pixels]: the pixels, those with the most fragments first."""
    at: Tensor
    """int64 [pixels]: where each pixel is then."""
    sizes: list[int]
    """Number of pixels that have a fragment of each rank."""
    background: Sequence[float]
    """Behind all of them."""


def _stack(fragments: Fragments, shapes: int, pixels: int, background: Sequence[float]) -> _Stacks:
    pixel = fragments.pixel
    ordered, order = torch.sort(pixel.int(), stable=True)
    depth = torch.zeros(pixels + 1, dtype=torch.int32, device=pixel.device)
    depth.scatter_add_(0, pixel, torch.ones_like(ordered))
    before = depth.cumsum(0) - depth
    emptiness, by_depth = torch.sort(-depth[:-1], stable=True)
    number = torch.arange(max(len(pixel), pixels, shapes + 1), device=pixel.device)
    at = torch.empty_like(by_depth).scatter_(0, by_depth, number[:pixels])
    # No pixel has more fragments than there are shapes.
    ranks = torch.arange(0, -shapes, -1, dtype=depth.dtype, device=pixel.device)
    sizes = torch.searchsorted(emptiness, ranks)
    counts = [size for size in cast("list[int]", sizes.tolist()) if size] or [0]
    seen = sum(counts)
    ordered, order = ordered[:seen], order[:seen]
    rank = number[:seen] - taken(before, ordered)
    place = taken(sizes.cumsum(0) - sizes, rank) + taken(at, ordered)
    origin = torch.empty_like(order).scatter_(0, place, order)
    return _Stacks(
        shape=taken(fragments.shape, origin),
        places=torch.searchsorted(fragments.shape, number[: shapes + 1]),
        slot=torch.full_like(pixel, seen).scatter_(0, order, place),
        origin=origin,
        by_depth=by_depth,
        at=at,
        sizes=counts,
        background=background,
    )


class _Blend(torch.autograd.Function):
    """Each rank over those before it; backward, the light that passes each fragment is followed from the front."""

    @staticmethod
    def forward(ctx: Any, coverage: Tensor, colours: Tensor, opacity: Tensor, stacks: _Stacks) -> Tensor:
        share, strength = taken(coverage, stacks.origin), taken(opacity, stacks.shape)
        alpha = share * strength
        above = taken(colours, stacks.shape)  # becomes colour minus what is behind it
        seen = colours.new_empty(len(stacks.at), 3)
        for channel, value in enumerate(stacks.background):
            seen[:, channel].fill_(value)
        for part, weight in zip(above.split(stacks.sizes), alpha[:, None].split(stacks.sizes), strict=True):
            behind = seen[: len(part)]
            behind.addcmul_(part.sub_(behind), weight)
        ctx.save_for_backward(share, strength, alpha, above)
        ctx.stacks = stacks
        return taken(seen, stacks.at)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        share, strength, alpha, above = ctx.saved_tensors
        stacks: _Stacks = ctx.stacks
        through = torch.ones_like(alpha)  # what of each fragment reaches the eye
        ranks = list(zip(through.split(stacks.sizes), (1 - alpha).split(stacks.sizes), strict=True))
        for (behind, _), (part, passing) in reversed(list(pairwise(ranks))):
            torch.mul(part, passing, out=behind[: len(part)])
        gradient = taken(grads[0].contiguous(), torch.cat([stacks.by_depth[:size] for size in stacks.sizes]))
        for_alpha = through * torch.linalg.vecdot(above, gradient)
        for_shapes = alpha.new_zeros(len(alpha) + 1, 4)  # colours and opacity; the last for what is left out
        torch.mul(gradient, (through * alpha)[:, None], out=for_shapes[:-1, :3])
        torch.mul(for_alpha, share, out=for_shapes[:-1, 3])
        for_coverage = torch.cat([for_alpha * strength, alpha.new_zeros(1)])
        sums = run_sums(taken(for_shapes, stacks.slot), stacks.places)
        return taken(for_coverage, stacks.slot), sums[:, :3], sums[:, 3], None
