"""Energies and cells against what a hand computes."""

import math

import pytest
import torch

from pliant.diffusion.energy import Grid, Term, energies
from pliant.errors import InputError


def test_a_cell_reads_the_feature_under_it():
    grid = Grid(8, 16)
    features = torch.arange(4 * 8).reshape(1, 1, 4, 8).float()  # each over 2 x 2 cells
    cells = torch.tensor([0, 1, 16, 17, 2, 127])
    assert grid.on(cells, features).flatten().tolist() == [0, 0, 0, 0, 1, 31]


def test_cells_of_a_mask_are_those_mostly_in_it():
    mask = torch.zeros(8, 16)
    mask[0:4, 0:4] = 1
    mask[0:4, 4:6] = 1  # half of the next cell: not most of it
    assert Grid(2, 4).cells(mask).tolist() == [0]
    mask[0:4, 4:7] = 1
    assert Grid(2, 4).cells(mask).tolist() == [0, 1]
    speck = torch.zeros(8, 16)
    speck[5, 9] = 1
    assert Grid(2, 4).cells(speck).tolist() == [6]
    assert Grid(2, 4).cells(torch.zeros(8, 16)).tolist() == []


def test_places_in_pixels_fall_into_cells():
    grid = Grid(4, 8)
    places = torch.tensor([[0.0, 0.0], [31.4, 15.4], [3.6, 0.0], [-9.0, 99.0]])
    assert grid.at(places, (32, 16)).tolist() == [0, 31, 1, 24]


def test_a_patch_is_nine_cells_and_says_which_exist():
    cells, there = Grid(4, 4).patch(torch.tensor([0.0, 0.0]), (16, 16))
    assert there.tolist() == [False, False, False, False, True, True, False, True, True]
    assert cells[there].tolist() == [0, 1, 4, 5]


def pair(*values):
    """Two levels of features whose cells are the given vectors, the coarse level the same as the fine one."""
    level = torch.tensor(values).T.reshape(1, 2, 1, len(values))
    return level, level.clone()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 4 / (1 + 4 * (1 + 0) / 2)),  # one cell alike, one at right angles
        ({"half": True}, 4 / (1 + 4 * (1 + 0.5) / 2)),
        ({"away": True}, 4 * (1 + 0) / 2),
        ({"away": True, "half": True}, 4 * (1 + 0.5) / 2),
        ({"means": True}, 4 / (1 + 4 / math.sqrt(2))),  # (1, 1) and (1, 0)
    ],
)
def test_the_energy_of_a_term(changes, expected):
    now, known = pair([1.0, 0.0], [0.0, 1.0]), pair([2.0, 0.0], [2.0, 0.0])
    term = Term("edit", 4.0, torch.tensor([0, 1]), torch.tensor([0, 1]), **changes)
    found = energies([term], [Grid(1, 2)], now, [known])
    assert set(found) == {"edit"}
    assert float(found["edit"]) == pytest.approx(expected, rel=1e-5)


def test_parts_are_summed_apart_and_empty_terms_count_nothing():
    now = pair([1.0, 0.0], [0.0, 1.0])
    cell, none = torch.tensor([0]), torch.zeros(0, dtype=torch.long)
    terms = [
        Term("edit", 1.0, cell, cell),
        Term("edit", 2.0, cell, cell),
        Term("content", 5.0, cell, cell, picture=1),
        Term("content", 5.0, none, none),
        Term("content", 0.0, cell, cell),
    ]
    found = energies(terms, [Grid(1, 2)] * 2, now, [now, pair([-1.0, 0.0], [0.0, 1.0])])
    assert float(found["edit"]) == pytest.approx(3 / 5)
    assert float(found["content"]) == pytest.approx(5 / (1 - 4))


def test_a_step_down_the_gradient_brings_cells_together():
    torch.manual_seed(0)
    now = torch.randn(1, 6, 4, 4, requires_grad=True)
    known = (torch.randn(1, 6, 4, 4),) * 2
    term = Term("edit", 1.0, torch.arange(8), torch.arange(8, 16), half=True)

    def energy(features):
        return energies([term], [Grid(4, 4)], (features, features), [known])["edit"]

    (gradient,) = torch.autograd.grad(energy(now), now)
    assert energy(now - 0.1 * gradient) < energy(now)
    assert not gradient[..., 2:, :].any()  # cells that no term names


def test_cells_to_compare_must_be_as_many():
    with pytest.raises(InputError, match="as many"):
        Term("edit", 1.0, torch.arange(2), torch.arange(3))
