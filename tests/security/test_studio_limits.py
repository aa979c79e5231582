"""Point 9 of the checklist: how much one client may ask for, and that the server outlives it."""

import base64
import io
import json
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed

from pliant import catalogue
from pliant.gan.drag import drag
from pliant.studio.limits import Limits
from pliant.studio.studio import Studio
from served import NEVER, SIZE, serve


def png(size, level=255):
    buffer = io.BytesIO()
    Image.new("L", size, level).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def closes(page, seconds=5):
    """What a page is told until the server closes its socket."""
    before = len(page.log)
    with pytest.raises(ConnectionClosed):
        page.drain(seconds)
    return [message["sentence"] for message in page.log[before:] if message["type"] == "problem"]


def lively(served):
    """The studio still serves a newcomer."""
    with served.page() as page:
        place = page.sample()
        page.points((10, 10, 14, 10), max_steps=2)
        ended, _ = page.run()
        assert ended["steps"] == 2
        return page.frame(place)


# ---- points, masks, settings


def test_points_are_limited(page):
    page.sample()
    point = {"handle": [1, 1], "target": [2, 2]}
    assert "did not understand" in page.refused("change", label="x", points=[point] * 257)
    assert len(page.points(*[(1, 1, 2, 2)] * 256)["document"]["points"]) == 256


@pytest.mark.parametrize("bad", [[-1, 0], [0, 32], [31.1, 0], [1e5, 0], [0, -0.1]])
def test_points_outside_the_picture_get_a_sentence(page, bad):
    page.sample()
    for point in ({"handle": bad, "target": [2, 2]}, {"handle": [2, 2], "target": bad}):
        assert "outside the picture" in page.refused("change", label="x", points=[point])
    assert page.state()["document"]["points"] == []


def test_what_a_run_cannot_use_gets_a_sentence(page):
    page.sample()
    assert "no handles" in page.refused("start")
    page.until("state")
    page.points((5, 5, 9, 9), (5, 5, 1, 1))
    assert page.refused("start").endswith(".")
    page.until("state")
    page.points((5, 5, 5, 5))
    page.send("start")
    page.until("ended", "problem")


def test_masks_are_limited(page):
    page.sample()
    assert "did not understand" in page.refused("change", label="x", mask="A" * 1_400_001)
    for size in ((SIZE, SIZE + 1), (1, 1), (4096, 4096)):
        assert "mask" in page.refused("change", label="x", mask=png(size))
        page.until("state")
    assert "too large" in page.refused("change", label="x", mask=png((12000, 12001)))
    page.until("state")
    assert "base64" in page.refused("change", label="x", mask="no base64!")
    page.until("state")
    assert "not an image" in page.refused("change", label="x", mask=base64.b64encode(b"<svg/>").decode())
    page.until("state")
    assert page.do("change", label="x", mask=png((SIZE, SIZE)))["document"]["mask"]


