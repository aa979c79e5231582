"""What all sessions share: the device, the models, the disk, the limits."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from pliant import catalogue
from pliant.catalogue import Edit
from pliant.errors import InputError, PliantError
from pliant.picture import Picture
from pliant.restoring import loader
from pliant.studio import messages as m
from pliant.studio.device import Device
from pliant.studio.diffusion_models import DiffusionModels
from pliant.studio.disk import Store
from pliant.studio.limits import Limits
from pliant.studio.models import Models
from pliant.studio.runs import sentence
from pliant.studio.selectors import Selectors
from pliant.studio.session import Session
from pliant.studio.text_models import TextModels

T = TypeVar("T")
UPLOADS = 8
"""Uploaded images and drawings that wait to be used."""


class Studio:
    """Everything that is there once.

    Args:
        folder: where sessions are kept.
        model: name or folder of a model to offer first.
        device: where to compute.
        edits: the modes.
        limits: how much one client may ask for.
        test: show the page's state to tests.
    """

    def __init__(
        self,
        folder: Path,
        *,
        model: str | None = None,
        device: str = "cpu",
        edits: Sequence[Edit] = catalogue.EDITS,
        limits: Limits | None = None,
        test: bool = False,
    ) -> None:
        self.store = Store(folder)
        self.models = Models(model, device)
        self.text_models = TextModels(device)
        self.diffusion_models = DiffusionModels(device)
        self.selectors = Selectors(device)
        self.edits = tuple(edits)
        self.limits = limits or Limits()
        self.test = test
        self.device = Device()
        self.restore = loader(
            find={"latent": self.models.get, "diffusion": self.diffusion_models.get}, device=device
        )
        self.sessions: dict[str, Session] = {}
        self.uploads: OrderedDict[str, Picture] = OrderedDict()
        self._opening = asyncio.Lock()

    async def compute(self, task: Callable[[], T]) -> T:
        """Compute something small on the device.

        Raises:
            PliantError: what goes wrong, as a sentence.
        """
        try:
            return await asyncio.wrap_future(self.device.do(task))
        except PliantError:
            raise
        except Exception as error:
            raise InputError(sentence(error)) from error

    def edit(self, name: str) -> Edit:
        """An edit of this studio.

        Raises:
            InputError: there is none of that name.
        """
        found = next((edit for edit in self.edits if edit.name == name), None)
        if found is None:
            raise InputError(f"There is no mode '{name}' in this studio.")
        return found

    async def session(self, wanted: str | None) -> Session:
        """A session by id, from memory or disk; a new one for None.

        Raises:
            InputError: there is none of that id, or too many are open.
        """
        async with self._opening:
            if wanted in self.sessions:
                return self.sessions[wanted]
            if wanted is not None and not self.store.knows(wanted):
                raise InputError("There is no such project on this machine any more; begin a new one.")
            self.drop_idle()
            if len(self.sessions) >= self.limits.sessions:
                self._drop_longest_idle()
            if len(self.sessions) >= self.limits.sessions:
                raise InputError(
                    f"{self.limits.sessions} people are at work here already, which is the limit; try again in a while."
                )
            name = wanted or self.store.create()
            session = Session(self, name, self.store.open(name))
            await session.desk.open()
            self.sessions[name] = session
            return session

    def drop_idle(self) -> None:
        """Forget sessions that nobody has looked at for long; they stay on disk."""
        now = time.monotonic()
        for name, session in list(self.sessions.items()):
            if session.idle and now - session.last_seen > self.limits.idle_seconds:
                del self.sessions[name]

    def _drop_longest_idle(self) -> None:
        """Make room for one more, such as when the start page shows many projects."""
        idle = [session for session in self.sessions.values() if session.idle]
        if idle:
            del self.sessions[min(idle, key=lambda session: session.last_seen).id]

    async def end_unwatched(self) -> None:
        """Now and then: stop paused runs that nobody has looked at for long, and forget idle sessions."""
        while True:
            await asyncio.sleep(min(60, self.limits.idle_seconds / 2))
            now = time.monotonic()
            for session in self.sessions.values():
                unwatched = session.connection is None and now - session.last_seen > self.limits.idle_seconds
                if unwatched and session.runner.paused:
                    session.runner.stop()
            self.drop_idle()

    def running(self) -> int:
        """Runs and trainings in progress or waiting."""
        return sum(session.busy and not session.runner.previewing for session in self.sessions.values())

    def positions_changed(self) -> None:
        """Tell those who wait that the queue has moved."""
        for session in self.sessions.values():
            run = session.runner.info()
            if run is not None:
                session.tell(m.RunProgress(run=run))

    def keep_upload(self, digest: str, picture: Picture) -> None:
        """Hold an uploaded picture until it is used."""
        self.uploads[digest] = picture
        while len(self.uploads) > UPLOADS:
            self.uploads.popitem(last=False)

    async def close(self) -> None:
        """Stop all runs, keeping what they have, and the device."""
        running = [session for session in self.sessions.values() if session.busy]
        for session in running:
            session.stop()
        for _ in range(200):
            if not any(session.busy for session in running):
                break
            await asyncio.sleep(0.05)
        await asyncio.to_thread(self.device.close)
