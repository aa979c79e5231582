"""A preview shows what an edit would make, keeps nothing, and makes way for whatever a person does next."""

import time
from dataclasses import replace

import numpy as np
import pytest

from pliant import catalogue
from pliant.steps import Step
from pliant.studio.studio import Studio
from served import NEVER, serve


def endless(picture, inputs, settings, after):
    """A repaint that takes its time and never arrives."""
    for index in range(10**6):
        time.sleep(0.01)
        yield Step(index, picture)


SLOW = replace(catalogue.get("repaint"), start=endless)


@pytest.fixture(scope="module")
def slow(own_home, tmp_path_factory):
    """A studio whose repaints go on until they are ended."""
    edits = [SLOW, catalogue.get("drag")]
    with serve(Studio(tmp_path_factory.mktemp("slow"), model="tiny", edits=edits)) as served:
        yield served


@pytest.fixture
def shown(slow):
    """A page on which a preview goes on."""
    with slow.page() as page:
        page.at = page.sample()
        page.do("change", label="Mode", edit="repaint")
        page.send("preview")
        frame = page.until("frame")
        assert frame["node"] is None
        assert page.state()["run"] is None, "whatever is asked for ends it"
        page.send("preview")
        page.until("frame")
        yield page


def test_a_preview_keeps_nothing(served, page):
    at = page.sample(3)
    ids = page.parts(at)
    ids[6:20, 6:20] = (ids[6:20, 6:20] + 1) % 3
    before = page.paint(ids)
    page.send("preview")
    state = page.until("state")
    assert (state["run"]["preview"], state["run"]["node"], state["run"]["edit"]) == (True, None, "repaint")
    assert (state["saved"], state["document"], state["nodes"]) == (True, before["document"], before["nodes"])
    ended = page.until("ended")
    assert ended["node"] is None
    assert ended["reason"] in {"arrived", "max_steps"}
    assert 1 < ended["steps"] <= 21, "the preview's own number of steps"
    state = page.until("state")
    assert (state["run"], state["nodes"], state["undo"]) == (None, before["nodes"], before["undo"])
    frames = [each for each in page.log if each["type"] == "frame"]
    while not frames or frames[-1]["step"] < ended["steps"] - 1:
        frames.append(page.until("frame"))
    assert {frame["node"] for frame in frames} == {None}
    assert frames[-1]["facts"][-1]["agreement"] is not None
    session = served.studio.sessions[page.session]
    assert len(session.project.nodes) == 1
    assert sorted(session.folder.states) == [at["node"]]


WISHES = {
    "change": {"label": "x", "points": []},
    "go": {},
    "undo": {},
    "redo": {},
    "sample": {"model": "tiny", "seed": 2},
    "preview": {},
    "stop": {},
    "pause": {},
    "resume": {},
    "set_classes": {"classes": [{"name": "a", "colour": [0, 0, 0]}, {"name": "b", "colour": [1, 1, 1]}]},
}


@pytest.mark.parametrize("wish", WISHES)
def test_any_wish_ends_it(shown, wish):
    fields = WISHES[wish] or ({"place": shown.at} if wish == "go" else {})
    shown.send(wish, **fields)
    ended = shown.until("ended", seconds=5)
    assert (ended["node"], ended["reason"]) == (None, "interrupted")
    if wish == "preview":
        shown.until("frame")
        shown.send("stop")
        shown.until("ended")
    while shown.until("state")["run"] is not None:
        pass
    if wish == "sample":
        assert len(shown.state()["nodes"]) == 2


def test_a_run_begins_although_a_preview_goes_on(shown):
    shown.send("start")
    assert shown.until("ended")["node"] is None
    while (frame := shown.until("frame"))["node"] is None:
        pass
    assert shown.until("progress", "state")["run"]["preview"] is False
    assert "Stop the run first" in shown.refused("preview")
    shown.send("stop")
    assert shown.until("ended")["node"] == frame["node"]


def test_many_previews_in_a_row_are_one_after_the_other(slow, shown):
    for _ in range(30):
        shown.send("preview")
    shown.send("change", label="Mode", edit="drag")
    while shown.until("state")["document"]["edit"] != "drag":
        pass
    assert shown.state()["run"] is None
    assert slow.studio.running() == 0
    slow.at_rest()


def test_nothing_of_an_ended_preview_waits_for_the_page(slow):
    with slow.page(draws=False) as page:
        page.sample()
        page.do("change", label="Mode", edit="repaint")
        page.send("preview")
        number = [page.until("frame") for _ in range(2)][-1]["number"]
        time.sleep(0.2)  # a third waits for the window
        page.do("change", label="Mode", edit="drag")
        page.send("ack", number=number)
        page.points((10, 10, 14, 10), max_steps=2)
        page.run()
        assert page.until("frame")["node"] is not None


def test_previews_take_no_place_from_runs(own_home, tmp_path):
    from pliant.studio.limits import Limits

    studio = Studio(tmp_path, model="tiny", edits=[SLOW, catalogue.get("drag")], limits=Limits(runs=1))
    with serve(studio) as served, served.page() as page, served.page() as other:
        page.sample()
        page.do("change", label="Mode", edit="repaint")
        page.send("preview")
        page.until("frame")
        other.sample()
        other.do("change", label="Mode", edit="drag")
        other.points((10, 10, 20, 14), **NEVER)
        other.start(2)
        assert "Too many runs" in page.refused("start")
        other.send("stop")
        other.until("ended")


def test_an_edit_that_shows_nothing_says_so(page):
    assert page.refused("preview") == "Choose a picture first."
    page.until("state")
    page.sample()
    page.points((10, 10, 14, 10))
    assert page.refused("preview") == "'Drag points' cannot be shown before it runs."
    shown = {"repaint", "vector", "layers", "move", "remove", "paste", "swap", "dragcontent"}
    assert np.all([edit["preview"] == (edit["name"] in shown) for edit in page.welcome["edits"]])
