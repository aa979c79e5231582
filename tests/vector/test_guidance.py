"""Crops against Pillow's, and gradients of what a text-image model says against differences."""

import numpy as np
import pytest
import torch
from PIL import Image

from colour_words import COLOURS, colour_words
from pliant.prompts import Prompt
from pliant.vector.crops import Crops, slants, views
from pliant.vector.guidance import Guidance, painted_size

CROPS = Crops(6, (0.8, 0.8), 0.2, 0.3)


def smooth(height, width, seed=0):
    """A picture without detail finer than some pixels."""
    coarse = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(-1, 1)[0]


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def well_inside(matrix, side, size):
    """Pixels of a crop that show a place more than half a pixel inside the region; Pillow treats edges in its own way."""
    middles = np.arange(side) + 0.5
    at = matrix @ np.stack([*np.meshgrid(middles, middles), np.ones((side, side))]).reshape(3, -1)
    at = (at[:2] / at[2]).reshape(2, side, side)
    return ((at > 0.5) & (at < np.array(size)[:, None, None] - 0.5)).all(axis=0)


@pytest.mark.parametrize(("height", "width"), [(60, 40), (33, 64)])
def test_crops_are_those_of_pillow_one_by_one(height, width):
    region = smooth(height, width)
    places = slants((width, height), Crops(12, (0.5, 0.9), 0.2, 0.5), random())
    side = 160  # more than any crop has, so that nothing needs smoothing
    ours = views(region, places, side)
    for place, crop in zip(places, ours, strict=True):
        matrix = (place @ torch.diag(torch.tensor([1 / side, 1 / side, 1.0], dtype=torch.float64))).numpy()
        inside = well_inside(matrix, side, (width, height))
        matrix = (matrix / matrix[2, 2]).flatten()[:8].tolist()
        for channel in range(3):
            image = Image.fromarray(region[channel].numpy())
            theirs = np.asarray(
                image.transform(
                    (side, side), Image.Transform.PERSPECTIVE, matrix, Image.Resampling.BILINEAR, fillcolor=9
                )
            )
            assert inside.mean() > 0.2
            assert np.abs(crop[channel].numpy() - theirs)[inside].max() < 2e-3


def test_a_slant_moves_each_corner_inward_by_at_most_its_share():
    places = slants((100, 50), Crops(200, (0.8, 0.8), 0.2, 0.3), random())
    side = 80
    straight = slants((100, 50), Crops(200, (0.8, 0.8), 0.2, 0.0), random())
    corners = torch.tensor([[0.0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]], dtype=torch.float64)
    origin = (straight @ corners)[:, :2]
    assert torch.allclose(origin[:, :, 3] - origin[:, :, 0], torch.full((200, 2), 80.0).double())
    low, high = origin[:, :, 0].amin(0), origin[:, :, 3].amax(0)
    assert -0.2 * side - 1e-9 <= low[0] < -0.15 * side
    assert 100 + 0.15 * side < high[0] <= 100 + 0.2 * side + 1e-9
    # The corners of the crop are seen up to 0.15 of the side inside the view.
    seen = torch.linalg.inv(places) @ torch.cat([origin, torch.ones_like(origin[:, :1])], dim=1)
    seen = seen[:, :2] / seen[:, 2:]
    inward = torch.where(corners[:2] > 0, 1 - seen, seen)
    assert inward.min() > -1e-9
    assert 0.13 < inward.max() <= 0.15 + 1e-9


def test_outside_of_a_region_all_is_white_and_shrinking_smooths():
    stripes = (torch.arange(256) % 2 * 2.0 - 1).expand(3, 256, 256)
    place = torch.tensor([[[512.0, 0, -128], [0, 512, -128], [0, 0, 1]]], dtype=torch.float64)
    (seen,) = views(stripes, place, 64)
    assert seen[:, :14].eq(1).all()
    assert seen[:, :, 50:].eq(1).all()
    assert seen[:, 18:46, 18:46].abs().max() < 0.05


def test_gradients_of_crops_are_those_of_differences():
    region = smooth(9, 7).double().requires_grad_()
    places = slants((7, 9), Crops(2, (0.8, 0.8), 0.2, 0.3), random())
    assert torch.autograd.gradcheck(lambda x: views(x, places, 5), region)


