"""Drawings in the studio: traced from a photo, opened from an SVG, their layers, and what can be taken out of them."""

import io
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image, ImageDraw

from opened_drawings import SVG, opened
from pliant import catalogue
from pliant.catalogue import Inputs
from pliant.picture import PixelPicture
from pliant.project import Project
from pliant.studio.messages import LISTED_PATHS
from pliant.studio.studio import Studio
from pliant.vector.layers import LayerChanges, change_layers
from pliant.vector.scene import VectorPicture
from pliant.vector.svg import read_svg
from pliant.vector.svg_writer import svg_text
from pliant.vector.trace import TraceSettings, trace
from served import living_in, make_home, picture_of, serve
from text_images import save_words


def photo(size=(64, 48)):
    """Two flat things on a ground."""
    image = Image.new("RGB", size, "#30507a")
    draw = ImageDraw.Draw(image)
    draw.ellipse((8, 8, 34, 34), fill="#e0b040")
    draw.rectangle((38, 20, 58, 44), fill="#a03028")
    return image


@pytest.fixture(scope="module")
def own_home(tmp_path_factory):
    """A home with a text-image model beside the generators."""
    home = make_home(tmp_path_factory.mktemp("home"))
    save_words(home / "models" / "tiny-words")
    with living_in(home):
        yield


def address(place, rest=""):
    return f"frames/{place['node']}/{place['step']}{rest}"


def previewed(page):
    """What the last of the two frames of a preview shows; a page that is late gets only that one."""
    while (frame := page.until("frame"))["step"] == 0:
        assert frame["node"] is None
    return np.array(Image.open(io.BytesIO(frame["image"])))


def traced(page, **changes):
    """Trace a photo; where it is."""
    page.upload(photo())
    page.do("change", label="Mode", edit="trace", **changes)
    return page.run()[1]


# ---- tracing


def test_a_photo_is_traced_round_by_round(page):
    state = traced(page, settings={"colours": "3 5"})
    place, node = state["document"]["at"], state["nodes"][-1]
    assert (node["kind"], node["edit"], node["steps"], node["size"]) == ("vector", "trace", 2, [64, 48])
    assert state["document"]["edit"] == "restyle"
    steps = [page.get(address({"node": place["node"], "step": step}, "/layers")).json for step in (0, 1)]
    assert [len(step["groups"]) for step in steps] == [1, 2]
    facts = page.facts(place["node"])["facts"]
    assert min(fact["psnr"] for fact in facts) > 15
    assert {fact["stage"] for fact in facts} <= {"trace", None}
    expected = trace(photo(), settings=TraceSettings((3, 5)))
    assert np.array_equal(picture_of(page.frame(place)), np.array(expected.image()))


def test_a_box_gets_a_round_of_its_own(page):
    page.upload(photo())
    page.do("change", label="Mode", edit="trace", settings={"colours": "2 3", "region_colours": 4})
    page.do("change", label="Box", boxes=[[36, 18, 24, 28]])
    _, state = page.run()
    groups = page.get(address(state["document"]["at"], "/layers")).json["groups"]
    assert [group["id"] for group in groups] == [
        "round-1-2-colours",
        "round-2-3-colours",
        "region-1-4-colours",
    ]


@pytest.mark.parametrize(
    ("box", "part"), [([70, 5, 10, 10], "Box 1 is outside the picture"), ([5, 5, 0, 10], "Box 1 has no size")]
)
def test_a_box_that_cannot_be_used_is_refused(page, box, part):
    page.upload(photo())
    assert part in page.refused("change", label="Box", boxes=[box])
    page.until("state")
    assert part in page.refused("change", label="Box", prompts=[{"text": "red", "box": box}])


# ---- opening


def test_an_svg_is_opened(page):
    state = opened(page)
    node = state["nodes"][-1]
    assert (node["kind"], node["size"], node["title"]) == ("vector", [60, 40], "Drawing")
    assert state["document"]["edit"] == "restyle"
    expected = read_svg(SVG)
    frame = picture_of(page.frame(state["document"]["at"]))
    assert frame.shape == (40, 60, 3)
    assert tuple(frame[33, 20]) == (0x8B, 0x5A, 0x2B)
    sent = page.served.post("/api/drawings", SVG)
    assert sent.json["left_out"] == list(expected.left_out)
    assert any("text" in each for each in expected.left_out)


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"no drawing", "not an SVG"),
        (b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>', "entit"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>', "nothing in the drawing"),
        (b"", "empty"),
    ],
)
def test_an_svg_that_cannot_be_drawn_is_refused_with_a_sentence(page, data, part):
    answer = page.served.post("/api/drawings", data)
    assert answer.status == 400
    assert part in answer.sentence


