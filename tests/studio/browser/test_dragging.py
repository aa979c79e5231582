"""Points, settings and runs of the drag mode."""

import json

import numpy as np

import pliant
from pliant import catalogue
from pliant.studio.describe import edit_info

LEFT, RIGHT = (107, 178), (154, 175)
"""The corners of the mouth."""
FAR = (60, 110)


def near(place, wanted, reach=1.0):
    return abs(place[0] - wanted[0]) <= reach and abs(place[1] - wanted[1]) <= reach


# ---- a run


def test_a_drag_from_two_commands_worth_of_clicks(studio):
    studio.open()
    studio.portrait(9)
    studio.point(LEFT, (102, 174))
    studio.point(RIGHT, (159, 171))
    before = studio.read("document.at")
    ended = studio.run_to_end()
    assert ended["reason"] == "arrived"
    studio.until("s.frames > 3")
    after = studio.read("document.at")
    assert after["node"] != before["node"]
    assert after["step"] == ended["steps"] - 1
    nodes = studio.read("state.nodes")
    assert [node["title"] for node in nodes] == ["Seed 9", "Drag 2 points"]
    handles = [point["handle"] for point in studio.read("document.points")]
    assert near(handles[0], (102, 174), 3)
    assert near(handles[1], (159, 171), 3)
    assert f"Arrived after {ended['steps'] - 1} steps" in studio.words("run-status")


def test_pause_resume_stop_continue(portrait):
    portrait.point(LEFT, FAR)
    portrait.run()
    assert "Step" in portrait.words("run-status")
    portrait.click("pause")
    portrait.until("s.run.state === 'paused'")
    assert "Paused at step" in portrait.words("run-status")
    portrait.page.wait_for_timeout(200)
    step = portrait.read("run.step")
    portrait.page.wait_for_timeout(300)
    assert portrait.read("run.step") == step
    portrait.click("resume")
    portrait.until(f"s.run.state === 'running' && s.run.step > {step}")
    portrait.until("document.querySelector('[data-testid=run-status]').innerText.includes(' left')")
    portrait.click("stop")
    portrait.ended(2)
    ended = portrait.read("ended")
    assert ended["reason"] == "interrupted"
    assert "Stopped after" in portrait.words("run-status")
    portrait.click("continue")
    portrait.until("s.run && s.run.node && s.run.step > 0")
    portrait.click("stop")
    portrait.ended(3)
    first, second = portrait.read("state.nodes")[1:]
    assert second["parent"] == first["id"]


def test_a_run_says_where_it_is_in_numbers_and_curves(dragged):
    label = dragged.page.locator("[data-testid=curve] svg").get_attribute("aria-label")
    assert label.startswith("At step 5: Distance")
    assert "Loss" in label
    path = dragged.page.locator("path.curve-main").get_attribute("d")
    assert path.count("L") == 5
    assert 0 <= float(dragged.words("strain-value")) < 2
    meter = dragged.page.get_by_role("meter", name="Strain")
    assert float(meter.get_attribute("aria-valuenow")) > 0
    dragged.press("Home")
    dragged.until("s.view.place.step === 0")
    assert dragged.page.locator("[data-testid=curve] svg").get_attribute("aria-label").startswith("At step 0")


def test_the_handle_and_its_trail_are_drawn_where_it_went(dragged):
    session, node = dragged.read("session"), dragged.read("state.nodes[1].id")
    facts = json.loads(dragged.fetch(f"/api/sessions/{session}/nodes/{node}"))["facts"]
    (x0, y0), (x1, y1) = facts[0]["handles"][0], facts[-2]["handles"][0]
    dragged.press(",")
    dragged.until("s.view.place.step === 4")
    around = (min(x0, x1) - 4, min(y0, y1) - 4), (max(x0, x1) + 4, max(y0, y1) + 4)
    (left, top), (right, bottom) = (dragged.place(*corner) for corner in around)
    looks = []
    for _ in range(2):
        dragged.page.wait_for_timeout(200)
        looks.append(dragged.screen((left, top, right - left, bottom - top)))
        dragged.click("points-visible")
    assert (np.abs(looks[1] - looks[0]).max(axis=2) > 40).mean() > 0.05


def test_two_people_take_turns(portrait, new_studio, portrait_file):
    other = new_studio().open_copy(portrait_file)
    for each in (portrait, other):
        each.point(LEFT, FAR)
        each.click("run")
    status = "document.querySelector('[data-testid=run-status]').innerText"
    other.until(f"{status} === 'Waiting: 1 run before yours'")
    for each in (portrait, other):
        each.until("s.run?.step > 2")
        each.click("stop")
        each.ended(2)


# ---- points


