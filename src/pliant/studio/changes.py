"""What a change of the page does to what the document gives its edit; each input is checked where it enters."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pliant.errors import InputError
from pliant.studio import messages as m
from pliant.studio.inputs import check_points, keep_mask, keep_parts
from pliant.studio.parts import latent_picture, paintable

if TYPE_CHECKING:
    from pliant.studio.desk import Desk


async def changed_inputs(desk: Desk, message: m.Change) -> dict[str, Any]:
    """Fields of the document and their new values.

    Args:
        desk: whose document it is.
        message: what the person did.

    Raises:
        InputError: something that no edit could use, or that fits no picture.
    """
    at = desk.document.at
    of_a_picture = (message.points, message.mask, message.parts, message.vectors, message.crop)
    if at is None or at.node not in desk.sizes:
        if any(of_a_picture):
            raise InputError("Choose a picture first.")
        return {"model": desk.studio.models.known(message.model)} if message.model is not None else {}
    size = desk.sizes[at.node]
    update: dict[str, Any] = {}
    if message.points is not None:
        check_points(message.points, size)
        update["points"] = message.points
    return (
        update
        | await _mask(desk, message, size)
        | await _parts(desk, message, at, size)
        | await _vectors(desk, message)
        | await _photo(desk, message, at)
    )


async def _mask(desk: Desk, message: m.Change, size: tuple[int, int]) -> dict[str, Any]:
    if message.clear_mask:
        return {"mask": None}
    if message.mask is None:
        return {}
    if isinstance(message.mask, m.Mask):
        desk.folder.masks.read(message.mask.image)
        return {"mask": message.mask}
    feather = message.feather or 0.0
    return {"mask": await asyncio.to_thread(keep_mask, message.mask, feather, size, desk.folder)}


async def _parts(desk: Desk, message: m.Change, at: m.Place, size: tuple[int, int]) -> dict[str, Any]:
    if message.clear_parts:
        return {"parts": None}
    if message.parts is None:
        return {}

    def classes() -> Any:
        return paintable(latent_picture(desk.project, at.node, at.step).generator, desk.labelling.classes)

    known = await desk.on_device(classes)
    return {"parts": await asyncio.to_thread(keep_parts, message.parts, known, size, desk.folder)}


async def _vectors(desk: Desk, message: m.Change) -> dict[str, Any]:
    if message.vectors:
        await desk.check_vectors(message.vectors)
    return {} if message.vectors is None else {"vectors": message.vectors}


async def _photo(desk: Desk, message: m.Change, at: m.Place) -> dict[str, Any]:
    """Model and crop of a photo; the crop is checked with the model that it will be for."""
    update: dict[str, Any] = {}
    if message.model is not None:
        update["model"] = desk.studio.models.known(message.model)
    crop = message.crop
    if crop is not None:
        update["crop"] = crop
        if crop.face is not None or crop.box is not None:
            model = await desk.generator(update.get("model", desk.document.model))
            await asyncio.to_thread(desk.photos.crop, at.node, crop, model.config.size)
    return update
