import itertools
import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

from flat import flat, walk
from pliant.errors import InputError
from pliant.marks import HANDLE, TARGET
from pliant.steps import PointStep, Run, Step, Trace


def test_a_run_yields_records_and_says_that_it_arrived():
    run = Run(walk(5, 100))
    seen = list(run)
    assert [step.index for step in seen] == list(range(6))
    assert list(run.trace) == seen
    assert run.stopped == "arrived"
    assert list(run) == []


def test_a_run_that_used_all_its_steps_says_so():
    run = Run(walk(50, 4))
    assert len(list(run)) == 4
    assert run.stopped == "max_steps"


def test_an_edit_that_does_not_speak_of_arriving_arrives_at_its_end():
    run = Run(Step(i, flat(i)) for i in range(3))
    assert [step.index for step in run] == [0, 1, 2]
    assert run.stopped == "arrived"


def test_an_edit_without_a_step_did_not_arrive():
    run = Run(iter(()))
    assert list(run) == []
    assert run.stopped == "max_steps"
    assert run.seconds_per_step is None


def test_not_iterating_is_a_pause():
    run = Run(walk(9, 100))
    for step in run:
        if step.index == 3:
            break
    assert run.stopped is None
    assert [step.index for step in run] == [4, 5, 6, 7, 8, 9]
    assert len(run.trace) == 10


def test_stop_between_steps_closes_the_edit_at_once():
    closed = []
    run = Run(walk(9, 100, closed))
    next(run)
    run.stop()
    assert closed == [True]
    assert run.stopped == "interrupted"
    assert list(run) == []
    run.stop()
    assert len(run.trace) == 1


def test_stop_after_the_end_changes_nothing():
    run = Run(walk(2, 100))
    list(run)
    run.stop()
    assert run.stopped == "arrived"


def test_stop_from_another_thread_takes_effect_within_the_step():
    inside, finish = threading.Event(), threading.Event()
    closed = []

    def slow():
        try:
            for index in itertools.count():
                if index == 2:
                    inside.set()
                    assert finish.wait(10)
                yield Step(index, flat(index))
        finally:
            closed.append(True)

    run = Run(slow())
    worker = threading.Thread(target=lambda: list(run))
    worker.start()
    assert inside.wait(10)
    run.stop()
    assert run.stopped is None  # the step in progress is not torn apart
    finish.set()
    worker.join(10)
    assert not worker.is_alive()
    assert [step.index for step in run.trace] == [0, 1, 2]
    assert run.stopped == "interrupted"
    assert closed == [True]


def test_an_error_in_the_edit_ends_the_run_and_keeps_the_steps():
    def failing():
        yield Step(0, flat(0))
        raise ValueError("broken")

    run = Run(failing())
    next(run)
    with pytest.raises(ValueError, match="broken"):
        next(run)
    assert run.stopped == "interrupted"
    assert len(run.trace) == 1
    assert list(run) == []


def test_time_is_measured_inside_the_edit_only():
    def slow():
        for index in range(4):
            time.sleep(0.02)
            yield Step(index, flat(index))

    run = Run(slow(), max_steps=10)
    assert run.eta is None
    next(run)
    assert run.eta is None
    time.sleep(0.2)
    next(run)
    assert 0.04 <= run.seconds < 0.15
    assert run.seconds_per_step == run.seconds / 2
    assert run.eta > 8 * 0.2  # the time left does count what the consumer does
    list(run)
    assert run.eta == 0


def test_without_a_known_end_there_is_no_eta():
    run = Run(walk(9, 100))
    next(run), next(run), next(run)
    assert run.eta is None


def test_a_step_is_rendered_only_when_someone_looks():
    run = Run(walk(5, 100), max_steps=100)
    steps = list(run)
    assert not any(step.picture.looks for step in steps)
    assert steps[3].image.getpixel((0, 0)) == (103, 103, 103)
    assert [len(step.picture.looks) for step in steps] == [0, 0, 0, 1, 0, 0]


def test_frames_come_in_order_and_are_not_kept():
    trace = Trace(list(walk(5, 100)))
    frames = trace.frames()
    next(frames)
    assert [len(step.picture.looks) for step in trace] == [1, 0, 0, 0, 0, 0]
    assert [frame.getpixel((0, 0))[0] for frame in frames] == [101, 102, 103, 104, 105]


