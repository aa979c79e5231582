"""Step, Run and Trace: an edit yields steps, a run drives it, a trace keeps what came.

An edit is a generator and knows nothing of windows, files or progress bars. Whoever wants to watch, stop,
time or record it wraps it in a `Run`:

    run = Run(drag(picture, handles, targets), max_steps=300)
    for step in run:
        show(step.image)
    run.trace.save_video("drag.mp4", marks=True)
"""

from __future__ import annotations

import math
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar, cast, overload, runtime_checkable

import torch
from PIL import Image
from torch import Tensor

from pliant.animation import save_animation
from pliant.errors import InputError
from pliant.images import contact_sheet
from pliant.marks import draw_marks
from pliant.picture import Picture

__all__ = ["PointStep", "Run", "Step", "Stopped", "Trace"]

Stopped = Literal["arrived", "max_steps", "interrupted"]


@dataclass(frozen=True, eq=False)
class Step:
    """One step of an edit; edits add their own fields: where the points are, losses, whether it `arrived`."""

    index: int
    """0, 1, 2, … within the run; step 0 is the start itself, not changed yet."""
    picture: Picture
    """The picture after this step; its pixels are computed only when someone looks."""

    @property
    def image(self) -> Image.Image:
        """The picture as PIL, computed when first asked for and kept."""
        return self.picture.image()


@runtime_checkable
class PointStep(Protocol):
    """A step of an edit that moves points; frames of such steps can carry marks."""

    @property
    def handles(self) -> Tensor:
        """Where the points are, [N, 2] (x, y) in pixels."""
        ...

    @property
    def targets(self) -> Tensor:
        """Where they should go, [N, 2] (x, y) in pixels."""
        ...

    @property
    def distances(self) -> Tensor:
        """How far each still has to go, [N] pixels; 0 for one that keeps its place."""
        ...


S = TypeVar("S", bound=Step)


class Run(Iterator[S], Generic[S]):
    """One edit in progress: iterate it, stop it from anywhere, ask how long it will take.

    Not asking for the next step is a pause. One thread iterates; any thread may call `stop()`, which takes
    effect after the step in progress at the latest and keeps that step.

    Args:
        steps: the edit's generator.
        max_steps: how many steps it takes at most, if known; needed for `eta`.
    """

    def __init__(self, steps: Iterator[S], *, max_steps: int | None = None) -> None:
        self.trace: Trace[S] = Trace()
        self.max_steps = max_steps
        self.stopped: Stopped | None = None
        """Why the run ended; None while it can go on."""
        self.seconds = 0.0
        """Time spent inside the edit so far, without what the consumer did between the steps."""
        self._steps = steps
        self._stop = threading.Event()
        self._busy = threading.Lock()
        self._ends: deque[float] = deque(maxlen=17)

    def __next__(self) -> S:
        """Compute the next step and record it."""
        with self._busy:
            if self.stopped is not None or self._stop.is_set():
                self._finish("interrupted")
                raise StopIteration
            began = time.perf_counter()
            try:
                step = next(self._steps)
            except StopIteration:
                self._finish(self._reason())
                raise
            except BaseException:
                self._finish("interrupted")
                raise
            finally:
                self.seconds += time.perf_counter() - began
            self._ends.append(time.perf_counter())
            self.trace.append(step)
            if self._stop.is_set():
                self._finish("interrupted")
            return step

    def stop(self) -> None:
        """End the run after the step in progress, or at once when there is none; any thread may call it."""
        self._stop.set()
        if self._busy.acquire(blocking=False):
            try:
                self._finish("interrupted")
            finally:
                self._busy.release()

    @property
    def seconds_per_step(self) -> float | None:
        """Mean time a step took, the first one's set-up included; None before the first."""
        return self.seconds / len(self.trace) if self.trace else None

    @property
    def eta(self) -> float | None:
        """Seconds to `max_steps` at the pace of the last steps, if known; most edits arrive earlier."""
        if self.stopped is not None:
            return 0.0
        if self.max_steps is None or len(self._ends) < 2:
            return None
        pace = (self._ends[-1] - self._ends[0]) / (len(self._ends) - 1)
        return pace * max(0, self.max_steps - len(self.trace))

    def _reason(self) -> Stopped:
        """An edit that says of its last step that it has not arrived ran out of steps."""
        return "arrived" if self.trace and getattr(self.trace[-1], "arrived", True) else "max_steps"

    def _finish(self, reason: Stopped) -> None:
        if self.stopped is None:
            self.stopped = reason
            close = cast("Callable[[], None] | None", getattr(self._steps, "close", None))
            if close is not None:
                close()


