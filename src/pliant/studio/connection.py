"""One page's socket: what is to be sent waits here, in bounded room, however slowly the page reads."""

from __future__ import annotations

import asyncio
from collections import deque

from starlette.websockets import WebSocket, WebSocketDisconnect

from pliant.studio.frames import Frame, FrameWindow
from pliant.studio.messages import Message

LATEST_ONLY = frozenset({"state", "progress", "hints", "export_progress"})
"""Kinds of message of which only the newest matters."""
MOST_WAITING = 256


class Connection:
    """Sends messages and frames to one page, in order, control first.

    Args:
        socket: accepted.
    """

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.window = FrameWindow()
        self.closed = False
        self._waiting: deque[tuple[str, Message]] = deque()
        self._wake = asyncio.Event()

    def send(self, message: Message) -> None:
        """Send soon; of kinds that replace each other, the newest takes the place of one that waits."""
        if self.closed:
            return
        kind = str(getattr(message, "type", ""))
        if kind in LATEST_ONLY:
            self._waiting = deque(each for each in self._waiting if each[0] != kind)
        self._waiting.append((kind, message))
        if len(self._waiting) > MOST_WAITING:
            self._waiting.clear()
            self.close()
        self._wake.set()

    def send_frame(self, frame: Frame) -> None:
        """Send soon, or never if a newer frame comes first."""
        self.window.offer(frame)
        self._wake.set()

    def acknowledge(self, number: int) -> None:
        """The page has drawn a frame."""
        self.window.acknowledge(number)
        self._wake.set()

    def close(self) -> None:
        """Send what waits but no frames, and nothing that comes after it; then close the socket."""
        self.closed = True
        self._wake.set()

    async def run(self) -> None:
        """Send until closed."""
        try:
            while not self.closed:
                await self._wake.wait()
                self._wake.clear()
                await self._flush()
            await self._flush()
            await self.socket.close()
        except (WebSocketDisconnect, RuntimeError):  # starlette raises the latter on a socket that has gone
            self.closed = True

    async def _flush(self) -> None:
        while True:
            if self._waiting:
                _, message = self._waiting.popleft()
                await self.socket.send_text(message.model_dump_json())
            elif not self.closed and (packed := self.window.take()) is not None:
                await self.socket.send_bytes(packed)
            else:
                return
