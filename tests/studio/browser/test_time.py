"""Frames, branches, undo, and that nothing is lost."""

import numpy as np
from studio_process import end, start


def look(studio, step: int) -> None:
    """Scrub to a step and wait until it is shown."""
    studio.get("scrubber").fill(str(step))
    studio.until(f"s.view.place.step === {step}")


# ---- frames


def test_filmstrip_scrubber_and_keys_show_any_step(dragged):
    assert dragged.words("film-step") == "Step 5 of 5"
    assert dragged.page.locator("[data-testid=filmstrip] button").count() == 6
    dragged.click("film-2")
    dragged.until("s.view.place.step === 2")
    assert dragged.words("film-step") == "Step 2 of 5"
    assert "Looking at step 2 of Drag 1 point" in dragged.words("looking")
    assert not dragged.read("view.editable")
    for key, step in ((",", 1), (".", 2), ("Home", 0), (",", 0), ("End", 5), (".", 5)):
        dragged.press(key)
        dragged.until(f"s.view.place.step === {step}")
    assert dragged.get("looking").count() == 0
    look(dragged, 3)
    assert dragged.get("scrubber").get_attribute("aria-valuetext") == "Step 3 of 5"
    dragged.click("looking-back")
    dragged.until("s.view.editable && s.view.place.step === 5")
    assert dragged.read("document.at.step") == 5


def test_start_here_takes_the_points_along(dragged):
    dragged.set("max_steps", 5)
    dragged.run_to_end()
    final = dragged.read("document.points[0].handle")
    look(dragged, 1)
    dragged.click("frame-start-here")
    dragged.until("s.state.document.at.step === 1 && s.view.looking === null")
    assert dragged.read("state.undo") == "Start here"
    assert dragged.get("frame-start-here").is_disabled()
    assert dragged.read("document.points[0].handle") != final
    dragged.click("undo")
    dragged.until("s.state.document.at.step === 4")
    assert dragged.read("document.points[0].handle") == final


def test_branch_begins_without_points(dragged):
    look(dragged, 2)
    dragged.click("frame-branch")
    dragged.until("s.state.document.at.step === 2 && s.state.document.points.length === 0")
    assert dragged.read("state.undo") == "Branch"


def test_two_branches_in_the_tree(dragged):
    look(dragged, 2)
    dragged.click("frame-continue")
    dragged.ended(3)
    root, first, second = dragged.read("state.nodes")
    assert first["parent"] == root["id"]
    assert second["parent"] == first["id"]
    assert second["from_step"] == 2
    rows = dragged.page.locator("[data-testid=tree] button")
    assert rows.count() == 3
    at = dragged.read("document.at")
    dragged.click(f"node-{first['id']}")
    dragged.until(f"s.view.place.node === '{first['id']}' && s.view.place.step === 5")
    assert dragged.get(f"node-{first['id']}").get_attribute("aria-current") == "true"
    assert dragged.read("document.at") == at
    dragged.click(f"node-{root['id']}")
    dragged.until(f"s.view.place.node === '{root['id']}'")
    dragged.click(f"node-{second['id']}")
    dragged.until("s.view.looking === null")
    dragged.click("branches-toggle")
    assert not dragged.get("tree").is_visible()


def test_before_and_after_at_a_slider(portrait):
    portrait.click("home")
    portrait.portrait(4)
    portrait.until("s.state.nodes.length === 2")
    first, second = portrait.read("state.nodes")
    portrait.click(f"node-{first['id']}")
    portrait.until("s.view.looking")
    portrait.click("frame-compare")
    portrait.click(f"node-{second['id']}")
    portrait.until("s.view.comparing === 'slider' && s.view.looking === null")
    portrait.page.wait_for_timeout(300)
    before, after = (portrait.frame({"node": each["id"], "step": 0}) for each in (first, second))
    assert _shows(portrait, before, (20, 30)) < 12 < _shows(portrait, after, (20, 30))
    assert _shows(portrait, after, (200, 30)) < 12 < _shows(portrait, before, (200, 30))
    divider = portrait.page.get_by_role("slider", name="compar")
    divider.focus()
    divider.press("Home")
    portrait.page.wait_for_timeout(100)
    assert _shows(portrait, after, (20, 30)) < 12
    portrait.click("compare-slider")
    portrait.until("s.view.comparing === null")