class Trace(Sequence[S], Generic[S]):
    """The steps of a run, in order, and what can be made of them.

    Pictures are kept as their codes, which are small; frames are computed one at a time when asked for.
    """

    def __init__(self, steps: Sequence[S] = ()) -> None:
        self._steps = list(steps)

    @overload
    def __getitem__(self, index: int) -> S: ...
    @overload
    def __getitem__(self, index: slice) -> Trace[S]: ...
    def __getitem__(self, index: int | slice) -> S | Trace[S]:
        """A step, or a part of the trace."""
        return Trace(self._steps[index]) if isinstance(index, slice) else self._steps[index]

    def __len__(self) -> int:
        return len(self._steps)

    def append(self, step: S) -> None:
        """Record one more step."""
        self._steps.append(step)

    def frames(self, marks: bool = False) -> Iterator[Image.Image]:
        """Every step as an image, computed one at a time and not kept.

        Args:
            marks: draw handles, targets and the handles' way so far, for steps that have points.
        """
        yield from self._frames(range(len(self._steps)), marks=marks)

    def save_video(
        self,
        path: str | Path,
        fps: float = 24,
        *,
        marks: bool = False,
        boomerang: bool = False,
        hold: float = 0.5,
        metadata: Mapping[str, Any] | None = None,
        on_frame: Callable[[int], None] | None = None,
    ) -> None:
        """Write the frames as .mp4, .webm, .gif or .webp.

        Args:
            path: where to; the suffix says the format.
            fps: frames each second.
            marks: draw handles, targets and trails.
            boomerang: play it forth and then back, which loops without a jump.
            hold: seconds that the first and the last frame stay.
            metadata: JSON-ready facts for the comment of an MP4 or WebM.
            on_frame: called with the number of frames computed so far, for a progress bar.

        Raises:
            InputError: an empty trace, an unknown suffix, or a place that cannot be written to.
            MissingExtraError: .mp4 or .webm without PyAV.
        """
        frames = _held(_counted(self.frames(marks), on_frame), round(hold * fps))
        save_animation(_there_and_back(frames) if boomerang else frames, path, fps, metadata)

    def contact_sheet(
        self, count: int = 8, columns: int | None = None, *, marks: bool = False
    ) -> Image.Image:
        """Evenly spaced frames, the first and the last among them, on one sheet with the step below each.

        Args:
            count: how many frames at most.
            columns: frames in a row; all in one row if not given.
            marks: draw handles, targets and trails.
        """
        if not self._steps:
            raise InputError("There are no steps to make a contact sheet of.")
        count = min(count, len(self._steps))
        chosen = [round(place * (len(self._steps) - 1) / max(1, count - 1)) for place in range(count)]
        labels = [f"step {self._steps[index].index}" for index in chosen]
        return contact_sheet(list(self._frames(chosen, marks=marks)), columns or count, labels)

    def numbers(self) -> dict[str, Tensor]:
        """What the steps measured, each numeric field stacked over time: loss [T], agreement with N prompts [T, N]."""
        stacked: dict[str, Tensor] = {}
        for field in fields(self._steps[0]) if self._steps else ():
            values = [getattr(step, field.name) for step in self._steps]
            if field.name == "index" or not all(map(_is_numeric, values)):
                continue
            column = [torch.as_tensor(value).detach().float().cpu() for value in values]
            if len({value.shape for value in column}) == 1:
                stacked[field.name] = torch.stack(column)
        return stacked

    def _frames(self, indices: Sequence[int], *, marks: bool) -> Iterator[Image.Image]:
        """Frames of these steps, in ascending order."""
        trails: list[list[tuple[float, float]]] = []
        drawn = 0
        for index in indices:
            for step in self._steps[drawn : index + 1] if marks else ():
                places = _pairs(step.handles) if isinstance(step, PointStep) else []
                if len(places) != len(trails):  # a point that comes or goes begins new trails
                    trails = [[] for _ in places]
                for trail, place in zip(trails, places, strict=True):
                    trail.append(place)
                drawn += 1
            step = self._steps[index]
            image = step.picture.render()
            if marks and isinstance(step, PointStep):
                image = draw_marks(image, _pairs(step.handles), _pairs(step.targets), trails)
            yield image


def _is_numeric(value: Any) -> bool:
    """A number, or several."""
    if isinstance(value, tuple):
        return all(isinstance(each, float | int) for each in cast("tuple[Any, ...]", value))
    return isinstance(value, Tensor | float | int)


def _pairs(points: Tensor) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points.detach().cpu().numpy().tolist()]


def _counted(frames: Iterator[Image.Image], on_frame: Callable[[int], None] | None) -> Iterator[Image.Image]:
    for count, frame in enumerate(frames, 1):
        yield frame
        if on_frame is not None:
            on_frame(count)


def _held(frames: Iterator[Image.Image], extra: int) -> Iterator[Image.Image]:
    """The same frames, the first and the last shown `extra` times more."""
    frame: Image.Image | None = None
    for index, frame in enumerate(frames):
        yield from [frame] * (extra + 1 if index == 0 else 1)
    if frame is not None:
        yield from [frame] * extra


def _there_and_back(frames: Iterator[Image.Image]) -> Iterator[Image.Image]:
    """The frames and then all but the ends backwards; they wait in a file, not in memory."""
    with tempfile.TemporaryFile() as spool:
        size, count = (0, 0), 0
        for frame in frames:
            size, count = frame.size, count + 1
            spool.write(frame.tobytes())
            yield frame
        length = math.prod(size) * 3
        for index in range(count - 2, 0, -1):
            spool.seek(index * length)
            yield Image.frombytes("RGB", size, spool.read(length))