@pytest.mark.parametrize("comparison", ["crop", "region", "none"])
def test_the_gradient_is_that_of_the_loss(comparison):
    start, picture = smooth(24, 32), smooth(24, 32, seed=1)
    prompts = [Prompt("red", (0, 0, 20, 20)), Prompt("blue", None, 0.5)]
    guidance = Guidance(
        colour_words(), prompts, (32, 24), start, CROPS, comparison=comparison, reference="white"
    )
    pull = guidance(picture, 3)
    way = torch.randn(3, 24, 32, generator=random(2))
    step = 1e-2
    difference = (guidance(picture + step * way, 3).loss - guidance(picture - step * way, 3).loss) / (
        2 * step
    )
    assert difference == pytest.approx(float((pull.gradient * way).sum()), rel=0.02, abs=0.02)


def test_views_in_several_calls_say_the_same(monkeypatch):
    start, picture = smooth(24, 32), smooth(24, 32, seed=1)
    guidance = Guidance(colour_words(), [Prompt("red"), Prompt("blue")], (32, 24), start, CROPS)
    whole = guidance(picture, 0)
    monkeypatch.setattr("pliant.vector.guidance.AT_ONCE", 5)
    parts = guidance(picture, 0)
    assert parts.loss == pytest.approx(whole.loss, rel=1e-5)
    assert parts.agreement == pytest.approx(whole.agreement, abs=1e-6)
    assert torch.allclose(parts.gradient, whole.gradient, atol=1e-5)


def test_only_what_is_in_the_box_is_pulled_and_strength_scales_it():
    picture = smooth(24, 32)
    box = (8, 4, 10, 12)
    once, twice = (
        Guidance(colour_words(), [Prompt("red", box, strength)], (32, 24), picture, CROPS)(picture, 0)
        for strength in (1, 2)
    )
    outside = torch.ones(24, 32, dtype=torch.bool)
    outside[4:16, 8:18] = False
    assert once.gradient[:, outside].eq(0).all()
    assert once.gradient[:, ~outside].abs().sum() > 0
    assert torch.allclose(twice.gradient, 2 * once.gradient)


def test_agreement_is_the_cosine_of_the_region_with_the_words():
    for word, colour in COLOURS.items():
        flat = (torch.tensor(colour) * 2 - 1)[:, None, None].expand(3, 32, 32)
        prompts = [Prompt(each) for each in COLOURS]
        guidance = Guidance(colour_words(), prompts, (32, 32), flat, CROPS, reference=None, templates=("{}",))
        agreement = guidance(flat, 0).agreement
        assert list(COLOURS)[int(np.argmax(agreement))] == word
        direct = (
            colour_words().encode_images(flat[None]) @ colour_words().encode_text(list(COLOURS), ("{}",)).T
        )
        assert agreement == pytest.approx(direct[0].tolist(), abs=1e-5)


def test_crops_that_agree_enough_are_rejected():
    picture = smooth(24, 32)
    guidance = Guidance(
        colour_words(), [Prompt("red")], (32, 24), picture, CROPS, weights=(0.0, 1.0), rejected=10.0
    )
    pull = guidance(picture, 0)
    assert pull.loss == 0
    assert pull.gradient.eq(0).all()


def test_a_drawing_is_painted_as_large_as_the_model_sees():
    assert painted_size((400, 200), [Prompt("a")], 160, 0.8, 512) == (200, 100)
    assert painted_size((400, 200), [Prompt("a", (0, 0, 50, 100))], 160, 0.8, 512) == (512, 256)
    assert painted_size((400, 200), [Prompt("a", (0, 0, 50, 100)), Prompt("b")], 160, 0.8, 1024) == (800, 400)
    assert painted_size((1000, 1), [Prompt("a")], 32, 1.0, 512) == (32, 1)


def test_crops_come_round_and_are_compared_with_the_same_crops():
    start, picture = smooth(24, 32), smooth(24, 32, seed=1)
    guidance = Guidance(colour_words(), [Prompt("red"), Prompt("blue")], (32, 24), start, CROPS)
    first, later, between = (
        guidance(picture, 2),
        guidance(picture, 2 + 86),
        guidance(picture, 3),
    )  # 512 / 6 turns
    assert torch.equal(first.gradient, later.gradient)
    assert not torch.equal(first.gradient, between.gradient)
    # At the start no view has changed: every loss is 1, of 30 for the whole and 80 for the crops of either prompt.
    assert guidance(start, 5).loss == pytest.approx(220)
