"""Every key of the keyboard map does what the help says."""

import io

import numpy as np
import pytest
from PIL import Image

HELP = """() => Object.fromEntries([...document.querySelectorAll("[data-testid=help-keys] dl > div")].map(row => [
    row.querySelector("dt").innerText,
    [...row.querySelectorAll(".chord")].map(chord => [...chord.querySelectorAll("kbd")].map(k => k.innerText).join("+")),
]))"""


def _photo() -> bytes:
    file = io.BytesIO()
    ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    Image.fromarray(np.dstack([ramp, ramp.T, ramp])).save(file, "png")
    return file.getvalue()


PHOTO = _photo()


@pytest.fixture(scope="module")
def page(chromium, server, dragged_file):
    """One page for all keys: a drag that is over, and a point."""
    from person import Studio

    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    studio = Studio(context, server).open_copy(dragged_file)
    studio.set("max_steps", 400)
    yield studio
    context.close()
    assert not studio.errors


@pytest.fixture
def keyed(page):
    """Nothing runs, one point, no region, the last frame of the drag, the point tool."""
    page.press("Escape", "Escape")
    if page.read("document.edit") != "drag":
        page.click("mode-drag")
        page.until("s.state.document.edit === 'drag'")
    page.press("v", "0")
    drag = page.read("state.nodes[1].id")
    if page.read("document.at.node") != drag:
        page.click(f"node-{drag}")
        page.click("frame-start-here")
        page.until(f"s.state.document.at.node === '{drag}'")
    page.until("s.view.editable && s.view.tool === 'point'")
    if page.read("document.mask"):
        page.click("region-remove")
        page.until("!s.state.document.mask")
    if page.read("document.points.length"):
        page.click("points-clear")
        page.until("s.state.document.points.length === 0")
    page.point((107, 178), (60, 110))
    page.page.evaluate("document.activeElement.blur()")
    return page


def pressed(testid, wanted="true"):
    return lambda page: page.until(
        f"document.querySelector('[data-testid={testid}]')?.getAttribute('aria-pressed') === '{wanted}'"
    )


def erases(page, key):
    page.press("b", key)
    pressed("brush-erase")(page)
    page.press(key)
    pressed("brush-erase", "false")(page)


def resizes(page, key):
    page.press("b")
    size = page.get("brush-size")
    before = float(size.input_value())
    page.press(key)
    page.page.wait_for_timeout(50)
    assert (float(size.input_value()) > before) == (key == "]")


def swaps(page, key):
    page.press("b")
    may = page.get("brush-paint-change").locator("input")
    was = may.is_checked()
    page.press(key)
    page.page.wait_for_timeout(50)
    assert may.is_checked() != was


def inverts(page, key):
    page.press("b")
    page.paint((100, 100), (110, 100))
    page.press(key)
    page.until("s.state.undo === 'Invert region'")


def hides(page, key):
    page.press("b")
    was = page.get("mask-visible").get_attribute("aria-pressed")
    page.press(key)
    pressed("mask-visible", "true" if was == "false" else "false")(page)


def presses(page, key):
    page.aim(200, 200)
    page.press(key)
    assert "where it should go" in page.words("points-options")
    page.press("Escape")


def presses_straight(page, key):
    page.aim(200, 200)
    page.press("Enter")
    page.aim(210, 150)
    page.press(key)
    page.until("s.state.document.points.length === 2")
    assert page.read("document.points[1].target") == [200, 150]


def presses_away(page, key):
    page.aim(107, 178)
    page.press(key)
    page.until("s.state.document.points.length === 0")


def locks(page, key):
    page.click("point-1-select")
    page.press(key)
    page.until("s.state.document.points[0].locked")
    page.press(key)
    page.until("!s.state.document.points[0].locked")


def deletes(page, key):
    page.click("point-1-select")
    page.press(key)
    page.until("s.state.document.points.length === 0")


def runs(page, key):
    nodes = page.read("state.nodes.length")
    page.press(key)
    page.until("s.run?.step > 0")
    page.press("Escape")
    page.ended(nodes + 1)


def pauses(page, key):
    nodes = page.read("state.nodes.length")
    page.run()
    page.press(key)
    page.until("s.run.state === 'paused'")
    page.press(key)
    page.until("s.run.state === 'running'")
    page.press("Escape")
    page.ended(nodes + 1)


def gives_up(page, key):
    page.tap(200, 200)
    assert "where it should go" in page.words("points-options")
    page.press(key)
    assert "where to grab" in page.words("points-options")
    page.click("compare-slider")
    page.until("s.view.comparing === 'slider'")
    page.press(key)
    page.until("s.view.comparing === null")
    page.press("Home")
    page.until("s.view.looking")
    page.press(key)
    page.until("s.view.looking === null")


def undoes(page, key):
    page.point((150, 60), (160, 60))
    page.press(key)
    page.until("s.state.redo === 'Add point'")


def redoes(page, key):
    undoes(page, "Control+z")
    page.press(key)
    page.until("s.state.redo === null && s.state.document.points.length === 2")


