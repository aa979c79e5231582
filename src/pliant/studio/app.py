"""The studio as an ASGI app: the page, one WebSocket, uploads, stills."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, TypeVar

from fastapi import FastAPI, Query, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect

from pliant import __version__
from pliant.errors import InputError, PliantError
from pliant.images import load_image
from pliant.studio import messages as m
from pliant.studio.connection import Connection
from pliant.studio.describe import all_facts, edit_info, pairs
from pliant.studio.frames import to_jpeg, to_png
from pliant.studio.runs import sentence
from pliant.studio.security import Doorkeeper, Guard
from pliant.studio.session import Session
from pliant.studio.studio import Studio

T = TypeVar("T")
WEB = Path(__file__).parent / "_web"
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}


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
    _add_stills(app, studio)
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
            device=studio.models.device,
            test=studio.test,
            video=find_spec("av") is not None,
            image_bytes=studio.limits.image_bytes,
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


# ---- stills


def _add_stills(app: FastAPI, studio: Studio) -> None:
    @app.get("/api/gallery/{model}/{seed}")
    async def gallery(  # pyright: ignore[reportUnusedFunction]
        model: str,
        seed: int,
        psi: Annotated[float, Query(ge=0, le=1.5)] = 0.7,
        width: Annotated[int, Query(ge=16, le=1024)] = 160,
    ) -> Response:
        return Response(
            await _on_device(studio, lambda: sampled(model, seed, psi, width)), 200, FOREVER, "image/jpeg"
        )

    @lru_cache(maxsize=512)
    def sampled(model: str, seed: int, psi: float, width: int) -> bytes:
        from pliant.gan.latent import sample

        return to_jpeg(sample(studio.models.get(model), seed, psi).render(), side=width)

    @app.get("/api/sessions/{session}/frames/{node}/{step}")
    async def frame(  # pyright: ignore[reportUnusedFunction]
        session: str, node: str, step: int, width: Annotated[int | None, Query(ge=16, le=1024)] = None
    ) -> Response:
        project = (await studio.session(session)).project
        if step < 0:
            raise InputError("There is no such frame in the project.")
        image = await _on_device(studio, lambda: project.picture(node, step).render())
        if width is None:
            return Response(await asyncio.to_thread(to_png, image), 200, FOREVER, "image/png")
        return Response(await asyncio.to_thread(to_jpeg, image, 85, width), 200, FOREVER, "image/jpeg")

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

    @app.get("/api/sessions/{session}/masks/{digest}")
    async def mask(session: str, digest: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        return Response((await studio.session(session)).folder.mask(digest), 200, FOREVER, "image/png")

    @app.get("/api/sessions/{session}/exports/{name}")
    async def export(session: str, name: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        path = (await studio.session(session)).folder.export(name)
        if path is None:
            raise InputError("This file is not here any more; export it again.")
        # without a name, so that the page's own name for the file holds
        return FileResponse(path, 200, {"Content-Disposition": "attachment"}, "application/octet-stream")

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
        image = await _on_device(studio, lambda: found.project.picture(at.node, at.step).render())
        return Response(to_jpeg(image, 85, 160), media_type="image/jpeg")

    @app.delete("/api/projects/{session}")
    async def remove(session: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        held = studio.sessions.get(session)
        if held is not None and (held.connection is not None or held.job is not None):
            raise InputError("This project is open in another tab; close it there first.")
        studio.sessions.pop(session, None)
        await asyncio.to_thread(studio.store.remove, session)
        return JSONResponse({})


async def _on_device(studio: Studio, task: Callable[[], T]) -> T:
    """Compute something small; what goes wrong becomes a sentence."""
    try:
        return await asyncio.wrap_future(studio.device.do(task))
    except PliantError:
        raise
    except Exception as error:
        raise InputError(sentence(error)) from error


# ---- uploads


def _add_uploads(app: FastAPI, studio: Studio) -> None:
    @app.post("/api/images")
    async def images(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        with tempfile.SpooledTemporaryFile(max_size=studio.limits.image_bytes) as file:
            digest = await _take(request, studio.limits.image_bytes, file.write)
            file.seek(0)
            data = file.read()
        image = await asyncio.to_thread(load_image, data)
        studio.keep_upload(digest, image)
        return JSONResponse(m.Uploaded(image=digest, size=image.size).model_dump())

    @app.post("/api/projects")
    async def project(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        with tempfile.NamedTemporaryFile(suffix=".pliant") as file:
            await _take(request, studio.limits.project_bytes, file.write)
            file.flush()
            session = await asyncio.to_thread(studio.store.adopt, Path(file.name))
        try:
            await studio.session(session)
        except PliantError:
            await asyncio.to_thread(studio.store.remove, session)
            raise
        return JSONResponse(m.Opened(session=session).model_dump())


async def _take(request: Request, limit: int, write: Callable[[bytes], object]) -> str:
    """Receive a body piece by piece; its SHA-256.

    Raises:
        InputError: it is larger than the limit, said before the rest is read, or empty.
    """
    too_large = InputError(f"The file is too large: at most {limit // 1024**2} MB.")
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > limit:
        raise too_large
    digest, size = hashlib.sha256(), 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise too_large
        digest.update(piece)
        write(piece)
    if size == 0:
        raise InputError("The file is empty.")
    return digest.hexdigest()
