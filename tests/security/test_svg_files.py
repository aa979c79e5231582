"""SVG files that nobody vouches for: each is refused in one sentence, or read without what could do harm."""

import contextlib
import gzip
import socket
import time

import pytest

from pliant.errors import InputError
from pliant.vector.svg import read_svg
from pliant.vector.svg_xml import MAX_BYTES

NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
SQUARE = '<path d="M1 1h8v8h-8z"/>'


def drawing(inside, attributes='width="10" height="10"', before=""):
    return f"{before}<svg {NAMESPACES} {attributes}>{inside}</svg>".encode()


def refused(data, words):
    """One sentence, and soon."""
    began = time.perf_counter()
    with pytest.raises(InputError, match=words) as caught:
        read_svg(data)
    assert time.perf_counter() - began < 60
    message = str(caught.value)
    assert len(message) < 300
    assert "\n" not in message


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def connect(*_):
        raise AssertionError

    monkeypatch.setattr(socket.socket, "connect", connect)


LAUGHS = "<!DOCTYPE svg [<!ENTITY a 'ha'>" + "".join(
    f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(12)
)


def test_entities_are_not_expanded():
    refused(drawing("<title>&m;</title>" + SQUARE, before=LAUGHS + "]>"), "defines entities")
    refused(
        drawing(SQUARE.replace("M1", "&a;"), before="<!DOCTYPE svg [<!ENTITY a 'M1'>]>"), "defines entities"
    )
    refused(drawing(SQUARE, before="<!DOCTYPE svg [<!ENTITY % a SYSTEM 'x.dtd'> %a;]>"), "defines entities")
    refused(drawing("&undeclared;" + SQUARE), "not an SVG that can be read")


def test_no_file_is_read_through_an_entity(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("M0 0h5v5z")
    before = f'<!DOCTYPE svg [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    refused(drawing('<title>&x;</title><path d="&x;"/>', before=before), "defines entities")


def test_a_document_type_elsewhere_is_not_fetched():
    before = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://nowhere.invalid/svg11.dtd">'
    assert len(read_svg(drawing(SQUARE, before=before)).scene) == 1


def test_names_of_namespaces_as_illustrator_writes_them_are_read():
    before = '<!DOCTYPE svg [<!ENTITY ns_svg "http://www.w3.org/2000/svg">]>'
    data = f'{before}<svg xmlns="&ns_svg;" width="9" height="9">{SQUARE}</svg>'
    assert len(read_svg(data.encode()).scene) == 1


def test_scripts_and_pictures_are_left_out():
    inside = (
        "<script>alert(1)</script><image xlink:href='http://nowhere.invalid/a.png' width='5' height='5'/>"
        "<image href='file:///etc/passwd'/><foreignObject><p>hello</p></foreignObject><text>hello</text>"
        "<style>@import url(http://nowhere.invalid/a.css); .a { fill: url(http://nowhere.invalid/#g) }</style>"
        f"<use href='http://nowhere.invalid/a.svg#b'/><g onload='alert(1)'>{SQUARE}</g><path class='a' d='M0 0h1v1'/>"
    )
    drawn = read_svg(drawing(inside))
    assert len(drawn.scene) == 1
    assert {"1 x script", "2 x image", "1 x foreignObject", "1 x text"} <= set(drawn.left_out)
    assert "1 x use of something that is not in the file" in drawn.left_out


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not an SVG"),
        (b"hello", "not an SVG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "not an SVG"),
        (b"<html><body/></html>", "outermost"),
        (drawing(SQUARE)[:-9], "not an SVG that can be read"),
        (gzip.compress(drawing(SQUARE)), "compressed"),
        (drawing(SQUARE).decode().encode("utf-16"), "UTF-8"),
        (b"<?xml version='1.0' encoding='utf-7'?>" + drawing(SQUARE), "UTF-8"),
        (b"<" + b" " * MAX_BYTES, "too large"),
    ],
)
def test_what_is_no_svg_is_refused(data, words):
    refused(data, words)


@pytest.mark.parametrize(
    "text", ["a" * 3_000_000, "1" * 3_000_000, "M" * 3_000_000, "(" * 3_000_000, "}" * 3_000_000]
)
@pytest.mark.parametrize(
    "place", ["d", "transform", "style", "viewBox", "class", "points", "sheet", "fill", "arc"]
)
def test_long_nonsense_ends_soon(text, place):
    inside = {
        "d": f'<path d="{text}"/>',
        "arc": f'<path d="M0 0A{text}"/>',
        "points": f'<polygon points="{text}"/>',
        "sheet": f"<style>{text}</style>",
        "viewBox": SQUARE,
    }.get(place, f'<path d="M0 0h1v1" {place}="{text}"/>')
    attributes = f'viewBox="{text}"' if place == "viewBox" else 'width="10" height="10"'
    began = time.perf_counter()
    with contextlib.suppress(InputError):
        read_svg(drawing(inside, attributes))
    assert time.perf_counter() - began < 30


