"""Drawings as a person makes them: traced from a photo, told in words, recoloured, zoomed into, taken out."""

import io

import numpy as np
import pytest
from PIL import Image
from test_exporting import export
from test_narrow import OVERFLOW, PHONE

import pliant
from opened_drawings import SVG
from pliant.vector.svg import read_svg
from text_images import save_words

SIDE = 256


@pytest.fixture(scope="module")
def photo():
    """A PNG of a portrait."""
    file = io.BytesIO()
    pliant.sample("portraits-256", seed=12).render().save(file, "png")
    return file.getvalue()


@pytest.fixture(scope="module")
def traced_file(photo, tmp_path_factory):
    """A project of a traced portrait."""
    from pliant import catalogue
    from pliant.picture import PixelPicture
    from pliant.project import Project
    from pliant.settings import settings_facts

    picture = PixelPicture.of(Image.open(io.BytesIO(photo)))
    edit = catalogue.get("trace")
    settings = edit.make_settings({"colours": "6 12"})
    run = edit.run(picture, catalogue.Inputs(), settings)
    list(run)
    project = Project()
    project.add(picture)
    project.add_run(run.trace, "trace", {}, settings_facts(settings))
    path = tmp_path_factory.mktemp("traced") / "traced.pliant"
    project.save(path)
    return path


@pytest.fixture
def traced(studio, traced_file):
    """The editor with a traced portrait, in the mode for words."""
    return studio.open_copy(traced_file)


def choose(studio, name: str, kind: str, data: bytes) -> None:
    """Choose a file on the start page."""
    studio.get("choose-image-file").set_input_files({"name": name, "mimeType": kind, "buffer": data})
    studio.ready()


def say(studio, number: int, text: str) -> None:
    """Write into a prompt, and leave it."""
    studio.get(f"prompt-{number}-text").fill(text)
    studio.get(f"prompt-{number}-text").press("Enter")
    studio.until(f"s.state.document.prompts[{number - 1}]?.text === {text!r}")


def boxes(studio) -> list[list[float]]:
    return [prompt["box"] for prompt in studio.read("state.document.prompts") if prompt["box"]]


def test_from_a_photo_to_a_drawing_in_words_and_out(studio, photo):
    studio.open()
    choose(studio, "me.png", "image/png", photo)
    studio.click("mode-trace")
    studio.pull((70, 60), (190, 200))
    studio.until("s.state.document.boxes.length === 1")
    studio.get("setting-colours").fill("6 12")
    studio.get("setting-colours").press("Enter")
    ended = studio.run_to_end()
    assert (ended["reason"], ended["steps"]) == ("arrived", 3)
    assert studio.read("document.edit") == "restyle"
    assert "Region 1 30 colours" in studio.words("layers")

    studio.pull((40, 30), (200, 110))
    studio.until("s.state.document.prompts.length === 1")
    assert studio.get("run").is_disabled()
    studio.page.keyboard.type("red hair")
    assert studio.get("run").is_enabled(), "what is being written counts"
    studio.click("prompt-add")
    studio.page.keyboard.type("a painting of qzxvyk")
    studio.press("Enter")
    studio.get("prompt-notes").wait_for()
    assert "qzxvyk" in studio.words("prompt-notes")

    start = studio.read("document.at")
    studio.run()
    studio.until("s.run && s.run.step >= 2", 90)
    studio.click("stop")
    studio.until("!s.run && s.state.saved")
    stopped = studio.read("document.at")
    assert stopped["node"] != start["node"]
    assert studio.get("continue").is_enabled()
    assert "red hair" in studio.words("tree")
    assert np.abs(studio.frame(stopped) - studio.frame(start)).mean() > 0.1
    assert studio.get("agreements").locator("li").count() == 2
    studio.click("continue")
    studio.until(f"s.run?.node && s.run.node !== '{stopped['node']}'", 60)
    studio.click("stop")
    studio.until("!s.run && s.state.saved")

    name, path = export(studio, "picture", "svg")
    assert name.endswith(".svg")
    scene = read_svg(path).scene
    assert scene.size == (SIDE, SIDE)
    assert "region-1-30-colours" in [group.id for group in scene.groups]
    assert b"red hair" in path.read_bytes()


