"""The training of a part head as a job of the device: one step of it at a time, so that others are served in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from pliant.gan.head import PartHead
from pliant.studio.messages import Training
from pliant.studio.runs import PROGRESS_SECONDS, sentence
from pliant.train.head import HeadTrainStep


@dataclass(frozen=True)
class Taught:
    """How a training ended."""

    head: PartHead | None
    """None if it was given up or failed."""
    seconds: float
    problem: str | None = None
    """What went wrong, in one sentence."""


class TrainingWatcher(Protocol):
    """Who is told about a training, from the device's thread."""

    def progress(self) -> None:
        """`TrainingJob.training` has changed."""
        ...

    def ended(self, taught: Taught) -> None:
        """It is over."""
        ...


class TrainingJob:
    """`train_head` as a job.

    Args:
        begin: makes the steps; what it raises ends the job.
        keep: stores the finished head.
        watcher: is told what happens.
    """

    def __init__(
        self,
        begin: Callable[[], Iterator[HeadTrainStep]],
        keep: Callable[[PartHead], None],
        watcher: TrainingWatcher,
    ) -> None:
        self.training = Training(stage="waiting", done=0, total=1, loss=None)
        self._begin, self._keep, self._watcher = begin, keep, watcher
        self._steps: Iterator[HeadTrainStep] | None = None
        self._over = False
        self._next_progress = 0.0

    def ready(self) -> bool:
        """It can always go on."""
        return True

    def advance(self) -> bool:
        """One step; False when it is over."""
        if self._over:
            return False
        try:
            if self._steps is None:
                self._steps = self._begin()
            step = next(self._steps)
            self._show(step)
            if step.head is not None:
                self._keep(step.head)
                self._end(Taught(step.head, step.seconds))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong ends this training, not the studio
            self._end(Taught(None, 0.0, sentence(error)))
        return not self._over

    def stop(self) -> None:
        """Give it up; on the device's thread, between two steps."""
        if not self._over:
            self._end(Taught(None, 0.0))

    def _show(self, step: HeadTrainStep) -> None:
        self.training = Training(stage=step.stage, done=step.done, total=step.total, loss=step.loss)
        now = time.monotonic()
        if now >= self._next_progress:
            self._next_progress = now + PROGRESS_SECONDS
            self._watcher.progress()

    def _end(self, taught: Taught) -> None:
        self._over, self._steps = True, None
        self._watcher.ended(taught)
