"""A studio on a real socket with a tiny model, and a page that talks to it."""

from __future__ import annotations

import base64
import http.client
import io
import json
import struct
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from numpy.typing import NDArray
from PIL import Image
from websockets.sync.client import connect

import part_heads
from pliant.checkpoints import Checkpoint, write_native
from pliant.studio.app import create_app
from pliant.studio.messages import PROTOCOL
from pliant.studio.security import Doorkeeper
from pliant.studio.studio import Studio

import tiny

TOKEN = "0123456789abcdef" * 2
SIZE = 32
"""Pixels a side of the tiny model's pictures."""
NEVER = {"step_size": 1e-9, "max_steps": 5000}
"""Settings with which a drag does not arrive by itself."""


def make_home(folder: Path) -> Path:
    """A home of Pliant's with two models: `tiny`, which has a part head, and `bare`, which has none."""
    for name, seed in (("tiny", 0), ("bare", 1)):
        generator = tiny.generator(SIZE, seed=seed)
        model = Checkpoint(generator.config.to_json(), generator.state_dict(), "native", {})
        write_native(model, folder / "models" / name)
    part_heads.ensemble_head(tiny.generator(SIZE)).save(folder / "heads" / "tiny")
    return folder


@contextmanager
def living_in(home: Path) -> Iterator[None]:
    """While this lasts, Pliant's home is there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLIANT_HOME", str(home))
        yield


def png_text(image: Image.Image) -> str:
    """A picture as the page sends it."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def parts_text(ids: NDArray[Any]) -> str:
    """A part map [H, W] as the page sends it: red, green and blue are the id."""
    grey = np.asarray(ids).astype(np.uint8)
    return png_text(Image.fromarray(np.dstack([grey, grey, grey, np.full_like(grey, 255)])))


def picture_of(png: bytes) -> NDArray[np.uint8]:
    """The values of a PNG, as it holds them."""
    return np.array(Image.open(io.BytesIO(png)))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def sentence(self) -> str:
        return str(self.json["sentence"])


def ask(
    port: int, method: str, path: str, headers: Sequence[tuple[str, str]] = (), body: Any = None
) -> Answer:
    """One request with exactly these headers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    try:
        connection.endheaders(body)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


class Served:
    """A studio that is reached under a port."""

    def __init__(self, port: int, token: str = TOKEN, studio: Studio | None = None) -> None:
        self.port, self.token, self._studio = port, token, studio
        self.base = f"http://127.0.0.1:{port}"
        self.cookie = f"pliant_{port}={token}"

    @property
    def studio(self) -> Studio:
        assert self._studio is not None
        return self._studio

    def at_rest(self, seconds: float = 10) -> None:
        """Wait until the device has no job any more."""
        ends = time.monotonic() + seconds
        while self.studio.device._jobs:
            assert time.monotonic() < ends, "something goes on"
            time.sleep(0.01)

    def headers(self, **changes: str | None) -> list[tuple[str, str]]:
        """Those of the studio's own page; underscores stand for hyphens, None leaves one out."""
        own = {"Host": self.base[7:], "Origin": self.base, "Cookie": self.cookie, "X-Pliant": "1"}
        own |= {name.replace("_", "-"): value for name, value in changes.items()}
        return [(name, value) for name, value in own.items() if value is not None]

    def get(self, path: str, **changes: str | None) -> Answer:
        return ask(self.port, "GET", path, self.headers(**changes))

    def delete(self, path: str, **changes: str | None) -> Answer:
        return ask(self.port, "DELETE", path, self.headers(**changes))

    def post(self, path: str, body: bytes, **changes: str | None) -> Answer:
        changes = {"Content_Length": str(len(body)), **changes}
        return ask(self.port, "POST", path, self.headers(**changes), body)

    def page(self, session: str | None = None, **options: Any) -> Page:
        return Page(self, session, **options)


