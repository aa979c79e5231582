"""SVG in and out: against resvg on the original file, hand calculations, and round trips."""

import io
import math
from dataclasses import replace

import numpy as np
import pytest
import resvg_py
import torch
from PIL import Image

from pliant.errors import InputError
from pliant.vector.outline import Path, Subpath, assemble, polygon
from pliant.vector.scene import Group
from pliant.vector.svg import read_svg
from pliant.vector.svg_style import MOST_RULES
from pliant.vector.svg_writer import save_svg, svg_text

import drawings

HEAD = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
ROUND = 'stroke-linecap="round" stroke-linejoin="round"'


def read(inside, attributes='width="64" height="64"'):
    return read_svg(f"<svg {HEAD} {attributes}>{inside}</svg>".encode())


def painted(text):
    """What resvg makes of it on white, [3, H, W] in 0 to 1."""
    png = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text, dpi=96)))).convert("RGBA")
    white = Image.new("RGBA", png.size, "white")
    pixels = np.array(Image.alpha_composite(white, png).convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


SAME = {
    "path letters": '<path d="M4 4h20v9H9l-3 30q9 9 20-4t20 0c4 4 8-8 9-20s-4-9-9-4Q30 20 26 6z"/>',
    "letters after z": '<path d="m4 4 9 0 0 9z l4 20 9 0z M40 40z m-9 2 l9 3 3 9" fill="green"/>',
    "numbers that stick": '<path d="M10-5.5.5e1 30+20.5-3 9.5.5z" fill="#08f"/>',
    "arcs": '<path d="M8 20A12 8 0 0 1 30 20A12 18 30 1 0 50 40a6 6 0 01-12.5.5a4 2 20 10-9 3L8 60a9 9 0 0 0 0-30z"/>',
    "arcs that are too small": '<path d="M8 20a2 3 20 0 1 40 9a5 5 0 0 0 4 12a0 3 0 0 1-30 9z" fill="purple"/>',
    "half circles": '<path d="M10 30a10 10 0 0 1 20 0a10 10 0 0 1-20 0M40 30a8 8 0 1 0 16 0a8 8 0 0 0-16 0"/>',
    "shapes": '<rect x="2" y="3" width="30" height="20" rx="6"/><circle cx="45" cy="14" r="11" fill="red"/>'
    '<ellipse cx="20" cy="45" rx="14" ry="9" fill="#0f08"/><polygon points="40,30 60,40 50,60,35 55" fill="teal"/>'
    '<rect x="1" y="50" width="20" height="10" rx="50" ry="3" fill="orange"/>',
    "strokes": f'<g {ROUND} fill="none" stroke="navy" stroke-width="3"><line x1="5" y1="5" x2="50" y2="20"/>'
    '<polyline points="5 30 20 60 30 30"/><path d="M40 30l20 0l0 20z"/><path d="M35 60c9-20 9 20 20-4"/></g>',
    "fill and stroke": f'<g {ROUND}><circle cx="30" cy="30" r="20" fill="gold" fill-opacity=".5" stroke="#123"'
    ' stroke-width="4"/><path d="M9 9h9v9z" fill="none" stroke="red" stroke-opacity=".4" stroke-width="2"/></g>',
    "even-odd": '<path fill-rule="evenodd" d="M5 5h50v50h-50z M15 15h30v30h-30z"/><path d="M20 20h9v9h-9zm2 2v5h5v-5z" '
    'fill="red"/>',
    "transforms": '<g transform="translate(30 30) rotate(30)"><rect x="-10" y="-10" width="20" height="9"/><g '
    'transform="scale(2,.5),skewX(20)"><circle r="6" cy="20" fill="red"/></g></g><rect width="9" height="5" fill="blue" '
    'transform="rotate(-20 40 50) matrix(1 .2 -.3 1.2 40 50) skewY(10)"/>',
    "use": '<defs><path id="a" d="M0 0h9v9z"/><symbol id="s" viewBox="0 0 10 10" overflow="visible"><circle cx="5" cy="5" '
    'r="4"/></symbol></defs><use href="#a" x="9" y="4" fill="red"/><use xlink:href="#a" transform="scale(2) '
    'translate(10 10)"/><use href="#s" x="4" y="30" width="20" height="30" fill="green"/>',
    "nested": '<svg x="8" y="9" width="40" height="20" viewBox="0 0 10 10" overflow="visible"><rect width="10" height="10"/>'
    '<circle cx="50%" cy="5" r="20%" fill="red"/></svg>',
    "styles": "<style>/* a {fill:red} */ path{fill:red} .b, .c{fill:blue;stroke:none} path.c{fill:lime} #d{fill:teal!important}"
    '</style><path d="M0 0h9v9z"/><path class="b" d="M10 0h9v9z" fill="pink"/><path class="x c" d="M20 0h9v9z"/><path class="b"'
    ' style="fill:rgb(50%, 0%, 99.5%)" d="M30 0h9v9z"/><path class="c" id="d" d="M40 0h9v9z"/><g fill="red" color="#850">'
    '<circle r="9" cy="40" cx="20"/><circle r="9" cy="40" cx="40" fill="currentColor"/><circle r="5" cy="40" cx="55" '
    'fill="rgba(0,128,255,.5)"/></g>',
    "opacity": '<g opacity=".5"><path d="M5 5h20v20z"/><path d="M30 30h20v20z" opacity=".5" fill="red"/></g>',
    "hidden": '<path d="M5 5h20v20z"/><path d="M30 30h20v20z" display="none"/><g visibility="hidden"><path d="M0 0h9v9z"/>'
    '<path d="M30 0h9v9z" visibility="visible" fill="red"/></g>',
    "flat gradient": '<linearGradient id="g"><stop offset="0" stop-color="red" stop-opacity=".5"/><stop offset="100%" '
    'stop-color="red" stop-opacity=".5"/></linearGradient><path d="M5 5h40v40z" fill="url(#g)"/>',
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_read_and_written_again_it_looks_the_same(name):
    text = f'<svg {HEAD} width="64" height="64">{SAME[name]}</svg>'
    expected, made = painted(text), painted(svg_text(read_svg(text.encode()).scene))
    assert (
        drawings.psnr(made, expected) > 42
    )  # resvg draws quadratics of fewer lines than cubics; all others: > 50


@pytest.mark.parametrize(
    "attributes",
    [
        'width="64" height="48" viewBox="0 0 20 20"',
        'width="64" height="48" viewBox="-5 3 20 20" preserveAspectRatio="xMinYMax meet"',
        'width="64" height="48" viewBox="0 0 20 20" preserveAspectRatio="xMaxYMin slice"',
        'width="64" height="48" viewBox="0 0 20 20" preserveAspectRatio="none"',
        'width="0.5in" height="1cm" viewBox="0 0 20 20"',
        'viewBox="0 0 20 20"',
        'width="60" viewBox="0 0 20 10"',
        'width="100%" height="100%" viewBox="0 0 20 20"',
    ],
)
def test_canvases_lie_where_resvg_puts_them(attributes):
    inside = '<circle cx="10" cy="10" r="8"/><path d="M0 0h6v6z" fill="red"/>'
    expected = painted(f"<svg {HEAD} {attributes}>{inside}</svg>")
    scene = read(inside, attributes).scene
    assert (round(scene.size[1]), round(scene.size[0])) == expected.shape[1:]
    assert drawings.psnr(painted(svg_text(scene)), expected) > 40


def test_an_arc_is_a_quarter_of_a_circle():
    scene = read('<path d="M10 0A10 10 0 0 1 0 10" fill="none" stroke="red"/>').scene
    handle = 10 * 4 / 3 * (math.sqrt(2) - 1)
    expected = torch.tensor([[10, 0], [10, handle], [handle, 10], [0, 10]])
    assert torch.allclose(scene.points, expected, atol=1e-5)


def test_joints_are_shared_and_lines_are_cubics():
    scene = read('<path d="M0 0 6 0 6 6z"/><path d="M0 0 6 0 6 6 0 0z"/><path d="M0 0 6 0 6 6"/>').scene
    assert scene.lengths.tolist() == [3, 3, 2]
    assert scene.closed.tolist() == [True, True, False]
    assert scene.points[:9].tolist() == scene.points[9:18].tolist()
    assert scene.points[:4].tolist() == [[0, 0], [2, 0], [4, 0], [6, 0]]


def test_what_a_style_sheet_paints_in_one_colour_shares_it():
    sheet = "<style>.a{fill:#f00}.b{fill:#f00;stroke:#f00}.c{fill:#00f}</style>"
    shape = 'd="M0 0h9v9z"'
    scene = read(
        f'{sheet}<path class="a" {shape}/><path class="b" {shape}/><path class="c" {shape}/><path fill="#f00" {shape}/>'
        f'<g class="c"><path {shape}/></g>'
    ).scene
    assert scene.colour_of.tolist() == [0, 0, 1, 2, 1]
    assert scene.stroke_of.tolist() == [-1, 0, -1, -1, -1]
    assert scene.colours.tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 0]]


