"""Photos traced in rounds, and drawings fitted to photos."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from pliant.errors import InputError
from pliant.images import to_tensor
from pliant.vector.compare import likeness, psnr
from pliant.vector.outline import Path, assemble, polygon
from pliant.vector.raster import rasterise
from pliant.vector.refine import RefineSettings, refine
from pliant.vector.scene import VectorPicture
from pliant.vector.svg import read_svg
from pliant.vector.svg_writer import svg_text
from pliant.vector.trace import MAX_COMMANDS, TraceSettings, trace, trace_steps

import drawings


def photo(size=(96, 64)):
    """Areas of smooth colour with a little noise."""
    large = Image.new("RGB", (size[0] * 4, size[1] * 4), (30, 60, 150))
    pen = ImageDraw.Draw(large)
    pen.ellipse((60, 40, 240, 220), fill=(220, 180, 150))
    pen.ellipse((90, 80, 150, 140), fill=(20, 20, 20))
    pen.polygon([(240, 250), (380, 60), (380, 250)], fill=(60, 140, 40))
    pixels = np.asarray(large.resize(size, Image.Resampling.LANCZOS)).astype(int)
    noise = np.random.default_rng(0).integers(-6, 7, pixels.shape)
    shade = np.linspace(-20, 20, size[0])[None, :, None]
    return Image.fromarray((pixels + noise + shade).clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def traced():
    return trace(photo(), [(10, 5, 50, 50)], TraceSettings(colours=(4, 12), region_colours=16))


def test_the_drawing_looks_like_the_photo(traced):
    assert psnr(traced.pixels(), to_tensor(photo())) > 26
    assert traced.size == (96, 64)
    coarse = traced.scene.subset(traced.scene.group_of == 0)
    assert psnr(rasterise(coarse), to_tensor(photo())) < psnr(traced.pixels(), to_tensor(photo()))


def test_there_is_a_group_for_each_round_and_region_in_painters_order(traced):
    scene = traced.scene
    assert [group.id for group in scene.groups] == [
        "round-1-4-colours",
        "round-2-12-colours",
        "region-1-16-colours",
    ]
    assert scene.groups[0].label == "Round 1 4 colours"
    assert (scene.group_of.diff() >= 0).all()
    for group, count in enumerate((4, 12, 16)):
        rows = scene.colour_of[scene.group_of == group].unique()
        assert 1 <= len(rows) <= count
    region = scene.points[scene.group_of[scene.path_of_point] == 2]
    assert (region.min(0).values >= torch.tensor([7, 2])).all()
    assert (region.max(0).values <= torch.tensor([63, 58])).all()


def test_every_path_is_seen_in_its_round(traced):
    for group in range(3):
        layer = traced.scene.subset(traced.scene.group_of == group)
        whole = rasterise(layer)
        for path in range(len(layer)):
            others = torch.arange(len(layer)) != path
            assert (rasterise(layer.subset(others)) - whole).abs().sum() > 0.05


def test_a_swatch_is_the_mean_of_the_photo_where_it_is_seen():
    flat = Image.new("RGB", (40, 30), (200, 30, 30))
    flat.paste((10, 90, 200), (20, 0, 40, 30))
    scene = trace(flat, settings=TraceSettings(colours=(2,))).scene
    assert sorted((255 * scene.colours).round().int().tolist()) == [[10, 90, 200], [200, 30, 30]]
    assert psnr(rasterise(scene), to_tensor(flat)) > 35


def test_a_round_that_adds_nothing_leaves_no_paths():
    flat = Image.new("RGB", (40, 30), (200, 30, 30))
    scene = trace(flat, settings=TraceSettings(colours=(2, 4, 8))).scene
    assert len(scene) == 1


def test_it_is_the_same_each_time(traced):
    again = trace(photo(), [(10, 5, 50, 50)], TraceSettings(colours=(4, 12), region_colours=16))
    assert svg_text(again.scene) == svg_text(traced.scene)


def test_saved_and_opened_it_is_the_same_picture(traced):
    opened = read_svg(svg_text(traced.scene).encode()).scene
    assert psnr(rasterise(opened), traced.pixels()) > 45
    assert len(opened.colours) == len(traced.scene.colours)
    assert psnr(2 * drawings.resvg(traced.scene) - 1, traced.pixels()) > 35


def test_a_large_photo_is_traced_small_and_keeps_its_size():
    large = photo((192, 128))
    made = trace(large, settings=TraceSettings(colours=(8,), max_side=96))
    assert made.size == (192, 128)
    small = large.resize((96, 64), Image.Resampling.LANCZOS)
    assert likeness(made, large, 96) == pytest.approx(psnr(rasterise(made.scene, (96, 64)), to_tensor(small)))
    assert made.scene.points.amax(0).tolist() == pytest.approx([192, 128], abs=1)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (3, 2), (50, 1)])
def test_tiny_photos_are_traced(size):
    assert trace(Image.new("RGB", size, (9, 9, 9)), [(0, 0, 1, 1)]).size == size


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ((200, 0, 10, 10), "outside"),
        ((-20, 0, 10, 10), "outside"),
        ((0, 0, 0, 10), "above 0"),
        ((0, 0, 10, -1), "above 0"),
        ((float("nan"), 0, 10, 10), "above 0"),
    ],
)
def test_regions_that_cannot_be_are_refused(region, words):
    with pytest.raises(InputError, match=words):
        trace(photo(), [region])


@pytest.mark.parametrize(
    "wrong",
    [
        {"colours": ()},
        {"colours": (1,)},
        {"colours": (30, 10)},
        {"colours": tuple(range(2, 11))},
        {"refine": -1},
        {"region_colours": 999},
        {"max_side": 3},
        {"speckle": -1},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(InputError):
        TraceSettings(**wrong)


def test_refining_comes_nearer_to_the_photo(traced):
    steps = list(refine(traced, photo(), RefineSettings(steps=12)))
    assert [step.index for step in steps] == list(range(13))
    assert steps[0].picture.scene.points.equal(traced.scene.points)
    assert steps[0].psnr == pytest.approx(psnr(traced.pixels(), to_tensor(photo())))
    assert steps[-1].psnr > steps[0].psnr + 0.5
    assert steps[-1].psnr == pytest.approx(psnr(steps[-1].picture.pixels(), to_tensor(photo())))


def triangles():
    paths = [
        Path([polygon([(4, 4), (28, 6), (10, 28)])], (0.9, 0.1, 0.1)),
        Path([polygon([(12, 12), (30, 20), (20, 30)])], (0.1, 0.4, 0.9)),
    ]
    return assemble(paths, (32, 32), background=(1, 1, 1))


def test_a_moved_drawing_finds_back():
    scene = triangles()
    target = VectorPicture(scene).image()
    moved = VectorPicture(scene.with_(points=scene.points + 0.8, colours=(scene.colours + 0.1).clamp(0, 1)))
    *_, last = refine(moved, target, RefineSettings(steps=40))
    assert last.psnr > 35
    assert (last.picture.scene.colours - scene.colours).abs().max() < 0.03


def test_locked_and_hidden_paths_stay():
    scene = triangles()
    first = torch.tensor([True, False])
    for flag, shape_stays, colour_stays in (
        ("locked_shape", True, False),
        ("locked_colour", False, True),
        ("hidden", True, True),
    ):
        picture = VectorPicture(replace(scene, **{flag: first}))
        *_, last = refine(picture, photo((32, 32)), RefineSettings(steps=2))
        now = last.picture.scene
        mine = now.path_of_point == 0
        assert now.points[mine].equal(scene.points[mine]) is shape_stays, flag
        assert now.colours[0].equal(scene.colours[0]) is colour_stays, flag
        assert not now.points[~mine].equal(scene.points[~mine])


def test_a_photo_of_other_proportions_is_refused():
    with pytest.raises(InputError, match="same proportions"):
        refine(VectorPicture(triangles()), photo((96, 64)))
    with pytest.raises(InputError, match="steps"):
        RefineSettings(steps=-1)


def test_every_round_is_a_step_and_every_update_after_them():
    settings = TraceSettings(colours=(4, 12), region_colours=16, refine=2)
    steps = list(trace_steps(photo(), [(10, 5, 50, 50)], settings, {"file": "a.jpg"}))
    assert [step.index for step in steps] == [0, 1, 2, 3, 4]
    assert [step.stage for step in steps] == ["trace"] * 3 + ["refine"] * 2
    assert [len(step.picture.scene.groups) for step in steps] == [1, 2, 3, 3, 3]
    for step in steps:
        assert step.psnr == pytest.approx(psnr(step.picture.pixels(), to_tensor(photo())), abs=0.01)
    assert steps[0].psnr < steps[1].psnr < steps[4].psnr
    assert steps[4].picture.origin == {
        "file": "a.jpg",
        "traced": {"colours": [4, 12], "regions": [[10, 5, 50, 50]]},
    }
    assert torch.equal(
        trace(photo(), [(10, 5, 50, 50)], settings).scene.points, steps[4].picture.scene.points
    )


def test_a_photo_of_noise_is_traced_to_a_drawing_that_is_read_again():
    """Without a bound the first round alone would have more path commands than `read_svg` takes."""
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    settings = TraceSettings(colours=(8,), region_colours=4, speckle=0)
    scene = trace(Image.fromarray(noise), [(0, 0, 80, 80)], settings).scene
    assert len(scene.segments) + 2 * len(scene.lengths) <= MAX_COMMANDS
    assert len(scene) > 1000
    again = read_svg(svg_text(scene).encode()).scene
    assert (len(again), len(again.segments)) == (len(scene), len(scene.segments))


def test_too_many_regions_are_refused():
    with pytest.raises(InputError, match="33 regions are too many; give at most 32"):
        trace_steps(photo(), [(0, 0, 9, 9)] * 33)
