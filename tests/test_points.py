import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pliant.errors import InputError
from pliant.points import as_mask, as_points, check_pairs

SIZE = (64, 48)
"""Width and height, unequal so that a swap of x and y shows."""


@pytest.mark.parametrize(
    "value",
    [
        [[60, 40], [0.5, 1]],
        ((60, 40), (0.5, 1)),
        np.array([[60, 40], [0.5, 1]]),
        torch.tensor([[60, 40], [0.5, 1]], dtype=torch.float64),
        torch.tensor([[60, 40], [0.5, 1]], dtype=torch.bfloat16),
        torch.tensor([[60, 40], [0.5, 1]], requires_grad=True),
    ],
)
def test_points_from_anything_that_holds_numbers(value):
    points = as_points(value, SIZE)
    assert points.dtype == torch.float32
    assert not points.requires_grad
    assert points.tolist() == [[60.0, 40.0], [0.5, 1.0]]


@given(st.lists(st.tuples(st.floats(0, 63), st.floats(0, 47)), min_size=1, max_size=256))
def test_every_point_inside_is_kept(values):
    assert np.array_equal(as_points(values, SIZE).numpy(), np.array(values, np.float32))


@given(st.floats(), st.floats())
def test_a_point_is_either_inside_or_refused(x, y):
    inside = 0 <= x <= 63 and 0 <= y <= 47
    try:
        as_points([(x, y)], SIZE)
    except InputError:
        assert not inside
    else:
        assert inside


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([], "There are no handles"),
        (np.zeros((0, 2)), "There are no handles"),
        ([[float("nan"), 3]], "Point 1 of the handles is not a finite number: (nan, 3)"),
        ([[1, 1], [3, float("inf")]], "Point 2 of the handles is not a finite number"),
        (
            [[1, 1], [64, 3]],
            "Point 2 of the handles, (64, 3), lies outside the picture: x goes from 0 to 63 and y from 0 to 47",
        ),
        ([[50, 48]], "lies outside"),
        ([[-0.5, 3]], "(-0.5, 3), lies outside"),
        ([[1e300, 3]], "lies outside"),
        ([3, 4], "have the shape [2]; expected [N, 2]"),
        ([[3, 4, 5]], "have the shape [1, 3]; expected [N, 2]"),
        ([[1, 1]] * 257, "257 handles are too many; give at most 256"),
        ([[1, 2], [3]], "could not be read as numbers"),
        ("1,2", "could not be read as numbers"),
        ([["1", "2"]], "could not be read as numbers"),
        ([[1j, 2]], "could not be read as numbers"),
        ([[None, 2]], "could not be read as numbers"),
        (None, "could not be read as numbers"),
    ],
)
def test_bad_points_get_a_sentence(value, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        as_points(value, SIZE, name="handles")


def test_hundreds_of_points_are_allowed():
    assert len(as_points([[i % 64, i // 64 * 3] for i in range(256)], SIZE)) == 256


def test_pairs_must_match_and_handles_must_be_apart():
    points = torch.tensor([[1.0, 1.0], [5.0, 5.0], [1.5, 1.5]])
    check_pairs(points[:2], points[1:])
    check_pairs(points[:1], points[:1])
    check_pairs(points[:2], points[:1].expand(2, 2))  # two targets may coincide
    with pytest.raises(InputError, match="There are 2 handles but 1 targets"):
        check_pairs(points[:2], points[:1])
    with pytest.raises(
        InputError, match=re.escape("Handles 1 and 3 are on top of each other, both near (1, 1)")
    ):
        check_pairs(points, points)


@pytest.mark.parametrize(
    "make",
    [
        lambda half: half,
        lambda half: half.bool(),
        lambda half: half.numpy().astype(bool),
        lambda half: half.numpy().astype(np.uint8),
        lambda half: (half * 255).to(torch.uint8),
        lambda half: half.tolist(),
        lambda half: Image.fromarray((half.numpy() * 255).astype(np.uint8)),
        lambda half: Image.fromarray(half.numpy().astype(bool)),
        lambda half: Image.fromarray((half.numpy() * 255).astype(np.uint8)).convert("RGB"),
    ],
)
def test_masks_from_anything(make):
    half = torch.zeros(48, 64)
    half[:, 10:] = 1
    mask = as_mask(make(half), SIZE)
    assert mask is not None
    assert mask.dtype == torch.float32
    assert torch.equal(mask, half)


def test_a_soft_mask_keeps_its_values():
    soft = torch.linspace(0, 1, 64).expand(48, 64)
    assert torch.equal(as_mask(soft, SIZE), soft)
    grey = Image.new("L", SIZE, 51)
    assert as_mask(grey, SIZE).unique().tolist() == pytest.approx([0.2])


def test_a_mask_that_restricts_nothing_is_none():
    assert as_mask(None, SIZE) is None
    assert as_mask(torch.ones(48, 64), SIZE) is None
    assert as_mask(Image.new("L", SIZE, 255), SIZE) is None


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (torch.ones(64, 48), "The mask is 48x64 but the picture is 64x48"),
        (Image.new("L", (32, 32), 255), "The mask is 32x32"),
        (torch.ones(1, 48, 64), "has the shape [1, 48, 64]; expected [H, W]"),
        (torch.zeros(48, 64), "0 everywhere, so nothing may change"),
        (torch.full((48, 64), float("nan")), "outside its range"),
        (torch.full((48, 64), 1.5), "outside its range"),
        (torch.full((48, 64), -1), "outside its range"),
        (torch.full((48, 64), 256), "outside its range"),
        ("mask.png", "could not be read as numbers"),
        ([[1, 0], [1]], "could not be read as numbers"),
    ],
)
def test_bad_masks_get_a_sentence(value, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        as_mask(value, SIZE)