def test_a_swatch_is_recoloured_seen_undone_and_kept(traced):
    traced.click("mode-layers")
    assert traced.get("run").is_disabled()
    swatch = traced.get("swatches").locator("input").first
    before, tree = traced.read("document.at"), len(traced.read("state.nodes"))
    old = traced.frame(before)
    swatch.fill("#00ff00")
    traced.until("s.view.previewed && Object.keys(s.state.document.layers.swatches).length === 1")
    traced.click("layer-0-lock")
    traced.until("s.state.document.layers.locked.length === 1")
    traced.press("Control+z", "Control+z")
    traced.until("Object.keys(s.state.document.layers.swatches).length === 0")
    traced.until("!s.view.previewed")
    assert swatch.input_value() != "#00ff00"
    traced.press("Control+Shift+z")
    traced.until("s.view.previewed")
    traced.run_to_end()
    after = traced.read("document.at")
    assert len(traced.read("state.nodes")) == tree + 1
    green = (traced.frame(after) == (0, 255, 0)).all(2) & (old != (0, 255, 0)).any(2)
    assert green.sum() > 50
    assert (traced.frame(before) == old).all()


def test_layers_are_opened_hidden_and_seen_so_in_words_too(traced):
    traced.click("layer-1")
    traced.get("layers").locator("[data-testid^=path-]").first.wait_for()
    traced.click("layer-0-hide")
    traced.until("s.state.document.layers.hidden.length === 1 && s.view.previewed")
    path = traced.get("layers").locator("[data-testid$=-hide][data-testid^=path-]").first
    path.click()
    traced.until("s.state.document.layers.hidden.length === 2")
    group = traced.get("layer-1-hide")
    assert group.get_attribute("aria-pressed") == "mixed", "some of it is hidden"
    assert group.get_attribute("aria-label") == "Hide all of Round 2 12 colours"
    for hidden in ("true", "false"):
        group.click()
        traced.page.locator(f"[data-testid=layer-1-hide][aria-pressed={hidden}]").wait_for()
        assert path.get_attribute("aria-pressed") == hidden
    traced.click("layers-clear")
    traced.until("s.state.document.layers.hidden.length === 0 && !s.view.previewed")


def test_boxes_by_the_keyboard(traced):
    traced.get("box-add").focus()
    traced.press("Enter")
    traced.until("s.state.document.prompts.length === 1")
    assert boxes(traced) == [[64, 64, 128, 128]]
    traced.page.keyboard.type("blue")
    traced.press("Enter")
    traced.get("canvas").focus()
    traced.press("ArrowLeft", "ArrowLeft", "ArrowUp")
    traced.until("s.state.document.prompts[0].box[1] === 62")
    assert boxes(traced) == [[60, 62, 128, 128]]
    traced.press("Shift+ArrowRight", "Shift+ArrowUp")
    traced.until("s.state.document.prompts[0].box[3] === 126")
    assert boxes(traced) == [[60, 62, 130, 126]]
    traced.click("box-add")
    traced.until("s.view.box === 1")
    traced.get("canvas").focus()
    traced.press("[")
    assert traced.read("view.box") == 0
    traced.press("Delete")
    traced.until("s.state.document.prompts.length === 1")
    assert boxes(traced) == [[64, 64, 128, 128]]
    traced.press("Control+z")
    traced.until("s.state.document.prompts.length === 2")
    assert "Box 1, blue, at 60, 62, 130 by 126." in traced.page.locator(".canvas-words").inner_text()