class Page:
    """What the studio's page does, without a browser.

    Args:
        served: where.
        session: to be opened; a new one for None.
        draws: acknowledge every frame.
        headers: to send besides, or instead of, the page's own.
    """

    def __init__(
        self,
        served: Served,
        session: str | None = None,
        *,
        draws: bool = True,
        greets: bool = True,
        headers: Mapping[str, str | None] | None = None,
    ) -> None:
        self.served, self.draws = served, draws
        given = {**dict(served.headers(X_Pliant=None)), **(headers or {})}
        given.pop("Host", None)
        self._open = ExitStack()
        connecting = connect(
            f"ws://127.0.0.1:{served.port}/api/ws",
            subprotocols=[PROTOCOL],  # type: ignore[list-item]
            additional_headers={name: value for name, value in given.items() if value is not None},
            compression=None,
            max_size=None,
            proxy=None,
            close_timeout=2,
        )
        self.socket = self._open.enter_context(connecting)
        self.log: list[dict[str, Any]] = []
        """Everything that came."""
        if greets:
            self.send("hello", session=session)
            self.welcome = self.until("welcome")
            self.session: str = self.welcome["session"]
            self.until("state")

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._open.close()

    def send(self, type: str, **fields: Any) -> None:  # noqa: A002 - as the protocol calls it
        self.socket.send(json.dumps({"type": type, **fields}))

    def receive(self, timeout: float = 15) -> dict[str, Any]:
        """The next message; of a frame, its head with the JPEG as `image`."""
        data = self.socket.recv(timeout)
        if isinstance(data, bytes):
            (length,) = struct.unpack(">I", data[:4])
            message = {"type": "frame", "image": data[4 + length :], **json.loads(data[4 : 4 + length])}
            if self.draws:
                self.send("ack", number=message["number"])
        else:
            message = json.loads(data)
        self.log.append(message)
        return message

    def drain(self, seconds: float = 5) -> None:
        """Receive until the socket is closed, which it says by raising ConnectionClosed."""
        while True:
            self.receive(seconds)

    def until(self, *kinds: str, seconds: float = 15) -> dict[str, Any]:
        """The next message of one of the kinds; a problem that was not asked for fails the test."""
        ends = time.monotonic() + seconds
        while True:
            message = self.receive(max(0.01, ends - time.monotonic()))
            if message["type"] in kinds:
                return message
            assert message["type"] != "problem", message["sentence"]

    def do(self, type: str, **fields: Any) -> dict[str, Any]:  # noqa: A002
        """Send what changes the document; the state after it."""
        self.send(type, **fields)
        return self.until("state")

    def refused(self, type: str, **fields: Any) -> str:  # noqa: A002
        """Send what cannot be done; the sentence that comes back."""
        self.send(type, **fields)
        return str(self.until("problem")["sentence"])

    def state(self) -> dict[str, Any]:
        """The state as it is now: what comes after a wish that cannot be granted and changes nothing."""
        self.refused("go", place={"node": "0" * 16, "step": 0})
        return self.until("state")

    def sample(self, seed: int = 1) -> dict[str, Any]:
        """Open a generated picture; its place."""
        return self.do("sample", model="tiny", seed=seed)["document"]["at"]

    def points(self, *pairs: Sequence[float], locked: Sequence[int] = (), **settings: Any) -> dict[str, Any]:
        """Set points, each (x, y, to x, to y), and settings."""
        points = [
            {"handle": pair[:2], "target": pair[2:], "locked": number in locked}
            for number, pair in enumerate(pairs)
        ]
        return self.do("change", label="Set up", points=points, settings=settings)

    def run(self, seconds: float = 30, **how: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Run to the end; how it ended and the state after that."""
        self.send("start", **how)
        return self.until("ended", seconds=seconds), self.until("state")

    def start(self, steps: int = 1) -> None:
        """Run, and wait until so many steps were seen."""
        self.send("start")
        self.see(steps)

    def see(self, step: int) -> dict[str, Any]:
        """The first frame that shows this step or a later one."""
        while True:
            frame = self.until("frame")
            if frame["step"] >= step:
                return frame

    def frame(self, place: Mapping[str, Any]) -> bytes:
        """The PNG of a frame."""
        answer = self.served.get(f"/api/sessions/{self.session}/frames/{place['node']}/{place['step']}")
        assert answer.status == 200, answer.body
        return answer.body

    def upload(self, image: Image.Image) -> dict[str, Any]:
        """Send an image and use it; the state after that."""
        sent = self.served.post("/api/images", base64.b64decode(png_text(image)))
        assert sent.status == 200, sent.body
        return self.do("use_image", image=sent.json["image"])

    def get(self, path: str) -> Answer:
        """What an address of this session answers."""
        return self.served.get(f"/api/sessions/{self.session}/{path}")

    def parts(self, place: Mapping[str, Any]) -> NDArray[np.uint8]:
        """The part map of a frame, as the model's head reads it."""
        head = self.get(f"nodes/{place['node']}/parts").json["head"]
        answer = self.get(f"frames/{place['node']}/{place['step']}/parts?head={head}")
        assert answer.status == 200, answer.body
        return picture_of(answer.body)

    def paint(self, ids: NDArray[Any], **others: Any) -> dict[str, Any]:
        """Go to the mode for parts with these painted; the state after that."""
        return self.do("change", label="Paint", edit="repaint", parts=parts_text(ids), **others)

    def facts(self, node: str) -> dict[str, Any]:
        return self.served.get(f"/api/sessions/{self.session}/nodes/{node}").json

    def export(self, format: str, place: Mapping[str, Any], **how: Any) -> tuple[str, bytes]:  # noqa: A002
        """Export; the file's name and content."""
        self.send("export", format=format, place=place, **how)
        done = self.until("exported", seconds=30)
        answer = self.served.get(done["url"])
        assert answer.status == 200
        return done["name"], answer.body


@contextmanager
def serve(studio: Studio, keeper: Doorkeeper | None = None) -> Iterator[Served]:
    """Serve a studio on a free port of this machine while the block lasts."""
    config = uvicorn.Config(
        create_app(studio, keeper or Doorkeeper(TOKEN)),
        port=0,
        log_config=None,
        ws_max_size=studio.limits.message_bytes,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield Served(server.servers[0].sockets[0].getsockname()[1], TOKEN, studio)
    finally:
        server.should_exit = True
        thread.join(30)
