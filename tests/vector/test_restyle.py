"""Drawings moved toward words, by a model that knows colours."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from colour_words import colour_words
from pliant.errors import InputError
from pliant.prompts import Prompt
from pliant.vector.outline import Path, Subpath, assemble, polygon
from pliant.vector.raster import rasterise
from pliant.vector.regularity import Regularity, Weights, areas, crossings
from pliant.vector.restyle import RestyleSettings, restyle
from pliant.vector.scene import VectorPicture, stacked
from pliant.vector.svg import read_svg
from pliant.vector.svg_writer import save_svg

import drawings

QUICK = RestyleSettings(max_steps=6, crops=4, colour_rate=0.05, shape_rate=2.0)


@pytest.fixture
def picture():
    """Grey background under greyish blobs."""
    side = 48.0
    ground = Path([polygon([(0, 0), (side, 0), (side, side), (0, side)])], (0.5, 0.5, 0.5), name="ground")
    blobs = drawings.blobs(10, 48, seed=3, opacity=(0.6, 0.9))
    scene = assemble([ground], (side, side))
    return VectorPicture(stacked([scene, replace(blobs, size=(side, side), background=None)]))


def run(picture, prompts="red", settings=QUICK, **more):
    return list(restyle(picture, prompts, words=colour_words(), settings=settings, **more))


def same(first, second):
    """Both drawings are equal bit for bit."""
    names = ("points", "colours", "opacity", "stroke_width")
    return {name: torch.equal(getattr(first, name), getattr(second, name)) for name in names}


def redness(picture, box=None):
    pixels = rasterise(picture.scene)
    x, y, width, height = box or (0, 0, pixels.shape[2], pixels.shape[1])
    part = pixels[:, y : y + height, x : x + width]
    return float((part[0] - part[1:].mean(0)).mean())


def test_red_lowers_the_loss_and_reddens_the_drawing(picture):
    steps = run(picture, settings=replace(QUICK, max_steps=20))
    assert [step.index for step in steps] == list(range(21))
    assert same(steps[0].picture.scene, picture.scene) == dict.fromkeys(
        same(picture.scene, picture.scene), True
    )
    assert steps[-1].loss < 0.6 * steps[0].loss
    assert steps[-1].agreement[0] > steps[0].agreement[0] + 0.2
    assert redness(steps[-1].picture) > redness(picture) + 0.3


@pytest.mark.parametrize("direction", ["region", "crop"])
def test_the_other_comparisons_redden_it_too(picture, direction):
    steps = run(picture, settings=replace(QUICK, max_steps=12, direction=direction))
    assert redness(steps[-1].picture) > redness(picture) + 0.15


def test_the_published_choices_are_at_hand():
    paper = {
        "crops": 64,
        "direction": "region",
        "steps_by": "number",
        "crossing_weight": 0.0,
        "area_weight": 0.0,
        "confined": False,
    }
    assert RestyleSettings.published() == RestyleSettings(**paper)
    assert RestyleSettings.published(crops=8).crops == 8


def test_points_that_hardly_matter_hardly_move(picture):
    """Of an outline that is mostly outside of the box of the words."""
    long = Path([polygon([(0, 0), (10, 0), (400, 0), (400, 48), (10, 48), (0, 48)])], (0.5, 0.5, 0.5))
    wide = VectorPicture(assemble([long], (400, 48)))
    moved = {}
    for steps_by in ("outline", "number"):
        settings = replace(QUICK, change="shapes", steps_by=steps_by, crossing_weight=0, area_weight=0)
        points = run(wide, Prompt("red", (300, 0, 100, 48)), settings)[-1].picture.scene.points
        way = (points - wide.scene.points).norm(dim=1)
        moved[steps_by] = way[0] + way[1], way.max()
    assert moved["outline"][0] < 0.2 * moved["outline"][1]
    assert moved["outline"][0] <= moved["number"][0]


def test_a_box_reddens_only_itself():
    left, right = (
        Path([polygon([(x, 0), (x + 24, 0), (x + 24, 32), (x, 32)])], (0.5, 0.5, 0.5)) for x in (0, 24)
    )
    picture = VectorPicture(assemble([left, right], (48, 32)))
    settings = replace(QUICK, change="colours")
    steps = run(picture, Prompt("red", (0, 0, 20, 32)), settings)
    assert redness(steps[-1].picture, (0, 0, 24, 32)) > 0.2
    assert torch.equal(steps[-1].picture.scene.colours[1], picture.scene.colours[1])
    both = run(picture, [Prompt("red", (0, 0, 24, 32)), Prompt("blue", (24, 0, 24, 32))], settings)
    first, second = both[-1].picture.scene.colours
    assert first[0] > first[2] + 0.1
    assert second[2] > second[0] + 0.1
    assert len(both[-1].agreement) == 2


def tiles():
    """Three squares side by side of one colour, on a ground of another."""
    ground = Path([polygon([(0, 0), (72, 0), (72, 24), (0, 24)])], (0.4, 0.4, 0.4))
    squares = [
        Path([polygon([(x, 4), (x + 16, 4), (x + 16, 20), (x, 20)])], (0.6, 0.6, 0.6)) for x in (4, 28, 52)
    ]
    return VectorPicture(assemble([ground, *squares], (72, 24)).with_palette())


def test_shapes_mostly_beyond_the_boxes_stay_and_their_colours_too():
    start = tiles()
    box = Prompt("red", (0, 0, 38, 24))  # all of the first square, over half of the second
    scene = run(start, box)[-1].picture.scene
    moved = (scene.points - start.scene.points).abs().amax(1)
    by_path = [float(moved[scene.path_of_point == path].max()) for path in range(4)]
    assert [way > 0 for way in by_path] == [False, True, True, False]
    assert len(scene.colours) == len(start.scene.colours) + 1  # the third square keeps the shared one
    assert scene.colour_of[1] == scene.colour_of[2] != scene.colour_of[3]
    for path in (0, 3):
        assert torch.equal(
            scene.colours[scene.colour_of[path]], start.scene.colours[start.scene.colour_of[path]]
        )
    assert redness(VectorPicture(scene), (4, 4, 16, 16)) > 0.1
    free = run(start, box, replace(QUICK, confined=False))[-1].picture.scene
    assert len(free.colours) == len(start.scene.colours)
    assert not torch.equal(free.colours[free.colour_of[3]], start.scene.colours[start.scene.colour_of[3]])


def test_all_may_change_if_no_shape_lies_in_a_box_or_words_are_about_the_whole():
    start = tiles()
    for prompts in (Prompt("red", (0, 0, 10, 24)), ["red", Prompt("red", (0, 0, 38, 24))]):
        scene = run(start, prompts)[-1].picture.scene
        assert len(scene.colours) == len(start.scene.colours)
        assert not torch.equal(scene.colours, start.scene.colours)


def test_going_on_with_boxes_and_then_without():
    start, box = tiles(), Prompt("red", (0, 0, 38, 24))
    whole = run(start, box)[-1]
    stopped = run(start, box, replace(QUICK, max_steps=3))[-1]
    rest = run(stopped.picture, box, replace(QUICK, max_steps=3), after=stopped)[-1]
    assert all(same(rest.picture.scene, whole.picture.scene).values())
    free = run(stopped.picture, "blue", after=stopped)[-1].picture.scene
    assert not torch.equal(free.colours[free.colour_of[3]], start.scene.colours[start.scene.colour_of[3]])


def test_shapes_only_and_colours_only_leave_the_rest_bit_for_bit(picture):
    shapes = run(picture, settings=replace(QUICK, change="shapes"))[-1].picture.scene
    assert same(shapes, picture.scene) == {
        "points": False, "colours": True, "opacity": True, "stroke_width": True,
    }  # fmt: skip
    colours = run(picture, settings=replace(QUICK, change="colours"))[-1].picture.scene
    assert same(colours, picture.scene) == {
        "points": True, "colours": False, "opacity": False, "stroke_width": True,
    }  # fmt: skip


def test_locked_and_hidden_paths_stay_bit_for_bit(picture):
    scene = picture.scene
    shape, colour, hidden = (torch.zeros(len(scene), dtype=torch.bool) for _ in range(3))
    shape[2] = colour[3] = hidden[4] = True
    locked = picture.with_scene(replace(scene, locked_shape=shape, locked_colour=colour, hidden=hidden))
    now = run(locked)[-1].picture.scene
    kept = (shape | hidden)[scene.path_of_point]
    assert torch.equal(now.points[kept], scene.points[kept])
    assert (now.points[~kept] != scene.points[~kept]).any(dim=1).float().mean() > 0.5
    rows = scene.colour_of[colour | hidden]
    assert torch.equal(now.colours[rows], scene.colours[rows])
    assert torch.equal(now.opacity[colour | hidden], scene.opacity[colour | hidden])
    assert not torch.equal(now.colours[scene.colour_of[2]], scene.colours[scene.colour_of[2]])


def test_a_shared_colour_stays_if_one_of_its_paths_must_keep_it(picture):
    tied = replace(picture.scene, colour_of=picture.scene.colour_of.clone())
    tied.colour_of[5] = tied.colour_of[6]
    shared = int(tied.colour_of[6])
    free = run(picture.with_scene(tied))[-1].picture.scene
    assert not torch.equal(free.colours[shared], tied.colours[shared])
    lock = torch.zeros(len(tied), dtype=torch.bool)
    lock[5] = True
    held = run(picture.with_scene(replace(tied, locked_colour=lock)))[-1].picture.scene
    assert torch.equal(held.colours[shared], tied.colours[shared])


def test_the_same_seed_gives_the_same_and_another_another(picture):
    first, again = run(picture)[-1], run(picture)[-1]
    assert first.loss == again.loss
    assert all(same(first.picture.scene, again.picture.scene).values())
    other = run(picture, settings=replace(QUICK, seed=1))[-1]
    assert not torch.equal(first.picture.scene.points, other.picture.scene.points)


def test_going_on_is_as_if_nobody_had_stopped(picture):
    settings = replace(QUICK, crossing_weight=1.0, anchor_weight=1.0)
    whole = run(picture, settings=settings)
    stopped = list(islice(restyle(picture, "red", words=colour_words(), settings=settings), 3))[-1]
    for _ in range(2):  # a second branch from the same step finds what the first found
        rest = run(stopped.picture, settings=replace(settings, max_steps=4), after=stopped)
        assert rest[0].loss == whole[2].loss
        assert rest[-1].loss == whole[-1].loss
        assert all(same(rest[-1].picture.scene, whole[-1].picture.scene).values())


def test_only_the_newest_step_keeps_moments(picture):
    steps = run(picture)
    assert [step.memory.moments is not None for step in steps] == [False] * (len(steps) - 1) + [True]


def test_other_words_can_follow(picture):
    red = run(picture)[-1]
    blue = run(red.picture, "blue", replace(QUICK, max_steps=20), after=red)[-1]
    pixels = rasterise(blue.picture.scene)
    assert pixels[2].mean() > pixels[0].mean()


def test_stopped_at_any_step_it_is_a_drawing_that_can_be_kept(picture, tmp_path):
    for step in restyle(picture, "red", words=colour_words(), settings=replace(QUICK, max_steps=3)):
        save_svg(step.picture.scene, tmp_path / "now.svg")
        again = read_svg((tmp_path / "now.svg").read_bytes()).scene
        assert len(again) == len(picture.scene)
        assert (rasterise(again) - rasterise(step.picture.scene)).abs().mean() < 0.01
        assert 0 <= step.picture.scene.colours.min() <= step.picture.scene.colours.max() <= 1


def test_bad_input_is_refused_at_once(picture):
    for prompts in ("", Prompt("red", (48, 0, 5, 5)), Prompt("red", (0, 0, 0, 5)), []):
        with pytest.raises(InputError):
            restyle(picture, prompts, words=colour_words())
    everything = torch.ones(len(picture.scene), dtype=torch.bool)
    with pytest.raises(InputError, match="Nothing of the drawing can change"):
        restyle(picture.with_scene(replace(picture.scene, hidden=everything)), "red", words=colour_words())
    last = run(picture, settings=replace(QUICK, max_steps=1))[-1]
    other = picture.with_scene(picture.scene.subset(torch.arange(5)))
    with pytest.raises(InputError, match="another drawing"):
        restyle(other, "red", words=colour_words(), after=last)
    for wrong in ({"crops": -1}, {"distortion": 0.9}, {"max_steps": 0}, {"shape_rate": float("nan")}):
        with pytest.raises(InputError):
            RestyleSettings(**wrong)
    with pytest.raises(InputError, match="looked at"):
        RestyleSettings(region_weight=0, crops=0)


# What keeps shapes sound


def single(points, *, closed=False):
    return assemble([Path([Subpath(np.array(points, dtype=float), closed)], (0, 0, 0))], (10, 10))


def test_a_cubic_that_crosses_itself_is_told_from_one_that_does_not():
    arch = single([(0, 0), (1, 3), (3, 3), (4, 0)])
    loop = single([(0, 0), (4, 3), (0, 3), (4, 0)])
    straight = single([(0, 0), (1, 0), (2, 0), (3, 0)])
    assert float(crossings(arch)) == 0
    assert float(crossings(straight)) == 0
    # Its legs are (4, 3), (-4, 0), (4, -3): it turns one way, and the last leg lies the other way by asin(24/25).
    mirrored = loop.with_(points=loop.points * torch.tensor([1.0, -1.0]))
    assert float(crossings(loop)) == pytest.approx(0.96)
    assert float(crossings(mirrored)) == pytest.approx(0.96)


def test_areas_are_exact():
    square = single(
        [(1, 1), (2, 1), (3, 1), (4, 1), (4, 2), (4, 3), (4, 4), (3, 4), (2, 4), (1, 4), (1, 3), (1, 2)],
        closed=True,
    )
    assert float(areas(square)) == pytest.approx(9)
    round_ = assemble(
        [Path([drawings.circle((5, 5), 3), drawings.circle((5, 5), 1, clockwise=False)], (0, 0, 0))], (10, 10)
    )
    assert areas(round_).abs().tolist() == pytest.approx([9 * torch.pi, torch.pi], rel=1e-3)
    assert areas(round_)[0] * areas(round_)[1] < 0
    # Half of the square, whose open end is closed by a line.
    half = single([(1, 1), (2, 1), (3, 1), (4, 1), (4, 2), (4, 3), (4, 4)])
    assert float(areas(half)) == pytest.approx(4.5)


def test_each_term_is_nothing_at_the_start_and_pulls_back_later(picture):
    scene = picture.scene
    for name in ("crossing", "area", "anchor"):
        sound = Regularity(scene, Weights(**{name: 1.0}))
        assert float(sound(scene)) == 0
        generator = torch.Generator().manual_seed(0)
        points = scene.points + 20 * torch.randn(scene.points.shape, generator=generator)
        points.requires_grad_()
        moved = sound(scene.with_(points=points))
        assert float(moved.detach()) > 0
        (gradient,) = torch.autograd.grad(moved, points)
        with torch.no_grad():
            assert float(sound(scene.with_(points=points - 1e-2 * gradient / gradient.norm()))) < float(moved)


def test_an_anchor_holds_the_drawing(picture):
    free, held = (
        run(picture, settings=replace(QUICK, anchor_weight=weight))[-1].picture.scene.points
        for weight in (0, 50)
    )
    start = picture.scene.points
    assert (held - start).square().mean() < 0.5 * (free - start).square().mean()