def test_boxes_by_hand(traced):
    traced.pull((20, 20), (80, 60))
    traced.until("s.state.document.prompts.length === 1")
    assert boxes(traced) == [[20, 20, 61, 41]] or boxes(traced) == [[20, 20, 60, 40]]
    x, y, width, height = boxes(traced)[0]
    traced.pull((50, 40), (60, 60))
    traced.until(f"s.state.document.prompts[0].box[0] === {x + 10}")
    assert boxes(traced) == [[x + 10, y + 20, width, height]]
    right, bottom = x + 10 + width, y + 20 + height
    traced.pull((right - 0.5, bottom - 0.5), (right + 29.5, bottom + 9.5))
    traced.until(f"s.state.document.prompts[0].box[2] === {width + 30}")
    assert boxes(traced)[0][3] == height + 10
    traced.tap(220, 220)
    assert traced.read("view.box") is None
    traced.click("prompt-1-delete")
    traced.until("s.state.document.prompts.length === 0")


def test_a_drawing_is_sharp_where_it_is_zoomed_in(traced):
    traced.until("s.view.sharp")
    for _ in range(10):
        traced.click("zoom-in")
    traced.page.wait_for_timeout(300)
    assert traced.read("view.zoom") > 12
    box = traced.get("canvas").bounding_box()
    middle = traced.screen((box["x"] + box["width"] / 2 - 100, box["y"] + box["height"] / 2 - 100, 200, 200))
    across = np.abs(np.diff(middle, axis=1)).max(2)
    flat = (across == 0).mean()
    assert flat > 0.9, "flat inside shapes; edges are a pixel or two wide, not a dozen"
    assert (across > 8).any()


def test_an_svg_is_dropped_and_says_what_it_lacks(studio):
    studio.open()
    studio.page.evaluate(
        """text => {
            const files = new DataTransfer();
            files.items.add(new File([text], "tree.svg", { type: "image/svg+xml" }));
            window.dispatchEvent(new DragEvent("drop", { dataTransfer: files, cancelable: true }));
        }""",
        SVG.decode(),
    )
    studio.ready()
    assert "text" in studio.words("problem-picture")
    assert "tree" in studio.words("layers")
    place = studio.read("document.at")
    assert tuple(studio.frame(place)[33, 20]) == (0x8B, 0x5A, 0x2B)


def test_a_file_that_is_no_drawing_gets_a_sentence(studio):
    studio.expected = ("400",)
    studio.open()
    file = {"name": "x.svg", "mimeType": "image/svg+xml", "buffer": b"<html/>"}
    studio.get("choose-image-file").set_input_files(file)
    assert "not an SVG" in studio.words("problem-picture")


def test_strokes_are_drawn_on_an_empty_drawing(studio):
    studio.open()
    studio.click("new-drawing")
    studio.ready()
    assert studio.read("state.nodes")[0]["size"] == [512, 512]
    studio.click("mode-draw")
    studio.click("prompt-add")
    studio.page.keyboard.type("a red flower")
    studio.press("Enter")
    studio.set("strokes", 24, "draw")
    studio.set("max_steps", 10, "draw")
    studio.run_to_end(120)
    frame = studio.frame(studio.read("document.at"))
    assert (frame < 240).any()
    studio.press("Control+z")
    studio.until("s.state.document.at.step === 0")
    assert (studio.frame(studio.read("document.at")) == 255).all()


def test_a_model_is_chosen_where_there_are_several(new_studio, serve, tmp_path_factory, traced_file):
    home = tmp_path_factory.mktemp("home")
    save_words(home / "models" / "mine")
    studio = new_studio(serve(home)).open_copy(traced_file)
    assert studio.get("words-model").input_value() == "words-small"
    studio.get("words-model").select_option("mine")
    studio.until("s.state.document.words === 'mine'")


def test_words_on_a_phone(new_studio, traced_file):
    studio = new_studio(**PHONE)
    studio.open_copy(traced_file)
    studio.click("box-add")
    studio.until("s.state.document.prompts.length === 1")
    assert studio.page.evaluate(OVERFLOW) == []
    sides = [
        studio.get(each).bounding_box()[side]
        for each in ("prompt-1-delete", "layer-0-hide", "layer-0-lock", "box-add")
        for side in ("width", "height")
    ]
    assert min(sides) >= 40
    say(studio, 1, "blue")
