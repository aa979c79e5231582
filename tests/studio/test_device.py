import threading
import time
from concurrent.futures import CancelledError

import pytest

from pliant.studio import device as device_module
from pliant.studio.device import Device


class Counting:
    """A job of some pieces that writes down when it is served."""

    def __init__(self, name, pieces, log, seconds=0.0):
        self.name, self.left, self.log, self.seconds = name, pieces, log, seconds
        self.paused = False
        self.done = threading.Event()

    def ready(self):
        return not self.paused

    def advance(self):
        time.sleep(self.seconds)
        self.log.append(self.name)
        self.left -= 1
        if self.left == 0:
            self.done.set()
        return self.left > 0


@pytest.fixture
def device():
    device = Device()
    yield device
    device.close()


@pytest.fixture
def held(device):
    """Keeps the device busy until it is set, so that what follows waits in line."""
    gate = threading.Event()
    device.do(lambda: gate.wait(10))
    yield gate
    gate.set()


def test_a_task_gives_its_result_or_its_error(device):
    assert device.do(lambda: 6 * 7).result(5) == 42
    with pytest.raises(ZeroDivisionError):
        device.do(lambda: 1 / 0).result(5)
    assert device.do(lambda: "still here").result(5) == "still here"
    with pytest.raises(SystemExit):
        device.do(lambda: (_ for _ in ()).throw(SystemExit)).result(5)
    assert device.do(threading.current_thread).result(5).name == "pliant-device"


def test_tasks_come_before_jobs_and_in_order(device, held):
    log = []
    job = Counting("job", 3, log)
    device.start(job)
    for number in range(3):
        device.do(lambda number=number: log.append(number))
    held.set()
    assert job.done.wait(5)
    assert log == [0, 1, 2, "job", "job", "job"]


def test_a_task_is_done_between_two_pieces_of_a_job(device):
    log = []
    job = Counting("job", 100, log, 0.01)
    device.start(job)
    began = time.monotonic()
    device.do(lambda: log.append("task")).result(5)
    assert time.monotonic() - began < 0.5
    assert log.index("task") < 50
    job.left = 1


def test_jobs_take_turns(device, held, monkeypatch):
    monkeypatch.setattr(device_module, "TURN", 0.03)
    log = []
    jobs = [Counting(name, 40, log, 0.005) for name in "abc"]
    for job in jobs:
        device.start(job)
    held.set()
    for job in jobs:
        assert job.done.wait(10)
    assert {name: log.count(name) for name in "abc"} == {"a": 40, "b": 40, "c": 40}
    turns = [name for name, before in zip(log, [None, *log], strict=False) if name != before]
    assert turns[:6] == list("abcabc"), "each has its turn, in the order in which they came"
    assert log.index("c") < 30, "nobody waits for another's end"


def test_positions_tell_who_is_served_before(device, held):
    jobs = [Counting(name, 1, []) for name in "abc"]
    for job in jobs:
        device.start(job)
    assert [device.position(job) for job in jobs] == [0, 1, 2]
    jobs[0].paused = True
    assert [device.position(job) for job in jobs] == [0, 0, 1], "a paused one holds nobody up"
    assert device.position(Counting("x", 1, [])) == 0
    jobs[0].paused = False


def test_a_paused_job_waits_and_others_go_on(device):
    log = []
    paused, other = Counting("paused", 2, log), Counting("other", 3, log)
    paused.paused = True
    device.start(paused)
    device.start(other)
    assert other.done.wait(5)
    assert log == ["other"] * 3
    paused.paused = False
    assert not paused.done.wait(0.05), "nobody told the device"
    device.wake()
    assert paused.done.wait(5)


def test_a_device_with_nothing_to_do_takes_no_time(device):
    job = Counting("paused", 1, [])
    job.paused = True
    device.start(job)
    device.do(lambda: None).result(5)
    began = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - began < 0.1


def test_closing_ends_the_piece_in_progress_and_cancels_what_waits():
    device = Device()
    log = []
    began = threading.Event()
    first = device.do(lambda: (began.set(), time.sleep(0.1), log.append("first")))
    job = Counting("job", 5, log)
    device.start(job)
    waiting = device.do(lambda: log.append("never"))
    assert began.wait(5)
    device.close()
    assert first.done()
    assert log == ["first"]
    with pytest.raises(CancelledError):
        waiting.result(5)
    with pytest.raises(CancelledError):
        device.do(lambda: log.append("late")).result(5)
    assert not [thread for thread in threading.enumerate() if thread is device._thread]
