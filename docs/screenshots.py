"""Makes the pictures of docs/studio.md: starts the studio, edits portraits in a real Chromium, and photographs it on the way.

make screenshots
"""

from __future__ import annotations

import io
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from pliant.images import load_image
from pliant.picture import PixelPicture

IMAGES = Path(__file__).parent / "images" / "studio"
PHOTO = IMAGES.parent / "astronaut.jpg"
"""Eileen Collins, by NASA; in the public domain."""
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
SEED = 5
CORNERS = [((97, 177), (89, 170)), ((148, 178), (156, 171))]
"""Handles and targets: the corners of the mouth."""
LOWER_FACE = [(76, 150), (176, 150), (176, 172), (78, 172), (84, 194), (170, 194), (160, 214), (94, 214)]
"""A stroke over the lower face."""
FRINGE = [(96, 66), (128, 58), (160, 66), (158, 80), (128, 74), (98, 80)]
"""A stroke of hair over the forehead."""
WORDS = "a mushroom on grass at dawn"
EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "04_things.py"))
"""Finds where the thing of a scene is."""


@contextmanager
def studio() -> Iterator[str]:
    """The address of a studio that keeps its projects in a folder of its own."""
    with tempfile.TemporaryDirectory() as home:
        words = [sys.executable, "-m", "pliant.cli", "studio", "--no-browser", "--port", "0"]
        environment = os.environ | {"PLIANT_HOME": home, "PLIANT_STUDIO_TEST": "1"}
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603
        try:
            yield next(line.strip() for line in process.stdout or () if "token=" in line)
        finally:
            process.terminate()
            process.wait(30)


def until(page: Page, expression: str) -> None:
    """Wait until an expression over the page's state is true."""
    end = time.monotonic() + 180
    while not page.evaluate(expression):
        if time.monotonic() > end:
            raise TimeoutError(expression)
        page.wait_for_timeout(50)


