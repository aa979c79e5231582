"""A run as a job of the device: what is shown, what is kept, and how it ends."""

import io
from dataclasses import dataclass, field

import pytest
from PIL import Image

from flat import walk
from pliant.errors import InputError
from pliant.steps import Run
from pliant.studio.runs import RunJob

NODE = "a" * 16


@dataclass
class Watching:
    """Writes down what it is told."""

    wants: bool = True
    frames: list = field(default_factory=list)
    outcomes: list = field(default_factory=list)
    progressed: int = 0
    savings: int = 0

    def wants_frame(self):
        return self.wants

    def frame(self, frame):
        self.frames.append(frame)

    def progress(self):
        self.progressed += 1

    def saved(self):
        self.savings += 1

    def ended(self, outcome):
        self.outcomes.append(outcome)


@dataclass
class Recorded:
    """Keeps how many steps were recorded each time."""

    counts: list = field(default_factory=list)
    fails_from: int = 10**9

    def __call__(self, trace, node):
        if len(trace) >= self.fails_from:
            raise InputError("The disk is full.")
        assert node == (NODE if self.counts else None)
        self.counts.append(len(trace))
        return NODE


def failing(at):
    for step in walk(100, 100):
        if step.index == at:
            raise ZeroDivisionError
        yield step


def job_of(steps, watcher, record=None, **options):
    return RunJob("walk", lambda: Run(steps, **options), record or Recorded(), watcher)


def advanced(job, most=1000):
    """Advance to the end; how many pieces that took."""
    for pieces in range(most):
        if not job.advance():
            return pieces
    raise AssertionError("it never ends")


def shown(watcher):
    return [frame.step for frame in watcher.frames]


def told(watcher):
    """Every step whose facts were sent, in order."""
    return [fact.step for frame in watcher.frames for fact in frame.facts]


def test_a_run_is_shown_and_recorded_to_its_end():
    watcher, record = Watching(), Recorded()
    job = job_of(walk(5, 100), watcher, record)
    assert job.steps == 0
    assert advanced(job) == 6
    (outcome,) = watcher.outcomes
    assert (outcome.node, outcome.reason, outcome.steps, outcome.problem) == (NODE, "arrived", 6, None)
    assert len(outcome.trace) == 6
    assert record.counts[0] == 1, "at the first step, so that frames have a node"
    assert record.counts[-1] == 6
    assert watcher.progressed >= 1
    assert not job.advance(), "it is over"
    assert len(watcher.outcomes) == 1


def test_the_first_and_the_last_frame_are_shown_and_no_fact_is_lost():
    watcher = Watching()
    advanced(job_of(walk(100, 40), watcher))
    assert shown(watcher)[0] == 0
    assert shown(watcher)[-1] == 39
    assert told(watcher) == list(range(40))
    assert len(shown(watcher)) < 40, "40 steps in no time are not 40 pictures"
    assert watcher.outcomes[0].reason == "max_steps"
    with Image.open(io.BytesIO(watcher.frames[-1].jpeg)) as image:
        assert abs(image.getpixel((3, 3))[0] - 139) <= 2
    fact = watcher.frames[-1].facts[-1]
    assert (fact.step, fact.handles, fact.distances, fact.strain) == (39, ((43.0, 16.0),), (61.0,), None)
    assert fact.loss == pytest.approx(1 / 40)


def test_nobody_looking_costs_no_picture_but_the_last():
    watcher = Watching(wants=False)
    job = job_of(walk(100, 40), watcher)
    advanced(job)
    assert shown(watcher) == [39]
    assert told(watcher) == list(range(40))
    assert sum(len(step.picture.looks) for step in job.run.trace) == 1


def test_a_paused_job_is_not_ready_until_it_goes_on_or_is_stopped():
    watcher = Watching()
    job = job_of(walk(100, 40), watcher)
    job.advance()
    job.paused = True
    assert not job.ready()
    job.paused = False
    assert job.ready()
    job.paused = True
    job.stop()
    assert job.ready(), "so that the device lets it go"
    assert not job.advance()


def test_stopping_keeps_what_there_is_and_closes_the_edit():
    watcher, record, closed = Watching(), Recorded(), []
    job = job_of(walk(100, 40, closed), watcher, record)
    for _ in range(3):
        job.advance()
    job.stop()
    job.stop()
    assert closed == [True]
    (outcome,) = watcher.outcomes
    assert (outcome.reason, outcome.steps, record.counts[-1]) == ("interrupted", 3, 3)
    assert shown(watcher)[-1] == 2
    assert told(watcher) == [0, 1, 2]


def test_stopping_before_the_first_step_leaves_nothing():
    watcher, record = Watching(), Recorded()
    job_of(walk(100, 40), watcher, record).stop()
    (outcome,) = watcher.outcomes
    assert (outcome.node, outcome.reason, outcome.steps) == (None, "interrupted", 0)
    assert record.counts == []
    assert watcher.frames == []


def test_an_edit_that_does_not_begin_ends_the_job_with_its_sentence():
    def refuse():
        raise InputError("There are no handles.")

    watcher = Watching()
    job = RunJob("walk", refuse, Recorded(), watcher)
    assert not job.advance()
    (outcome,) = watcher.outcomes
    assert (outcome.node, outcome.reason, outcome.steps, outcome.problem) == (
        None,
        "failed",
        0,
        "There are no handles.",
    )


@pytest.mark.parametrize("at", [1, 2, 30])
def test_an_edit_that_fails_keeps_its_steps(at, caplog):
    watcher, record = Watching(), Recorded()
    advanced(job_of(failing(at), watcher, record))
    (outcome,) = watcher.outcomes
    assert (outcome.node, outcome.reason, outcome.steps, len(outcome.trace)) == (NODE, "failed", at, at)
    assert record.counts[-1] == at
    assert "Something went wrong inside Pliant (ZeroDivisionError)" in outcome.problem
    assert "ZeroDivisionError" in caplog.text


def test_a_disk_that_fails_leaves_what_was_recorded():
    watcher, record = Watching(), Recorded(fails_from=2)
    advanced(job_of(walk(100, 10), watcher, record))
    (outcome,) = watcher.outcomes
    assert (outcome.node, outcome.reason, outcome.steps, len(outcome.trace)) == (NODE, "failed", 1, 1)
    assert outcome.problem == "The disk is full."
    watcher, record = Watching(), Recorded(fails_from=1)
    advanced(job_of(walk(100, 10), watcher, record))
    assert (watcher.outcomes[0].node, watcher.outcomes[0].steps) == (None, 0)


def test_it_is_saved_now_and_then(monkeypatch):
    monkeypatch.setattr("pliant.studio.runs.SAVE_SECONDS", 0.0)
    watcher, record = Watching(wants=False), Recorded()
    advanced(job_of(walk(100, 10), watcher, record))
    assert record.counts == [*range(1, 11), 10]
    assert watcher.savings == 10
