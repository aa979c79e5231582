"""From what a person set up to what an edit takes: points, masks, locks."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence

from PIL import Image, ImageFilter

from pliant.catalogue import Inputs
from pliant.errors import InputError
from pliant.images import load_image
from pliant.points import as_mask, as_points
from pliant.studio.disk import SessionFolder
from pliant.studio.frames import to_png
from pliant.studio.messages import Document, Mask, Point


def edit_inputs(document: Document, folder: SessionFolder) -> Inputs:
    """What a document gives its edit."""
    locked = [point.locked for point in document.points]
    return Inputs(
        handles=[point.handle for point in document.points],
        targets=[point.handle if point.locked else point.target for point in document.points],
        locked=locked if any(locked) else None,
        mask=None if document.mask is None else used_mask(document.mask, folder),
    )


def check_points(points: Sequence[Point], size: tuple[int, int]) -> None:
    """Refuse points that no edit could use.

    Raises:
        InputError: a point outside the picture.
    """
    if points:
        as_points([point.handle for point in points], size, name="handles")
        as_points([point.target for point in points], size, name="targets")


def followed(points: tuple[Point, ...], handles: Sequence[tuple[float, float]]) -> tuple[Point, ...]:
    """The points with their handles where those went; as they were, if the handles are not theirs."""
    if len(handles) != len(points):
        return points
    return tuple(
        point.model_copy(update={"handle": handle}) for point, handle in zip(points, handles, strict=True)
    )


def keep_mask(text: str, feather: float, size: tuple[int, int], folder: SessionFolder) -> Mask:
    """Check and store a mask that was sent.

    Args:
        text: base64 of a PNG of the picture's size, white where it may change.
        feather: to be used with it.
        size: the picture's.
        folder: where to keep it.

    Raises:
        InputError: not such a text, or a mask that cannot be used.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("The mask is not base64 of a PNG.") from error
    grey = load_image(data, background=(0, 0, 0)).convert("L")
    as_mask(grey, size)
    png = to_png(grey)
    digest = hashlib.sha256(png).hexdigest()
    folder.keep_mask(digest, png)
    return Mask(image=digest, feather=feather)


def used_mask(mask: Mask, folder: SessionFolder) -> Image.Image:
    """A mask as an edit gets it, blurred by its feather: 8 bits of grey, white may change."""
    grey = load_image(folder.mask(mask.image)).convert("L")
    return grey.filter(ImageFilter.GaussianBlur(mask.feather)) if mask.feather else grey