def shoot(page: Page, name: str) -> None:
    """Keep the screen as it is, once its small pictures are there."""
    end = time.monotonic() + 5
    while (
        not page.evaluate("[...document.images].every(image => image.naturalWidth)")
        and time.monotonic() < end
    ):
        page.wait_for_timeout(100)
    page.wait_for_timeout(300)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    image.save(IMAGES / f"{name}.webp", quality=88, method=6)
    print(f"{name}.webp")


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the picture is on the screen."""
    box = page.get_by_test_id("canvas").bounding_box()
    if box is None:
        raise AssertionError("the canvas is on the page")
    zoom = page.evaluate("__pliant.view.zoom")
    left, top = box["x"] + (box["width"] - 256 * zoom) / 2, box["y"] + (box["height"] - 256 * zoom) / 2
    return left + (x + 0.5) * zoom, top + (y + 0.5) * zoom


def open_portrait(browser: Browser, url: str, viewport: dict[str, int], scheme: str) -> Page:
    """A page with a portrait of the gallery in the editor."""
    page = browser.new_context(viewport=viewport, color_scheme=scheme).new_page()  # type: ignore[arg-type]
    page.goto(url)
    page.get_by_test_id(f"seed-{SEED}").click()
    until(page, "window.__pliant?.document?.at && __pliant.view.zoom > 0.5")
    page.wait_for_timeout(500)
    return page


def set_points(page: Page) -> None:
    """Handles and targets by clicks."""
    page.get_by_test_id("tool-point").click()
    for point in CORNERS:
        for x, y in point:
            page.mouse.click(*place(page, x, y))
    until(page, f"__pliant.document.points.length === {len(CORNERS)}")


def paint(page: Page) -> None:
    """Paint where the picture may change."""
    page.get_by_test_id("tool-brush").click()
    page.mouse.move(*place(page, *LOWER_FACE[0]))
    page.mouse.down()
    for x, y in LOWER_FACE[1:]:
        page.mouse.move(*place(page, x, y), steps=6)
    page.mouse.up()
    until(page, "__pliant.document.mask")


def run(page: Page, at_most: int = 10**6) -> None:
    """Run until it ends, or until so many frames were seen."""
    seen = page.evaluate("__pliant.frames")
    page.get_by_test_id("run").click()
    until(page, f"__pliant.frames > {seen + 2}")
    until(page, f"!__pliant.run || __pliant.frames - {seen} > {at_most}")


def tour(browser: Browser, url: str) -> None:
    """All the pictures, in the order in which one meets them."""
    page = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
    page.goto(url)
    page.get_by_test_id("gallery").wait_for()
    until(page, "[...document.images].every(image => image.complete && image.naturalWidth)")
    shoot(page, "start")
    page = open_portrait(browser, url, WIDE, "light")
    set_points(page)
    shoot(page, "points")
    paint(page)
    shoot(page, "region")
    page.get_by_test_id("tool-point").click()
    weight = page.get_by_test_id("setting-mask_weight")
    weight.fill("5")  # the paper's 20 holds a mouth in its place
    weight.press("Enter")
    run(page, at_most=45)
    shoot(page, "running")
    until(page, "!__pliant.run")
    page.get_by_test_id("compare-slider").click()
    shoot(page, "compare")
    page.get_by_test_id("compare-slider").click()
    page.get_by_test_id("export").click()
    shoot(page, "export")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    shoot(page, "help")
    dark = open_portrait(browser, url, WIDE, "dark")
    set_points(dark)
    run(dark)
    dark.keyboard.press("Home")
    dark.get_by_test_id("frame-branch").click()
    until(dark, "__pliant.document.points.length === 0")
    for x, y in ((121, 154), (145, 154)):
        dark.mouse.click(*place(dark, x, y))
    until(dark, "__pliant.document.points.length === 1")
    run(dark)
    shoot(dark, "branches")
    narrow = open_portrait(browser, url, NARROW, "light")
    set_points(narrow)
    shoot(narrow, "narrow")


def repaint(browser: Browser, url: str) -> None:
    """Hair over the forehead: painted, previewed, run."""
    page = open_portrait(browser, url, WIDE, "light")
    page.get_by_test_id("mode-repaint").click()
    page.get_by_test_id("part-11").click()
    until(page, "!!__pliant.parts")
    page.mouse.move(*place(page, *FRINGE[0]))
    page.mouse.down()
    for x, y in FRINGE[1:]:
        page.mouse.move(*place(page, x, y), steps=6)
    page.mouse.up()
    until(page, "__pliant.state.document.parts && !__pliant.view.previewed")
    shoot(page, "repaint")
    run(page)
    shoot(page, "repainted")
    page.get_by_test_id("mode-vector").click()
    page.get_by_test_id("vector-smile-slider").fill("0.8")
    until(page, "__pliant.view.previewed && !__pliant.run")
    page.wait_for_timeout(4000)  # the gallery's small pictures
    shoot(page, "learnt")


def photo(browser: Browser, url: str) -> None:
    """A photo: its face is found, the picture found, and turned."""
    page = browser.new_context(viewport=WIDE, color_scheme="dark").new_page()  # type: ignore[arg-type]
    page.goto(url)
    page.get_by_test_id("choose-image-file").set_input_files(str(PHOTO))
    until(page, "window.__pliant?.document?.at && __pliant.view.zoom > 0")
    until(page, "!document.querySelector('[data-testid=crop-section]')?.innerText.includes('Looking')")
    shoot(page, "photo")
    run(page, at_most=60)
    shoot(page, "opening")
    until(page, "!__pliant.run")


def drawings(browser: Browser, url: str) -> None:
    """A photo becomes a drawing, is told in words, recoloured and zoomed into."""
    page = browser.new_context(viewport=WIDE, color_scheme="light").new_page()  # type: ignore[arg-type]
    page.goto(url)
    page.get_by_test_id("choose-image-file").set_input_files(str(PHOTO))
    until(page, "window.__pliant?.document?.at && __pliant.view.zoom > 0")
    page.get_by_test_id("mode-trace").click()
    draw_box(page, (0.3, 0.05, 0.6, 0.4))
    shoot(page, "trace")
    page.get_by_test_id("run").click()
    until(page, "!__pliant.run && __pliant.state.document.edit === 'restyle'")
    draw_box(page, (0.3, 0.05, 0.6, 0.4))
    write(page, 1, "a green robot")
    page.get_by_test_id("prompt-add").click()
    write(page, 1, "a drawing of fire")
    shoot(page, "words")
    run(page, at_most=60)
    shoot(page, "restyling")
    page.get_by_test_id("stop").click()
    until(page, "!__pliant.run && __pliant.state.saved")
    page.get_by_test_id("mode-layers").click()
    page.get_by_test_id("swatches").locator("input").first.fill("#1d66c9")
    until(page, "__pliant.view.previewed")
    shoot(page, "layers")


def things(browser: Browser, url: str) -> None:
    """Words become four scenes; in one of them a thing is selected by a box, and moved."""
    page = browser.new_context(viewport=WIDE, color_scheme="light").new_page()  # type: ignore[arg-type]
    page.goto(url)
    page.get_by_test_id("from-words").click()
    until(page, "window.__pliant?.document?.at && __pliant.document.edit === 'generate'")
    words = page.get_by_test_id("prompt")
    words.fill(WORDS)
    words.press("Enter")
    steps = page.get_by_test_id("setting-num_inference_steps")
    steps.fill("20")
    steps.press("Enter")
    page.get_by_test_id("candidates-wanted").select_option("4")
    page.get_by_test_id("run").click()
    until(page, "__pliant.document.candidates?.length === 4 && !__pliant.run")
    shoot(page, "from_words")
    page.get_by_test_id("candidate-3").click()
    page.get_by_test_id("candidates-done").click()
    until(page, "__pliant.document.candidates.length === 0")
    page.get_by_test_id("task-move").click()
    scene = shown(page)
    left, top, wide, high = (each / scene.size[0] for each in EXAMPLE["box"](scene))
    draw_box(page, (left, top, left + wide, top + high), tool="things-box")
    until(page, "__pliant.state.document.things.length === 1")
    middle, way = (left + wide / 2, top + high / 2), EXAMPLE["room_beside"](scene) / scene.size[0]
    pull(page, middle, (middle[0] + way, middle[1]))
    until(page, "__pliant.view.previewed")
    shoot(page, "things")


def shown(page: Page) -> PixelPicture:
    """The picture as the server has it."""
    origin, session, at = page.evaluate("[location.origin, __pliant.session, __pliant.document.at]")
    address = f"{origin}/api/sessions/{session}/frames/{at['node']}/{at['step']}"
    return PixelPicture.of(load_image(page.context.request.get(address).body()))


def draw_box(page: Page, sides: tuple[float, float, float, float], tool: str = "tool-box") -> None:
    """Pull a box; its sides as shares of the picture, from its left, top, left, top."""
    page.get_by_test_id(tool).click()
    pull(page, sides[:2], sides[2:])


def pull(page: Page, begin: tuple[float, float], end: tuple[float, float]) -> None:
    """Press, move, let go; places as shares of the picture."""
    node = "__pliant.state.nodes.find(node => node.id === __pliant.document.at.node)"
    width, height = page.evaluate(f"{node}.size")
    box, zoom = page.get_by_test_id("canvas").bounding_box(), page.evaluate("__pliant.view.zoom")
    if box is None:
        raise AssertionError("the canvas is on the page")
    left, top = box["x"] + (box["width"] - width * zoom) / 2, box["y"] + (box["height"] - height * zoom) / 2
    page.mouse.move(left + begin[0] * width * zoom, top + begin[1] * height * zoom)
    page.mouse.down()
    page.mouse.move(left + end[0] * width * zoom, top + end[1] * height * zoom, steps=6)
    page.mouse.up()
    page.wait_for_timeout(300)


def write(page: Page, number: int, text: str) -> None:
    """Say what a prompt should become."""
    field = page.get_by_test_id(f"prompt-{number}-text")
    field.fill(text)
    field.press("Enter")
    until(page, f"__pliant.state.document.prompts[{number - 1}]?.text === {text!r}")


def main() -> None:
    """Take the tour."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with studio() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for part in (tour, repaint, photo, drawings, things):
            part(browser, url)
        browser.close()


if __name__ == "__main__":
    main()
