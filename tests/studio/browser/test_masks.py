"""The brush and the region that may change."""

import numpy as np

MOUTH = (122, 170)


def brush(studio) -> None:
    """Take the brush."""
    studio.press("b")
    studio.get("mask-options").wait_for()


def white(mask) -> int:
    """How many pixels may change."""
    return int((mask > 128).sum())


def test_may_change_begins_dark_and_must_stay_begins_light(portrait):
    brush(portrait)
    portrait.paint((100, 128), (150, 128))
    mask = portrait.mask()
    assert mask[128, 125] == 255
    assert mask[60, 125] == 0
    portrait.click("mask-clear")
    portrait.until("s.state.document.mask === null")
    portrait.click("brush-paint-stay")
    portrait.paint((100, 128), (150, 128))
    mask = portrait.mask()
    assert mask[128, 125] == 0
    assert mask[60, 125] == 255


def test_x_swaps_what_is_painted_and_e_erases(portrait):
    brush(portrait)
    portrait.paint((100, 128), (150, 128))
    portrait.press("x")
    portrait.paint((110, 128), (115, 128))
    assert portrait.mask()[128, 112] == 0
    portrait.press("x", "e")
    assert portrait.get("brush-erase").get_attribute("aria-pressed") == "true"
    portrait.paint((140, 128), (150, 128))
    mask = portrait.mask()
    assert mask[128, 145] == 0
    assert mask[128, 128] == 0  # within the reach of both strokes
    portrait.press("e")
    portrait.paint((200, 200), (205, 200))
    assert portrait.mask()[200, 202] == 255


def test_brackets_change_the_size_of_the_stroke(portrait):
    brush(portrait)
    portrait.paint((60, 60), (61, 60))
    normal = white(portrait.mask())
    size = portrait.get("brush-size")
    assert size.get_attribute("aria-valuetext") == "40 pixels"
    assert np.isclose(normal, np.pi * 20**2, rtol=0.1)
    portrait.press("]", "]", "]")
    large = int(size.get_attribute("aria-valuetext").split()[0])
    portrait.paint((180, 180), (181, 180))
    assert np.isclose(white(portrait.mask()) - normal, np.pi * (large / 2) ** 2, rtol=0.1)
    portrait.press("[", "[", "[", "[", "[")
    assert int(size.get_attribute("aria-valuetext").split()[0]) < 40
    size.fill("2.3")
    assert size.get_attribute("aria-valuetext") == "10 pixels"


def test_invert_feather_and_clear_are_undone(portrait):
    brush(portrait)
    portrait.paint((100, 128), (150, 128))
    painted = portrait.read("state.document.mask.image")
    before = portrait.mask()
    portrait.click("mask-invert")
    portrait.until("s.state.undo === 'Invert region'")
    assert (portrait.mask() == 255 - before).all()
    portrait.get("mask-feather").fill("12")
    portrait.until("s.state.document.mask.feather === 12")
    assert "an edge 12 px soft" in portrait.words("region-section")
    portrait.press("i")
    portrait.until(f"s.state.document.mask.image === '{painted}'")
    assert portrait.read("document.mask.feather") == 12
    portrait.click("mask-clear")
    portrait.until("s.state.document.mask === null")
    assert "All of the picture may change" in portrait.words("region-section")
    for label in ("Clear", "Invert region", "Feather"):
        assert portrait.read("state.undo").startswith(label)
        portrait.click("undo")
        portrait.until(f"!s.state.undo.startsWith('{label}')")
    portrait.click("undo")
    portrait.until(f"s.state.document.mask.image === '{painted}' && s.state.document.mask.feather === 0")


def test_the_region_is_shown_over_the_picture_and_hidden(portrait):
    plain = portrait.screen(_spot(portrait, 40, 60))
    brush(portrait)
    portrait.paint((100, 128), (150, 128))
    portrait.page.mouse.move(5, 400)
    portrait.page.wait_for_timeout(200)
    marked = portrait.screen(_spot(portrait, 40, 60))
    assert np.abs(marked - plain).mean() > 10
    portrait.press("m")
    portrait.page.wait_for_timeout(200)
    assert np.abs(portrait.screen(_spot(portrait, 40, 60)) - plain).mean() < 1
    assert portrait.get("mask-visible").get_attribute("aria-label") == "Show the region"
    portrait.click("mask-visible")
    assert portrait.get("mask-visible").get_attribute("aria-label") == "Hide the region"


def _spot(studio, x, y):
    return (*studio.place(x, y), 20, 20)


def test_a_drag_leaves_what_lies_outside_nearly_as_it_was(portrait):
    brush(portrait)
    portrait.paint((107, 177), (154, 177))
    outside = portrait.mask() < 128
    portrait.press("v")
    portrait.point((107, 178), (90, 155))
    portrait.set("max_steps", 10)
    portrait.set("step_size", 0.02)
    with_region = _run_and_undo(portrait, outside)
    portrait.click("region-remove")
    portrait.until("s.state.document.mask === null")
    without = _run_and_undo(portrait, outside)
    assert with_region < 4
    assert with_region < 0.6 * without


def _run_and_undo(studio, where) -> float:
    """Mean change of the picture, 0 to 255, there."""
    start = studio.read("document.at")
    studio.run_to_end()
    change = np.abs(studio.frame(studio.read("document.at")) - studio.frame(start)).mean(axis=2)
    studio.click("undo")
    studio.until("s.state.redo === 'Drag points'")
    return float(change[where].mean())


def test_nothing_is_painted_while_a_run_goes_on(portrait):
    portrait.point((107, 178), (60, 110))
    portrait.run()
    brush(portrait)
    portrait.pull((100, 128), (150, 128))
    assert portrait.read("document.mask") is None
    portrait.click("stop")
    portrait.ended(2)
    portrait.paint((100, 128), (150, 128))
