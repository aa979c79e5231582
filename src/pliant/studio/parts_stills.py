"""Plain addresses of what a model knows of a frame: its parts, the learnt edits that fit it, the faces in a photo."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import FastAPI, Query, Response

from pliant.gan.vectors import find_vector
from pliant.studio import messages as m
from pliant.studio.frames import to_jpeg
from pliant.studio.parts import latent_picture, node_parts, node_vectors, part_map, vector_digest
from pliant.studio.stills import Width, check_step, jpeg, png
from pliant.studio.studio import Studio

HeadDigest = Annotated[str, Query(pattern=r"^[0-9a-f]{64}$")]


class Newest:
    """Pictures by what they show, the newest of them. Only the device's thread asks.

    Args:
        most: how many.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

    def get(self, key: tuple[object, ...], make: Callable[[], bytes]) -> bytes:
        """The picture of a key, made if it is not there."""
        found = self._kept.pop(key, None)
        self._kept[key] = make() if found is None else found
        if len(self._kept) > self.most:
            self._kept.popitem(last=False)
        return self._kept[key]


def add_parts(app: FastAPI, studio: Studio) -> None:
    """Let the app answer for parts, learnt edits and faces."""
    _add_part_maps(app, studio)
    _add_vectors(app, studio)
    _add_faces(app, studio)


def _add_part_maps(app: FastAPI, studio: Studio) -> None:
    @app.get("/api/sessions/{session}/nodes/{node}/parts")
    async def known(session: str, node: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        desk = (await studio.session(session)).desk

        def parts() -> m.NodeParts:
            return node_parts(latent_picture(desk.project, node).generator, desk.labelling.classes)

        return Response((await studio.compute(parts)).model_dump_json(), media_type="application/json")

    maps = Newest(128)

    async def read(session: str, node: str, step: int, head: str, *, uncertainty: bool) -> Response:
        project = (await studio.session(session)).project
        check_step(step)

        def drawn() -> bytes:
            picture = latent_picture(project, node, step)
            return maps.get(
                (session, node, step, head, uncertainty),
                lambda: part_map(picture, head, uncertainty=uncertainty),
            )

        return png(await studio.compute(drawn))

    @app.get("/api/sessions/{session}/frames/{node}/{step}/parts")
    async def parts(session: str, node: str, step: int, head: HeadDigest) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await read(session, node, step, head, uncertainty=False)

    @app.get("/api/sessions/{session}/frames/{node}/{step}/uncertainty")
    async def uncertainty(session: str, node: str, step: int, head: HeadDigest) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await read(session, node, step, head, uncertainty=True)


def _add_vectors(app: FastAPI, studio: Studio) -> None:
    @app.get("/api/sessions/{session}/nodes/{node}/vectors")
    async def vectors(session: str, node: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        project = (await studio.session(session)).project
        return _listed(await studio.compute(lambda: node_vectors(latent_picture(project, node).generator)))

    thumbs = Newest(512)

    @app.get("/api/sessions/{session}/frames/{node}/{step}/vector")
    async def vector(  # pyright: ignore[reportUnusedFunction]
        session: str,
        node: str,
        step: int,
        *,
        name: Annotated[str, Query(min_length=1, max_length=100)],
        strength: Annotated[float, Query(ge=-10, le=10, allow_inf_nan=False)] = 1.0,
        width: Width = 160,
    ) -> Response:
        project = (await studio.session(session)).project
        check_step(step)

        def drawn() -> bytes:
            picture = latent_picture(project, node, step)
            edit = find_vector(picture.generator, name)
            return thumbs.get(
                (session, node, step, vector_digest(edit), strength, width),
                lambda: to_jpeg(edit.apply(picture, strength).preview(), 85, width),
            )

        return jpeg(await studio.compute(drawn), {"Cache-Control": "private, max-age=600"})


def _add_faces(app: FastAPI, studio: Studio) -> None:
    @app.get("/api/sessions/{session}/nodes/{node}/faces")
    async def faces(session: str, node: str, model: m.ModelName | None = None) -> Response:  # pyright: ignore[reportUnusedFunction]
        desk = (await studio.session(session)).desk
        size = (await desk.generator(model)).config.size
        return _listed(await asyncio.to_thread(desk.photos.outlines, node, size))


def _listed(found: Sequence[m.Message]) -> Response:
    """A list of messages as an answer."""
    text = ",".join(each.model_dump_json() for each in found)
    return Response(f"[{text}]", media_type="application/json")
