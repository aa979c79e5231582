"""A run on the device: steps, live frames, and what goes into the project while it lasts."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pliant.errors import PliantError
from pliant.steps import Run, Step, Trace
from pliant.studio.describe import step_facts
from pliant.studio.drawings import at_most
from pliant.studio.frames import MAX_SIDE, Frame, to_jpeg
from pliant.studio.messages import StepFacts

FRAME_SECONDS = 1 / 40
"""Least time between two live frames."""
PAINTING = 2.0
"""From one live frame to the next passes at least this many times what it took to paint one."""
SAVE_SECONDS = 5.0
"""Time between two savings of a run in progress."""
PROGRESS_SECONDS = 0.2

Reason = Literal["arrived", "max_steps", "interrupted", "failed"]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    node: str | None
    """Where it is in the project; None if there was no step."""
    reason: Reason
    steps: int
    seconds: float
    trace: Trace[Any]
    problem: str | None = None
    """What went wrong, in one sentence."""


class Watcher(Protocol):
    """Who is told about a run, from the device's thread."""

    def wants_frame(self) -> bool:
        """A frame would be looked at now."""
        ...

    def frame(self, frame: Frame) -> None:
        """A live frame."""
        ...

    def progress(self) -> None:
        """Something of `RunJob` that people see has changed."""
        ...

    def saved(self) -> None:
        """The steps so far are in the project."""
        ...

    def ended(self, outcome: Outcome) -> None:
        """It is over."""
        ...


class RunJob:
    """A `Run` as a job of the device.

    Args:
        edit: the edit's name.
        begin: makes the run; what it raises ends the job.
        record: puts the trace into the project and returns its node; called now and then, and at the end. None for a preview,
            of which nothing is kept.
        watcher: is told what happens.
    """

    def __init__(
        self,
        edit: str,
        begin: Callable[[], Run[Any]],
        record: Callable[[Trace[Any], str | None], str] | None,
        watcher: Watcher,
    ) -> None:
        self.edit = edit
        self.node: str | None = None
        self.run: Run[Any] | None = None
        self.paused = False
        self._over = False
        self._begin, self._record, self._watcher = begin, record, watcher
        self._facts: list[StepFacts] = []
        self._kept = 0
        self._next_frame = self._next_save = self._next_progress = 0.0

    @property
    def preview(self) -> bool:
        """Nothing of it is kept."""
        return self._record is None

    @property
    def steps(self) -> int:
        """Steps taken so far."""
        return len(self.run.trace) if self.run else 0

    def ready(self) -> bool:
        """It can go on now."""
        return not self.paused or self._over

    def advance(self) -> bool:
        """One step; False when the run is over."""
        if self._over:
            return False
        try:
            if self.run is None:
                self.run = self._begin()
            step = next(self.run, None)
            if step is None:
                self._end(self.run.stopped or "interrupted")
                return False
            self._take(step)
        except Exception as error:  # noqa: BLE001 - whatever an edit raises ends this run, not the studio
            self._fail(error)
            return False
        return True

    def stop(self) -> None:
        """End the run now and keep what it has; on the device's thread, between two steps."""
        if self._over:
            return
        if self.run is not None:
            self.run.stop()
        try:
            self._end("interrupted")
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)

    def _take(self, step: Step) -> None:
        """Keep a step, and show it if someone would look."""
        now = time.monotonic()
        finished = time.time()
        run = self._known_run()
        self._facts.append(step_facts(step))
        if not self.preview and (self.node is None or now >= self._next_save):
            self._keep(run.trace)
            self._next_save = time.monotonic() + SAVE_SECONDS
            self._watcher.saved()
        if now >= self._next_frame and self._watcher.wants_frame():
            self._show(step, finished)
        if now >= self._next_progress:
            self._next_progress = now + PROGRESS_SECONDS
            self._watcher.progress()

    def _show(self, step: Step, finished: float) -> None:
        began = time.monotonic()
        jpeg = to_jpeg(at_most(step.picture, MAX_SIDE).preview())
        facts, self._facts = tuple(self._facts), []
        self._watcher.frame(Frame(self.node, step.index, facts, finished, jpeg))
        self._next_frame = began + max(FRAME_SECONDS, PAINTING * (time.monotonic() - began))

    def _end(self, reason: Reason) -> None:
        self._over = True
        run = self._known_run(optional=True)
        if run is None or not run.trace:
            self._watcher.ended(Outcome(None, reason, 0, 0.0, Trace()))
            return
        self._keep(run.trace)
        if self._facts and not (self.preview and reason == "interrupted"):
            self._show(run.trace[-1], time.time())
        self._watcher.ended(Outcome(self.node, reason, len(run.trace), run.seconds, run.trace))

    def _fail(self, error: Exception) -> None:
        self._over = True
        run = self.run
        trace: Trace[Any] = run.trace if run is not None else Trace()
        seconds = run.seconds if run is not None else 0.0
        problem = sentence(error)
        try:
            if len(trace) > self._kept:
                self._keep(trace)
        except Exception as another:  # noqa: BLE001 - then what was kept before is what there is
            problem = sentence(another)
        self._watcher.ended(Outcome(self.node, "failed", self._kept, seconds, trace[: self._kept], problem))

    def _keep(self, trace: Trace[Any]) -> None:
        """Put the steps so far into the project, unless it is a preview."""
        if self._record is not None:
            self.node = self._record(trace, self.node)
        self._kept = len(trace)

    def _known_run(self, *, optional: bool = False) -> Any:
        if self.run is None and not optional:
            raise AssertionError("the run has begun")
        return self.run


def sentence(error: BaseException) -> str:
    """What a person is told about an error: our own words, or that it is a fault of the program, which is logged."""
    if isinstance(error, PliantError):
        return str(error)
    if isinstance(error, MemoryError) or re.search("out of memory|can't allocate memory", str(error)):
        return "There is not enough memory for this; try a smaller model or fewer points."
    log.error("unexpected", exc_info=error)
    return f"Something went wrong inside Pliant ({type(error).__name__}); the log says more. What was done is kept."
