"""Seeing where parts are unsure and what paint becomes; making it so; a model that knows no parts."""

import numpy as np
import pytest
from painting import CHIN, LOWER_LIP, kept, paint, quiet, take

from served import make_home


def test_where_the_parts_are_unsure_is_shown_warm(repaint):
    repaint.get("parts-opacity").fill("0")
    repaint.page.mouse.move(5, 400)
    repaint.page.wait_for_timeout(200)
    plain = _all(repaint)
    repaint.get("parts-unsure").check()
    repaint.page.get_by_text("the less the readers").wait_for()
    repaint.page.wait_for_timeout(200)
    warmer = _warmth(_all(repaint)) - _warmth(plain)
    assert warmer.max() > 80
    assert abs(np.median(warmer)) < 2
    repaint.get("parts-unsure").uncheck()
    repaint.page.wait_for_timeout(200)
    assert np.abs(_all(repaint) - plain).mean() < 1


def _warmth(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., 0] - pixels[..., 2]


def _all(studio) -> np.ndarray:
    (left, top), (right, bottom) = studio.place(0, 0), studio.place(255, 255)
    return studio.screen((left, top, right - left, bottom - top))


def test_what_it_becomes_is_shown_and_kept_nowhere(repaint):
    start = repaint.read("state.document.at")
    repaint.press("m")
    repaint.page.mouse.move(5, 400)
    repaint.page.wait_for_timeout(200)
    before = _all(repaint)
    take(repaint, LOWER_LIP)
    paint(repaint, *CHIN)
    repaint.until("s.view.previewed")
    repaint.page.mouse.move(5, 400)
    repaint.page.wait_for_timeout(2500)
    become = _all(repaint)
    assert repaint.get("preview").is_visible()
    assert np.abs(become - before).max() > 30
    with repaint.held("c"):
        repaint.page.wait_for_timeout(200)
        assert np.abs(_all(repaint) - before).mean() < 1
    repaint.click("undo")
    repaint.until("s.state.document.parts === null && !s.view.previewed")
    repaint.page.mouse.move(5, 400)
    repaint.page.wait_for_timeout(300)
    assert not repaint.get("preview").is_visible()
    assert np.abs(_all(repaint) - before).mean() < 1
    assert repaint.read("state.document.at") == start
    assert len(repaint.read("state.nodes")) == 1


def test_no_preview_where_none_is_wanted(repaint):
    quiet(repaint)
    take(repaint, LOWER_LIP)
    paint(repaint, *CHIN)
    repaint.page.wait_for_timeout(800)
    assert not repaint.get("preview").is_visible()
    assert repaint.read("state.run") is None
    repaint.get("parts-live").check()
    repaint.until("s.view.previewed")
    repaint.get("parts-live").uncheck()
    repaint.until("!s.view.previewed && !s.state.run")


def test_a_run_makes_it_so_and_the_paint_is_gone(repaint):
    take(repaint, LOWER_LIP)
    paint(repaint, *CHIN)
    repaint.until("s.view.previewed")
    repaint.set("max_steps", 12, "repaint")
    repaint.click("run")
    repaint.until("s.run && !s.run.preview")
    assert not repaint.get("preview").is_visible()
    repaint.pull((40, 40), (60, 40))
    repaint.ended(2)
    assert repaint.read("state.document.parts") is None
    assert repaint.read("state.document.at.step") == 12
    repaint.until("!!s.parts")
    assert "As painted" in repaint.words("curve")
    assert repaint.get("strain-meter").is_visible()
    repaint.click("undo")
    repaint.until("s.state.document.parts")
    assert kept(repaint)[209, 125] == LOWER_LIP


# ---- a model that knows no parts


@pytest.fixture(scope="module")
def bare_server(serve, tmp_path_factory):
    """Serves a tiny model without a part head."""
    return serve(make_home(tmp_path_factory.mktemp("bare_home")))


def test_a_model_that_knows_no_parts_can_be_taught(new_studio, bare_server):
    studio = new_studio(at=bare_server).open()
    studio.get("model").select_option("bare")
    studio.portrait()
    studio.click("mode-repaint")
    assert "not known yet" in studio.words("parts-unknown")
    studio.click("parts-teach")
    studio.click("classes-use")
    studio.until("!!s.parts")
    assert set(studio.read("parts")) == {0}
    take(studio, 2)
    studio.page.mouse.click(*studio.place(16, 16, 32))
    studio.until("s.state.document.parts")
    studio.page.wait_for_timeout(600)
    assert studio.get("run").is_disabled()
    assert studio.words("run-status") == "Teach the model its parts first."
    studio.click("teaching-close")
    studio.page.wait_for_timeout(600)
    assert not studio.get("preview").is_visible()
    assert studio.page.get_by_test_id("problem-parts").count() == 0
    assert studio.page.get_by_test_id("problem-run").count() == 0
