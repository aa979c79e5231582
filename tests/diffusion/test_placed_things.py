"""Things and where they go."""

import pytest
import torch

from pliant.diffusion.things import Thing, as_things, middle_of, moved_pixels, region_of
from pliant.errors import InputError


@pytest.fixture
def square():
    mask = torch.zeros(40, 60)
    mask[10:20, 10:20] = 1
    return mask


def test_a_shift_by_whole_pixels_moves_the_mask_exactly(square):
    (placed,) = as_things(Thing(square, (20, 5)), (60, 40))
    assert torch.allclose(placed.placed[15:25, 30:40], torch.ones(10, 10), atol=1e-5)
    assert float(placed.placed.sum()) == pytest.approx(100, abs=0.01)
    assert placed.pivot == (14.5, 14.5)


def test_a_place_of_the_new_picture_knows_where_it_comes_from(square):
    (placed,) = as_things(Thing(square, (20, 5), scale=2, turn=90, pivot=(10, 10)), (60, 40))
    # (12, 10) is 2 to the right of the pivot: twice as far and turned clockwise, 4 below it, then shifted
    origin = placed.backward @ torch.tensor([30.0, 19.0, 1.0], dtype=torch.float64)
    assert origin.tolist() == pytest.approx([12, 10])
    assert placed.origins(40, 60)[19, 30].tolist() == pytest.approx([12, 10], abs=1e-4)
    coarse = placed.origins(10, 15)  # cells of 4 x 4 pixels: the middle of the first is (1.5, 1.5)
    expected = placed.backward @ torch.tensor([1.5, 1.5, 1.0], dtype=torch.float64)
    assert coarse[0, 0].tolist() == pytest.approx(expected.tolist(), abs=1e-4)


def test_what_shrinks_is_not_aliased():
    stripes = torch.zeros(1, 64, 64)
    stripes[:, :, ::2] = 1
    mask = torch.zeros(64, 64)
    mask[8:56, 8:56] = 1
    (placed,) = as_things(Thing(mask, scale=0.25), (64, 64))
    shrunk = moved_pixels(placed, stripes)[0, 28:36, 28:36]
    assert (shrunk - 0.5).abs().max() < 0.15


def test_a_thing_of_another_picture_goes_into_this_one(square):
    (placed,) = as_things(Thing(square, (5, 5)), (100, 80), (60, 40))
    assert placed.placed.shape == (80, 100)
    assert float(placed.placed[15:25, 15:25].mean()) == pytest.approx(1, abs=1e-4)


def test_the_region_is_where_things_were_and_will_be(square):
    region = region_of(as_things([Thing(square, (20, 0)), Thing(square, (0, 15))], (60, 40)))
    assert float(region.sum()) == pytest.approx(300, abs=0.1)


def test_the_middle_is_of_the_box_around_it():
    mask = torch.zeros(20, 20)
    mask[3, 2:9] = 1
    mask[3:13, 2] = 1
    assert middle_of(mask) == (5.0, 7.5)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"scale": 0}, "would be scaled by 0"),
        ({"scale": 1e6}, "would be scaled by"),
        ({"scale": -1}, "would be scaled by -1"),
        ({"turn": float("nan")}, "not a finite number"),
        ({"shift": (float("inf"), 0)}, "not a finite number"),
        ({"shift": (100, 0)}, "would lie outside the picture of 60x40"),
        ({"mask": torch.zeros(40, 60)}, "0 everywhere"),
        ({"mask": torch.ones(40, 60)}, "thing 1 is 1 everywhere"),
        ({"mask": torch.ones(4, 6)}, "mask is 6x4 but the picture is 60x40"),
    ],
)
def test_things_that_make_no_sense_are_told(square, changes, sentence):
    with pytest.raises(InputError, match=sentence):
        as_things(Thing(**{"mask": square} | changes), (60, 40))


def test_no_things_and_too_many_are_told(square):
    with pytest.raises(InputError, match="There is no thing"):
        as_things([], (60, 40))
    with pytest.raises(InputError, match="17 things are too many"):
        as_things([Thing(square)] * 17, (60, 40))