def test_groups_have_names_and_labels():
    shape = '<path id="p" d="M0 0h9v9z"/>'
    scene = read(
        f'<g id="a"><g>{shape}</g><g id="b" class="x">{shape}</g></g><g id="a">{shape}</g>{shape}'
    ).scene
    assert scene.groups == (Group("a", "a"), Group("b", "b", 0), Group("a-2", "a"))
    assert scene.group_of.tolist() == [0, 1, 2, -1]
    assert scene.names == ("p",) * 4


def test_what_is_simplified_is_said():
    inside = (
        '<linearGradient id="g"><stop stop-color="#000"/><stop offset="1" stop-color="#fff"/></linearGradient>'
        '<path d="M0 0h9v9z" fill="url(#g)" filter="url(#f)"/><path d="M0 0h9v9z" fill="url(#none) red" clip-path="url(#c)"/>'
        '<path d="M0 0h9" stroke="red" stroke-dasharray="3 1" transform="scale(2 1)"/><text>a</text>'
    )
    drawn = read(inside)
    assert torch.allclose(drawn.scene.colours[:2], torch.tensor([[0.5, 0.5, 0.5], [1, 0, 0]]))
    said = " ".join(drawn.left_out)
    for what in (
        "gradient",
        "filter",
        "clipping path",
        "dashes",
        "stroke with flat ends",
        "stroke that a transform distorts",
        "text",
    ):
        assert f"1 x {what}" in said


