"""The part head that comes with portraits-256."""

import pytest
import torch

from pliant.gan.latent import load_generator, sample
from pliant.gan.parts import load_head, segment
from pliant.zoo import WEIGHTS_FOLDER


@pytest.fixture(scope="module")
def found():
    generator = load_generator("portraits-256")
    return segment(sample(generator, 24), load_head(generator), uncertainty=True)


def test_it_names_the_parts_of_a_face(found):
    shares = found.shares
    assert list(shares)[:2] == ["background", "skin"]
    assert len(shares) == 16
    assert shares["background"] > 0.2
    assert shares["skin"] > 0.1
    assert shares["hair"] > 0.05

    def middle(name):
        y, x = torch.nonzero(found.ids == found.head.id_of(name), as_tuple=True)
        return float(x.float().median()), float(y.float().median())

    assert (
        middle("hair")[1]
        < middle("nose")[1]
        < middle("lower lip")[1]
        < middle("neck")[1]
        < middle("clothes")[1]
    )
    assert (
        middle("right eye")[0] < middle("nose")[0] < middle("left eye")[0]
    )  # left and right are the person's


def test_it_doubts_edges_more_than_surfaces(found):
    ids = found.ids
    edge = torch.zeros_like(ids, dtype=torch.bool)
    edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    edge[1:] |= ids[1:] != ids[:-1]
    assert found.uncertainty[edge].mean() > 3 * found.uncertainty[~edge].mean()


def test_it_is_small():
    assert (WEIGHTS_FOLDER / "portraits-256-parts" / "model.safetensors").stat().st_size < 3_000_000