def goes(first, step):
    def check(page, key):
        last = page.read("view.place.step")
        page.press(*first, key)
        page.until(f"s.view.place.step === {step(last)}")

    return check


def starts_here(page, key):
    page.press("Home", ".")
    page.until("s.view.looking?.step === 1")
    page.press(key)
    page.until("s.state.document.at.step === 1 && s.state.undo === 'Start here'")
    page.click("undo")
    page.until("s.state.redo === 'Start here'")


def branches(page, key):
    page.press("Home")
    page.until("s.view.looking?.step === 0")
    page.press(key)
    page.until("s.state.document.at.step === 0 && s.state.undo === 'Branch'")
    page.click("undo")
    page.until("s.state.redo === 'Branch'")


def zooms(expression):
    def check(page, key):
        before = page.read("view.zoom")
        page.press(key)
        page.until(f"(z => {expression})(s.view.zoom / {before})")

    return check


def fits(page, key):
    fit = page.read("view.zoom")
    page.press("1")
    page.until("Math.abs(s.view.zoom - 1) < 1e-6")
    page.press(key)
    page.until(f"Math.abs(s.view.zoom - {fit}) < 1e-6")


def actual_size(page, key):
    page.press(key)
    page.until("Math.abs(s.view.zoom - 1) < 1e-6")


def compares(page, key):
    with page.held(key):
        page.until("s.view.comparing === 'whole'")
    page.until("s.view.comparing === null")


def grid(page, key):
    page.press(key)
    pressed("grid")(page)
    page.press(key)
    pressed("grid", "false")(page)


def theme(page, key):
    name = "document.documentElement.dataset.theme"
    before = page.page.evaluate(name)
    page.press(key)
    page.until(f"{name} !== '{before}'")


def exports(page, key):
    page.press(key)
    page.get("export-dialog").wait_for()
    page.press("Escape")
    page.get("export-dialog").wait_for(state="detached")


def start_page(page, key):
    page.press(key)
    page.get("gallery").wait_for()
    page.press(key)
    page.get("gallery").wait_for(state="detached")


def helps(page, key):
    page.press(key)
    page.get("help-dialog").wait_for()
    page.press("Escape")
    page.get("help-dialog").wait_for(state="detached")


def takes(tool, other):
    def check(page, key):
        page.press(other, key)
        page.until(f"s.view.tool === '{tool}'")

    return check


def parts(check):
    """A key that means something in the mode that repaints."""

    def in_repaint(page, key):
        page.click("mode-repaint")
        page.until("s.view.tool === 'parts' && !!s.parts")
        check(page, key)

    return in_repaint


def takes_box(page, key):
    page.click("mode-invert")
    takes("crop", "h")(page, key)


def boxes(check):
    """On an empty drawing with two boxes, the second selected."""

    def on_a_drawing(page, key):
        count = page.read("state.nodes.length")
        page.click("home")
        page.click("new-drawing")
        page.until(f"s.state.nodes.length === {count + 1} && s.view.editable")
        page.click("mode-restyle")
        for number in (1, 2):
            page.click("box-add")
            page.until(f"s.state.document.prompts.length === {number} && s.view.box === {number - 1}")
        page.page.evaluate("document.activeElement.blur()")
        check(page, key)

    return on_a_drawing


def things(check):
    """On a photo with one thing selected by a lasso."""

    def on_a_photo(page, key):
        count = page.read("state.nodes.length")
        page.click("home")
        file = {"name": "me.png", "mimeType": "image/png", "buffer": PHOTO}
        page.get("choose-image-file").set_input_files(file)
        page.until(f"s.state.nodes.length === {count + 1} && s.view.editable")
        page.click("mode-things")
        page.until("s.view.tool === 'things'")
        page.page.wait_for_timeout(100)
        page.click("things-lasso")
        page.pull((80, 80), (140, 80), (140, 140), (80, 140))
        page.until("s.state.document.things.length === 1 && s.view.thing === 0")
        check(page, key)

    return on_a_photo


def takes_action(action, other):
    def check(page, key):
        page.click(f"things-{other}")
        page.press(key)
        page.until(f"s.view.thingAction === '{action}' && s.view.tool === 'things'")

    return things(check)


@things
def copies(page, key):
    page.press(key)
    page.until("s.state.document.other?.masks.length === 1")


@things
def pastes(page, key):
    page.press("Control+c", key)
    page.until("s.state.document.edit === 'paste' && s.state.document.things.length === 1")


@things
def deselects(page, key):
    page.press(key)
    page.until("s.state.document.things.length === 0")


def chooses_box(selected):
    def check(page, key):
        page.press(key)
        page.until(f"s.view.box === {selected}")

    return check


@boxes
def deletes_box(page, key):
    page.press(key)
    page.until("s.state.document.prompts.length === 1")


def takes_up(action, other):
    def check(page, key):
        page.click(f"parts-{other}")
        page.press(key)
        page.until(f"s.view.partsAction === '{action}' && s.view.tool === 'parts'")

    return parts(check)


