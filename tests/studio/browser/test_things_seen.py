"""Things of photos as a person works with them: select, move, remove, paste, restyle, drag, choose among results."""

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image, ImageDraw
from test_narrow import OVERFLOW, PHONE

from tiny_sam import save_tiny_sam
from tiny_sd import save_tiny

SIDE = 256
RED, GREEN, YELLOW = (200, 40, 30), (30, 160, 60), (240, 200, 40)
DISC, SQUARE = (80, 90), (180, 180)
"""Middles of the things."""
AROUND_DISC = ((56, 66), (104, 114))
RADIUS = 20


@pytest.fixture(scope="module")
def server(serve, tmp_path_factory):
    """A studio with one diffusion model of the person's own."""
    home = tmp_path_factory.mktemp("home_of_things")
    save_tiny(home / "models" / "tiny-sd")
    save_tiny_sam(home / "models" / "tiny sam")
    return serve(home)


@pytest.fixture(scope="module")
def bare(serve, tmp_path_factory):
    """A studio without the person's own models."""
    return serve(tmp_path_factory.mktemp("bare_home"))


def png(image):
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


def ground(size=(SIDE, SIDE)):
    """A ramp of blue."""
    ramp = np.linspace(90, 200, size[0]).astype(np.uint8)
    return Image.fromarray(np.dstack([np.tile(each, (size[1], 1)) for each in (ramp // 3, ramp // 2, ramp)]))


def photo():
    image = ground()
    draw = ImageDraw.Draw(image)
    draw.circle(DISC, RADIUS, RED)
    draw.rectangle((165, 165, 195, 195), GREEN)
    return image


def sun():
    image = ground((320, 200))
    ImageDraw.Draw(image).circle((160, 100), 40, YELLOW)
    return image


def open_photo(studio, image=None):
    studio.open()
    file = {"name": "me.png", "mimeType": "image/png", "buffer": png(image or photo())}
    studio.get("choose-image-file").set_input_files(file)
    studio.ready()
    studio.click("mode-things")
    studio.until("s.state.document.edit === 'move'")
    studio.get("things-options").wait_for()
    return studio


@pytest.fixture
def things(studio):
    """A photo in the mode for things, with a model and settings of a few quick steps."""
    open_photo(studio)
    preset(studio, "warp")
    return studio


def preset(studio, name, edit="move"):
    studio.get("setting-preset").select_option(name)
    studio.until(f"s.state.document.settings.{edit}?.preset === '{name}'")


def pull_box(studio, corners=AROUND_DISC, count=1):
    """Select with the box tool."""
    studio.click("things-box")
    studio.pull(*corners)
    studio.until(f"s.state.document.things.length === {count} && s.view.things.length === {count}")


def lasso(studio, middle, radius=RADIUS + 4, count=1):
    """Select with the lasso."""
    studio.click("things-lasso")
    turns = np.linspace(0, 2 * np.pi, 17)
    line = [(middle[0] + radius * np.cos(t), middle[1] + radius * np.sin(t)) for t in turns]
    studio.pull(*line, steps=2)
    studio.until(f"s.state.document.things.length === {count} && s.view.things.length === {count}")


def placing(studio, number=0):
    found = studio.read(f"state.document.things[{number}]")
    return (*found["shift"], found["scale"], found["turn"])


def moved_to(studio, expected, number=0):
    studio.until(
        f"JSON.stringify(s.state.document.things[{number}].shift) === JSON.stringify({list(expected)})"
    )


def selected(studio, number=0):
    """The mask of a thing, true where it is, once the server has it."""
    studio.until("JSON.stringify(s.state.document.things) === JSON.stringify(s.document.things)")
    mask = studio.read(f"state.document.things[{number}].mask")
    found = studio.fetch(f"/api/sessions/{studio.read('session')}/masks/{mask}")
    return np.asarray(Image.open(io.BytesIO(found)).convert("L")) > 127


def disc_at(middle, radius=RADIUS, size=(SIDE, SIDE)):
    y, x = np.mgrid[: size[1], : size[0]]
    return np.hypot(x - middle[0], y - middle[1]) <= radius


def alike(found, expected):
    return (found & expected).sum() / (found | expected).sum()


def colour(studio, x, y, size=SIDE):
    """What is seen at a pixel of the picture: the mean around it."""
    left, top = studio.place(x, y, size)
    return studio.screen((left - 4, top - 4, 8, 8)).mean((0, 1))


def near(found, expected, within=40):
    return np.abs(found - np.array(expected)).max() < within


def seen(studio, x, y, expected):
    """Wait until a colour is seen."""
    for _ in range(60):
        if near(colour(studio, x, y), expected):
            return True
        studio.page.wait_for_timeout(50)
    return False


# ---- the thin path


def test_a_thing_is_boxed_moved_seen_and_made(things):
    pull_box(things)
    assert alike(selected(things), disc_at(DISC)) > 0.85
    things.until("s.view.behind")
    things.page.mouse.move(*things.place(*DISC))
    things.page.mouse.down()
    things.page.mouse.move(*things.place(160, 90), steps=5)
    assert seen(things, 160, 90, RED), "it lies under the pointer at once"
    ghost = colour(things, *DISC)
    assert near(ghost, 0.35 * np.array(RED) + 0.65 * np.array([41, 62, 124]), 45), "faded where it was"
    assert placing(things) == (0, 0, 1, 0), "nothing is changed before it is let go"
    things.page.mouse.up()
    moved_to(things, [80, 0])
    things.until("s.view.previewed && s.frames > 0")
    assert seen(things, 160, 90, RED)
    assert seen(things, *DISC, (41, 62, 124)), "the hole is filled"
    assert len(things.read("state.nodes")) == 1, "a preview is kept nowhere"

    before = things.read("state.document.at")
    ended = things.run_to_end()
    assert ended["reason"] == "arrived"
    after = things.read("state.document.at")
    assert things.read("state.nodes")[-1]["kind"] == "diffusion"
    old, new = things.frame(before), things.frame(after)
    assert np.array_equal(old[230:], new[230:]), "what is far away is as it was, bit for bit"
    assert np.abs(old - new)[60:120, 50:190].mean() > 5
    assert things.read("view.things")[0]["bounds"][0] == pytest.approx(140, abs=4), "selected where it is"
    things.click("undo")
    moved_to(things, [80, 0])


# ---- selecting


def test_another_model_finds_things_where_one_is_installed(things):
    things.click("things-click")
    things.get("selector").select_option("tiny sam")
    assert things.get("tolerance").count() == 0
    with things.page.expect_response(lambda answer: "selector=tiny%20sam" in answer.url) as answer:
        things.tap(*DISC)
    assert answer.value.ok
    things.get("selector").select_option("")
    assert things.get("tolerance").is_visible()


def test_a_click_grows_and_the_tolerance_is_changed_after_it(things):
    things.click("things-click")
    things.tap(*DISC)
    things.until("s.state.document.things.length === 1")
    assert alike(selected(things), disc_at(DISC)) > 0.85
    first = things.read("state.document.things[0].mask")
    things.get("tolerance").fill("1")
    things.until(f"s.state.document.things.length === 1 && s.state.document.things[0].mask !== '{first}'")
    assert selected(things).sum() > 1.5 * disc_at(DISC).sum()


def test_things_are_selected_by_the_keyboard_alone(things):
    things.press("w")
    things.aim(*DISC)
    things.press("Enter")
    things.until("s.state.document.things.length === 1 && s.view.thing === 0")
    assert alike(selected(things), disc_at(DISC)) > 0.85
    things.press("Shift+ArrowRight")
    moved_to(things, [10, 0])
    things.press("Escape", "r")
    things.aim(160, 160)
    with things.held("Enter"):
        things.press(*["Shift+ArrowRight", "Shift+ArrowDown"] * 4)
    things.until("s.state.document.things.length === 2 && s.view.thing === 1")
    assert selected(things, 1)[180, 180]
    things.press("Escape")
    things.aim(90, 90)
    assert things.page.locator(".canvas-spot").inner_text() == "90, 90: thing 1."
    things.press("Enter")
    things.until("s.view.thing === 0")
    things.press("Delete")
    things.until("s.state.document.things.length === 1")
    moved_to(things, [0, 0])


def test_shift_adds_and_alt_takes_away(things):
    lasso(things, DISC)
    whole = selected(things).sum()
    things.click("things-box")
    with things.held("Shift"):
        things.pull((160, 160), (200, 200))
    things.until("s.view.things[0].bounds[2] > 190")
    assert len(things.read("state.document.things")) == 1
    assert selected(things)[180, 180]
    things.click("things-lasso")
    with things.held("Alt"):
        things.pull((40, 50), (80, 50), (80, 130), (40, 130), (40, 50))
    things.until("s.view.things[0].bounds[0] >= 79")
    assert not selected(things)[90, 70]
    assert selected(things)[90, 90]
    things.press("Control+z", "Control+z")
    things.until("s.view.things?.[0]?.bounds[2] < 120")
    assert selected(things).sum() == whole


def test_the_brush_paints_and_erases(things):
    things.click("things-brush")
    things.pull((40, 40), (90, 40))
    things.until("s.state.document.things.length === 1")
    painted = selected(things)
    assert painted[40, 60]
    things.pull((90, 40), (90, 90))
    things.until("s.view.things[0].bounds[3] > 100")
    assert selected(things)[85, 90], "a stroke goes on with the chosen thing"
    with things.held("Alt"):
        things.pull((30, 40), (60, 40))
    things.until("s.view.things[0].bounds[0] > 50")
    assert not selected(things)[40, 45]
    things.click("things-erase")
    things.pull((90, 100), (90, 80))
    things.until("s.view.things[0].bounds[3] < 90")


def test_several_things_are_listed_chosen_and_taken_off(things):
    lasso(things, DISC)
    lasso(things, SQUARE, 24, count=2)
    assert things.read("view.thing") == 1
    things.click("things-move")
    things.pull(DISC, (DISC[0] + 30, DISC[1]))
    moved_to(things, [30, 0])
    assert things.read("view.thing") == 0, "the pull chose it"
    things.pull(SQUARE, (SQUARE[0], SQUARE[1] - 40))
    moved_to(things, [0, -40], 1)
    assert things.words("thing-2") == "2\n0, -40"
    things.click("thing-1-reset")
    moved_to(things, [0, 0])
    things.click("thing-1-select")
    things.press("Delete")
    things.until("s.state.document.things.length === 1")
    moved_to(things, [0, -40])
    things.click("things-clear")
    things.until("s.state.document.things.length === 0")
    assert things.get("run").is_disabled()


# ---- placing


def test_the_box_resizes_turns_and_the_arrows_nudge(things):
    lasso(things, DISC, 20)
    left, top, right, bottom = things.read("view.things[0].bounds")
    things.pull((right + 0.5, bottom + 0.5), (right + 20.5, bottom + 20.5))
    things.until("s.state.document.things[0].scale !== 1")
    x, y, scale, _ = placing(things)
    assert scale == pytest.approx(1 + 20 / (right - left + 1), abs=0.03)
    assert (x, y) == (pytest.approx(10, abs=1), pytest.approx(10, abs=1)), "the corner across stays"
    zoom = things.read("view.zoom")
    knob = (left + right + 20) / 2, top - 28 / zoom
    things.page.mouse.move(*things.place(*knob))
    things.page.mouse.down()
    with things.held("Shift"):
        things.page.mouse.move(*things.place(knob[0] + 60, DISC[1] - 20), steps=6)
        things.page.mouse.up()
    things.until("s.state.document.things[0].turn !== 0")
    assert placing(things)[3] % 15 == 0
    assert placing(things)[:2] == (x, y), "it turns about its middle"
    things.get("canvas").focus()
    with things.held("ArrowRight"):
        pass
    things.until(f"s.state.document.things[0].shift[0] === {x + 1}")
    things.press("Shift+ArrowUp")
    things.until(f"s.state.document.things[0].shift[1] === {y - 10}")
    assert "°" in things.words("thing-1")
    assert "%" in things.words("thing-1")


def test_shift_keeps_a_move_straight_and_escape_gives_it_up(things):
    lasso(things, DISC)
    things.page.mouse.move(*things.place(*DISC))
    things.page.mouse.down()
    things.page.mouse.move(*things.place(120, 100), steps=3)
    things.press("Escape")
    things.page.mouse.up()
    assert placing(things) == (0, 0, 1, 0)
    things.click("things-move")
    things.page.mouse.move(*things.place(*DISC))
    things.page.mouse.down()
    with things.held("Shift"):
        things.page.mouse.move(*things.place(130, 97), steps=3)
        things.page.mouse.up()
    moved_to(things, [50, 0])


# ---- the other tasks


def test_no_task_stands_alone_in_its_row(things):
    for width in (1280, 390):
        things.page.set_viewport_size({"width": width, "height": 844})
        boxes = [each.bounding_box() for each in things.get("task").locator("label").all()]
        rows = Counter(box["y"] for box in boxes)
        assert set(rows.values()) <= {2, 3}
        assert all(sum(box["width"] for box in boxes if box["y"] == y) > 260 for y in rows), "they fill it"


def test_what_is_selected_is_removed(things):
    pull_box(things)
    things.click("task-remove")
    things.until("s.view.previewed")
    assert seen(things, *DISC, (41, 62, 124))
    assert things.read("state.document.settings.remove.preset") == "warp", "settings are those of the mode"
    things.run_to_end()
    assert things.read("state.document.things") == []
    assert "Remove" in things.words("tree")


def test_something_of_an_added_picture_is_pasted(things):
    things.click("task-paste")
    things.until("s.state.document.edit === 'paste'")
    assert things.get("run").is_disabled()
    first = things.read("state.document.at")
    add_sun(things)
    things.click("elsewhere-copy")
    things.until("s.state.document.edit === 'paste' && s.state.document.things.length === 1")
    assert things.read("state.document.at") == first
    assert things.get("elsewhere").count() == 0
    things.until("s.view.previewed")
    assert seen(things, 128, 128, YELLOW), "in the middle, because the pictures are of several sizes"
    things.pull((128, 128), (190, 70))
    things.until("s.view.previewed")
    assert seen(things, 190, 70, YELLOW)
    things.run_to_end()
    assert things.read("state.document.things") == []
    things.press("Control+v")
    things.until("s.state.document.things.length === 1")


def add_sun(studio):
    """Open a second picture and select what is in it."""
    file = {"name": "sun.png", "mimeType": "image/png", "buffer": png(sun())}
    studio.get("add-picture-file").set_input_files(file)
    studio.until("s.state.nodes.at(-1).size[0] === 320 && s.view.place.node === s.state.nodes.at(-1).id")
    studio.get("elsewhere").wait_for()
    studio.page.wait_for_timeout(200)
    studio.click("things-click")
    box, zoom = studio.get("canvas").bounding_box(), studio.read("view.zoom")
    left, top = box["x"] + (box["width"] - 320 * zoom) / 2, box["y"] + (box["height"] - 200 * zoom) / 2
    studio.page.mouse.click(left + 160 * zoom, top + 100 * zoom)
    studio.until("s.state.document.things.length === 1")


def test_copy_and_paste_by_keys_in_one_picture(things):
    pull_box(things)
    things.press("Control+c")
    things.until("s.state.document.other?.masks.length === 1")
    things.press("Control+v")
    things.until("s.state.document.edit === 'paste' && s.state.document.things.length === 1")
    things.pull(DISC, (DISC[0], 190))
    moved_to(things, [0, 100])
    things.until("s.view.previewed")
    assert seen(things, DISC[0], 190, RED)
    assert seen(things, *DISC, RED), "it is a copy"


def test_looks_are_swapped_with_a_thing_of_another_picture(things):
    pull_box(things)
    things.click("task-swap")
    things.until("s.state.document.edit === 'swap'")
    assert things.get("run").is_disabled()
    add_sun(things)
    things.click("elsewhere-copy")
    things.until("s.state.document.edit === 'swap' && s.state.document.things.length === 1")
    assert alike(selected(things), disc_at(DISC)) > 0.85, "what was selected before is again"
    things.until("s.view.previewed")
    assert seen(things, *DISC, YELLOW)
    ended = things.run_to_end()
    assert ended["reason"] == "arrived"


def test_content_is_dragged_in_what_was_painted(things):
    things.click("task-dragcontent")
    things.until("s.state.document.edit === 'dragcontent'")
    things.point(DISC, (DISC[0] + 12, DISC[1]))
    assert things.get("run").is_disabled()
    things.click("tool-brush")
    things.paint((60, 90), (110, 90))
    things.until("s.view.previewed")
    assert things.get("run").is_enabled()
    things.run_to_end()
    things.click("task-remove")
    things.until("s.state.document.edit === 'remove'")
    words = things.page.locator(".canvas-words")
    assert words.inner_text() == "Nothing is selected.", "points and region are those of the other task"


# ---- results, words, models


def test_results_stand_side_by_side_and_one_is_chosen(things):
    pull_box(things)
    things.pull(DISC, (160, 90))
    things.until("s.view.previewed")
    things.get("candidates-wanted").select_option("3")
    things.click("run")
    things.until("s.run?.candidates === 3 && s.run.candidate === 2", 60)
    assert "Result 2 of 3" in things.words("run-status")
    things.ended(4)
    assert things.get("candidates").locator("button").count() == 3
    nodes = things.read("state.document.candidates")
    listed = [each.get_attribute("data-testid") for each in things.get("tree").get_by_role("button").all()]
    assert listed[1:] == [f"node-{node}" for node in nodes], "in the same order"
    assert things.read("state.document.at.node") == nodes[2]
    things.click("candidate-1")
    things.until(f"s.state.document.at.node === '{nodes[0]}'")
    assert things.get("candidate-1").get_attribute("aria-pressed") == "true"
    frames = [things.frame({"node": n, "step": things.read("state.nodes[1].steps") - 1}) for n in nodes]
    assert np.abs(frames[0] - frames[1]).mean() > 0.05
    things.reload()
    assert things.get("candidates").locator("button").count() == 3
    things.click("candidates-done")
    things.until("s.state.document.candidates.length === 0")
    assert things.get("candidates").count() == 0


def test_words_go_with_the_run(things):
    pull_box(things)
    things.get("prompt").fill("a red disc")
    things.get("prompt").press("Enter")
    things.until("s.state.document.prompt === 'a red disc'")
    things.pull(DISC, (140, 90))
    moved_to(things, [60, 0])
    things.run_to_end()
    things.click("export")
    things.click("export-what-script")
    things.until("document.querySelector('[data-testid=script-text]')?.value.includes('a red disc')")


def test_who_has_no_model_of_their_own_works_with_the_one_that_comes_along(new_studio, bare):
    studio = open_photo(new_studio(bare))
    assert studio.get("no-diffuser").count() == 0
    pull_box(studio)
    studio.pull(DISC, (160, 90))
    studio.until("s.view.previewed")
    assert studio.get("run").is_enabled()


def test_on_a_phone_all_of_it_is_reached(new_studio, server):
    studio = new_studio(server, **PHONE)
    open_photo(studio)
    assert studio.page.evaluate(OVERFLOW) == []
    studio.click("things-lasso")
    turns = np.linspace(0, 2 * np.pi, 13)
    line = [(DISC[0] + 24 * np.cos(t), DISC[1] + 24 * np.sin(t)) for t in turns]
    studio.pull(*line, steps=2)
    studio.until("s.state.document.things.length === 1")
    for task in ("remove", "paste", "swap", "dragcontent"):
        studio.click(f"task-{task}")
        studio.until(f"s.state.document.edit === '{task}'")
        assert studio.page.evaluate(OVERFLOW) == []
