"""Progress on standard error, and stopping with Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

__all__ = ["Progress", "duration", "stop_on_signal"]

LINE_SECONDS = 5.0
"""Time between two lines where there is no terminal to draw a bar on."""


@contextmanager
def stop_on_signal(stop: Callable[[], None]) -> Generator[None]:
    """Let the first Ctrl-C (or a polite kill) call `stop`, so that work ends whole; a second one ends it at once."""
    if (
        threading.current_thread() is not threading.main_thread()
    ):  # only the main thread may set signal handlers
        yield
        return
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def handle(_: int, __: Any) -> None:
        for each, handler in before.items():
            signal.signal(each, handler)
        stop()

    try:
        for each in before:
            signal.signal(each, handle)
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class Progress:
    """How far a task is: a bar on a terminal, elsewhere a line every few seconds, or nothing.

    Args:
        title: the task.
        total: how many there are to do at most, if known.
        quiet: show nothing.
    """

    def __init__(self, title: str, total: int | None, *, quiet: bool = False) -> None:
        self.title, self.total, self.quiet = title, total, quiet
        self._bar: Bar | None = None
        self._began = time.monotonic()
        self._next_line = 0.0

    def __enter__(self) -> Progress:
        """Draw the bar if there is a terminal."""
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"))
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._bar.add_task(self.title, total=self.total, note="")
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, left: float | None = None, note: str = "", *, at_most: bool = False) -> None:
        """Say how far it is.

        Args:
            done: how many are done.
            left: seconds that remain; from the pace so far if not given.
            note: a few words on how it goes.
            at_most: it may well end earlier.
        """
        if self.quiet or (self._bar is None and time.monotonic() < self._next_line):
            return
        if left is None and self.total is not None and done > 0:
            left = (time.monotonic() - self._began) / done * (self.total - done)
        count = f"{done:,}" if self.total is None else f"{done:,}/{self.total:,}"
        rest = "" if left is None else f"{'at most ' if at_most else ''}{duration(left)} left"
        text = ", ".join(part for part in (count, note, rest) if part)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, note=text)
        else:
            self._next_line = time.monotonic() + LINE_SECONDS
            print(f"{self.title}: {text}", file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """A length of time in words, such as "8 s" or "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"
