"""Put an edited crop back into its photo. Whatever the edit did not reach stays as it was, to the bit.

Two ways: *feather* fades from crop to photo; *gradient* also adds the smoothest correction that makes the crop meet the photo
at its edge (the membrane of Poisson editing: Pérez et al., SIGGRAPH 2003), so that no seam of brightness shows.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from pliant.errors import InputError
from pliant.gan.align import Crop
from pliant.images import from_uint8, to_uint8

Blend = Literal["feather", "gradient"]
CHANGE = 0.05
"""Difference of values in [-1, 1] from which a pixel counts as changed by an edit."""


def paste(
    photo: Image.Image,
    crop: Crop,
    edited: Tensor,
    *,
    before: Tensor | None = None,
    mask: Tensor | None = None,
    how: Blend = "gradient",
    feather: float = 0.06,
) -> Image.Image:
    """The photo with the edited crop in it.

    Args:
        photo: RGB, where `crop` was cut from.
        crop: where it goes.
        edited: [3, H, W] in [-1, 1], of the crop's size.
        before: [3, H, W], the picture before the edit; only where the two differ, and a little around that, is pasted.
        mask: [H, W], 1 where the crop may be pasted.
        how: fade, or also bring the crop to the photo's colours along the edge.
        feather: width of the fade, in shares of the crop's height.

    Raises:
        InputError: pictures that are not of the crop's size.
    """
    width, height = crop.size
    for each in (edited, before):
        if each is not None and tuple(each.shape) != (3, height, width):
            raise InputError(
                f"The crop is of {width} x {height} pixels; the picture to paste is {list(each.shape)}."
            )
    if mask is not None and tuple(mask.shape) != (height, width):
        raise InputError(f"The crop is of {width} x {height} pixels; the mask is {list(mask.shape)}.")
    edited = edited.detach().float().cpu().clamp(-1, 1)
    weight = fade(edited, before, mask, max(1.0, feather * height))
    matrix = crop.to_photo()
    corners = [matrix @ (x, y, 1) for x in (0, width) for y in (0, height)]
    low = np.maximum(np.floor(np.min(corners, 0)).astype(int), 0)
    high = np.minimum(np.ceil(np.max(corners, 0)).astype(int), photo.size)
    if (high <= low).any():
        return photo.convert("RGB")
    there = _warped(torch.cat([edited, weight[None]]), matrix, low, high)
    part, share = there[:3], there[3].clamp(0, 1)
    share = torch.where(share < 1 / 256, torch.zeros_like(share), share)
    pixels = np.array(photo.convert("RGB"))
    old = pixels[low[1] : high[1], low[0] : high[0]]
    under = from_uint8(torch.from_numpy(old.copy()))
    if how == "gradient":
        part = part + membrane(under - part, share > 0.5)
    mixed = under.lerp(part.clamp(-1, 1), share)
    made = to_uint8(mixed).numpy()
    pixels[low[1] : high[1], low[0] : high[0]] = np.where((share > 0).numpy()[..., None], made, old)
    return Image.fromarray(pixels)


def fade(edited: Tensor, before: Tensor | None, mask: Tensor | None, width: float) -> Tensor:
    """How much of the crop is pasted, [H, W] in [0, 1]: nothing at its border, nor where nothing was changed.

    Args:
        edited: [3, H, W].
        before: the same before the edit; None pastes everything.
        mask: [H, W], 1 where it may be pasted.
        width: of the fade in pixels.
    """
    height, length = edited.shape[1:]
    x, y = (torch.arange(side) + 0.5 for side in (length, height))
    edge = torch.minimum(torch.minimum(x, length - x)[None], torch.minimum(y, height - y)[:, None])
    ramp = ((edge - 1) / width).clamp(0, 1)
    weight = ramp * ramp * (3 - 2 * ramp)
    if before is not None:
        change = (edited - before.detach().float().cpu().clamp(-1, 1)).abs().amax(0)
        weight = weight * _grown((_blurred(change, width / 6) > CHANGE).float(), width)
    if mask is not None:
        weight = weight * _blurred(mask.detach().float().cpu().clamp(0, 1), width / 4)
    return weight


def _grown(region: Tensor, width: float) -> Tensor:
    """1 in a region and a little around it, fading to 0 over `width` pixels."""
    reach = max(1, round(width))
    wider = F.max_pool2d(region[None, None], 2 * reach + 1, stride=1, padding=reach)[0, 0]
    return _blurred(wider, width / 2.5)


def _blurred(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of [H, W]; it ends three sigma away."""
    radius = max(1, math.ceil(3 * sigma))
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / max(sigma, 1e-3)) ** 2)
    taps = (taps / taps.sum())[None, None]
    padded = F.pad(x[None, None], (radius,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, taps[:, :, None]), taps[..., None])[0, 0]


def _warped(picture: Tensor, matrix: np.ndarray, low: np.ndarray, high: np.ndarray) -> Tensor:
    """Channels [C, H, W] of a crop where they lie in the photo, from pixel `low` to `high` (x, y); 0 beyond the crop."""
    height, width = picture.shape[1:]
    inverse = np.linalg.inv(matrix[:, :2])
    x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
    places = (np.stack([x, y], -1) - matrix[:, 2]) @ inverse.T
    scale = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if scale < 0.75:  # the photo is coarser than the crop: low-pass first
        picture = torch.stack([_blurred(each, 0.4 / scale) for each in picture])
    grid = torch.from_numpy(places / (width, height) * 2 - 1).float()
    mode = "bicubic" if scale > 1 else "bilinear"
    return F.grid_sample(picture[None], grid[None], mode=mode, padding_mode="zeros", align_corners=False)[0]


def membrane(values: Tensor, region: Tensor) -> Tensor:
    """The smoothest function inside a region that has the given values around it (Laplace's equation), by multigrid.

    Args:
        values: [C, H, W], read outside the region only.
        region: [H, W] bool.

    Returns:
        [C, H, W]: the values outside, the solution inside. Where the region reaches the picture's edge, nothing holds it there.
    """
    known = (~region).float()[None]
    if not bool(region.any()) or not bool(known.any()):
        return torch.where(region, torch.zeros_like(values), values)
    return _membrane(values * known, known)


def _membrane(values: Tensor, known: Tensor) -> Tensor:
    """Solve at half the size first, then smooth here; `values` are 0 where they are not known."""
    height, width = values.shape[1:]
    if min(height, width) > 4:
        share = F.avg_pool2d(known[None], 2, ceil_mode=True)[0]
        mean = F.avg_pool2d(values[None], 2, ceil_mode=True)[0] / share.clamp_min(1e-6)
        certain = (share > 0).float()
        coarse = _membrane(mean * certain, certain)
        x = F.interpolate(coarse[None], (height, width), mode="bilinear", align_corners=False)[0]
    else:
        x = (values.sum((1, 2)) / known.sum().clamp_min(1))[:, None, None].expand_as(values)
    x = torch.where(known > 0, values, x)
    for _ in range(24):
        padded = F.pad(x[None], (1, 1, 1, 1), mode="replicate")[0]
        around = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
        x = torch.where(known > 0, values, x + 0.8 * (around / 4 - x))
    return x
