"""A photo of one's own: its faces, the box, opening it, and putting it back whole."""

import io

import numpy as np
import pytest
from PIL import Image
from test_narrow import OVERFLOW, PHONE, Fingers

import pliant

PHOTO = (480, 360)


def photo(*places: tuple[int, int, int, int]) -> bytes:
    """A PNG with a portrait at each (seed, x, y, side) over noise that no edit leaves as it is by accident."""
    image = Image.fromarray(np.random.default_rng(0).integers(90, 130, (PHOTO[1], PHOTO[0], 3), "uint8"))
    for seed, x, y, side in places:
        image.paste(pliant.sample("portraits-256", seed=seed).render().resize((side, side)), (x, y))
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


@pytest.fixture(scope="module")
def one_face() -> bytes:
    return photo((12, 120, 60, 256))


def choose(studio, data: bytes) -> None:
    """Choose a photo on the start page and wait until its faces were looked for."""
    studio.get("choose-image-file").set_input_files(
        {"name": "me.png", "mimeType": "image/png", "buffer": data}
    )
    studio.ready()
    studio.until("!document.querySelector('[data-testid=crop-section]')?.innerText.includes('Looking')", 60)


def on_screen(studio, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the photo is on the screen."""
    box, zoom = studio.get("canvas").bounding_box(), studio.read("view.zoom")
    left, top = (
        box[edge] + (box[side] - size * zoom) / 2
        for edge, side, size in zip("xy", ("width", "height"), PHOTO, strict=True)
    )
    return left + (x + 0.5) * zoom, top + (y + 0.5) * zoom


def pull(studio, *ways: tuple[float, float]) -> None:
    """Press at the first pixel of the photo, move over the others, let go."""
    studio.page.mouse.move(*on_screen(studio, *ways[0]))
    studio.page.mouse.down()
    for way in ways[1:]:
        studio.page.mouse.move(*on_screen(studio, *way), steps=4)
    studio.page.mouse.up()


def brightness(studio, x: float, y: float) -> float:
    """Of a few screen pixels around a pixel of the photo."""
    left, top = on_screen(studio, x, y)
    return studio.screen((left - 4, top - 4, 8, 8)).mean()


def box(studio) -> list[float]:
    return studio.read("state.document.crop.box")


def test_the_one_face_is_chosen_by_itself_and_the_rest_is_dimmed(studio, one_face):
    studio.open()
    choose(studio, one_face)
    assert studio.read("document.edit") == "invert"
    assert studio.get("face-1").locator("input").is_checked()
    assert studio.get("run").is_enabled()
    image = np.asarray(Image.open(io.BytesIO(one_face))).astype(float)
    assert brightness(studio, 20, 20) < 0.7 * image[16:25, 16:25].mean()
    assert abs(brightness(studio, 248, 200) - image[196:205, 244:253].mean()) < 12


def test_of_two_faces_one_is_chosen(studio):
    studio.open()
    choose(studio, photo((12, 10, 60, 230), (9, 245, 70, 230)))
    assert studio.get("run").is_disabled()
    assert studio.get("face-2").is_visible()
    studio.page.mouse.click(*on_screen(studio, 125, 175))
    studio.until("s.state.document.crop?.face != null")
    first = studio.read("state.document.crop.face")
    studio.page.mouse.click(*on_screen(studio, 360, 185))
    studio.until(f"s.state.document.crop.face === {1 - first}")
    studio.get(f"face-{first + 1}").click()
    studio.until(f"s.state.document.crop.face === {first}")
    assert studio.get("run").is_enabled()


def test_without_a_face_a_box_is_drawn_moved_and_resized(studio):
    studio.open()
    choose(studio, photo())
    assert studio.words("no-face") == "No face was found; draw a box around what the model should make."
    assert studio.get("run").is_disabled()
    pull(studio, (100, 80), (180, 200))
    studio.until("s.state.document.crop?.box")
    x, y, width, height = box(studio)
    assert np.allclose((x, y, width), (100, 80, 120), atol=2)
    assert width == height
    pull(studio, (160, 140), (200, 160))
    studio.until(f"s.state.document.crop.box[0] > {x + 30}")
    assert np.allclose(box(studio), (140, 100, 120, 120), atol=3)
    pull(studio, (260, 220), (280, 240))
    studio.until("s.state.document.crop.box[2] > 130")
    assert np.allclose(box(studio), (140, 100, 140, 140), atol=4)
    left = box(studio)[0]
    studio.get("canvas").focus()
    studio.press("ArrowRight")
    studio.until(f"s.state.document.crop.box[0] === {left + 1}")
    for label in ("Move box", "Resize box", "Move box", "Draw box"):
        assert studio.read("state.undo") == label
        studio.click("undo")
        studio.until(f"s.state.redo === '{label}'")
    assert studio.read("document.crop") is None


def test_a_photo_is_opened_edited_and_put_back(studio, one_face):
    studio.open()
    choose(studio, one_face)
    for name, value in (("w_steps", 2), ("wplus_steps", 2), ("tune_steps", 2)):
        studio.set(name, value, "invert")
    studio.run_to_end()
    node = studio.read("state.nodes[1]")
    assert (node["kind"], node["photo"], node["size"]) == ("latent", True, [256, 256])
    assert studio.read("document.edit") == "drag"
    studio.ready()
    assert "dB" in studio.words("progress-section")
    studio.point((128, 178), (150, 150))
    studio.set("max_steps", 6)
    studio.run_to_end()
    studio.click("export")
    assert studio.get("export-photo").is_checked()
    with studio.page.expect_download(timeout=30_000) as waiting:
        studio.click("export-start")
    back = np.asarray(Image.open(waiting.value.path()).convert("RGB")).astype(int)
    before = np.asarray(Image.open(io.BytesIO(one_face)).convert("RGB")).astype(int)
    assert back.shape == before.shape
    assert (back[:20] == before[:20]).all()
    assert (back[:, :60] == before[:, :60]).all()
    assert np.abs(back - before)[200:270, 210:290].mean() > 0.5
    studio.get("export-photo").uncheck()
    with studio.page.expect_download(timeout=30_000) as waiting:
        studio.click("export-start")
    with Image.open(waiting.value.path()) as alone:
        assert alone.size == (256, 256)


def test_on_a_generated_picture_the_mode_asks_for_a_photo(portrait, one_face):
    portrait.click("mode-invert")
    assert portrait.get("run").is_disabled()
    portrait.get("choose-photo-file").set_input_files(
        {"name": "me.png", "mimeType": "image/png", "buffer": one_face}
    )
    portrait.until("s.state.nodes.length === 2 && s.document.edit === 'invert'")
    portrait.get("face-1").wait_for(timeout=60_000)


def test_a_finger_draws_the_box(new_studio):
    studio = new_studio(**PHONE)
    studio.open()
    choose(studio, photo())
    fingers = Fingers(studio)
    fingers.touch("Start", on_screen(studio, 100, 80))
    for way in ((140, 120), (220, 200)):
        fingers.touch("Move", on_screen(studio, *way))
    fingers.touch("End")
    studio.until("s.state.document.crop?.box")
    assert np.allclose(box(studio), (100, 80, 120, 120), atol=3)
    assert studio.get("run").is_enabled()
    assert studio.page.evaluate(OVERFLOW) == []
