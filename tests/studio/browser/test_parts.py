"""Painting the parts of a picture."""

import json

import numpy as np
import pytest
from painting import BACKGROUND, CHIN, HAIR, LOWER_LIP, SIZE, ids_of, kept, paint, quiet, shown, take
from test_narrow import DESK, OVERFLOW, PHONE, Fingers


def test_the_parts_are_those_that_the_model_sees(repaint):
    session, at = repaint.read("session"), repaint.read("document.at")
    head = json.loads(repaint.fetch(f"/api/sessions/{session}/nodes/{at['node']}/parts"))["head"]
    seen = ids_of(
        repaint.fetch(f"/api/sessions/{session}/frames/{at['node']}/{at['step']}/parts?head={head}")
    )
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
