"""The one thread that computes. Small tasks come first, then the jobs of all sessions in turns.

A model on a device is fastest when one thing uses it at a time, and whoever waits for a thumbnail should not wait for another
person's drag. So tasks (a still, a hint) are done between two steps of whatever runs, and long jobs take turns.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

__all__ = ["Device", "Job"]

T = TypeVar("T")
TURN = 0.5
"""Seconds that a job has the device while others wait."""


class Job(Protocol):
    """Long work in small pieces."""

    def ready(self) -> bool:
        """It can go on now; False while it is paused."""
        ...

    def advance(self) -> bool:
        """Do one piece, catching what may go wrong with it; False when there is nothing left."""
        ...


class Device:
    """A thread that computes for all sessions."""

    def __init__(self) -> None:
        self._tasks: deque[tuple[Future[object], Callable[[], object]]] = deque()
        self._jobs: deque[Job] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._turn_ends = 0.0
        self._thread = threading.Thread(target=self._work, name="pliant-device", daemon=True)
        self._thread.start()

    def do(self, task: Callable[[], T]) -> Future[T]:
        """Compute something small soon; any thread may ask."""
        future: Future[T] = Future()
        with self._wake:
            if self._closed:
                future.cancel()
                return future
            self._tasks.append((future, task))  # type: ignore[arg-type]
            self._wake.notify()
        return future

    def start(self, job: Job) -> None:
        """Take a job in, behind those that are there."""
        with self._wake:
            self._jobs.append(job)
            self._wake.notify()

    def wake(self) -> None:
        """A job that was not ready may be now."""
        with self._wake:
            self._wake.notify()

    def position(self, job: Job) -> int:
        """How many jobs are served before this one; 0 when it has the device, or is the next to."""
        with self._wake:
            ready = [each for each in self._jobs if each.ready()]
        return ready.index(job) if job in ready else 0

    def close(self) -> None:
        """End the thread after what it is doing; tasks that wait are cancelled."""
        with self._wake:
            self._closed = True
            for future, _ in self._tasks:
                future.cancel()
            self._wake.notify()
        self._thread.join(timeout=30)

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closed or self._tasks or self._ready() is not None)
                if self._closed:
                    return
                task = self._tasks.popleft() if self._tasks else None
                job = None if task else self._ready()
            if task is not None:
                _answer(*task)
            elif job is not None:
                self._serve(job)

    def _ready(self) -> Job | None:
        """The first job that can go on, moved to the front."""
        for _ in range(len(self._jobs)):
            if self._jobs[0].ready():
                return self._jobs[0]
            self._jobs.rotate(-1)
            self._turn_ends = 0.0
        return None

    def _serve(self, job: Job) -> None:
        """One piece of a job; at the end of its turn it goes to the back."""
        if not self._turn_ends:
            self._turn_ends = time.monotonic() + TURN
        goes_on = job.advance()
        with self._wake:
            if not goes_on:
                self._jobs.remove(job)
            elif time.monotonic() >= self._turn_ends and self._jobs[0] is job:
                self._jobs.rotate(-1)
            else:
                return
            self._turn_ends = 0.0


def _answer(future: Future[object], task: Callable[[], object]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(task())
    except BaseException as error:  # noqa: BLE001 - whoever asked gets it
        future.set_exception(error)
