"""What comes with portraits-256: its part head, its encoder, and the network that tells its people apart."""

import time

import pytest
import torch

from pliant.gan.encoder import encoder_of
from pliant.gan.latent import LatentPicture, load_generator, sample
from pliant.gan.part_edit import RepaintSettings, repaint
from pliant.gan.parts import load_head, segment
from pliant.perception.identity import load_identity
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


def test_a_repaint_can_hold_on_to_the_person():
    generator = load_generator("portraits-256")
    picture = sample(generator, 24)
    ids = segment(picture).ids.clone()
    ids[:120][ids[:120] == load_head(generator).id_of("skin")] = load_head(generator).id_of("hair")
    net, alike = load_identity(), {}
    for weight in (0.0, 3.0):
        *_, last = repaint(picture, ids, settings=RepaintSettings(max_steps=12, identity_weight=weight))
        alike[weight] = float(net.similarity(last.picture.pixels()[None], picture.pixels()[None]))
    assert alike[3.0] > alike[0.0] + 0.05


def test_the_embedded_encoder_knows_the_people_of_its_model():
    generator = load_generator("portraits-256")
    encoder = encoder_of(generator)
    photos = torch.stack([sample(generator, seed).pixels() for seed in (3, 4, 5)])
    again = torch.stack([LatentPicture(generator, ws).pixels() for ws in encoder(photos)])
    psnr = 10 * (4 / (again - photos).square().mean((1, 2, 3))).log10()
    assert psnr.mean() > 17
    assert psnr.min() > 14


def test_the_embedded_identity_network_tells_people_apart():
    net, generator = load_identity(), load_generator("portraits-256")
    a, b = (sample(generator, seed).pixels()[None] for seed in (3, 4))
    darker = (a * 0.8 - 0.2).clamp(-1, 1)
    assert net.similarity(a, darker) > 0.6
    assert net.similarity(a, b) < 0.5


def test_the_embedded_encoder_is_small_and_quick():
    generator = load_generator("portraits-256")
    encoder, photo = encoder_of(generator), sample(generator, 3).pixels()[None]
    encoder(photo)
    began = time.process_time()
    encoder(photo)
    assert time.process_time() - began < 0.15
    assert (WEIGHTS_FOLDER / "portraits-256-encoder" / "model.safetensors").stat().st_size <= 12_000_000
