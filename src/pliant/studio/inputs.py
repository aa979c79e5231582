"""From what a person set up to what an edit takes: points, masks, locks."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageFilter
from torch import Tensor

from pliant.catalogue import Edit, Inputs
from pliant.errors import InputError
from pliant.images import load_image
from pliant.points import as_mask, as_points
from pliant.project import Project
from pliant.project_file import Node
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


def taken_up(project: Project, node: Node, edit: Edit, folder: SessionFolder) -> dict[str, Any]:
    """What a document goes on with after a run that was made elsewhere: its points where they went, its mask, its settings.

    Args:
        project: of the run.
        node: the run's node.
        edit: the run's edit.
        folder: where the mask is kept.
    """
    given = project.inputs(node.id)
    numbers = project.numbers(node.id)
    handles = numbers["handles"][-1].tolist() if "handles" in numbers else given.get("handles", [])
    targets = given.get("targets", [])
    locked = given.get("locked") or [False] * len(targets)
    defaults = {setting.name: setting.default for setting in edit.settings}
    changed = {name: value for name, value in node.settings.items() if defaults.get(name) != value}
    taken: dict[str, Any] = {"settings": {edit.name: changed} if changed else {}}
    if len(handles) == len(targets) == len(locked):
        each = zip(handles, targets, locked, strict=True)
        taken["points"] = tuple(Point(handle=h, target=t, locked=held) for h, t, held in each)
    if isinstance(mask := given.get("mask"), Tensor):
        taken["mask"] = _stored(Image.fromarray(mask.mul(255).round().byte().numpy()), 0.0, folder)
    return taken


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
    return _stored(grey, feather, folder)


def _stored(grey: Image.Image, feather: float, folder: SessionFolder) -> Mask:
    png = to_png(grey)
    digest = hashlib.sha256(png).hexdigest()
    folder.keep_mask(digest, png)
    return Mask(image=digest, feather=feather)


def used_mask(mask: Mask, folder: SessionFolder) -> Image.Image:
    """A mask as an edit gets it, blurred by its feather: 8 bits of grey, white may change."""
    grey = load_image(folder.mask(mask.image)).convert("L")
    return grey.filter(ImageFilter.GaussianBlur(mask.feather)) if mask.feather else grey