def _shows(studio, picture, corner, size=30) -> float:
    """How far the screen is from a picture, in a square of it."""
    x, y = corner
    left, top = studio.place(x - 0.5, y - 0.5)
    right, bottom = studio.place(x + size - 0.5, y + size - 0.5)
    shown = studio.screen((left, top, right - left, bottom - top)).mean(axis=(0, 1))
    return float(np.abs(shown - picture[y : y + size, x : x + size].mean(axis=(0, 1))).max())


def test_c_is_held_to_see_the_start(dragged):
    with dragged.held("c"):
        dragged.until("s.view.comparing === 'whole'")
    dragged.until("s.view.comparing === null")


# ---- undo


def test_undo_and_redo_cover_points_mask_settings_and_results(portrait):
    portrait.press("b")
    portrait.paint((107, 177), (154, 177))
    portrait.press("v")
    portrait.point((107, 178), (85, 150))
    portrait.set("max_steps", 3)
    portrait.run_to_end()
    states = [portrait.read("state.document")]
    labels = []
    while label := portrait.read("state.undo"):
        labels.append(label)
        assert portrait.get("undo").get_attribute("aria-label") == f"Undo: {label}"
        count = len(states)
        portrait.press("Control+z")
        portrait.until(f"s.state.redo === '{label}'")
        states.append(portrait.read("state.document"))
        assert len(states) == count + 1
    assert labels == ["Drag points", "Max steps", "Add point", "Paint region"]
    assert states[-1]["points"] == []
    assert states[-1]["mask"] is None
    assert states[-1]["settings"] == {}
    for label, state in zip(reversed(labels), reversed(states[:-1]), strict=True):
        assert portrait.read("state.redo") == label
        portrait.press("Control+Shift+z" if label != "Drag points" else "Control+y")
        portrait.until(f"s.state.undo === '{label}'")
        assert portrait.read("state.document") == state
    assert portrait.read("state.redo") is None
    assert portrait.get("redo").is_disabled()


# ---- nothing is lost


def test_a_reload_in_the_middle_of_edits_and_after_a_result(portrait):
    portrait.point((107, 178), (85, 150))
    portrait.press("b")
    portrait.paint((107, 177), (154, 177))
    portrait.set("max_steps", 3)
    before = portrait.read("state.document")
    portrait.reload()
    assert portrait.read("state.document") == before
    portrait.click("undo")
    portrait.until("s.state.redo === 'Max steps'")
    portrait.click("redo")
    portrait.until("s.state.redo === null")
    portrait.run_to_end()
    after = portrait.read("state.document")
    portrait.reload()
    assert portrait.read("state.document") == after
    assert len(portrait.read("state.nodes")) == 2
    assert portrait.page.locator("path.curve-main").get_attribute("d").count("L") == 2
    portrait.click("undo")
    portrait.until("s.state.redo === 'Drag points'")
    assert portrait.read("state.document") == before


def test_a_reload_while_a_run_goes_on(portrait):
    portrait.point((107, 178), (60, 110))
    portrait.run()
    portrait.page.reload(wait_until="domcontentloaded")
    portrait.until("s.run && s.frames > 0")
    step = portrait.read("run.step")
    portrait.until(f"s.run.step > {step}")
    portrait.click("stop")
    portrait.ended(2)
    assert portrait.read("ended.reason") == "interrupted"


def test_restarts_of_the_server(new_studio, portrait_file, tmp_path):
    server = start(tmp_path)
    studio = new_studio(server)
    studio.expected = ("WebSocket connection", "Failed to load resource")
    try:
        studio.open_copy(portrait_file)
        studio.point((107, 178), (85, 150))
        studio.set("max_steps", 3)
        studio.run_to_end()
        before, session = studio.read("state"), studio.read("session")
        for kill in (False, True):
            end(server, kill=kill)
            studio.get("connection-lost").wait_for()
            studio.server = server = start(tmp_path)
            studio.open()
            studio.click(f"project-{session}")
            studio.until(f"s.session === '{session}'")
            studio.ready()
            for part in ("document", "nodes", "undo", "redo"):
                assert studio.read(f"state.{part}") == before[part]
        studio.click("undo")
        studio.until("s.state.redo === 'Drag points'")
        studio.run_to_end()
    finally:
        end(server)
