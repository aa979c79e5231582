"""Plain addresses for things in photos: what a click or a box selects, a photo without them, masks to keep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from PIL import Image

from pliant.errors import InputError
from pliant.selecting.sam import SamSelector
from pliant.studio import messages as m
from pliant.studio.bodies import take_body
from pliant.studio.frames import to_jpeg, to_png
from pliant.studio.stills import FOREVER, check_step, jpeg, png
from pliant.studio.studio import Studio
from pliant.studio.things import boxed, clicked, keep_selection, union, without

Number = Annotated[float, Query(ge=-100_000, le=100_000, allow_inf_nan=False)]
Side = Annotated[float, Query(gt=0, le=100_000, allow_inf_nan=False)]
Selector = Annotated[str | None, Query(max_length=200)]
MASK_BYTES = m.MAX_MASK_TEXT * 3 // 4


def add_things(app: FastAPI, studio: Studio) -> None:
    """Let the app answer for selections."""

    @app.get("/api/sessions/{session}/frames/{node}/{step}/selection")
    async def click(  # pyright: ignore[reportUnusedFunction]
        session: str,
        node: str,
        step: int,
        *,
        x: Number,
        y: Number,
        tolerance: Annotated[float, Query(ge=0, le=1)] = 0.5,
        selector: Selector = None,
    ) -> Response:
        image = await _frame(studio, session, node, step)
        if not (-0.5 <= x <= image.width - 0.5 and -0.5 <= y <= image.height - 0.5):
            raise InputError("The click is outside the picture.")
        mask = await _look(studio, selector, lambda by: clicked(image, (x, y), tolerance, by))
        return png(to_png(mask))

    @app.get("/api/sessions/{session}/frames/{node}/{step}/boxed")
    async def box(  # pyright: ignore[reportUnusedFunction]
        session: str,
        node: str,
        step: int,
        *,
        x: Number,
        y: Number,
        width: Side,
        height: Side,
        selector: Selector = None,
    ) -> Response:
        image = await _frame(studio, session, node, step)
        mask = await _look(studio, selector, lambda by: boxed(image, (x, y, width, height), by))
        return png(to_png(mask))

    @app.get("/api/sessions/{session}/frames/{node}/{step}/without")
    async def emptied(  # pyright: ignore[reportUnusedFunction]
        session: str, node: str, step: int, masks: Annotated[str, Query(max_length=65 * m.MAX_THINGS)]
    ) -> Response:
        image = await _frame(studio, session, node, step)
        mask = union(masks.split(","), (await studio.session(session)).folder)
        if mask is None or mask.size != image.size:
            raise InputError("The selection does not belong to this picture.")
        shown = await asyncio.to_thread(without, image, mask, studio.edit("remove"))
        return jpeg(await asyncio.to_thread(to_jpeg, shown, 95), FOREVER)

    @app.post("/api/sessions/{session}/masks")
    async def keep(session: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        folder = (await studio.session(session)).folder
        pieces: list[bytes] = []
        await take_body(request, MASK_BYTES, pieces.append)
        digest = await asyncio.to_thread(keep_selection, b"".join(pieces), folder)
        return JSONResponse(m.KeptMask(mask=digest).model_dump())


async def _frame(studio: Studio, session: str, node: str, step: int) -> Image.Image:
    project = (await studio.session(session)).project
    check_step(step)
    return await studio.compute(lambda: project.picture(node, step).render())


async def _look(
    studio: Studio, selector: str | None, find: Callable[[SamSelector | None], Image.Image]
) -> Image.Image:
    """What is found by a model of that name, on the device; without one, by colours and edges."""
    if selector is None:
        return await asyncio.to_thread(find, None)
    return await studio.compute(lambda: find(studio.selectors.get(selector)))