def made():
    """A scene with all that a scene can have."""
    rng = np.random.default_rng(0)
    ring = [drawings.circle((30, 30), 12), drawings.circle((30, 30), 6, clockwise=False)]
    line = Subpath(rng.uniform(5, 60, (7, 2)), closed=False)
    red, blue = (1.0, 0.0, 0.2), (0.0, 0.2, 1.0)
    paths = [
        Path([drawings.blob(rng, (20, 40), 14, 7)], red, 0.5, group=1, name="nose & mouth"),
        Path(ring, blue, even_odd=True, group=0, name="ring"),
        Path([line], stroke=red, stroke_width=2.5, group=1, name="ring"),
        Path([polygon([(40, 5), (60, 9), (50.5, 30)])], blue, 0.25, stroke=red, stroke_width=1.25, group=2),
        Path([polygon([(1, 1), (9, 1), (9, 9)])], (0.4, 0.6, 0.8), name="üè 1"),
        Path([drawings.circle((50, 50), 9)], (0.4, 0.6, 0.8), group=0),
    ]
    groups = (Group("round-1", "Round 1"), Group("eyes", "Both <eyes>", 0), Group("round-2", "round-2"))
    scene = assemble(paths, (64, 64), groups=groups, background=(0.8, 1.0, 0.2)).with_palette()
    flags = torch.tensor([True, False, False, True, False, False])
    return replace(scene, hidden=flags.flip(0), locked_shape=flags, locked_colour=flags.roll(1))


