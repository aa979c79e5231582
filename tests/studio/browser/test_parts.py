"""Painting the parts of a picture, seeing what it becomes, and making it so."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from studio_process import end, start
from test_narrow import DESK, OVERFLOW, PHONE, Fingers

from served import make_home

SIZE = 256
LOWER_LIP, HAIR, BACKGROUND = 8, 11, 0
CHIN = ((112, 205), (125, 209), (138, 205))


@pytest.fixture
def repaint(portrait):
    """The editor in the mode that repaints, with the parts in view."""
    portrait.click("mode-repaint")
    portrait.until("!!s.parts")
    return portrait


def shown(studio) -> np.ndarray:
    """Ids on the page, [H, W]."""
    return np.array(studio.read("parts")).reshape(SIZE, SIZE)


def kept(studio) -> np.ndarray:
    """The painted ids as the server keeps them, [H, W]."""
    image = studio.read("state.document.parts")
    return _ids(studio.fetch(f"/api/sessions/{studio.read('session')}/parts/{image}"))


def _ids(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L")).astype(int)


def take(studio, part: int) -> None:
    studio.click(f"part-{part}")


def paint(studio, *ways: tuple[float, float]) -> None:
    """A stroke or a click, until the server has another map."""
    before = studio.read("state.document.parts")
    if len(ways) == 1:
        studio.tap(*ways[0])
    else:
        studio.pull(*ways)
    studio.until(f"s.state.document.parts && s.state.document.parts !== '{before}'")


def quiet(studio) -> None:
    """No previews, so that nothing computes meanwhile."""
    studio.get("parts-live").uncheck()


def test_the_parts_are_those_that_the_model_sees(repaint):
    session, at = repaint.read("session"), repaint.read("document.at")
    head = json.loads(repaint.fetch(f"/api/sessions/{session}/nodes/{at['node']}/parts"))["head"]
    seen = _ids(repaint.fetch(f"/api/sessions/{session}/frames/{at['node']}/{at['step']}/parts?head={head}"))
    assert (shown(repaint) == seen).all()
    share = 100 * (seen == HAIR).mean()
    assert repaint.words(f"part-{HAIR}").split()[:2] == [
        "hair",
        f"{share:.0f}" if share >= 10 else f"{share:.1f}",
    ]


def test_a_stroke_has_hard_edges_and_arrives_as_it_was_painted(repaint):
    quiet(repaint)
    own = shown(repaint)
    take(repaint, LOWER_LIP)
    paint(repaint, *CHIN)
    painted = kept(repaint)
    assert (painted == shown(repaint)).all()
    changed = painted != own
    assert painted[changed].tolist() == [LOWER_LIP] * changed.sum()
    assert painted[209, 125] == LOWER_LIP
    rows = np.flatnonzero(changed[:, 125])
    assert len(rows) == pytest.approx(14, abs=2)
    assert repaint.read("state.undo") == "Paint lower lip"


def test_every_part_comes_back_from_the_server_as_it_went(repaint):
    quiet(repaint)
    count = repaint.get("parts-palette").get_by_role("radio").count()
    for part in range(count):
        take(repaint, part)
        repaint.page.mouse.click(*repaint.place(12 + 15 * part, 30))
        repaint.until(f"s.parts[{30 * SIZE + 12 + 15 * part}] === {part}")
    painted = shown(repaint)
    assert painted[30, 12 : 12 + 15 * count : 15].tolist() == list(range(count))
    last = repaint.read("state.undo")
    repaint.until("s.state.saved")
    repaint.reload()
    repaint.until("!!s.parts")
    assert repaint.read("state.undo") == last
    assert (shown(repaint) == painted).all()


def test_fill_takes_a_region_and_with_shift_all_of_a_part(repaint):
    quiet(repaint)
    own = shown(repaint)
    take(repaint, HAIR)
    repaint.press("g")
    assert repaint.read("view.partsAction") == "fill"
    paint(repaint, (4, 4))
    filled = kept(repaint)
    assert filled[4, 4] == HAIR
    assert set(own[filled != own]) == {BACKGROUND}
    repaint.click("undo")
    repaint.until("s.state.document.parts === null")
    with repaint.held("Shift"):
        paint(repaint, (4, 4))
    assert not (kept(repaint) == BACKGROUND).any()


def test_the_part_under_the_pointer_is_picked(repaint):
    ids = shown(repaint)
    y, x = np.argwhere(ids == HAIR).mean(axis=0).round().astype(int)
    expected = int(ids[y, x])
    repaint.press("i")
    repaint.tap(x, y)
    repaint.until(f"s.view.part === {expected} && s.view.partsAction === 'paint'")
    with repaint.held("Alt"):
        repaint.tap(4, 4)
    repaint.until(f"s.view.part === {ids[4, 4]}")
    assert repaint.read("state.document.parts") is None


def test_the_eraser_gives_the_pictures_own_parts_back(repaint):
    quiet(repaint)
    own = shown(repaint)
    take(repaint, LOWER_LIP)
    paint(repaint, *CHIN)
    repaint.press("e", "]", "]", "]")
    repaint.pull((112, 205), (118, 207))
    repaint.until(f"s.parts[{206 * SIZE + 114}] === {own[206, 114]}")
    half = shown(repaint)
    assert half[205, 138] == LOWER_LIP
    repaint.pull(*CHIN)
    repaint.until("s.state.document.parts === null")
    assert (shown(repaint) == own).all()
    assert repaint.get("run").is_disabled()


def test_painting_is_undone_redone_and_reset(repaint):
    quiet(repaint)
    own = shown(repaint)
    take(repaint, LOWER_LIP)
    paint(repaint, *CHIN)
    first = shown(repaint)
    take(repaint, HAIR)
    paint(repaint, (15, 20), (25, 20))
    second = shown(repaint)
    repaint.press("Control+z")
    repaint.until("s.state.redo === 'Paint hair'")
    repaint.until(f"s.parts[{20 * SIZE + 20}] !== {HAIR}")
    assert (shown(repaint) == first).all()
    repaint.press("Control+Shift+z")
    repaint.until(f"s.parts[{20 * SIZE + 20}] === {HAIR}")
    assert (shown(repaint) == second).all()
    repaint.click("parts-reset")
    repaint.until("s.state.document.parts === null && s.state.undo === 'Reset parts'")
    assert (shown(repaint) == own).all()


def test_strokes_that_follow_each_other_quickly_all_stay(repaint):
    quiet(repaint)
    take(repaint, HAIR)
    for x in range(20, 120, 10):
        repaint.page.mouse.click(*repaint.place(x, 20))
    repaint.until("s.state.undo === 'Paint hair'")
    repaint.page.wait_for_timeout(800)
    assert (shown(repaint)[20, 20:120:10] == HAIR).all()
    assert (kept(repaint) == shown(repaint)).all()


def test_numbers_pick_parts_only_while_parts_are_painted(repaint):
    repaint.press("4")
    assert repaint.read("view.part") == 3
    assert repaint.get("part-3").get_by_role("radio").is_checked()
    repaint.press("g", "b")
    assert repaint.read("view.partsAction") == "paint"
    repaint.press("r")
    assert repaint.read("view.tool") == "brush"
    repaint.press("1")
    repaint.until("s.view.zoom === 1")


def test_the_palette_is_worked_with_the_keyboard(repaint):
    repaint.get("part-1").get_by_role("radio").focus()
    repaint.press("ArrowDown", "ArrowDown")
    assert repaint.read("view.part") == 3


def test_parts_are_shown_and_hidden(repaint):
    repaint.page.mouse.move(5, 400)
    spot = (*repaint.place(20, 20), 20, 20)
    tinted = repaint.screen(spot)
    repaint.press("m")
    repaint.page.wait_for_timeout(200)
    plain = repaint.screen(spot)
    assert np.abs(tinted - plain).mean() > 10
    repaint.click("parts-visible")
    repaint.get("parts-opacity").fill("0")
    repaint.page.wait_for_timeout(200)
    assert np.abs(repaint.screen(spot) - plain).mean() < 2


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
def bare_server(tmp_path_factory):
    """Serves a tiny model without a part head."""
    running = start(make_home(tmp_path_factory.mktemp("bare_home")))
    yield running
    end(running)


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


# ---- fingers and room


def test_a_finger_and_a_pen_paint_and_fill(new_studio, portrait_file):
    phone = new_studio(**PHONE).open_copy(portrait_file)
    fingers = Fingers(phone)
    phone.get("mode-repaint").tap()
    phone.until("!!s.parts")
    if not phone.get("parts-live").is_visible():
        phone.get("tab-points").tap()
    quiet(phone)
    phone.get(f"part-{HAIR}").tap()
    fingers.pull((10, 20), (20, 20), (30, 20))
    phone.until(f"s.parts[{20 * SIZE + 20}] === {HAIR}")
    before = shown(phone)
    fingers.pen((10, 60), (30, 60), 0.2)
    phone.until(f"s.parts[{60 * SIZE + 20}] === {HAIR}")
    thin = int((shown(phone) != before)[:, 20].sum())
    assert 0 < thin < 10
    phone.get("parts-fill").tap()
    phone.get(f"part-{LOWER_LIP}").tap()
    assert phone.read("view.partsAction") == "fill"
    fingers.tap(20, 20)
    phone.until(f"s.parts[{20 * SIZE + 20}] === {LOWER_LIP}")


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_sticks_out(new_studio, portrait_file, screen):
    studio = new_studio(**screen).open_copy(portrait_file)
    studio.click("mode-repaint")
    studio.until("!!s.parts")
    assert studio.page.evaluate(OVERFLOW) == []
    if studio.get("tab-points").is_visible():
        assert studio.words("tab-points") == "Parts"
    studio.get("parts-unsure").check()
    assert studio.page.evaluate(OVERFLOW) == []
