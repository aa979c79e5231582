"""Live pictures on their way to a page: packed, and never more than it can draw."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, replace

from PIL import Image

from pliant.studio.messages import FrameHead, StepFacts

WINDOW = 2
"""Frames that may be on their way unacknowledged."""
MAX_SIDE = 1024
"""Longer sides are halved while a run goes on; the still that follows it is whole."""


@dataclass(frozen=True)
class Frame:
    """One picture of a run."""

    node: str | None
    """None for a preview."""
    step: int
    facts: tuple[StepFacts, ...]
    sent: float
    jpeg: bytes

    def packed(self, number: int) -> bytes:
        """The binary message."""
        head = FrameHead(number=number, node=self.node, step=self.step, facts=self.facts, sent=self.sent)
        text = head.model_dump_json().encode()
        return struct.pack(">I", len(text)) + text + self.jpeg


class FrameWindow:
    """Two frames on their way, one waiting; a newer one takes the place of the one that waits.

    All but `wants` belongs to the event loop's thread.
    """

    def __init__(self) -> None:
        self.sent = self.acked = 0
        self.waiting: Frame | None = None

    def wants(self) -> bool:
        """A frame made now would be sent at once. Any thread may ask."""
        return self.sent - self.acked < WINDOW and self.waiting is None

    def offer(self, frame: Frame) -> None:
        """Take a frame; the facts of one that it replaces go with it."""
        older = self.waiting
        if older is not None and older.node == frame.node:
            frame = replace(frame, facts=(*older.facts, *frame.facts))
        self.waiting = frame

    def forget_preview(self) -> None:
        """Of a preview that is over or out of date, nothing more is sent."""
        if self.waiting is not None and self.waiting.node is None:
            self.waiting = None

    def take(self) -> bytes | None:
        """The next message to send, if there is one and it may be sent."""
        if self.waiting is None or self.sent - self.acked >= WINDOW:
            return None
        frame, self.waiting = self.waiting, None
        self.sent += 1
        return frame.packed(self.sent)

    def acknowledge(self, number: int) -> None:
        """A frame was drawn, and so were those before it or never will be."""
        self.acked = max(self.acked, min(number, self.sent))


def to_jpeg(image: Image.Image, quality: int = 88, side: int = MAX_SIDE) -> bytes:
    """A JPEG with full colour resolution, at most `side` long."""
    if max(image.size) > side:
        image = image.copy()
        image.thumbnail((side, side), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def to_png(image: Image.Image) -> bytes:
    """A PNG, compressed for speed."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