def test_an_svg_that_is_too_large_is_refused_before_it_is_read(own_home, tmp_path):
    from pliant.studio.limits import Limits

    with serve(Studio(tmp_path, model="tiny", limits=Limits(drawing_bytes=1024**2))) as served:
        answer = served.post("/api/drawings", b"<svg/>", Content_Length=str(2 * 1024**2))
        assert answer.sentence == "The file is too large: at most 1 MB."


def test_a_drawing_that_is_gone_is_said_so(page):
    assert page.refused("use_drawing", drawing="0" * 64).startswith("The file is not here any more")


# ---- layers


def test_the_layers_are_told(page):
    place = opened(page)["document"]["at"]
    found = page.get(address(place, "/layers")).json
    assert [(g["id"], g["parent"], g["paths"]) for g in found["groups"]] == [("tree", -1, 3), ("crown", 0, 2)]
    plain = {"hidden": False, "locked": False}
    assert found["runs"] == [
        {"group": 1, "first": 0, "count": 2, **plain},
        {"group": 0, "first": 2, "count": 1, **plain},
    ]
    assert found["loose"] == 1
    assert next((s["colour"], s["paths"]) for s in found["swatches"]) == ("#2e8b57", 2)
    assert {s["colour"] for s in found["swatches"]} == {"#2e8b57", "#8b5a2b", "#ffcc00", "#cc8800"}
    crown = page.get(address(place, "/layers/1")).json
    assert [path["number"] for path in crown["paths"]] == [1, 0]
    tree = page.get(address(place, "/layers/0")).json
    assert [(path["number"], path["name"]) for path in tree["paths"]] == [(2, "trunk")]
    loose = page.get(address(place, "/layers/-1")).json["paths"]
    assert [(path["fill"] >= 0, path["stroke"] >= 0) for path in loose] == [(True, True)]


def test_colours_that_are_seen_come_first(page):
    """Two green paths are hidden under one that is red, beside a sliver of blue."""
    green = '<path fill="#00ff00" d="M1,1L30,1L30,30L1,30Z"/>'
    svg = f"""<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><style>.g{{fill:#00ff00}}</style>
    {green.replace('fill="#00ff00"', 'class="g"') * 2}<path fill="#ff0000" d="M0,0L40,0L40,35L0,35Z"/>
    <path fill="#0000ff" d="M50,0L55,0L55,40L50,40Z"/><path fill="#ffff00" d="M80,0L90,0L90,40L80,40Z"/></svg>"""
    swatches = page.get(address(opened(page, svg.encode())["document"]["at"], "/layers")).json["swatches"]
    assert [each["colour"] for each in swatches] == ["#ff0000", "#0000ff", "#00ff00", "#ffff00"]


def test_paths_are_told_a_few_hundred_at_a_time(page):
    count = LISTED_PATHS + 5
    paths = "".join(f'<path d="M{x % 50},1L{x % 50 + 5},1L3,9Z"/>' for x in range(count))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40">{paths}</svg>'
    place = opened(page, svg.encode())["document"]["at"]
    first = page.get(address(place, "/layers/-1")).json
    assert (len(first["paths"]), first["total"]) == (LISTED_PATHS, count)
    assert first["paths"][0]["number"] == count - 1
    rest = page.get(address(place, f"/layers/-1?start={LISTED_PATHS}")).json["paths"]
    assert [path["number"] for path in rest] == [4, 3, 2, 1, 0]


def test_layers_are_changed_previewed_kept_and_undone(page):
    place = opened(page)["document"]["at"]
    page.do("change", label="Mode", edit="layers")
    swatch = next(s for s in page.get(address(place, "/layers")).json["swatches"] if s["colour"] == "#2e8b57")
    changes = {"hidden": [2], "locked": ["crown"], "swatches": {str(swatch["number"]): "#ff0000"}}
    state = page.do("change", label="Recolour", layers=changes)
    assert state["document"]["layers"] == {"shown": [], "unlocked": [], **changes}
    page.send("preview")
    shown = previewed(page)
    assert np.abs(shown[8, 20].astype(int) - (255, 0, 0)).max() < 20
    page.state()
    _, state = page.run()
    given, row = VectorPicture(read_svg(SVG).scene), swatch["number"]
    expected = change_layers(given, LayerChanges((2,), (), ("crown",), (), {row: "#ff0000"}))
    kept = state["document"]["at"]
    assert np.array_equal(picture_of(page.frame(kept)), np.array(expected.image()))
    assert state["document"]["layers"] == {
        "hidden": [],
        "shown": [],
        "locked": [],
        "unlocked": [],
        "swatches": {},
    }
    runs = page.get(address(kept, "/layers")).json["runs"]
    assert [(run["group"], run["hidden"], run["locked"]) for run in runs] == [
        (1, False, True),
        (0, True, False),
    ]
    back = page.do("undo")
    assert (back["document"]["at"], back["document"]["layers"]["hidden"]) == (place, [2])
    assert page.do("undo")["document"]["layers"]["hidden"] == []


