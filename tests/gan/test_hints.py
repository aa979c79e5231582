"""Hints on handles, on features whose texture is known."""

import torch

from pliant.gan.hints import distinctness, hints
from pliant.gan.latent import LatentPicture

import tiny


class HalfFlat:
    """A generator whose features are flat on the left half and noise on the right: what hints must tell apart."""

    def __init__(self):
        self.config = tiny.generator(64).config
        self.device = torch.device("cpu")
        self.name = "half-flat"

    def features(self, ws, names):
        noise = torch.randn(1, 8, 32, 32, generator=torch.Generator().manual_seed(0))
        noise[..., :16] = 0.01 * noise[..., :16]
        return {names[0]: noise}


def test_flat_handles_are_weak_and_a_textured_point_is_suggested():
    picture = LatentPicture(HalfFlat(), torch.zeros(10, 16))
    flat, near, textured = hints(picture, [[4, 30], [28, 30], [50, 30]])
    assert flat.weak
    assert near.weak
    assert near.better is not None
    assert near.better[0] >= 30
    assert not textured.weak
    assert textured.better is None


def test_distinctness_has_the_size_of_the_features():
    generator = tiny.generator(64)
    picture = LatentPicture(generator, torch.randn(10, 16))
    value = distinctness(picture)
    assert value.shape == (32, 32)
    assert (value >= 0).all()
