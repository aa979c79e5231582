"""Files to download: stills, animations of a run, its code, the whole project."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from pliant import __version__
from pliant.errors import InputError, PliantError
from pliant.files import write_whole
from pliant.images import save_image
from pliant.photo import photo_behind
from pliant.picture import Picture
from pliant.project import StoredStep
from pliant.steps import Trace
from pliant.studio import messages as m
from pliant.studio.device import Device
from pliant.studio.drawings import as_drawing, at_most, svg_of

if TYPE_CHECKING:
    from pliant.studio.session import Session

SUFFIXES = {
    "png": ".png",
    "jpg": ".jpg",
    "webp": ".webp",
    "mp4": ".mp4",
    "webm": ".webm",
    "gif": ".gif",
    "webp-animation": ".webp",
    "svg": ".svg",
    "latent": ".safetensors",
    "project": ".pliant",
}
STILLS = frozenset({"png", "jpg", "webp"})
LARGEST_FRAME = 1920
"""Pixels of the longer side of a drawing in an animation."""
ANIMATIONS = frozenset({"mp4", "webm", "gif", "webp-animation"})


class CancelledError(PliantError):
    """The person gave an export up."""


class Exporter:
    """Writes one file at a time for a session, in a thread of its own; pixels are computed on the device.

    Args:
        session: whose project it is.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._writing = asyncio.Lock()
        self._given_up: threading.Event | None = None
        """Of the file in progress: set when nobody wants it any more."""

    async def start(self, wish: m.Export) -> None:
        """Make a file and tell the page where it is, after one that was given up has come to its end.

        Raises:
            InputError: an export is in progress, or the frame cannot be exported so.
        """
        if self._given_up is not None and not self._given_up.is_set():
            raise InputError("One file is being written already; wait for it, or cancel it.")
        node = self.session.project.nodes.get(wish.place.node)
        if node is None or wish.place.step >= node.steps:
            raise InputError("There is no such frame in the project.")
        if wish.photo and wish.format not in STILLS:
            raise InputError("Only a PNG, JPEG or WebP can show the whole photo.")
        given_up = self._given_up = threading.Event()
        try:
            async with self._writing:
                path = await self._written(wish, given_up)
        finally:
            if self._given_up is given_up:
                self._given_up = None
        if path is not None:
            url = f"/api/sessions/{self.session.id}/exports/{path.name}"
            name = f"pliant-{node.id[:6]}-{wish.place.step}{path.suffix}"
            self.session.tell(m.Exported(url=url, name=name))

    def cancel(self) -> None:
        """Give up the file in progress."""
        if self._given_up is not None:
            self._given_up.set()

    async def _written(self, wish: m.Export, given_up: threading.Event) -> Path | None:
        """The finished file, None if it was given up."""
        loop = asyncio.get_running_loop()
        path = self.session.folder.new_export(SUFFIXES[wish.format])

        def tell(message: m.Message) -> None:
            if not given_up.is_set():
                loop.call_soon_threadsafe(self.session.tell, message)

        with suppress(CancelledError):
            await asyncio.to_thread(self._write, wish, path, _Clock(tell, given_up))
        if given_up.is_set():
            path.unlink(missing_ok=True)
            return None
        return path

    def _write(self, wish: m.Export, path: Path, clock: _Clock) -> None:
        session, place = self.session, wish.place
        if wish.format == "project":
            session.project.save(path)
            return
        if wish.format in ANIMATIONS:
            self._animate(wish, path, clock)
            return
        device = session.studio.device
        picture = device.do(lambda: session.project.picture(place.node, place.step)).result()
        if wish.format == "latent":
            save = getattr(picture, "save_latent", None)
            if save is None:
                raise InputError("This picture has no latent code; only generated pictures have one.")
            save(path)
            return
        facts = self._facts(place)
        if wish.format == "svg":
            with write_whole(path) as part:
                part.write_text(svg_of(as_drawing(picture), facts), encoding="utf-8")
            return
        if wish.photo:
            whole = device.do(lambda: photo_behind(session.project, place.node).paste(picture)).result()
            save_image(whole, path, {"software": f"pliant {__version__}", **facts})
            return
        device.do(lambda: picture.save(path, facts)).result()

    def _animate(self, wish: m.Export, path: Path, clock: _Clock) -> None:
        """Every step up to the frame; each picture is painted on the device between what else goes on there."""
        session = self.session
        stored = session.studio.device.do(lambda: session.project.trace(wish.place.node)).result()
        steps = list(stored)[: wish.place.step + 1]
        if len(steps) < 2:
            raise InputError("An animation shows a run; this picture has only one frame. Run an edit first.")
        device = session.studio.device
        pictures = [_OnDevice(at_most(step.picture, LARGEST_FRAME), device) for step in steps]
        painted = [replace(step, picture=picture) for step, picture in zip(steps, pictures, strict=True)]
        trace: Trace[StoredStep] = Trace(painted)
        clock.total = len(painted)

        def on_frame(done: int) -> None:
            if clock.given_up.is_set():
                raise CancelledError("cancelled")
            clock.show(done)

        trace.save_video(
            path,
            wish.fps,
            marks=wish.marks,
            boomerang=wish.boomerang,
            metadata=self._facts(wish.place),
            on_frame=on_frame,
        )

    def _facts(self, place: m.Place) -> dict[str, Any]:
        """What made a frame, for the file's metadata."""
        project = self.session.project
        node = project.nodes[place.node]
        if node.edit is None:
            return {}
        maps = [name for name in ("mask", "parts") if name in project.inputs(node.id)]
        inputs = {**node.inputs, **dict.fromkeys(maps, True)}
        return {"edit": node.edit, "settings": dict(node.settings), "inputs": inputs, "steps": place.step + 1}


class _OnDevice(Picture):
    """A picture that has another one painted on the device's thread."""

    def __init__(self, picture: Picture, device: Device) -> None:
        self._picture, self._device = picture, device

    @property
    def size(self) -> tuple[int, int]:
        return self._picture.size

    def pixels(self) -> Any:
        return self._device.do(self._picture.pixels).result()

    def render(self) -> Image.Image:
        return self._device.do(self._picture.render).result()

    def state(self) -> Any:
        return self._picture.state()


class _Clock:
    """Tells how far an export is, a few times a second."""

    def __init__(self, tell: Any, given_up: threading.Event) -> None:
        self.total = 0
        self.given_up = given_up
        self._tell, self._began, self._next = tell, time.monotonic(), 0.0

    def show(self, done: int) -> None:
        now = time.monotonic()
        if now < self._next and done < self.total:
            return
        self._next = now + 0.2
        left = (now - self._began) / done * (self.total - done) if done else None
        self._tell(m.ExportProgress(done=done, total=self.total, seconds_left=left))
