"""From what a person set up to what an edit takes: points, masks, painted parts, prompts, layers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

from pliant import prompts as prompting
from pliant.catalogue import Edit, Inputs
from pliant.errors import InputError
from pliant.gan.head import PartClass
from pliant.gan.parts import checked_ids
from pliant.images import load_image
from pliant.picture import Picture
from pliant.points import as_mask, as_points
from pliant.project import Project
from pliant.project_file import Node
from pliant.studio.disk import SessionFolder
from pliant.studio.drawings import layer_changes
from pliant.studio.frames import to_png
from pliant.studio.messages import MAX_PROMPTS, Document, LayerChanges, Mask, Point, Prompt
from pliant.studio.things import GROUP, given_things, taken_things

if TYPE_CHECKING:
    from pliant.diffusion.pipeline import DiffusionModel
    from pliant.gan.align import Crop
    from pliant.gan.stylegan2 import Generator
    from pliant.perception.clip import TextImageModel


def edit_inputs(
    edit: Edit,
    document: Document,
    folder: SessionFolder,
    *,
    model: Generator | None = None,
    crop: Crop | None = None,
    words: TextImageModel | None = None,
    other: Picture | None = None,
    diffuser: DiffusionModel | None = None,
) -> Inputs:
    """What a document gives an edit, of what that takes.

    Args:
        edit: of the mode.
        document: what was set up.
        folder: where its masks and part maps are.
        model: that should make a photo.
        crop: of that photo.
        words: model that reads the prompts.
        other: the picture that things were copied from.
        diffuser: model that makes and edits pictures.

    Raises:
        InputError: a mask or part map that is not kept any more, or a prompt without words.
    """
    given: dict[str, Any] = {}
    made = {"model": model, "crop": crop, "words": words, "diffuser": diffuser}
    for kind in edit.inputs:
        if kind == "points":
            given |= _points(document.points)
        elif kind == "mask" and document.mask is not None:
            given["mask"] = used_mask(document.mask, folder)
        elif kind == "parts" and document.parts is not None:
            given["parts"] = stored_parts(document.parts, folder)
        elif kind == "vectors":
            given["vectors"] = dict(document.vectors)
        elif kind == "prompts":
            given["prompts"] = _prompts(document.prompts)
        elif kind == "boxes":
            given["boxes"] = document.boxes
        elif kind == "layers" and document.layers != LayerChanges():
            given["layers"] = layer_changes(document.layers)
        elif kind in made:
            given[kind] = made[kind]
    if edit.group == GROUP:
        given |= given_things(edit, document, folder, other)
    return Inputs(**given)


def _points(points: Sequence[Point]) -> dict[str, Any]:
    locked = [point.locked for point in points]
    return {
        "handles": [point.handle for point in points],
        "targets": [point.handle if point.locked else point.target for point in points],
        "locked": locked if any(locked) else None,
    }


def _prompts(prompts: Sequence[Prompt]) -> tuple[prompting.Prompt, ...]:
    """Prompts as edits take them.

    Raises:
        InputError: one has no words.
    """
    empty = next((number for number, each in enumerate(prompts, 1) if not each.text.strip()), None)
    if empty is not None:
        raise InputError(f"Prompt {empty} has no words; say what it should become, or delete it.")
    return tuple(prompting.Prompt(each.text, each.box, each.strength) for each in prompts)


def check_boxes(boxes: Sequence[tuple[float, float, float, float]], size: tuple[int, int]) -> None:
    """Refuse boxes that no edit could use.

    Raises:
        InputError: one is outside the picture, or of no size.
    """
    for number, (x, y, width, height) in enumerate(boxes, 1):
        if width <= 0 or height <= 0:
            raise InputError(f"Box {number} has no size; draw it larger.")
        if x >= size[0] or y >= size[1] or x + width <= 0 or y + height <= 0:
            raise InputError(f"Box {number} is outside the picture; draw it on the picture.")


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
    if "prompts" in edit.inputs:
        taken["prompts"] = tuple(Prompt.model_validate(each) for each in given.get("prompts", []))
        taken["prompts"] = taken["prompts"][:MAX_PROMPTS]
    if edit.group == GROUP:
        taken |= taken_things(edit, given, folder)
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
    grey = _sent_image(text, "mask").convert("L")
    as_mask(grey, size)
    return _stored(grey, feather, folder)


def _stored(grey: Image.Image, feather: float, folder: SessionFolder) -> Mask:
    return Mask(image=folder.masks.keep(to_png(grey)), feather=feather)


def _sent_image(text: str, kind: str) -> Image.Image:
    """An image that was sent as base64 of a PNG, RGB; what is transparent in it is black."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"The {kind} is not base64 of a PNG.") from error
    return load_image(data, background=(0, 0, 0))


def used_mask(mask: Mask, folder: SessionFolder) -> Image.Image:
    """A mask as an edit gets it, blurred by its feather: 8 bits of grey, white may change."""
    grey = load_image(folder.masks.read(mask.image)).convert("L")
    return grey.filter(ImageFilter.GaussianBlur(mask.feather)) if mask.feather else grey


def keep_parts(text: str, classes: Sequence[PartClass], size: tuple[int, int], folder: SessionFolder) -> str:
    """Check and store a painted part map that was sent; its hash.

    Args:
        text: base64 of a PNG of the picture's size, whose red, green and blue are each the id of the part.
        classes: the parts by id.
        size: the picture's.
        folder: where to keep it.

    Raises:
        InputError: not such a text, another size, or ids that are no part.
    """
    rgb = np.asarray(_sent_image(text, "part map"))
    if (rgb != rgb[:, :, :1]).any():
        raise InputError("A part map is grey: each of its values is the id of a part.")
    ids = checked_ids(rgb[:, :, 0], classes, size)
    return folder.parts.keep(to_png(Image.fromarray(ids.numpy())))


def stored_parts(digest: str, folder: SessionFolder) -> NDArray[np.uint8]:
    """The ids [H, W] of a part map that is kept."""
    return np.array(load_image(folder.parts.read(digest)).convert("L"))
