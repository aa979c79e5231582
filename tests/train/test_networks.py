"""The networks as training runs them, against the plain ones; growth changes nothing at first."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F

from pliant.train.discriminator import Discriminator, minibatch_deviation
from pliant.train.flat import FlatParameters
from pliant.train.synthesis import TrainingSynthesis, equalized_gains, half_parameters, upsampling_matrix

import tiny


def flat(generator, **options):
    ups = {f"synthesis.{name}.weight" for name in generator.synthesis.layers() if name.endswith("conv0")}
    return FlatParameters(generator, equalized_gains(generator), input_first=ups, **options)


def lively(resolution=32, **changes):
    """A generator without zeros in the way."""
    generator = tiny.generator(resolution, channels=(16, 16, 12, 8)[: resolution.bit_length() - 2], **changes)
    for name, parameter in generator.named_parameters():
        if name.endswith("bias"):
            parameter.data.normal_()
    return generator


def test_fast_synthesis_and_its_gradients_equal_the_plain_network():
    plain = lively().requires_grad_(True)
    fast = copy.deepcopy(plain)
    weights = flat(fast)
    ws = torch.randn(3, plain.config.num_ws, 16)
    expected = plain.synthesis(ws, noise="none")
    found = TrainingSynthesis(fast, 32)(weights.effective(), ws, noise=False)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    expected.square().sum().backward()
    found.square().sum().backward()
    gradients = weights._pieces(weights.gradients, list(weights.sizes))
    for name, parameter in plain.named_parameters():
        if parameter.grad is not None:
            scale = parameter.grad.abs().max() + 1e-6
            assert (gradients[name] - parameter.grad).abs().max() / scale < 1e-4, name


def test_fast_mapping_equals_the_plain_one():
    generator = lively()
    z = torch.randn(5, 16)
    expected = generator.mapping.w(z)
    found = TrainingSynthesis(generator, 32).mapping(flat(generator).effective(), z)
    torch.testing.assert_close(found, expected)


def test_noise_is_scaled_by_its_strength():
    generator = lively()
    ws = torch.randn(2, 8, 16)
    run = TrainingSynthesis(generator, 32)
    pictures = [
        run(flat(generator).effective(), ws, rng=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    ]
    assert torch.equal(pictures[0], pictures[1])
    assert not torch.equal(pictures[0], pictures[2])
    for layer in generator.synthesis.layers().values():
        if hasattr(layer, "noise_strength"):
            layer.noise_strength.data.zero_()
    silent = run(flat(generator).effective(), ws)
    torch.testing.assert_close(silent, generator.synthesis(ws, noise="none"), atol=1e-4, rtol=1e-4)


def test_bfloat16_stays_near_float32():
    generator = lively()
    ws = torch.randn(2, 8, 16)
    exact = generator.synthesis(ws, noise="none")
    weights = flat(generator, half=half_parameters(generator), dtype=torch.bfloat16)
    rough = TrainingSynthesis(generator, 32, torch.bfloat16)(weights.effective(), ws, noise=False)
    assert rough.dtype == torch.float32
    assert (rough - exact).abs().max() < 0.05 * exact.abs().max()


def test_upsampling_matrix_is_the_filter():
    """One axis of [1, 3, 3, 1] / 4 around each inserted pixel; what leaves the picture is lost."""
    assert upsampling_matrix(2).tolist() == [[0.75, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 0.75]]


def test_a_new_generator_block_is_silent_at_first():
    generator = lively()
    generator.synthesis.b32.torgb.weight.data.zero_()
    generator.synthesis.b32.torgb.bias.data.zero_()
    p = flat(generator).effective()
    ws = torch.randn(2, 8, 16)
    small = TrainingSynthesis(generator, 16)(p, ws, noise=False)
    grown = TrainingSynthesis(generator, 32)(p, ws, noise=False)
    matrix = upsampling_matrix(16)
    torch.testing.assert_close(grown, matrix @ small @ matrix.T, atol=1e-5, rtol=1e-5)


def discriminator(channels=(8, 8, 6, 4)):
    network = Discriminator(channels)
    return network, FlatParameters(network, network.gains(), half=network.half_parameters())


def test_a_new_discriminator_block_is_faded_in():
    network, weights = discriminator()
    p, image = weights.effective(), torch.randn(4, 3, 32, 32)
    old = network(p, F.avg_pool2d(image, 2))
    torch.testing.assert_close(network(p, image, torch.tensor(0.0)), old)
    torch.testing.assert_close(network(p, image, torch.tensor(1.0)), network(p, image))
    assert not torch.allclose(network(p, image), old)


def test_discriminator_block_equals_separate_filters():
    """conv1 is: low-pass filter, then a 3x3 convolution of stride 2; the skip averages 2 x 2 pixels."""
    network, weights = discriminator()
    p, x = weights.effective(), torch.randn(2, 4, 32, 32)
    root = network.b32
    y = F.leaky_relu(F.conv2d(x, root.conv0.weight / math.sqrt(4 * 9), padding=1), 0.2) * math.sqrt(2)
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    y = F.conv2d(F.pad(y, (2, 2, 2, 2)), (taps[:, None] * taps).expand(4, 1, 4, 4), groups=4)
    y = F.leaky_relu(F.conv2d(y, root.conv1.weight / math.sqrt(4 * 9), stride=2), 0.2)
    skip = F.conv2d(F.avg_pool2d(x, 2), root.skip.weight / 2) * math.sqrt(0.5)
    torch.testing.assert_close(network.block(p, "b32", x), y + skip, atol=1e-5, rtol=1e-5)


def test_minibatch_deviation_by_hand():
    """Neighbours form a group; for two pictures that differ by 2 everywhere the deviation is 1."""
    x = torch.stack(
        [torch.zeros(2, 4, 4), torch.full((2, 4, 4), 2.0), torch.ones(2, 4, 4), torch.ones(2, 4, 4)]
    )
    added = minibatch_deviation(x, 2)[:, 2]
    torch.testing.assert_close(added[:2], torch.ones(2, 4, 4))
    torch.testing.assert_close(added[2:], torch.full((2, 4, 4), 1e-4))
    assert minibatch_deviation(x[:3], 2).shape == (3, 3, 4, 4)


@pytest.mark.parametrize("resolution", [4, 8, 32])
def test_pictures_may_enter_at_any_block(resolution):
    network, weights = discriminator()
    assert network(weights.effective(), torch.randn(2, 3, resolution, resolution)).shape == (2,)
