"""Fingers and small screens."""

import math

import pytest

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1280, "height": 800}}

OVERFLOW = """() => {
    const rolls = each => {
        for (let up = each.parentElement; up; up = up.parentElement)
            if (getComputedStyle(up).overflowX !== "visible") return true;
        return false;
    };
    const out = [...document.querySelectorAll("body *")].filter(each => {
        const { left, right, width } = each.getBoundingClientRect();
        return width > 1 && each.checkVisibility() && (right > innerWidth + 1 || left < -1) && !rolls(each);
    });
    const wide = [...document.querySelectorAll("html, body, .start, .side, dialog, .dialog-inside, .film, .optionbar")]
        .filter(each => each.scrollWidth > each.clientWidth + 1 && each.checkVisibility());
    return [...out, ...wide].map(each => each.outerHTML.slice(0, 90));
}"""


class Fingers:
    """What a hand does on glass, through the browser's own protocol."""

    def __init__(self, studio) -> None:
        self.studio = studio
        self.devtools = studio.context.new_cdp_session(studio.page)

    def touch(self, kind: str, *places: tuple[float, float]) -> None:
        """All fingers that are on the glass now."""
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self.devtools.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    def tap(self, x: float, y: float) -> None:
        """A pixel of the picture."""
        self.studio.settle()
        self.touch("Start", self.studio.place(x, y))
        self.touch("End")

    def pull(self, *ways: tuple[float, float]) -> None:
        """One finger over pixels of the picture."""
        self.studio.settle()
        self.touch("Start", self.studio.place(*ways[0]))
        for way in ways[1:]:
            self.touch("Move", self.studio.place(*way))
        self.touch("End")

    def pen(self, first: tuple[float, float], last: tuple[float, float], force: float) -> None:
        """A stroke of the pen over pixels of the picture."""
        self.studio.settle()
        for kind, place in (("Pressed", first), ("Moved", first), ("Moved", last), ("Released", last)):
            x, y = self.studio.place(*place)
            event = {"type": f"mouse{kind}", "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
            pressure = 0 if kind == "Released" else force
            self.devtools.send("Input.dispatchMouseEvent", event | {"pointerType": "pen", "force": pressure})


@pytest.fixture
def phone(new_studio, portrait_file):
    return new_studio(**PHONE).open_copy(portrait_file)


@pytest.fixture
def fingers(phone):
    return Fingers(phone)


# ---- fingers


def test_two_taps_make_a_point_and_a_run_follows(phone, fingers):
    fingers.tap(107, 178)
    fingers.tap(60, 110)
    phone.until("s.state.document.points.length === 1")
    handle = phone.read("document.points[0].handle")
    assert math.dist(handle, (107, 178)) < 2
    phone.get("run").tap()
    phone.until("s.run?.step > 1")
    phone.get("stop").tap()
    phone.ended(2)


def test_one_finger_pulls_a_point_and_paints(phone, fingers):
    fingers.pull((107, 178), (100, 165), (90, 150))
    phone.until("s.state.document.points.length === 1")
    phone.get("tool-brush").tap()
    phone.until("s.view.tool === 'brush'")
    fingers.pull((100, 100), (120, 100), (140, 100))
    phone.until("s.state.document.mask")
    painted = phone.mask() > 127
    assert painted[100, 120]
    assert painted.argmax(1)[100] == pytest.approx(80, abs=3), "where the finger was"


def test_two_fingers_zoom_and_pan(phone, fingers):
    fit = phone.read("view.zoom")
    x, y = phone.place(128, 128)
    fingers.touch("Start", (x - 30, y))
    fingers.touch("Start", (x - 30, y), (x + 30, y))
    for reach in (40, 50, 60):
        fingers.touch("Move", (x - reach, y), (x + reach, y))
    fingers.touch("End")
    phone.until(f"Math.abs(s.view.zoom / {fit} - 2) < 0.1")
    assert phone.read("document.points") == []


def test_a_pen_draws_as_thick_as_it_is_pressed(phone, fingers):
    phone.get("tool-brush").tap()
    phone.until("s.view.tool === 'brush'")
    areas = []
    for force, y in ((1.0, 80), (0.3, 180)):
        before = int((phone.mask() > 128).sum()) if phone.read("state.document.mask") else 0
        image = phone.read("state.document.mask?.image")
        fingers.pen((80, y), (120, y), force)
        phone.until(f"s.state.document.mask && s.state.document.mask.image !== '{image}'")
        areas.append(int((phone.mask() > 128).sum()) - before)
    assert areas[1] < 0.7 * areas[0]


# ---- room


def check_room(studio) -> None:
    assert studio.page.evaluate(OVERFLOW) == []


def test_what_sticks_out_is_noticed(phone):
    phone.page.evaluate("document.querySelector('.topbar').style.width = '420px'")
    assert any("topbar" in each for each in phone.page.evaluate(OVERFLOW))


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_sticks_out(new_studio, dragged_file, screen):
    studio = new_studio(**screen).open()
    check_room(studio)
    studio.open_copy(dragged_file)
    check_room(studio)
    studio.click("tool-brush")
    check_room(studio)
    studio.click("tool-point")
    studio.point((107, 178), (60, 110))
    for name in ("points", "settings", "progress", "film", "branches"):
        if studio.get(f"tab-{name}").is_visible():
            studio.click(f"tab-{name}")
            if studio.get(f"tab-{name}").get_attribute("aria-selected") == "false":
                studio.click(f"tab-{name}")
        if name == "settings":
            studio.click("settings-more")
        check_room(studio)
    studio.click("export")
    for what in ("picture", "animation", "latent", "project", "script"):
        studio.click(f"export-what-{what}")
        check_room(studio)
    studio.click("export-dialog-close")
    studio.click("help")
    check_room(studio)
    studio.click("help-dialog-close")
    studio.click("home")
    studio.get("back-to-work").wait_for()
    check_room(studio)


def test_the_panels_are_tabs_of_a_sheet(phone):
    sections = {"points": "points", "settings": "settings", "progress": "progress", "branches": "branches"}
    for tab, section in sections.items():
        if phone.get(f"tab-{tab}").get_attribute("aria-selected") == "false":
            phone.get(f"tab-{tab}").tap()
        shown = [each for each in sections.values() if phone.get(f"{each}-section").is_visible()]
        assert shown == [section]
    small = phone.page.evaluate(
        """() => [...document.querySelectorAll("button")].filter(each => each.checkVisibility())
            .filter(each => each.getBoundingClientRect().height < 40).map(each => each.dataset.testid)"""
    )
    assert small == []
