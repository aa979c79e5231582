"""Edits by explicit correspondences alone: move, remove, paste and drag pixels, in milliseconds and without a network.

It is the preview of those edits, and where the diffusion model starts from: pixels that are known lie where they belong, and
`uncovered` says where nobody knows what is there. A thing is *unmixed* from its old background before it is laid over the new
one: what is behind its soft edge is estimated by filling its hole, and taken out of the edge (no halo of the old place).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.diffusion.holes import Box, box_around, fill_hole
from pliant.diffusion.pull import pulled
from pliant.diffusion.things import PlacedThing

__all__ = ["Warped", "drag_pixels", "fill_hole", "move_pixels", "paste_pixels", "remove_pixels"]

SEEN = 0.02
"""A mask below this shows nothing."""
UNSURE = 0.03
"""Where a thing and what is behind it differ by less than this, squared and in [-1, 1], their mixture tells little."""
SLACK = 400
"""A hole is larger than its mask by one pixel for each so many of the picture's side, two at least: masks are rarely exact."""
BAND = 1 << 20
"""Pixels that are drawn at once, which bounds memory."""


@dataclass(frozen=True, eq=False)
class Warped:
    """A picture put together from known pixels, and what is known of it."""

    pixels: Tensor = field(repr=False)
    """float32 [3, H, W] in [-1, 1]."""
    changed: Tensor = field(repr=False)
    """float32 [H, W]: where it differs from the source on purpose; where it is 0 the pixels are the source's to the bit."""
    uncovered: Tensor = field(repr=False)
    """float32 [H, W]: where nobody knows what is there: behind things that left, or torn by a pull."""
    placed: Tensor = field(repr=False)
    """float32 [H, W]: where known content was put."""


def move_pixels(source: Tensor, things: Sequence[PlacedThing]) -> Warped:
    """Things cut out, what is behind them filled, and drawn where they go, one over another in their order.

    Args:
        source: float32 [3, H, W] in [-1, 1] on the CPU.
        things: with masks of this picture.
    """
    hole = _hole(reduce(torch.maximum, (thing.mask for thing in things)))
    behind = fill_hole(source, hole)
    return _laid(behind, hole, things, source, behind)


def remove_pixels(source: Tensor, mask: Tensor) -> Warped:
    """What is in a mask replaced by what is around it.

    Args:
        source: float32 [3, H, W] in [-1, 1] on the CPU.
        mask: float32 [H, W], 1 = remove.
    """
    hole = _hole(mask)
    return _laid(fill_hole(source, hole), hole, (), source, source)


def paste_pixels(source: Tensor, other: Tensor, things: Sequence[PlacedThing]) -> Warped:
    """Things of another picture drawn into this one.

    Args:
        source: float32 [3, H, W] in [-1, 1] on the CPU.
        other: float32 [3, h, w], the picture of the things' masks.
        things: placed in this picture.
    """
    behind = fill_hole(other, _hole(reduce(torch.maximum, (thing.mask for thing in things))))
    return _laid(source.clone(), torch.zeros_like(source[0]), things, other, behind)


def drag_pixels(source: Tensor, handles: Tensor, targets: Tensor, mask: Tensor | None) -> Warped:
    """Content pulled along arrows like a soft sheet whose edge is held: handles land on their targets, nothing folds.

    Args:
        source: float32 [3, H, W] in [-1, 1] on the CPU.
        handles: float32 [N, 2] (x, y) in pixels.
        targets: the same, where they go.
        mask: float32 [H, W], 1 where the picture may move; None holds only its border.
    """
    pixels, moved, torn = pulled(source, handles, targets, mask)
    return Warped(pixels, moved, torn, moved * (1 - torn))


def soft_edged(mask: Tensor, picture: Tensor, behind: Tensor) -> Tensor:
    """A mask that was drawn with hard edges, with soft ones: how much of each pixel at its edge the thing covers.

    Such a pixel is a mixture of the thing, as it looks further in, and of what is behind it; which, its colour says.

    Args:
        mask: float32 [H, W]; it is given back as it is if its edges are soft already.
        picture: float32 [3, H, W], which shows it.
        behind: the same without it.
    """
    top, bottom, left, right = box_around(mask > SEEN, least=3)
    part = mask[top:bottom, left:right]
    rim = float((part[1:] - part[:-1]).abs().sum() + (part[:, 1:] - part[:, :-1]).abs().sum())
    if float(((part > SEEN) & (part < 1 - SEEN)).sum()) > 0.25 * rim:
        return mask
    hard = part > 0.5
    inner = ~_wider(~hard, 1)
    edge = _wider(hard, 1) & ~inner
    shown, without = (each[:, top:bottom, left:right] for each in (picture, behind))
    further = F.avg_pool2d(torch.cat([shown * inner, inner[None].float()])[None], 5, 1, 2)[0]
    apart = further[:3] / further[3:].clamp_min(1e-6) - without
    guess = 0.25 + 0.5 * hard.float()
    share = ((shown - without) * apart).sum(0) + UNSURE * guess
    share = (share / (apart.square().sum(0) + UNSURE)).clamp(0, 1)
    made = mask.clone()
    made[top:bottom, left:right] = torch.where(edge & (further[3] > 0.03), share, part)
    return made


