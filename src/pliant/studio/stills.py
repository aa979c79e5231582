"""Plain addresses: pictures of seeds and of frames, what steps measured, files, the list of projects."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Annotated

from fastapi import FastAPI, Query, Response
from fastapi.responses import FileResponse, JSONResponse
from PIL import Image

from pliant.errors import InputError
from pliant.studio import messages as m
from pliant.studio.describe import all_facts, pairs
from pliant.studio.drawings import at_most
from pliant.studio.frames import to_jpeg, to_png
from pliant.studio.studio import Studio

FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
THUMB = 160
LARGEST_STILL = 2048
"""Pixels of the longer side of a drawing's still; the page shows its SVG where that is too few."""
Width = Annotated[int, Query(ge=16, le=1024)]


def jpeg(data: bytes, headers: dict[str, str] | None = None) -> Response:
    """A JPEG as an answer."""
    return Response(data, 200, headers, "image/jpeg")


def png(data: bytes) -> Response:
    """A PNG that never changes as an answer."""
    return Response(data, 200, FOREVER, "image/png")


def add_stills(app: FastAPI, studio: Studio) -> None:
    """Let the app answer for pictures, what steps measured, and files."""
    _add_gallery(app, studio)
    _add_frames(app, studio)
    _add_files(app, studio)


def _add_gallery(app: FastAPI, studio: Studio) -> None:
    @app.get("/api/gallery/{model}/{seed}")
    async def gallery(  # pyright: ignore[reportUnusedFunction]
        model: str,
        seed: int,
        psi: Annotated[float, Query(ge=0, le=1.5)] = 0.7,
        width: Width = 160,
    ) -> Response:
        return jpeg(await studio.compute(lambda: sampled(model, seed, psi, width)), FOREVER)

    @lru_cache(maxsize=512)
    def sampled(model: str, seed: int, psi: float, width: int) -> bytes:
        from pliant.gan.latent import sample

        return to_jpeg(sample(studio.models.get(model), seed, psi).render(), side=width)


def _add_frames(app: FastAPI, studio: Studio) -> None:
    @app.get("/api/sessions/{session}/frames/{node}/{step}")
    async def frame(  # pyright: ignore[reportUnusedFunction]
        session: str, node: str, step: int, width: Width | None = None
    ) -> Response:
        project = (await studio.session(session)).project
        check_step(step)
        side = LARGEST_STILL if width is None else width
        image: Image.Image = await studio.compute(lambda: at_most(project.picture(node, step), side).render())
        if width is None:
            return png(await asyncio.to_thread(to_png, image))
        return jpeg(await asyncio.to_thread(to_jpeg, image, 85, width), FOREVER)

    @app.get("/api/sessions/{session}/nodes/{node}")
    async def facts(session: str, node: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        project = (await studio.session(session)).project
        numbers = await asyncio.to_thread(project.numbers, node)
        targets = pairs(project.nodes[node].inputs.get("targets"))
        try:
            found = m.NodeFacts(
                node=node, targets=targets, facts=all_facts(numbers, project.nodes[node].steps)
            )
        except (ValueError, TypeError) as error:
            raise InputError(f"What the steps of node '{node}' measured is damaged.") from error
        return Response(found.model_dump_json(), media_type="application/json")


def check_step(step: int) -> None:
    """Refuse what counts from the end.

    Raises:
        InputError: a negative step.
    """
    if step < 0:
        raise InputError("There is no such frame in the project.")


def _add_files(app: FastAPI, studio: Studio) -> None:
    @app.get("/api/sessions/{session}/masks/{digest}")
    async def mask(session: str, digest: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        return png((await studio.session(session)).folder.masks.read(digest))

    @app.get("/api/sessions/{session}/parts/{digest}")
    async def parts(session: str, digest: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        return png((await studio.session(session)).folder.parts.read(digest))

    @app.get("/api/sessions/{session}/exports/{name}")
    async def export(session: str, name: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        path = (await studio.session(session)).folder.export(name)
        if path is None:
            raise InputError("This file is not here any more; export it again.")
        # without a name, so that the page's own name for the file holds
        return FileResponse(path, 200, {"Content-Disposition": "attachment"}, "application/octet-stream")


def add_projects(app: FastAPI, studio: Studio) -> None:
    """Let the app answer for the list of projects."""

    @app.get("/api/projects")
    async def projects() -> Response:  # pyright: ignore[reportUnusedFunction]
        found = await asyncio.to_thread(studio.store.recent)
        return JSONResponse([one.model_dump() for one in found])

    @app.get("/api/projects/{session}/thumb")
    async def thumb(session: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        found = await studio.session(session)
        at = found.desk.document.at
        if at is None:
            raise InputError("There is no picture in this project yet.")
        image = await studio.compute(lambda: at_most(found.project.picture(at.node, at.step), THUMB).render())
        return jpeg(to_jpeg(image, 85, THUMB))

    @app.delete("/api/projects/{session}")
    async def remove(session: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        held = studio.sessions.get(session)
        if held is not None and (held.connection is not None or held.busy):
            raise InputError("This project is open in another tab; close it there first.")
        studio.sessions.pop(session, None)
        await asyncio.to_thread(studio.store.remove, session)
        return JSONResponse({})
