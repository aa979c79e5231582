"""Things of photos in the studio: the masks that people make, what edits get of them, and where things are after a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from PIL import Image, ImageChops
from torch import Tensor

from pliant.catalogue import Edit
from pliant.diffusion.things import Thing, as_things
from pliant.errors import InputError
from pliant.images import load_image
from pliant.picture import Picture
from pliant.points import as_mask
from pliant.studio import messages as m
from pliant.studio.frames import to_png

if TYPE_CHECKING:
    from pliant.selecting.sam import SamSelector
    from pliant.studio.desk import Desk
    from pliant.studio.disk import SessionFolder

GROUP = "Things"
"""Of the edits that are one mode for things."""
PASTE = "paste"
"""The edit whose things are those of the other picture."""
GENERATE = "generate"
"""The edit that makes a picture of its own, whatever it begins at."""
LARGEST = 1024
"""Pixels of the longer side at which things are looked for, and at which a photo is shown without them."""


# ---- masks


def keep_selection(data: bytes, folder: SessionFolder) -> str:
    """Check and store a mask that a person made; its hash.

    Raises:
        InputError: not a picture, or nothing of it is white.
    """
    grey = load_image(data, background=(0, 0, 0)).convert("L")
    as_mask(grey, grey.size)
    return folder.masks.keep(to_png(grey))


def stored_mask(digest: str, folder: SessionFolder) -> Image.Image:
    """A mask that is kept, 8 bits of grey.

    Raises:
        InputError: there is none.
    """
    return load_image(folder.masks.read(digest)).convert("L")


def union(digests: Sequence[str], folder: SessionFolder) -> Image.Image | None:
    """All of several masks; None of none.

    Raises:
        InputError: one is not there, or they are of several sizes.
    """
    masks = [stored_mask(digest, folder) for digest in digests]
    if len({mask.size for mask in masks}) > 1:
        raise InputError("What was selected belongs to pictures of several sizes; select it anew.")
    whole = masks[0] if masks else None
    for mask in masks[1:]:
        whole = ImageChops.lighter(cast("Image.Image", whole), mask)
    return whole


# ---- what a change brings, and what edits get


def changed_things(desk: Desk, message: m.Change) -> dict[str, Any]:
    """Fields of the document that a change of things makes other.

    Raises:
        InputError: a mask that is not there or of another picture, or a frame that is not.
    """
    document = desk.document
    edit = message.edit or document.edit
    update: dict[str, Any] = {"candidates": ()} if message.clear_candidates else {}
    if (edit == PASTE) != (document.edit == PASTE):
        update["things"] = ()
    if message.prompt is not None:
        update["prompt"] = message.prompt.strip()
    other = message.other or document.other
    if message.other is not None:
        desk.node(message.other.at)
        for digest in message.other.masks:
            _check_size(stored_mask(digest, desk.folder), desk.sizes[message.other.at.node])
        update["other"] = message.other
    if message.things is not None:
        shown = other.at if edit == PASTE and other is not None else document.at
        if shown is None:
            raise InputError("Choose a picture first.")
        for thing in message.things:
            _check_size(stored_mask(thing.mask, desk.folder), desk.sizes[shown.node])
        update["things"] = message.things
    return update


def _check_size(mask: Image.Image, size: tuple[int, int]) -> None:
    if mask.size != size:
        raise InputError(
            f"The selection is {mask.width}x{mask.height} but the picture is {size[0]}x{size[1]}; select it anew."
        )


def given_things(
    edit: Edit, document: m.Document, folder: SessionFolder, other: Picture | None
) -> dict[str, Any]:
    """What a document gives an edit of things, besides points and models.

    Args:
        edit: one of the group.
        document: what was set up.
        folder: where its masks are.
        other: the picture that things were copied from.

    Raises:
        InputError: a mask is not kept any more.
    """
    given: dict[str, Any] = {"prompt": document.prompt}
    if "things" in edit.inputs:
        going = document.things if edit.name == PASTE else [each for each in document.things if _goes(each)]
        given["things"] = edit_things(going or document.things, folder)
    if "other" in edit.inputs and document.other is not None:
        given["other"] = other
    if edit.name == "swap" and document.other is not None:
        given["other_mask"] = union(document.other.masks, folder)
    if "mask" in edit.inputs and not ("points" in edit.inputs and document.mask):
        given["mask"] = union([thing.mask for thing in document.things], folder)
    return given


def _goes(thing: m.Thing) -> bool:
    """It goes elsewhere, or becomes another; what was only selected is left alone."""
    return thing.shift != (0, 0) or thing.scale != 1 or thing.turn != 0


def edit_things(things: Sequence[m.Thing], folder: SessionFolder) -> tuple[Thing, ...]:
    """Things as edits take them."""
    return tuple(
        Thing(stored_mask(each.mask, folder), each.shift, each.scale, each.turn, each.pivot)
        for each in things
    )


# ---- afterwards


def after_run(
    edit: Edit, things: Sequence[m.Thing], size: tuple[int, int], folder: SessionFolder
) -> tuple[m.Thing, ...]:
    """The things on the picture that a run makes: moved ones where they went, removed and pasted ones no more.

    Args:
        edit: of the run.
        things: before it.
        size: of the picture.
        folder: where masks are kept.

    Raises:
        InputError: things that the edit could not use.
    """
    if edit.name != "move":
        return () if edit.name in {"remove", PASTE, GENERATE} else tuple(things)
    gone = iter(placed(edit_things([each for each in things if _goes(each)], folder), size, folder))
    return tuple(next(gone) if _goes(each) else each for each in things)


def placed(things: Sequence[Thing], size: tuple[int, int], folder: SessionFolder) -> tuple[m.Thing, ...]:
    """Things where they went, to be moved from there."""
    masks = [each.placed for each in as_things(things, size)] if things else []
    return tuple(m.Thing(mask=_kept(mask, folder)) for mask in masks)


def taken_things(edit: Edit, given: dict[str, Any], folder: SessionFolder) -> dict[str, Any]:
    """What a document goes on with after a run of things that was made elsewhere.

    Args:
        edit: of the run.
        given: what the run was given, tensors included.
        folder: where masks are kept.
    """
    taken: dict[str, Any] = {"prompt": str(given.get("prompt", ""))[: m.MAX_TEXT]}
    if edit.name == "move":
        facts = cast("Sequence[dict[str, Any]]", given.get("things", ()))[: m.MAX_THINGS]
        things = [Thing(given[f"thing{number}"], **each) for number, each in enumerate(facts)]
        height, width = given["thing0"].shape
        taken["things"] = placed(things, (width, height), folder)
    elif edit.name == "swap" and isinstance(mask := given.get("mask"), Tensor):
        taken["things"] = (m.Thing(mask=_kept(mask, folder)),)
    return taken


def _kept(mask: Tensor, folder: SessionFolder) -> str:
    """The hash of a mask [H, W] of numbers from 0 to 1, stored."""
    return folder.masks.keep(to_png(Image.fromarray(mask.mul(255).round().byte().numpy())))


# ---- looking for them


def clicked(
    image: Image.Image, point: tuple[float, float], tolerance: float, selector: SamSelector | None = None
) -> Image.Image:
    """The thing at a point of a picture, as a mask.

    Args:
        image: RGB.
        point: (x, y) in its pixels.
        tolerance: 0 (only what is the same) to 1 (much); a selector has none.
        selector: what looks for it, instead of its colours and edges.
    """
    from pliant.selecting import grow

    small, scale = _small(image)
    pixels = np.array(small)
    x, y = ((each + 0.5) * scale - 0.5 for each in point)
    found = grow(pixels, (x, y), tolerance) if selector is None else selector.at(pixels, [(x, y)])
    return _mask_of(found, image.size)


def boxed(image: Image.Image, box: m.Box, selector: SamSelector | None = None) -> Image.Image:
    """The thing in a box that was drawn around it, as a mask.

    Args:
        image: RGB.
        box: x, y, width and height from the picture's top left edge.
        selector: as in `clicked`.
    """
    from pliant.selecting import in_box

    small, scale = _small(image)
    pixels = np.array(small)
    x, y, width, height = (each * scale for each in box)
    return _mask_of(
        (in_box if selector is None else selector.in_box)(pixels, (x, y, width, height)), image.size
    )


def without(image: Image.Image, mask: Image.Image, remove: Edit) -> Image.Image:
    """A picture with what is in a mask removed at once, as it is shown while a thing is moved.

    Args:
        image: RGB.
        mask: of its size.
        remove: the edit that removes things.
    """
    from pliant.catalogue import Inputs
    from pliant.picture import PixelPicture

    small, _ = _small(image)
    inputs = Inputs(mask=mask.resize(small.size, Image.Resampling.BILINEAR))
    settings = remove.make_settings({"preset": "copy"})
    *_, last = remove.run(PixelPicture.of(small), inputs, settings)
    return last.picture.render()


def _small(image: Image.Image) -> tuple[Image.Image, float]:
    """A picture of at most `LARGEST` pixels a side, and how much smaller it is."""
    scale = min(1.0, LARGEST / max(image.size))
    size = tuple(max(1, round(side * scale)) for side in image.size)
    return image.convert("RGB").resize((size[0], size[1]), Image.Resampling.BOX), scale


def _mask_of(found: Any, size: tuple[int, int]) -> Image.Image:
    """A mask [H, W] of booleans or numbers from 0 to 1, as an image of another size."""
    levels = np.rint(np.asarray(found).astype(np.float32) * 255).astype(np.uint8)
    return Image.fromarray(levels).resize(size, Image.Resampling.BILINEAR)
