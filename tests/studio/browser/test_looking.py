"""Zoom, pan, grid, theme, help, and what a screen reader and a keyboard find."""

import re

import pytest

UNNAMED = """() => [...document.querySelectorAll("button, input, select, textarea, [role=slider], [role=meter], summary")]
    .filter(each => each.checkVisibility())
    .filter(each => !(each.ariaLabel || each.innerText?.trim() || [...(each.labels ?? [])].some(l => l.innerText.trim())))
    .map(each => each.outerHTML.slice(0, 120))"""


def under(studio) -> list[int]:
    """The pixel of the picture under the pointer, as the page says."""
    return [int(each) for each in studio.page.locator(".pointer").inner_text().split(", ")]


def shown(studio, testid: str, attribute: str) -> str | None:
    return studio.get(testid).get_attribute(attribute)


# ---- zoom and pan


def test_the_wheel_zooms_to_the_cursor(portrait):
    fit = portrait.read("view.zoom")
    portrait.page.mouse.move(*portrait.place(200, 40))
    assert under(portrait) == [200, 40]
    for _ in range(4):
        portrait.page.mouse.wheel(0, -240)
    portrait.until(f"s.view.zoom > {2 * fit}")
    portrait.page.wait_for_timeout(100)
    assert max(abs(a - b) for a, b in zip(under(portrait), (200, 40), strict=True)) <= 1
    portrait.press("0")
    portrait.until(f"Math.abs(s.view.zoom - {fit}) < 1e-6")
    portrait.press("1")
    portrait.until("Math.abs(s.view.zoom - 1) < 1e-6")
    assert portrait.words("zoom-actual") == "100 %"
    portrait.press("+")
    portrait.until("Math.abs(s.view.zoom - 1.25) < 1e-6")
    portrait.press("-")
    portrait.until("Math.abs(s.view.zoom - 1) < 1e-6")
    portrait.click("zoom-in")
    portrait.until("Math.abs(s.view.zoom - 1.25) < 1e-6")
    portrait.click("zoom-out")
    portrait.click("zoom-fit")
    portrait.until(f"Math.abs(s.view.zoom - {fit}) < 1e-6")


@pytest.mark.parametrize("way", ["space", "hand", "middle"])
def test_panning_takes_the_picture_along(portrait, way):
    portrait.press("h" if way == "hand" else "v")
    x, y = portrait.place(100, 100)
    portrait.page.mouse.move(x, y)
    if way == "space":
        portrait.page.keyboard.down("Space")
    button = "middle" if way == "middle" else "left"
    portrait.page.mouse.down(button=button)
    portrait.page.mouse.move(x + 60, y - 40, steps=4)
    portrait.page.mouse.up(button=button)
    if way == "space":
        portrait.page.keyboard.up("Space")
    portrait.page.wait_for_timeout(100)
    assert max(abs(each - 100) for each in under(portrait)) <= 1
    assert portrait.read("document.points") == []


# ---- dark and light, help


def test_the_theme_is_dark_or_light_and_remembered(portrait):
    assert portrait.page.evaluate("document.documentElement.dataset.theme") == "light"
    light = portrait.screen().mean()
    portrait.click("theme")
    portrait.page.wait_for_timeout(300)
    assert portrait.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert portrait.screen().mean() < light - 60
    portrait.reload()
    assert portrait.page.evaluate("document.documentElement.dataset.theme") == "dark"
    portrait.press("t")
    assert portrait.page.evaluate("document.documentElement.dataset.theme") == "light"


def test_the_theme_follows_the_system_at_first(new_studio):
    studio = new_studio(color_scheme="dark").open()
    assert studio.page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_help_is_searched(portrait):
    portrait.click("help")
    portrait.get("help-search").fill("undo")
    assert portrait.page.locator("[data-testid=help-keys] dt").all_inner_texts() == ["Undo"]
    portrait.get("help-search").fill("no such thing")
    assert "No key does that" in portrait.words("help-keys")
    portrait.press("Escape")
    portrait.get("help-dialog").wait_for(state="detached")


def test_motion_is_reduced_where_the_system_asks_for_it(new_studio):
    studio = new_studio(reduced_motion="reduce").open()
    durations = "getComputedStyle(document.querySelector('[data-testid=shuffle]')).transitionDuration"
    assert set(studio.page.evaluate(durations).split(", ")) == {"0s"}


# ---- for everybody


def test_every_control_has_a_name(portrait):
    portrait.point((107, 178), (90, 160))
    portrait.press("b")
    portrait.click("settings-more")
    assert portrait.page.evaluate(UNNAMED) == []
    portrait.press("s")
    for what in ("animation", "script"):
        portrait.get("export-dialog").wait_for()
        if portrait.get(f"export-what-{what}").locator("input").is_enabled():
            portrait.click(f"export-what-{what}")
        assert portrait.page.evaluate(UNNAMED) == []
    portrait.press("Escape")
    portrait.get("export-dialog").wait_for(state="detached")
    portrait.press("?")
    portrait.get("help-dialog").wait_for()
    assert portrait.page.evaluate(UNNAMED) == []
    portrait.press("Escape")
    portrait.get("help-dialog").wait_for(state="detached")
    portrait.click("home")
    portrait.get("gallery").wait_for()
    assert portrait.page.evaluate(UNNAMED) == []


def test_the_tab_key_reaches_run_and_comes_round(portrait):
    portrait.point((107, 178), (90, 160))
    focused = "document.activeElement?.dataset?.testid ?? document.activeElement?.tagName"
    met = []
    while len(met) < 120 and met.count("home") < 2:
        portrait.press("Tab")
        met.append(portrait.page.evaluate(focused))
    assert met.count("home") == 2
    met = met[met.index("home") :]
    assert {"tool-point", "canvas", "run", "point-1-lock", "setting-max_steps", "export"} <= set(met)
    assert met.index("tool-point") < met.index("canvas") < met.index("run")
    portrait.get("run").focus()
    outline = portrait.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


def test_the_canvas_says_its_points(portrait):
    portrait.point((107, 178), (90, 160))
    words = portrait.page.locator(".canvas-words[aria-live]")
    assert re.search(r"1.*107, 178.*90, 160", words.inner_text())
    portrait.get("canvas").focus()
    portrait.click("point-1-select")
    portrait.get("canvas").focus()
    target = portrait.read("document.points[0].target")
    portrait.press("ArrowRight")
    portrait.until(f"s.state.document.points[0].target[0] === {target[0] + 1}")
    portrait.press("Shift+ArrowUp")
    portrait.until(f"s.state.document.points[0].target[1] === {target[1] - 10}")