def test_too_much_is_refused():
    refused(drawing(f'<path d="M0 0{"l1 1" * 1_000_000}"/>'), "more than 300000 path commands")
    refused(drawing(f'<path d="M0 0L{"1 " * 1_000_000}"/>'), "more than 300000 path commands")
    refused(drawing(f'<polygon points="{"1 " * 1_000_000}"/>'), "more than 300000 path commands")
    refused(drawing("<path d='M0 0h1'/>" * 100_001), "more than 100000 elements")
    refused(drawing("<g>" * 120 + SQUARE + "</g>" * 120), "deep")
    refused(drawing("<g>" * 5_000 + SQUARE + "</g>" * 5_000), "not an SVG that can be read")
    rules = "".join(f".a{n}{{fill:red}}" for n in range(6_000))
    refused(drawing(f"<style>{rules}</style>{SQUARE}"), "style rules")
    rules = "".join(f".a.b{n}{{fill:red}}" for n in range(5_000))
    refused(drawing(f"<style>{rules}</style>" + '<path class="a" d="M0 0h1"/>' * 90_000), "style sheet")


def test_copies_of_copies_are_refused():
    inside = "<g id='a0'>" + SQUARE + "</g>"
    for n in range(1, 12):
        inside += f"<g id='a{n}'>" + f"<use href='#a{n - 1}'/>" * 10 + "</g>"
    refused(drawing(inside), "repeats parts")
    refused(drawing("<g id='a'><use href='#a'/></g>" + SQUARE), "repeats parts")
    refused(drawing("<use id='a' href='#b'/><use id='b' href='#a'/>" + SQUARE), "repeats parts")
    long = f"<path id='a' d='M0 0h1' transform='{' ' * 1_000_000}'/>"
    refused(drawing(long + "<use href='#a'/>" * 1_000), "repeats parts")


def test_gradients_that_name_each_other_end():
    inside = "<linearGradient id='a' href='#b'/><linearGradient id='b' href='#a'/><path fill='url(#a)' d='M0 0h1v1'/>"
    refused(drawing(inside), "nothing in the drawing")


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ('<path d="M0 0L5 NaN z"/>', "cannot be read at 'N'"),
        ('<path d="M0 0L5 1e999 z"/>', "too large"),
        ('<path d="M0 0L5 1e30 z"/>', "million pixels"),
        ('<path d="M0 0L5 5" transform="scale(1e300) scale(1e300)"/>', "by too much"),
        ('<path d="M0 0L5 5" transform="scale(1e7)"/>', "million pixels"),
        ('<path d="M0 0L5 5" transform="matrix(NaN 0 0 1 0 0)"/>', "NaN"),
        ('<path d="M0 0L5 5" transform="spin(3)"/>', "spin"),
        ('<path d="M0 0L5"/>', "1 numbers after 'L'"),
        ('<path d="L5 5"/>', "not with M"),
        ('<path d="M0 0 # 5"/>', "cannot be read at '#'"),
        ('<path d="M0 0A1 1 0 2 1 3 3"/>', "cannot be read"),
        ('<circle r="inf"/>', "not a length"),
        ('<rect width="3 apples" height="2"/>', "not a length"),
        (
            '<rect width="0" height="5"/><circle r="-1"/><path d=""/><path d="M5 5z"/><polygon points="1 1"/>',
            "nothing",
        ),
        ("", "nothing"),
        ('<path d="M0 0h9v9z" fill="none"/>', "nothing"),
    ],
)
def test_values_that_cannot_be_drawn_are_refused(inside, words):
    refused(drawing(inside), words)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ('width="0" height="10"', "no area"),
        ('width="-5" height="10"', "no area"),
        ('width="NaN" height="10"', "not a length"),
        ('viewBox="0 0 0 10"', "no area"),
        ('viewBox="0 0 10"', "no area"),
        ('viewBox="0 0 NaN 10"', "cannot be read"),
        ('width="1e9" height="1e9"', "megapixels"),
        ('viewBox="0 0 1e200 1e200"', "megapixels"),
        ('width="1000in" height="1000in"', "megapixels"),
    ],
)
def test_canvases_that_cannot_be_are_refused(attributes, words):
    refused(drawing(SQUARE, attributes), words)


def test_a_drawing_without_a_size_is_as_large_as_what_is_in_it():
    scene = read_svg(drawing(SQUARE, "")).scene
    assert scene.size == (9, 9)
    assert scene.points.max() == 9
    refused(drawing('<path d="M-5-5h3v3z"/>', ""), "no area")
    refused(drawing('<path d="M0 0h900000v900000z"/>', ""), "megapixels")


def test_a_file_that_is_not_there(tmp_path):
    refused(str(tmp_path / "no.svg"), "There is no file")
    refused(str(tmp_path), "There is no file")