def test_a_layer_that_is_not_there_is_refused(page):
    opened(page)
    assert page.refused("change", label="Hide", layers={"hidden": ["roots"]}).startswith(
        "There is no layer or path"
    )
    page.until("state")
    assert page.refused("change", label="Hide", layers={"hidden": [9]}).startswith("There is no path 9")
    page.until("state")
    page.upload(photo())
    refused = page.refused("change", label="Hide", layers={"hidden": [0]})
    assert refused == "This picture is not a drawing; trace it to one first."


def test_the_layers_of_another_mode_are_shown_before_it_runs(page):
    opened(page)
    page.do("change", label="Hide", layers={"hidden": ["tree"]})
    page.send("preview", edit="layers", layers={"hidden": ["crown"]})
    shown = previewed(page)
    assert shown[8, 20].min() > 240
    assert shown[33, 20].max() < 200


# ---- out of the studio


def test_a_frame_as_svg_is_the_drawing_and_may_do_nothing(page):
    place = opened(page)["document"]["at"]
    answer = page.get(address(place, "/drawing.svg"))
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert answer.body.decode() == svg_text(read_svg(SVG).scene)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_drawing_is_exported_as_svg_and_says_how_it_was_made(page):
    place = traced(page, settings={"colours": "3 5"})["document"]["at"]
    name, data = page.export("svg", place)
    assert name.endswith(".svg")
    root = ET.fromstring(data)
    metadata = root.find("{http://www.w3.org/2000/svg}metadata")
    assert '"edit": "trace"' in metadata.text
    assert read_svg(data).scene.groups[1].id == "round-2-5-colours"
    name, png = page.export("png", place)
    assert np.array_equal(picture_of(png), picture_of(page.frame(place)))
    name, movie = page.export("gif", place)
    assert movie[:3] == b"GIF"


def test_a_large_drawing_is_painted_smaller_but_for_its_picture(page):
    svg = SVG.replace(b'width="60" height="40"', b'width="3000" height="2000"')
    state = opened(page, svg)
    place = state["document"]["at"]
    assert state["nodes"][-1]["size"] == [3000, 2000]
    still = picture_of(page.frame(place))
    assert still.shape == (1365, 2048, 3)
    assert tuple(still[33 * 1365 // 40, 20 * 2048 // 60]) == (0x8B, 0x5A, 0x2B)
    page.do("change", label="Hide", edit="layers", layers={"hidden": [2]})
    _, state = page.run()
    frame = next(each for each in page.log if each["type"] == "frame")
    assert Image.open(io.BytesIO(frame["image"])).size == (1024, 683)
    _, movie = page.export("gif", state["document"]["at"])
    assert Image.open(io.BytesIO(movie)).size == (1920, 1280)


def test_other_pictures_are_not_exported_as_svg(page):
    place = page.sample()
    assert "not a drawing" in page.refused("export", format="svg", place=place)
    assert page.get(address(place, "/drawing.svg")).status == 400
    assert "not a drawing" in page.get(address(place, "/layers")).sentence


def test_a_project_of_a_drawing_is_opened_again(page, tmp_path):
    place = traced(page, settings={"colours": "3 5"})["document"]["at"]
    frame = page.frame(place)
    _, data = page.export("project", place)
    path = tmp_path / "drawn.pliant"
    path.write_bytes(data)
    kept = Project.open(path)
    assert np.array_equal(np.array(kept.picture(place["node"], place["step"]).image()), picture_of(frame))
    session = page.served.post("/api/projects", data).json["session"]
    with page.served.page(session) as again:
        assert again.frame(place) == frame


def test_an_edit_of_photos_runs_as_the_library_call(page):
    place = traced(page, settings={"colours": "3 5"})["document"]["at"]
    edit = catalogue.get("trace")
    run = edit.run(PixelPicture.of(photo()), Inputs(), edit.make_settings({"colours": "3 5"}))
    *_, last = run
    assert np.array_equal(picture_of(page.frame(place)), np.array(last.image))
