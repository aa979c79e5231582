"""Strokes that become what words say, by a model that knows colours."""

from dataclasses import replace
from itertools import islice

import pytest
import torch

from colour_words import colour_words
from pliant.errors import InputError
from pliant.prompts import Prompt
from pliant.vector.draw import DrawSettings, blank, draw
from pliant.vector.raster import rasterise
from pliant.vector.scene import VectorPicture
from pliant.vector.svg import read_svg
from pliant.vector.svg_writer import svg_text

import drawings

QUICK = DrawSettings(strokes=12, max_steps=12, crops=3, colour_rate=0.05, width=1.0, width_rate=0.5)


def run(picture, prompts="red", settings=QUICK, **more):
    return list(draw(picture, prompts, words=colour_words(), settings=settings, **more))


def test_a_blank_drawing_is_white():
    picture = blank((40, 30))
    assert picture.size == (40, 30)
    assert len(picture.scene) == 0
    assert rasterise(picture.scene).eq(1).all()
    for wrong in ((0, 10), (float("nan"), 5), (1e5, 1e5), (float("inf"), 1)):
        with pytest.raises(InputError):
            blank(wrong)


@pytest.mark.parametrize("direction", ["photo", "words"])
def test_strokes_become_red(direction):
    settings = replace(QUICK, strokes=40, width_rate=4.0, direction=direction)
    steps = run(blank((48, 48)), settings=settings)
    assert [step.index for step in steps] == list(range(13))
    assert steps[-1].loss < steps[0].loss
    assert steps[-1].agreement[0] > steps[0].agreement[0] + 0.05
    first, last = (rasterise(step.picture.scene) for step in (steps[0], steps[-1]))
    assert (last[0] - last[1:].mean(0)).mean() > (first[0] - first[1:].mean(0)).mean() + 0.1


def test_strokes_are_open_cubics_in_a_group_of_their_own():
    scene = run(blank((100, 50)), settings=replace(QUICK, max_steps=1))[0].picture.scene
    assert len(scene) == 12
    assert not scene.closed.any()
    assert 1 <= scene.lengths.min() <= scene.lengths.max() <= 3
    assert [group.id for group in scene.groups] == ["strokes"]
    assert torch.allclose(scene.stroke_width, torch.tensor(100 / 224))
    again = run(VectorPicture(scene), settings=replace(QUICK, max_steps=1))[0].picture.scene
    assert [group.id for group in again.groups] == ["strokes", "strokes-2"]
    assert len(again) == 24


def test_what_was_there_stays_bit_for_bit():
    below = drawings.blobs(6, 48)
    scene = run(VectorPicture(below))[-1].picture.scene
    old = scene.subset(torch.arange(6))
    for name in ("points", "colours", "opacity", "stroke_width"):
        assert torch.equal(getattr(old, name), getattr(below.subset(torch.arange(6)), name))
    assert not torch.equal(scene.points, run(VectorPicture(below))[0].picture.scene.points)


def test_strokes_begin_in_the_boxes_of_their_prompts():
    prompts = [Prompt("red", (0, 0, 20, 40)), Prompt("blue", (60, 0, 20, 40))]
    scene = run(blank((80, 40)), prompts, replace(QUICK, max_steps=1))[0].picture.scene
    begin = scene.points[scene.segments[:, 0]][
        torch.cat([torch.zeros(1).long(), scene.lengths.cumsum(0)[:-1]])
    ]
    assert begin[0::2, 0].max() <= 20
    assert begin[1::2, 0].min() >= 60


def test_widths_stay_in_their_range():
    wide = run(blank((48, 48)), settings=replace(QUICK, width_rate=50.0))[-1].picture.scene.stroke_width
    assert wide.min() >= 48 / 224 * 0.999
    assert wide.max() <= 50 * 48 / 224 * 1.001
    assert wide.max() > 5


def test_going_on_is_as_if_nobody_had_stopped():
    whole = run(blank((48, 48)))
    stopped = list(islice(draw(blank((48, 48)), "red", words=colour_words(), settings=QUICK), 8))[-1]
    rest = run(stopped.picture, settings=QUICK, after=stopped)
    for theirs, ours in zip(whole[7:], rest, strict=False):
        assert ours.loss == theirs.loss
        assert torch.equal(ours.picture.scene.points, theirs.picture.scene.points)
        assert torch.equal(ours.picture.scene.stroke_width, theirs.picture.scene.stroke_width)
    with pytest.raises(InputError, match="another drawing"):
        run(blank((48, 48)), after=stopped)


def test_it_is_deterministic_and_can_be_kept_at_any_step():
    first, again = run(blank((48, 48))), run(blank((48, 48)))
    assert torch.equal(first[-1].picture.scene.points, again[-1].picture.scene.points)
    for step in first[::4]:
        scene = read_svg(svg_text(step.picture.scene).encode()).scene
        assert (rasterise(scene) - rasterise(step.picture.scene)).abs().mean() < 0.01


def test_bad_input_is_refused_at_once():
    for prompts in ("", Prompt("red", (48, 0, 5, 5)), []):
        with pytest.raises(InputError):
            draw(blank((48, 48)), prompts, words=colour_words())
    for wrong in ({"strokes": 0}, {"crops": 0}, {"max_steps": 0}, {"colour_rate": float("nan")}):
        with pytest.raises(InputError):
            DrawSettings(**wrong)