def test_a_point_by_pulling_and_both_its_ends_moved(portrait):
    portrait.pull(LEFT, (90, 150))
    portrait.until("s.state.document.points.length === 1")
    point = portrait.read("document.points[0]")
    assert near(point["handle"], LEFT)
    assert near(point["target"], (90, 150))
    portrait.pull((90, 150), (80, 190))
    portrait.until("s.state.undo === 'Move target'")
    portrait.pull(LEFT, (120, 160))
    portrait.until("s.state.undo === 'Move handle'")
    point = portrait.read("state.document.points[0]")
    assert near(point["handle"], (120, 160))
    assert near(point["target"], (80, 190))


def test_the_list_numbers_places_locks_and_deletes_points(portrait):
    portrait.point(LEFT, (90, 150))
    portrait.point(RIGHT, (150, 150))
    portrait.point((128, 90), (128, 70))
    rows = portrait.page.locator("[data-testid=points-list] li")
    assert rows.count() == 3
    handle, target = (portrait.read(f"document.points[1].{end}") for end in ("handle", "target"))
    label = portrait.get("point-2-select").get_attribute("aria-label")
    assert (
        label
        == f"Point 2, from {round(handle[0])}, {round(handle[1])} to {round(target[0])}, {round(target[1])}"
    )
    portrait.click("point-2-lock")
    portrait.until("s.state.document.points[1].locked")
    assert portrait.get("point-2-select").get_attribute("aria-label").endswith(", locked")
    portrait.click("point-1-delete")
    portrait.until("s.state.document.points.length === 2 && s.state.document.points[0].locked")
    assert rows.count() == 2
    portrait.click("points-clear")
    portrait.until("s.state.document.points.length === 0")
    assert portrait.read("state.undo") == "Clear points"
    assert portrait.get("run").is_disabled()


def test_a_point_is_deleted_by_alt_click_and_given_up_by_escape(portrait):
    portrait.point(LEFT, (90, 150))
    with portrait.held("Alt"):
        portrait.tap(90, 150)
    portrait.until("s.state.document.points.length === 0")
    portrait.tap(*RIGHT)
    assert "where it should go" in portrait.words("points-options")
    portrait.press("Escape")
    assert "where to grab" in portrait.words("points-options")
    portrait.point(LEFT, (90, 150))
    assert near(portrait.read("document.points[0].handle"), LEFT)


def test_a_locked_point_stays(portrait):
    portrait.point(LEFT, (85, 150))
    portrait.point((160, 110), (190, 110))
    portrait.click("point-2-lock")
    portrait.until("s.state.document.points[1].locked")
    before = portrait.read("document.points")
    portrait.set("max_steps", 8)
    portrait.set("step_size", 0.01)
    assert portrait.run_to_end()["reason"] == "max_steps"
    first, second = portrait.read("document.points")
    assert not near(first["handle"], before[0]["handle"], 1)
    assert near(second["handle"], before[1]["handle"], 3)
    assert second["locked"]
    assert second["target"] == before[1]["target"]


def test_a_handle_on_plain_ground_is_flagged_and_a_better_one_offered(portrait):
    picture = pliant.sample("portraits-256", seed=9)
    places = [(x, y) for y in range(8, 256, 24) for x in range(8, 256, 24)]
    weak = next(
        place
        for place, hint in zip(places, pliant.hints(picture, places), strict=True)
        if hint.weak and hint.better and max(abs(a - b) for a, b in zip(place, hint.better, strict=True)) > 8
    )
    portrait.point(weak, (128, 128))
    portrait.get("point-1-hint").wait_for()
    x, y = portrait.words("point-1-better").removeprefix("Move it to ").split(", ")
    portrait.click("point-1-better")
    portrait.until("s.state.undo === 'Better handle'")
    assert portrait.read("state.document.points[0].handle") == [int(x), int(y)]
    portrait.get("point-1-hint").wait_for(state="detached")
    portrait.click("undo")
    portrait.get("point-1-hint").wait_for()
    portrait.tap(int(x), int(y))
    portrait.until(f"s.state.document.points[0].handle[0] === {x}")


# ---- settings


def test_every_setting_is_in_the_form_with_its_docstring(portrait):
    portrait.click("settings-more")
    settings = edit_info(catalogue.get("drag")).settings
    assert len(settings) > 10
    for info in settings:
        name = portrait.get(f"setting-{info.name}-help")
        assert name.get_attribute("aria-description") == info.help
        assert portrait.get(f"setting-{info.name}").is_visible()
    portrait.get("setting-step_size-help").hover()
    tip = portrait.page.get_by_role("tooltip")
    assert tip.inner_text() == "Adam's learning rate on the moving part of the code."


