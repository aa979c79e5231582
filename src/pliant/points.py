"""Handles, targets and masks as a person gives them, checked once at the door.

Coordinates are (x, y) in pixels of the picture as shown, x to the right and y down; the centre of the
top-left pixel is (0, 0), so a picture of width W holds x from 0 to W - 1. A mask is 1 where the picture may
change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pliant.errors import InputError

__all__ = ["MAX_POINTS", "MaskLike", "PointsLike", "as_mask", "as_points", "check_pairs"]

MAX_POINTS = 256
"""More points than this are a mistake: every point costs time in every step."""

PointsLike = Sequence[Sequence[float]] | NDArray[Any] | Tensor
MaskLike = NDArray[Any] | Tensor | Image.Image | Sequence[Sequence[float]]


def as_points(value: PointsLike, size: tuple[int, int], *, name: str = "points") -> Tensor:
    """Points of a picture as a tensor, or a sentence that says what is wrong with them.

    Args:
        value: [N, 2] (x, y) in pixels; lists, an array or a tensor, N from 1 to 256.
        size: width and height of the picture.
        name: what the points are called in an error, such as "handles".

    Returns:
        float32 [N, 2] on the CPU.

    Raises:
        InputError: not N pairs of numbers, none, too many, not finite, or outside the picture.
    """
    points = _as_array(value, name).astype(np.float64)
    if points.size == 0:
        raise InputError(f"There are no {name}; give at least one point as (x, y).")
    if points.ndim != 2 or points.shape[1] != 2:
        raise InputError(
            f"The {name} have the shape {list(points.shape)}; expected [N, 2], one (x, y) for each point."
        )
    if len(points) > MAX_POINTS:
        raise InputError(f"{len(points)} {name} are too many; give at most {MAX_POINTS}.")
    if not np.isfinite(points).all():
        row = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
        raise InputError(f"Point {row + 1} of the {name} is not a finite number: {_shown(points[row])}.")
    outside = ((points < 0) | (points > np.array(size) - 1)).any(axis=1)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise InputError(
            f"Point {row + 1} of the {name}, {_shown(points[row])}, lies outside the picture: "
            f"x goes from 0 to {size[0] - 1} and y from 0 to {size[1] - 1}."
        )
    return torch.as_tensor(points.astype(np.float32))


def check_pairs(handles: Tensor, targets: Tensor) -> None:
    """Check that handles and targets, each [N, 2] from `as_points`, belong together.

    Raises:
        InputError: different counts, or two handles closer than one pixel (they could not be told apart).
    """
    if len(handles) != len(targets):
        raise InputError(
            f"There are {len(handles)} handles but {len(targets)} targets; every handle needs one target."
        )
    gaps = torch.cdist(handles.double(), handles.double()) + torch.eye(len(handles)) * 1e9
    if gaps.min() < 1:
        first, second = sorted(divmod(int(gaps.argmin()), len(handles)))
        raise InputError(
            f"Handles {first + 1} and {second + 1} are on top of each other, both near "
            f"{_shown(handles[first].numpy())}; keep them at least a pixel apart, or remove one."
        )


def as_mask(value: MaskLike | None, size: tuple[int, int]) -> Tensor | None:
    """A mask of what may change, or None when nothing is restricted.

    Args:
        value: [H, W], 1 = may change. Booleans; numbers from 0 to 1; whole numbers from 0 to 255; or an
            image, whose white may change and whose black must stay. None: no restriction.
        size: width and height of the picture.

    Returns:
        float32 [H, W] from 0 to 1 on the CPU; None when the mask is 1 everywhere.

    Raises:
        InputError: another size than the picture's, values outside the range or not finite, or 0 everywhere.
    """
    if value is None:
        return None
    array = np.asarray(value.convert("L")) if isinstance(value, Image.Image) else _as_array(value, "mask")
    if array.ndim != 2:
        raise InputError(
            f"The mask has the shape {list(array.shape)}; expected [H, W] with one number for each pixel."
        )
    if array.shape != (size[1], size[0]):
        raise InputError(
            f"The mask is {array.shape[1]}x{array.shape[0]} but the picture is {size[0]}x{size[1]}; "
            "give a mask of the picture's size."
        )
    mask = array.astype(np.float32)
    if array.dtype.kind in "iu" and (mask > 1).any():
        mask /= 255
    if not (np.isfinite(mask).all() and (mask >= 0).all() and (mask <= 1).all()):
        raise InputError(
            "The mask holds values outside its range; give 0 (must stay) to 1 (may change), or 0 to 255."
        )
    if not mask.any():
        raise InputError(
            "The mask is 0 everywhere, so nothing may change; paint 1 (white) where the picture may move."
        )
    return None if (mask == 1).all() else torch.as_tensor(mask)


def _as_array(value: Any, name: str) -> NDArray[Any]:
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        value = value.float() if value.dtype == torch.bfloat16 else value
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            f"The {name} could not be read as numbers: every row must have the same length."
        ) from error
    if array.size and array.dtype.kind not in "biuf":
        raise InputError(f"The {name} could not be read as numbers; they hold something else.")
    return array


def _shown(point: NDArray[Any]) -> str:
    return f"({point[0]:g}, {point[1]:g})"
