"""Augmentation: nothing at p = 0, known transforms from known matrices, p follows the discriminator."""

import math

import pytest
import torch

from pliant.train.augment import Augment, homogeneous, hue, recolour, rotation, scaling, shifting, warp


@pytest.fixture
def image():
    return torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


def same(*numbers):
    return torch.tensor([float(number) for number in numbers]).expand(3, -1)


def test_nothing_happens_at_p_0(image):
    torch.testing.assert_close(Augment()(image), image, atol=1e-5, rtol=0)


def test_everything_happens_at_p_1(image):
    augment = Augment()
    augment.p.fill_(1)
    first, again = (augment(image, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.shape == image.shape
    assert first.isfinite().all()
    assert not torch.allclose(first[0], image[0], atol=0.1)


def test_known_warps(image):
    flip = scaling(torch.full((3,), -1.0), torch.ones(3))
    torch.testing.assert_close(warp(image, flip), image.flip(3), atol=1e-5, rtol=0)
    quarter = rotation(torch.full((3,), math.pi / 2))
    torch.testing.assert_close(warp(image, quarter), image.rot90(1, (2, 3)), atol=1e-5, rtol=0)
    moved = warp(image, shifting(same(2 * 2 / 16, -1 * 2 / 16)))  # read 2 pixels to the right, 1 above
    torch.testing.assert_close(moved[:, :, 1:, :-2], image[:, :, :-1, 2:], atol=1e-5, rtol=0)


def test_known_colours(image):
    cycle = homogeneous(hue(torch.full((3,), 2 * math.pi / 3)))
    torch.testing.assert_close(recolour(image, cycle), image[:, [2, 0, 1]], atol=1e-5, rtol=0)
    brighter = shifting(same(0.5, 0.5, 0.5))
    torch.testing.assert_close(recolour(image, brighter), image + 0.5, atol=1e-5, rtol=0)


def test_share_of_pictures_follows_p(image):
    augment = Augment()
    augment.p.fill_(0.3)
    many = image[:1].expand(2000, -1, -1, -1)
    untouched = torch.eye(4)
    matrices = augment.colour(many, torch.Generator().manual_seed(0))
    share = (matrices - untouched).abs().amax((1, 2)).lt(1e-4).float().mean()
    assert (
        abs(share - 0.7**4 * 0.85) < 0.04
    )  # five draws, of which the flip changes something half of the time


def test_p_rises_while_the_discriminator_is_too_sure():
    augment = Augment(target=0.6, images=1000)
    for _ in range(20):
        augment.observe(torch.tensor(1.0))
        augment.adapt(10)
    assert augment.p > 0.1
    for _ in range(100):
        augment.observe(torch.tensor(0.0))
        augment.adapt(10)
    assert augment.p == 0


def test_gradients_pass(image):
    augment = Augment()
    augment.p.fill_(0.8)
    image.requires_grad_()
    augment(image, torch.Generator().manual_seed(1)).sum().backward()
    assert image.grad.abs().max() > 0