def test_points_by_the_keyboard_alone(portrait):
    spot, words = (portrait.page.locator(each) for each in (".canvas-spot", ".canvas-words"))
    while portrait.page.evaluate("document.activeElement.dataset.testid") != "canvas":
        portrait.press("Tab")
    portrait.press("ArrowLeft")
    assert spot.inner_text() == "127, 128."
    portrait.aim(107, 178)
    portrait.press("Enter")
    assert words.inner_text() == "Handle at 107, 178; choose its target."
    portrait.aim(60, 110)
    portrait.press("Enter")
    portrait.until("s.state.document.points.length === 1")
    assert words.inner_text() == "Point 1 from 107, 178 to 60, 110."
    assert spot.inner_text() == "60, 110: target of point 1."
    portrait.press("ArrowUp")
    portrait.until("s.state.document.points[0].target[1] === 109")
    assert not portrait.page.locator(".canvas-crosshair").is_visible(), "the arrows are the target's"
    portrait.press("Escape")
    portrait.aim(107, 178)
    with portrait.held("Enter"):
        portrait.press("Shift+ArrowRight", "ArrowDown")
    portrait.until("s.state.undo === 'Move handle'")
    assert portrait.read("document.points[0].handle") == [117, 179]
    portrait.press("Delete")
    portrait.until("s.state.document.points.length === 0")
    assert portrait.page.locator(".pointer").inner_text() == "117, 179"
    portrait.press("Escape")
    assert not portrait.page.locator(".canvas-crosshair").is_visible()
    assert portrait.page.locator(".pointer").inner_text() == ""


def test_the_crosshair_stays_in_sight_and_gives_way_to_the_mouse(portrait):
    portrait.get("canvas").focus()
    for _ in range(8):
        portrait.click("zoom-in")
    portrait.get("canvas").focus()
    portrait.press(*["Shift+ArrowRight"] * 12)
    cross, canvas = portrait.page.locator(".canvas-crosshair"), portrait.get("canvas").bounding_box()
    box = cross.bounding_box()
    assert box["x"] + box["width"] <= canvas["x"] + canvas["width"]
    assert portrait.page.locator(".canvas-spot").inner_text() == "248, 128."
    portrait.page.mouse.move(canvas["x"] + 50, canvas["y"] + 50)
    cross.wait_for(state="hidden")


def test_settings_by_slider_number_choice_and_switch(portrait):
    portrait.click("settings-more")
    portrait.get("setting-patch_radius-slider").fill("200")
    portrait.until("s.state.document.settings.drag?.patch_radius === 10")
    portrait.set("mask_weight", 35)
    portrait.click("setting-tracking-l1")
    portrait.until("s.state.document.settings.drag.tracking === 'l1'")
    portrait.click("setting-exact_grid")
    portrait.until("s.state.document.settings.drag.exact_grid === false")
    portrait.click("setting-mask_weight-reset")
    portrait.until("s.state.document.settings.drag.mask_weight === undefined")
    for _ in range(3):
        portrait.click("undo")
    portrait.until("s.state.undo === 'Mask weight' && s.state.redo === 'Tracking'")
    assert portrait.get("setting-mask_weight").input_value() == "35"
    portrait.click("undo")
    portrait.until("s.state.redo === 'Mask weight'")
    assert portrait.get("setting-mask_weight").input_value() == "20"
    portrait.click("redo")
    portrait.until("s.state.document.settings.drag.mask_weight === 35")
    assert portrait.get("setting-mask_weight").input_value() == "35"
    portrait.click("settings-reset")
    portrait.until("Object.keys(s.state.document.settings.drag).length === 0")


def test_a_setting_that_cannot_be_is_refused_beside_it(portrait):
    field = portrait.get("setting-max_steps")
    field.fill("-3")
    field.press("Enter")
    portrait.get("problem-settings").wait_for()
    assert "max_steps must be greater than 0" in portrait.words("problem-settings")
    assert portrait.get("settings-section").get_by_test_id("problem-settings").is_visible()
    portrait.until("!('max_steps' in (s.document.settings.drag ?? {}))")
    assert field.input_value() == "300"
    portrait.click("problem-settings-dismiss")
    portrait.get("problem-settings").wait_for(state="detached")


def test_a_live_step_size_goes_on_as_a_child_run(portrait):
    portrait.point(LEFT, FAR)
    portrait.run()
    assert portrait.get("setting-space-w").locator("input").is_disabled()
    portrait.set("step_size", 0.004)
    portrait.until("s.state.nodes.length >= 3 && s.run?.step > 0", 60)
    portrait.click("stop")
    portrait.ended(3)
    _, first, second = portrait.read("state.nodes")
    assert second["parent"] == first["id"]
    assert portrait.read("document.at.node") == second["id"]
