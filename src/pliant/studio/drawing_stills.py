"""Addresses for drawings: a frame as SVG, its layers and their paths."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import FastAPI, Query, Response

from pliant.studio.drawings import LOOSE, described, drawing_at, paths_of, svg_of
from pliant.studio.stills import FOREVER, check_step
from pliant.studio.studio import Studio

POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""For whoever opens the address itself: a drawing may have a style sheet, and nothing else."""


def add_drawings(app: FastAPI, studio: Studio) -> None:
    """Let the app answer for drawings."""

    @app.get("/api/sessions/{session}/frames/{node}/{step}/drawing.svg")
    async def drawing(session: str, node: str, step: int) -> Response:  # pyright: ignore[reportUnusedFunction]
        project = (await studio.session(session)).project
        check_step(step)
        text = await asyncio.to_thread(lambda: svg_of(drawing_at(project, node, step)))
        return Response(text, 200, FOREVER | {"Content-Security-Policy": POLICY}, "image/svg+xml")

    @app.get("/api/sessions/{session}/frames/{node}/{step}/layers")
    async def layers(session: str, node: str, step: int) -> Response:  # pyright: ignore[reportUnusedFunction]
        project = (await studio.session(session)).project
        check_step(step)
        found = await asyncio.to_thread(lambda: described(drawing_at(project, node, step)))
        return Response(found.model_dump_json(), 200, FOREVER, "application/json")

    @app.get("/api/sessions/{session}/frames/{node}/{step}/layers/{group}")
    async def paths(  # pyright: ignore[reportUnusedFunction]
        session: str,
        node: str,
        step: int,
        group: int,
        start: Annotated[int, Query(ge=0)] = 0,
    ) -> Response:
        project = (await studio.session(session)).project
        check_step(step)
        found = await asyncio.to_thread(
            lambda: paths_of(drawing_at(project, node, step), max(group, LOOSE), start)
        )
        return Response(found.model_dump_json(), 200, FOREVER, "application/json")
