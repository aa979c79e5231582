"""The studio as an ASGI app: the page, one WebSocket, uploads, stills."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect

from pliant import __version__
from pliant.errors import PliantError
from pliant.images import load_image
from pliant.picture import PixelPicture
from pliant.studio import messages as m
from pliant.studio.bodies import take_body
from pliant.studio.connection import Connection
from pliant.studio.describe import edit_info
from pliant.studio.drawing_stills import add_drawings
from pliant.studio.drawings import read_drawing
from pliant.studio.parts_stills import add_parts
from pliant.studio.security import Doorkeeper, Guard
from pliant.studio.session import Session
from pliant.studio.stills import add_projects, add_stills
from pliant.studio.studio import Studio
from pliant.studio.things_stills import add_things

WEB = Path(__file__).parent / "_web"


def create_app(studio: Studio, doorkeeper: Doorkeeper) -> FastAPI:
    """The app of a studio.

    Args:
        studio: what it serves.
        doorkeeper: whom it lets in.
    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncGenerator[None]:
        ends = asyncio.create_task(studio.end_unwatched())
        yield
        ends.cancel()
        await studio.close()

    app = FastAPI(title="Pliant studio", version=__version__, lifespan=life, openapi_url=None)
    app.add_middleware(Guard, doorkeeper=doorkeeper)  # type: ignore[arg-type]

    @app.exception_handler(PliantError)
    async def explain(request: Request, error: PliantError) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        unread = request.method == "POST"  # the rest of a refused upload is not waited for
        return JSONResponse({"sentence": str(error)}, 400, {"Connection": "close"} if unread else None)

    @app.exception_handler(RequestValidationError)
    async def refuse(_: Request, error: RequestValidationError) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        where = ".".join(str(each) for each in error.errors()[0]["loc"][1:])
        return JSONResponse(
            {"sentence": f"The address cannot be used: {where} is not what it should be."}, 422
        )

    _add_socket(app, studio)
    add_stills(app, studio)
    add_parts(app, studio)
    add_drawings(app, studio)
    add_things(app, studio)
    add_projects(app, studio)
    _add_uploads(app, studio)
    _add_page(app)
    return app


def _add_page(app: FastAPI) -> None:
    @app.get("/api/health")
    async def health() -> Response:  # pyright: ignore[reportUnusedFunction]
        return PlainTextResponse("ok")

    @app.get("/")
    async def index() -> Response:  # pyright: ignore[reportUnusedFunction]
        page = WEB / "index.html"
        if not page.is_file():
            return PlainTextResponse("The page was not built: run `npm ci && npm run build` in web/.", 503)
        return FileResponse(page)

    if (WEB / "assets").is_dir():
        app.mount("/assets", StaticFiles(directory=WEB / "assets"))


# ---- the socket


def _add_socket(app: FastAPI, studio: Studio) -> None:
    @app.websocket("/api/ws")
    async def talk(socket: WebSocket) -> None:  # pyright: ignore[reportUnusedFunction]
        if m.PROTOCOL not in socket.scope.get("subprotocols", []):
            await socket.close(1002)
            return
        await socket.accept(m.PROTOCOL)
        connection = Connection(socket)
        sender = asyncio.create_task(connection.run())
        session: Session | None = None
        try:
            session = await _greet(studio, connection)
            if session is not None:
                await _listen(studio, session, connection)
        except WebSocketDisconnect:
            pass
        finally:
            if session is not None:
                session.detach(connection)
            connection.close()
            await sender


async def _greet(studio: Studio, connection: Connection) -> Session | None:
    """The session that a page asks for with its first message; a page that asks for none gets a sentence."""
    first = await _receive(connection)
    if not isinstance(first, m.Hello):
        connection.send(m.Problem(about="connection", sentence="The first message must be a greeting."))
        return None
    try:
        session = await studio.session(first.session)
    except PliantError as error:
        connection.send(m.Problem(about="connection", sentence=str(error)))
        return None
    connection.send(
        m.Welcome(
            session=session.id,
            version=__version__,
            edits=tuple(edit_info(edit) for edit in studio.edits),
            models=tuple(studio.models.infos),
            words=studio.text_models.names,
            diffusers=studio.diffusion_models.names,
            selectors=studio.selectors.names,
            device=studio.models.device,
            test=studio.test,
            video=find_spec("av") is not None,
            image_bytes=studio.limits.image_bytes,
            drawing_bytes=studio.limits.drawing_bytes,
            project_bytes=studio.limits.project_bytes,
        )
    )
    session.attach(connection)
    return session


async def _receive(connection: Connection) -> m.Message | None:
    """The next message; None for one that makes no sense, which is said."""
    try:
        return m.FROM_PAGE.validate_json(await connection.socket.receive_text())
    except (ValidationError, RecursionError, KeyError):  # starlette raises the last for a binary message
        connection.send(
            m.Problem(about="connection", sentence="The server did not understand a message of this page.")
        )
        return None


async def _listen(studio: Studio, session: Session, connection: Connection) -> None:
    """Hand messages to the session until the page goes, or sends more than anyone could mean."""
    began, count = time.monotonic(), 0
    while not connection.closed:
        message = await _receive(connection)
        count += 1
        elapsed = time.monotonic() - began
        if count > studio.limits.messages_per_second * max(elapsed, 1):
            connection.send(m.Problem(about="connection", sentence="This page sends too many messages."))
            return
        if elapsed > 10:
            began, count = time.monotonic(), 0
        if connection.closed or session.connection is not connection:
            return
        if message is not None:
            session.handle(message)


# ---- uploads


def _add_uploads(app: FastAPI, studio: Studio) -> None:
    @app.post("/api/images")
    async def images(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        with tempfile.SpooledTemporaryFile(max_size=studio.limits.image_bytes) as file:
            digest = await take_body(request, studio.limits.image_bytes, file.write)
            file.seek(0)
            data = file.read()
        image = await asyncio.to_thread(load_image, data)
        studio.keep_upload(digest, PixelPicture.of(image))
        return JSONResponse(m.Uploaded(image=digest, size=image.size).model_dump())

    @app.post("/api/drawings")
    async def drawings(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        pieces: list[bytes] = []
        digest = await take_body(request, studio.limits.drawing_bytes, pieces.append)
        picture, left_out = await asyncio.to_thread(read_drawing, b"".join(pieces))
        studio.keep_upload(digest, picture)
        taken = m.UploadedDrawing(drawing=digest, size=picture.size, left_out=left_out)
        return JSONResponse(taken.model_dump())

    @app.post("/api/projects")
    async def project(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        with tempfile.NamedTemporaryFile(suffix=".pliant") as file:
            await take_body(request, studio.limits.project_bytes, file.write)
            file.flush()
            session = await asyncio.to_thread(studio.store.adopt, Path(file.name))
        try:
            await studio.session(session)
        except PliantError:
            await asyncio.to_thread(studio.store.remove, session)
            raise
        return JSONResponse(m.Opened(session=session).model_dump())