@pytest.mark.parametrize(
    "settings",
    [
        {"max_steps": 5001},
        {"max_steps": 10**15},
        {"max_steps": 0},
        {"max_steps": 2.5},
        {"step_size": "x"},
        {"step_size": -1},
        {"anchoring": 2},
        {"nothing": 1},
        {"space": "z"},
        {"__init__": 1},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_get_a_sentence(page, settings):
    page.sample()
    assert page.refused("change", label="x", settings=settings).endswith(".")
    assert page.until("state")["document"]["settings"] == {}


@pytest.mark.parametrize(
    "text",
    ["1e999", "-1e999", "NaN", "Infinity", "9" * 5000, "9" * 400, '"' + "x" * 500 + '"', "[]", "{}", "null"],
)
def test_settings_beyond_all_bounds_are_not_even_understood(page, text):
    page.sample()
    page.socket.send('{"type":"change","label":"x","settings":{"step_size":' + text + "}}")
    assert page.until("problem")["sentence"].endswith(".")
    assert page.do("redo")["document"]["settings"] == {}


# ---- messages


def test_a_message_over_the_limit_closes_the_socket(served, page):
    page.sample()
    with suppress(ConnectionClosed):  # it may be closed while the rest is still on its way
        page.socket.send(json.dumps({"type": "change", "label": "x" * served.studio.limits.message_bytes}))
    closes(page)
    with served.page(page.session) as again:
        assert len(again.log[-1]["nodes"]) == 1
    lively(served)


def test_a_page_that_sends_too_much_is_told_and_closed(served, page):
    page.sample()
    try:
        for _ in range(3000):
            page.send("ack", number=0)
    except ConnectionClosed:
        pass
    assert "This page sends too many messages." in closes(page)
    lively(served)


def test_a_page_that_sends_much_but_not_too_much_is_served(page):
    page.sample()
    for _ in range(150):
        page.send("ack", number=0)
    assert page.state()["nodes"]


def test_binary_messages_are_not_understood(served, page):
    page.socket.send(b"\x00\x01")
    assert "did not understand" in page.until("problem")["sentence"]
    assert page.state()
    with served.page(greets=False) as other:
        other.socket.send(b"\xff")
        assert len(closes(other)) >= 1


def test_who_does_not_greet_is_sent_away(served):
    for message in ({"type": "stop"}, {"type": "welcome"}, {"nothing": 1}):
        with served.page(greets=False) as page:
            page.socket.send(json.dumps(message))
            assert "The first message must be a greeting." in closes(page)


def test_an_unknown_session_is_said_and_the_socket_closed(served):
    with served.page(greets=False) as page:
        page.send("hello", session="0" * 32)
        assert closes(page) == ["There is no such project on this machine any more; begin a new one."]


# ---- sessions and runs


@pytest.fixture
def small(own_home, tmp_path):
    """A studio for two."""
    with serve(Studio(tmp_path, model="tiny", limits=Limits(sessions=2, runs=1, idle_seconds=900))) as served:
        yield served


def test_more_people_than_fit_are_told(small):
    with small.page(), small.page():
        with small.page(greets=False) as third:
            third.send("hello", session=None)
            assert closes(third) == [
                "2 people are at work here already, which is the limit; try again in a while."
            ]
        assert small.get("/api/health").status == 200
    with small.page() as page:
        assert page.sample()


def test_sessions_that_nobody_looks_at_make_room(small):
    """The start page shows more projects than fit into memory at once."""
    known = []
    for seed in range(4):
        with small.page() as page:
            page.sample(seed)
            known.append(page.session)
    wait_until(lambda: all(session.idle for session in small.studio.sessions.values()))
    assert len(small.studio.sessions) <= 2
    for session in known:
        assert small.get(f"/api/projects/{session}/thumb").status == 200
    with small.page(known[0]) as page:
        assert [node["title"] for node in page.log[-1]["nodes"]] == ["Seed 0"]
        assert len(small.studio.sessions) <= 2


def test_a_session_at_work_is_not_dropped_for_room(small):
    with small.page() as page:
        page.sample()
        page.points((10, 10, 14, 10), **NEVER)
        page.start()
        session = page.session
    for seed in range(3):
        with small.page() as other:
            other.sample(seed)
    with small.page(session) as page:
        assert page.log[-1]["run"]["state"] in {"running", "waiting"}
        page.send("stop")
        assert page.until("ended")["reason"] == "interrupted"


def test_more_runs_than_allowed_are_told(small):
    with small.page() as one, small.page() as two:
        for page in (one, two):
            page.sample()
            page.points((10, 10, 14, 10), **NEVER)
        one.start()
        assert "Too many runs" in two.refused("start")
        two.until("state")
        one.send("stop")
        one.until("ended")
        two.start()


def wait_until(true, seconds=5):
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


# ---- what goes wrong in a run


class OutOfMemoryError(RuntimeError):
    """As CUDA says it."""


def failing(error, after):
    """A drag that fails after some steps."""

    def start(picture, inputs, settings, goes_on):
        for index, step in enumerate(
            drag(picture, inputs.handles, inputs.targets, settings=settings, after=goes_on)
        ):
            if index == after:
                raise error
            yield step

    return replace(catalogue.get("drag"), start=start)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), "not enough memory"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "not enough memory"),
        (ZeroDivisionError("/secret/place"), "Something went wrong inside Pliant (ZeroDivisionError)"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("after", [0, 7])
def test_a_run_that_fails_leaves_its_steps_and_the_server(own_home, tmp_path, error, sentence, after):
    with (
        serve(Studio(tmp_path, model="tiny", edits=[failing(error, after)])) as served,
        served.page() as page,
    ):
        place = page.sample()
        page.points((10, 10, 14, 10), **NEVER)
        page.send("start")
        ended = page.until("ended")
        assert (ended["reason"], ended["steps"]) == ("failed", after)
        said = page.until("problem")["sentence"]
        assert sentence in said
        assert "secret" not in said
        state = page.until("state")
        assert state["run"] is None
        assert [node["steps"] for node in state["nodes"]] == ([1, after] if after else [1])
        at = state["document"]["at"]
        assert at == ({"node": ended["node"], "step": after - 1} if after else place)
        assert page.frame(at)
        assert len(page.facts(at["node"])["facts"]) == max(1, after)
        again = page.refused("start")
        assert sentence in again, "the session goes on"


def test_a_full_disk_in_a_run_keeps_what_was_written(served, page, monkeypatch):
    """The disk is full: no real one can be filled here, so writing says so."""
    page.sample()
    page.points((10, 10, 14, 10), **NEVER)
    page.start(3)
    session = served.studio.sessions[page.session]
    full = OSError(28, "No space left on device")

    def refuse(*_):
        raise full

    monkeypatch.setattr(type(session.folder.states), "__setitem__", refuse)
    page.send("stop")
    ended = page.until("ended")
    assert ended["reason"] == "failed"
    assert page.until("problem")["sentence"].endswith(".")
    state = page.until("state")
    monkeypatch.undo()
    at = state["document"]["at"]
    node = next(node for node in state["nodes"] if node["id"] == at["node"])
    assert at["step"] == node["steps"] - 1
    assert page.frame(at)
    lively(served)


def test_a_full_disk_at_the_end_of_a_run_still_ends_it(served, page, monkeypatch):
    """The same, where only the history cannot be written."""
    page.sample()
    page.points((10, 10, 14, 10), **NEVER)
    page.start(3)
    history = served.studio.sessions[page.session].folder.path / "history.jsonl"
    lines = history.read_bytes()
    history.unlink()
    history.mkdir()  # so that no line can be added to it
    page.send("stop")
    ended = page.until("ended")
    assert "could not be stored" in page.until("problem")["sentence"]
    state = page.until("state")
    assert (state["run"], state["document"]["at"]["node"]) == (None, ended["node"])
    assert "could not be stored" in page.refused("change", label="x", points=[])
    history.rmdir()
    history.write_bytes(lines)
    page.points((10, 10, 14, 10), max_steps=2)
    assert page.run()[0]["steps"] == 2


# ---- eight at once


def test_eight_people_at_once_all_advance(served):
    def work(page, results):
        page.sample(3)
        page.points((10, 10, 20, 20), step_size=1e-9, max_steps=60)
        ended, _ = page.run(60)
        results.append((ended["reason"], ended["steps"]))

    results = []
    with ExitStack() as stack:
        pages = [stack.enter_context(served.page()) for _ in range(8)]
        people = [threading.Thread(target=work, args=(page, results)) for page in pages]
        for person in people:
            person.start()
        for person in people:
            person.join(60)
        waited = [m["run"]["position"] for page in pages for m in page.log if m["type"] == "progress"]
    assert results == [("max_steps", 60)] * 8
    assert max(waited) > 0, "those who wait are told how many are before them"
