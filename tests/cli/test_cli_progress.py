import os
import signal
import sys
import threading

import pytest

from pliant.cli import progress
from pliant.cli.progress import Progress, duration, stop_on_signal


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3600, "1 h 0 min"),
        (4_000_000, "1,111 h 6 min"),
    ],
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words


def test_without_a_terminal_there_is_a_line_now_and_then(capsys, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    with Progress("drag", 300) as shown:
        for done in range(1, 14):
            clock[0] += 1
            shown.show(done, 40 - done, f"{done} px to go", at_most=True)
    assert capsys.readouterr().err.splitlines() == [
        "drag: 1/300, 1 px to go, at most 39 s left",
        "drag: 6/300, 6 px to go, at most 34 s left",
        "drag: 11/300, 11 px to go, at most 29 s left",
    ]


def test_the_time_left_follows_from_the_pace(capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    with Progress("video", 50) as shown:
        clock[0] = 8
        shown.show(10)
    with Progress("train", None) as shown:
        shown.show(12345)
    assert capsys.readouterr().err.splitlines() == ["video: 10/50, 32 s left", "train: 12,345"]


def test_quiet_is_quiet(capsys):
    with Progress("drag", 300, quiet=True) as shown:
        shown.show(3)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with Progress("drag", 300) as shown:
        shown.show(150, 40, "3.2 px to go")
    out, err = capsys.readouterr()
    assert out == ""
    assert "150/300, 3.2 px to go, 40 s left" in err


@pytest.fixture
def heeds_ctrl_c():
    """Ctrl-C raises, also where whoever started the tests (a shell, in the background) had it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("heeds_ctrl_c")
def test_the_first_signal_asks_and_the_second_one_ends(sign):
    asked = []
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with stop_on_signal(lambda: asked.append(True)):
        os.kill(os.getpid(), sign)
        assert asked == [True]
        assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_other_threads_may_not_set_signals_and_need_not(capsys):
    worked = []

    def work():
        with stop_on_signal(lambda: None):
            worked.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert worked