def test_a_saved_scene_opens_as_it_was(tmp_path):
    scene = made()
    size = save_svg(scene, tmp_path / "a.svg", {"prompt": "a <cat> & dog"}, title="Cats & dogs")
    assert size == (tmp_path / "a.svg").stat().st_size
    drawn = read_svg(tmp_path / "a.svg")
    assert drawn.left_out == ()
    again = drawn.scene
    assert (again.points - scene.points).abs().max() < 0.011
    assert (again.colours[again.colour_of] - scene.colours[scene.colour_of])[
        scene.colour_of >= 0
    ].abs().max() < 0.0021
    assert (again.colours[again.stroke_of] - scene.colours[scene.stroke_of])[
        scene.stroke_of >= 0
    ].abs().max() < 0.0021
    for name in ("lengths", "closed", "parts", "even_odd", "hidden", "locked_shape", "locked_colour"):
        assert getattr(again, name).tolist() == getattr(scene, name).tolist(), name
    assert torch.allclose(again.opacity, scene.opacity, atol=1e-4)
    assert torch.allclose(again.stroke_width, scene.stroke_width, atol=0.006)
    assert (again.size, again.names, len(again.colours)) == (scene.size, scene.names, len(scene.colours))
    assert again.background == pytest.approx(scene.background, abs=0.0021)
    labels = {
        (scene.groups[a].label, again.groups[b].label)
        for a, b in zip(scene.group_of, again.group_of, strict=True)
        if a >= 0
    }
    assert labels == {(group.label, group.label) for group in scene.groups}
    assert {group.id for group in again.groups} == {group.id for group in scene.groups}
    assert svg_text(again) == svg_text(read_svg(svg_text(again).encode()).scene)


def test_a_saved_scene_is_the_same_picture():
    scene = made()
    first = drawings.psnr(painted(svg_text(scene)), drawings.resvg(scene))
    second = drawings.psnr(painted(svg_text(read_svg(svg_text(scene).encode()).scene)), drawings.resvg(scene))
    assert min(first, second) > 45


def test_a_file_has_what_designers_expect():
    text = svg_text(made(), title="A")
    assert 'width="64" height="64" viewBox="0 0 64 64"' in text
    assert '<g id="round-1" inkscape:label="Round 1" inkscape:groupmode="layer">' in text
    assert text.count('inkscape:groupmode="layer"') == 3
    assert "transform" not in text
    assert 'fill-rule="evenodd"' in text
    assert 'fill-opacity="0.25"' in text
    assert "M40,5L60,9 50.5,30Z" in text


def test_more_swatches_than_style_rules_are_read_again():
    colours = [(row % 256 / 255, row // 256 / 255, 0.0) for row in range(MOST_RULES + 1)]
    square = polygon([(1, 1), (9, 1), (9, 9)])
    scene = assemble([Path([square], colour) for colour in colours * 2], (10, 10)).with_palette()
    again = read_svg(svg_text(scene).encode()).scene
    assert torch.equal(
        (again.colours[again.colour_of] * 255).round(), (scene.colours[scene.colour_of] * 255).round()
    )


def test_points_that_coincide_keep_their_segments():
    line = polygon([(5, 5), (5, 5), (9, 9), (5.001, 5.001)])
    scene = assemble([Path([line], (0, 0, 0))], (10, 10))
    assert read_svg(svg_text(scene).encode()).scene.lengths.tolist() == [4]


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        save_svg(made(), tmp_path / "no" / "a.svg")