def test_marks_follow_the_handle():
    trace = Trace(list(walk(30, 100)))
    assert isinstance(trace[0], PointStep)
    for index, frame in enumerate(trace.frames(marks=True)):
        assert frame.getpixel((4 + index, 16)) == HANDLE
        if index < 20:
            assert frame.getpixel((34, 16)) == TARGET
    assert frame.getpixel((10, 16))[0] > frame.getpixel((10, 16))[2] + 50  # the trail is red


def test_steps_without_points_have_no_marks():
    trace = Trace([Step(i, flat(i)) for i in range(3)])
    assert [frame.getextrema() for frame in trace.frames(marks=True)] == [((i, i),) * 3 for i in range(3)]


def test_points_may_come_and_go_within_a_trace():
    first, *_ = walk(5, 1)
    second = type(first)(
        1, flat(9), torch.ones(3, 2), torch.ones(3, 2) * 9, torch.ones(3), 0.5, arrived=False
    )
    assert len(list(Trace([first, second, first]).frames(marks=True))) == 3
    assert "handles" not in Trace([first, second]).numbers()


def levels(path):
    """The grey level of each frame of an animated WebP."""
    with Image.open(path) as animation:
        for index in range(animation.n_frames):
            animation.seek(index)
            yield round(np.asarray(animation.convert("L")).mean())


def shown(path):
    """The same with the time that each frame stays."""
    with Image.open(path) as animation:
        durations = []
        for index in range(animation.n_frames):
            animation.seek(index)
            animation.load()
            durations.append(animation.info["duration"])
    return list(zip(levels(path), durations, strict=True))


def test_a_video_holds_its_ends(tmp_path):
    trace = Trace([Step(i, flat(60 * i)) for i in range(4)])
    trace.save_video(tmp_path / "a.gif", 10, hold=0.3)
    assert shown(tmp_path / "a.gif") == [(0, 400), (60, 100), (120, 100), (180, 400)]


def test_a_boomerang_comes_back_without_a_jump(tmp_path):
    trace = Trace([Step(i, flat(60 * i)) for i in range(4)])
    trace.save_video(tmp_path / "a.gif", 10, boomerang=True, hold=0)
    assert [level for level, _ in shown(tmp_path / "a.gif")] == [0, 60, 120, 180, 120, 60]
    assert [len(step.picture.looks) for step in trace] == [1, 1, 1, 1]  # the way back costs no rendering


def test_an_empty_trace_makes_nothing(tmp_path):
    with pytest.raises(InputError, match="no frames"):
        Trace().save_video(tmp_path / "a.gif")
    with pytest.raises(InputError, match="no steps"):
        Trace().contact_sheet()
    assert Trace().numbers() == {}


def test_a_contact_sheet_has_both_ends_and_even_spacing():
    trace = Trace(list(walk(40, 100)))
    sheet = trace.contact_sheet(5, columns=5)
    assert [len(step.picture.looks) for step in trace] == [
        1 if i in {0, 10, 20, 30, 40} else 0 for i in range(41)
    ]
    assert sheet.width == 5 * 50 + 2
    assert [sheet.getpixel((2 + 50 * i + 24, 10))[0] for i in range(5)] == [100, 110, 120, 130, 140]
    assert trace.contact_sheet(100).width == 41 * 50 + 2
    assert trace.contact_sheet(1).getpixel((20, 10)) == (100, 100, 100)


def test_numbers_over_time():
    numbers = Trace(list(walk(3, 100))).numbers()
    assert numbers.keys() == {"handles", "targets", "distances", "loss", "arrived"}
    assert numbers["loss"].tolist() == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    assert numbers["handles"].shape == (4, 1, 2)
    assert numbers["arrived"].tolist() == [0, 0, 0, 1]


def test_a_slice_of_a_trace_is_a_trace():
    trace = Trace(list(walk(5, 100)))
    assert [step.index for step in trace[2:4]] == [2, 3]
    assert isinstance(trace[2:4], Trace)
    assert trace[-1].index == 5
