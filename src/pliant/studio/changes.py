"""What a change of the page does to what the document gives its edit; each input is checked where it enters."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pliant.errors import InputError
from pliant.studio import messages as m
from pliant.studio.drawings import with_layers
from pliant.studio.inputs import check_boxes, check_points, keep_mask, keep_parts
from pliant.studio.parts import latent_picture, paintable
from pliant.studio.things import changed_things

if TYPE_CHECKING:
    from pliant.studio.desk import Desk

OF_A_PICTURE = (
    "points", "mask", "parts", "vectors", "crop", "prompts", "boxes", "layers", "things", "other",
)  # fmt: skip
"""What makes no sense without a picture."""


async def changed_inputs(desk: Desk, message: m.Change) -> dict[str, Any]:
    """Fields of the document and their new values.

    Args:
        desk: whose document it is.
        message: what the person did.

    Raises:
        InputError: something that no edit could use, or that fits no picture.
    """
    at = desk.document.at
    if at is None or at.node not in desk.sizes:
        if any(getattr(message, name) for name in OF_A_PICTURE):
            raise InputError("Choose a picture first.")
        return _models(desk, message)
    size = desk.sizes[at.node]
    update = _models(desk, message)
    if message.points is not None:
        check_points(message.points, size)
        update["points"] = message.points
    return (
        update
        | await _mask(desk, message, size)
        | await _parts(desk, message, at, size)
        | await _vectors(desk, message)
        | await _photo(desk, message, at)
        | await _drawing(desk, message, at, size)
        | await asyncio.to_thread(changed_things, desk, message)
    )


def _models(desk: Desk, message: m.Change) -> dict[str, Any]:
    """Names of models that the studio has."""
    update: dict[str, Any] = {}
    if message.model is not None:
        update["model"] = desk.studio.models.known(message.model)
    if message.words is not None:
        update["words"] = desk.studio.text_models.known(message.words)
    if message.diffuser is not None:
        update["diffuser"] = desk.studio.diffusion_models.known(message.diffuser)
    return update


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
    """The crop of a photo, checked with the model that it will be for."""
    crop = message.crop
    if crop is None:
        return {}
    if crop.face is not None or crop.box is not None:
        model = await desk.generator(message.model or desk.document.model)
        await asyncio.to_thread(desk.photos.crop, at.node, crop, model.config.size)
    return {"crop": crop}


async def _drawing(desk: Desk, message: m.Change, at: m.Place, size: tuple[int, int]) -> dict[str, Any]:
    """Prompts, boxes, and layers, which are those of the frame's drawing."""
    update: dict[str, Any] = {}
    if message.prompts is not None:
        check_boxes([prompt.box for prompt in message.prompts if prompt.box is not None], size)
        update["prompts"] = message.prompts
    if message.boxes is not None:
        check_boxes(message.boxes, size)
        update["boxes"] = message.boxes
    if message.layers is not None:
        layers = message.layers
        await asyncio.to_thread(lambda: with_layers(desk.project.picture(at.node, at.step), layers))
        update["layers"] = layers
    return update