@parts
def takes_part(page, key):
    page.press("5", key)
    page.until(f"s.view.part === {int(key) - 1}")


@parts
def hides_parts(page, key):
    page.press(key)
    pressed("parts-visible")(page)
    page.press(key)
    pressed("parts-visible", "false")(page)


KEYS = {
    "Points": {"V": takes("point", "b"), "P": takes("point", "b")},
    "Brush for the region": {"B": takes("brush", "v"), "R": takes("brush", "v")},
    "Draw boxes": {"R": takes_box},
    "Press at the crosshair": {
        "Enter": presses,
        "Shift+Enter": presses_straight,
        "Alt+Enter": presses_away,
    },
    "Pan (or hold Space)": {"H": takes("pan", "v")},
    "Move things (arrows nudge, Shift farther)": {"V": takes_action("move", "box")},
    "Click things to select them": {"W": takes_action("click", "box")},
    "Draw boxes around things": {"R": takes_action("box", "click")},
    "Draw lines around things": {"L": takes_action("lasso", "box")},
    "Paint things": {"B": takes_action("brush", "box")},
    "Copy things": {"Ctrl+C": copies},
    "Paste things": {"Ctrl+V": pastes},
    "Deselect the chosen thing": {"Del": deselects, "⌫": deselects},
    "Paint parts": {"B": takes_up("paint", "fill")},
    "Fill (Shift-click: all of a part)": {"G": takes_up("fill", "paint")},
    "Erase paint": {"E": takes_up("erase", "paint")},
    "Pick a part (or Alt-click)": {"I": takes_up("pick", "paint")},
    "Show or hide the parts": {"M": hides_parts},
    "Take one of the first parts": {"1": takes_part, "9": takes_part},
    "The box before (arrows move it, with Shift they resize it)": {"[": boxes(chooses_box(0))},
    "The next box": {"]": boxes(chooses_box(0))},
    "Delete the selected box": {"Del": deletes_box, "⌫": deletes_box},
    "Erase, or paint again": {"E": erases},
    "Smaller brush": {"[": resizes},
    "Larger brush": {"]": resizes},
    "Swap “may change” and “must stay”": {"X": swaps},
    "Invert the region": {"I": inverts},
    "Show or hide the region": {"M": hides},
    "Lock or unlock the selected point": {"L": locks},
    "Delete the selected point": {"Del": deletes, "⌫": deletes},
    "Run": {"Ctrl+Enter": runs},
    "Pause or resume": {"K": pauses},
    "Stop the run, or cancel": {"Esc": gives_up},
    "Undo": {"Ctrl+Z": undoes},
    "Redo": {"Ctrl+Shift+Z": redoes, "Ctrl+Y": redoes},
    "One step back": {",": goes([], lambda last: last - 1)},
    "One step on": {".": goes(["Home"], lambda _: 1)},
    "First step": {"Home": goes([], lambda _: 0)},
    "Last step": {"End": goes(["Home"], lambda last: last)},
    "Start at the shown step": {"Enter": starts_here},
    "Branch at the shown step": {"Shift+B": branches},
    "Fit the picture": {"0": fits},
    "100 %": {"1": actual_size},
    "Zoom in": {"+": zooms("z > 1.2"), "=": zooms("z > 1.2")},
    "Zoom out": {"-": zooms("z < 0.9")},
    "Hold to compare with the start": {"C": compares},
    "Grid": {"G": grid, "Shift+G": grid},
    "Dark or light": {"T": theme},
    "Export": {"S": exports},
    "Start page, and back": {"N": start_page},
    "This help": {"?": helps},
}
NAMES = {"Esc": "Escape", "Del": "Delete", "⌫": "Backspace", "Ctrl": "Control"}


def typed(chord: str) -> str:
    """A chord of the help as the keyboard driver writes it."""
    if chord == "+":
        return chord
    parts = [NAMES.get(part, part) for part in chord.split("+")]
    return "+".join([*parts[:-1], parts[-1].lower() if len(parts[-1]) == 1 else parts[-1]])


def test_the_help_lists_these_keys(keyed):
    keyed.click("help")
    listed = keyed.page.evaluate(HELP)
    keyed.click("help-dialog-close")
    keyed.get("help-dialog").wait_for(state="detached")
    assert listed == {does: list(chords) for does, chords in KEYS.items()}


@pytest.mark.parametrize(
    ("chord", "check"),
    [
        pytest.param(chord, check, id=f"{chord}: {does}")
        for does, chords in KEYS.items()
        for chord, check in chords.items()
    ],
)
def test_key(keyed, chord, check):
    check(keyed, typed(chord))


def test_keys_are_letters_while_something_is_typed(keyed):
    field = keyed.get("setting-max_steps")
    field.focus()
    keyed.press("b", "g", "1")
    assert keyed.read("view.tool") == "point"
    assert keyed.get("grid").get_attribute("aria-pressed") == "false"
    keyed.press("Escape")
    field.blur()
    assert keyed.read("document.settings.drag.max_steps") == 400