def _wider(region: Tensor, reach: int) -> Tensor:
    """What is true in [H, W], wider by so many pixels."""
    made = region.clone()
    for _ in range(reach):
        for side in (0, 1):
            old, most = made.clone(), made.shape[side] - 1
            made.narrow(side, 1, most).logical_or_(old.narrow(side, 0, most))
            made.narrow(side, 0, most).logical_or_(old.narrow(side, 1, most))
    return made


def _hole(mask: Tensor) -> Tensor:
    """A mask with a little slack around it, softly ending; [H, W]."""
    seen = mask > SEEN
    hole = torch.zeros_like(mask)
    if mask.max() <= SEEN:
        return hole
    reach = max(2, round(max(mask.shape) / SLACK))
    top, bottom, left, right = box_around(seen, least=reach + 1)
    part = _wider(seen[top:bottom, left:right], reach)
    soft = F.avg_pool2d(F.pad(part[None].float(), (1, 1, 1, 1), mode="replicate"), 3, 1)[0]
    hole[top:bottom, left:right] = torch.maximum(soft, mask[top:bottom, left:right])
    return hole


def _laid(
    under: Tensor, hole: Tensor, things: Sequence[PlacedThing], picture: Tensor, behind: Tensor
) -> Warped:
    """Things of a picture, which is `behind` without them, over one another on `under`, which is drawn on."""
    placed = torch.zeros_like(hole)
    cuts = [_cut(soft_edged(thing.mask, picture, behind), picture, behind) for thing in things]
    for thing, (cut, box) in zip(things, cuts, strict=True):
        _lay(under, placed, thing, cut, box)
    return Warped(under, torch.maximum(hole, placed), hole * (1 - placed), placed)


def _cut(mask: Tensor, picture: Tensor, behind: Tensor) -> tuple[Tensor, Box]:
    """A thing without its background, [4, h, w]: colours times share, and share; and the box that it is cut from."""
    top, bottom, left, right = box_around(mask > 0, least=3)
    share = mask[None, top:bottom, left:right]
    shown, without = (each[:, top:bottom, left:right] for each in (picture, behind))
    colour = torch.minimum(torch.maximum(shown - (1 - share) * without, -share), share)  # times share
    return torch.cat([colour, share]), (top, bottom, left, right)


def _lay(pixels: Tensor, placed: Tensor, thing: PlacedThing, cut: Tensor, box: Box) -> None:
    """Draw what was cut from a box over `pixels`, and where it is into `placed`."""
    height, width = cut.shape[1:]
    if thing.scale < 1:
        smaller = (max(1, round(height * thing.scale)), max(1, round(width * thing.scale)))
        cut = F.interpolate(cut[None], smaller, mode="bilinear", antialias=True)[0]
    place = thing.reached(box)
    if place is None:
        return
    first, last, start, stop = place
    rows = max(1, BAND // (stop - start))
    for row in range(first, last, rows):
        end = min(last, row + rows)
        columns, lines = (torch.arange(*each, dtype=torch.float64) for each in ((start, stop), (row, end)))
        origins = thing.origins_at(columns, lines) - torch.tensor([box[2], box[0]])
        grid = (origins + 0.5) / torch.tensor([width, height]) * 2 - 1
        drawn = F.grid_sample(cut[None], grid[None], mode="bicubic", align_corners=False)[0]
        alpha = drawn[3].clamp_(0, 1)
        colour = torch.minimum(torch.maximum(drawn[:3], -alpha), alpha)
        mixed = colour + (1 - alpha) * pixels[:, row:end, start:stop]
        pixels[:, row:end, start:stop] = mixed.clamp_(-1, 1)
        placed[row:end, start:stop] = alpha + (1 - alpha) * placed[row:end, start:stop]
