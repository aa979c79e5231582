"""The generator against the published implementation's outputs, and against its own formulas."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pliant.errors import InputError, ModelMismatchError
from pliant.gan import stylegan2
from pliant.gan.latent import load_generator
from pliant.gan.stylegan2 import StyleGAN2Config, channel_table

import tiny
from paths import FIXTURES


@pytest.fixture(scope="module")
def published():
    return load_generator(FIXTURES / "nvidia-64.pkl"), dict(np.load(FIXTURES / "nvidia-64.npz"))


def test_ws_features_and_image_match_the_published_network(published):
    generator, expected = published
    ws = generator.mapping(torch.from_numpy(expected["z"]), truncation_psi=0.7)
    features = generator.features(ws, generator.config.block_names)
    assert torch.allclose(ws, torch.from_numpy(expected["ws"]), atol=1e-4)
    assert torch.allclose(generator.synthesis(ws), torch.from_numpy(expected["image"]), atol=1e-4)
    for name in generator.config.block_names:
        assert torch.allclose(features[name], torch.from_numpy(expected[name]).float(), atol=1e-4), name


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_precision_is_close_to_float32(published, dtype):
    generator, expected = published
    ws = torch.from_numpy(expected["ws"])
    exact = generator.synthesis(ws)
    try:
        error = (generator.mixed_precision(dtype).synthesis(ws) - exact).norm() / exact.norm()
    finally:
        generator.mixed_precision(None)
    assert 0 < error < (0.02 if dtype == torch.bfloat16 else 0.003)


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
@pytest.mark.parametrize("block", ["b4", "b16", "b32"])
def test_resuming_after_any_block_gives_the_same_picture(architecture, block):
    synthesis = tiny.generator(architecture=architecture).synthesis
    styles = synthesis.styles(torch.randn(2, 8, 16))
    partial = synthesis.run(styles, until=block)
    assert partial.block == block
    assert torch.equal(synthesis.run(styles, start=partial).image, synthesis.run(styles).image)


def test_a_rectangular_network_paints_a_rectangle():
    generator = tiny.generator(base=(4, 2))
    assert generator.config.size == (16, 32)
    assert generator.synthesis(torch.randn(1, 8, 16)).shape == (1, 3, 32, 16)


def test_a_conditional_network_uses_its_labels():
    generator = tiny.generator(c_dim=3)
    z = torch.randn(1, 16).expand(2, -1)
    ws = generator.mapping(z, torch.eye(3)[:2])
    assert not torch.allclose(ws[0], ws[1])
    with pytest.raises(InputError, match="conditional"):
        generator.mapping(z)


def test_demodulation_makes_the_response_to_unit_noise_unit_variance():
    layer = tiny.generator().synthesis.b16.conv1
    style = torch.randn(1, 16)
    kernel = (
        layer.weight
        * style[0, :, None, None]
        * layer.demodulation(style, layer.weight)[0, :, None, None, None]
    )
    assert torch.allclose(kernel.square().sum((1, 2, 3)), torch.ones(16), atol=1e-4)


def test_a_layer_equals_its_formula_written_out():
    layer, x, style = tiny.generator().synthesis.b8.conv1, torch.randn(1, 16, 8, 8), torch.randn(1, 16)
    kernel = layer.weight * style[0, :, None, None]
    kernel = kernel / (kernel.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
    added = layer.noise_const * layer.noise_strength + layer.bias[:, None, None]
    expected = F.leaky_relu(F.conv2d(x, kernel, padding=1) + added, 0.2) * math.sqrt(2)
    assert torch.allclose(layer(x, style, layer.noise_const), expected, atol=1e-5)


def test_the_folded_filter_equals_transposed_convolution_then_filter():
    weight, x = torch.randn(5, 3, 3, 3), torch.randn(1, 3, 6, 6)
    folded = stylegan2.fold(weight, stylegan2.fold_matrix(3, 4.0)).transpose(0, 1)
    wide = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
    kernel = (stylegan2.fir_kernel() * 4).expand(5, 1, 4, 4)
    expected = F.conv2d(wide, kernel, padding=1, groups=5)
    assert torch.allclose(F.conv_transpose2d(x, folded, stride=2, padding=2), expected, atol=1e-4)


def test_truncation_moves_the_first_layers_toward_the_mean():
    mapping = tiny.generator().mapping
    z = torch.randn(2, 16)
    full, cut = mapping(z), mapping(z, truncation_psi=0.5, truncation_cutoff=3)
    assert torch.allclose(cut[:, :3], (full[:, :3] + mapping.w_avg) / 2)
    assert torch.equal(cut[:, 3:], full[:, 3:])


def test_noise_modes():
    generator, ws = tiny.generator(), torch.randn(1, 8, 16)
    random = [
        generator.synthesis(ws, noise="random", rng=torch.Generator().manual_seed(s)) for s in (1, 1, 2)
    ]
    assert torch.equal(random[0], random[1])
    assert not torch.equal(random[0], random[2])
    assert not torch.equal(generator.synthesis(ws), generator.synthesis(ws, noise="none"))


def test_pictures_of_a_batch_do_not_depend_on_each_other():
    generator, ws = tiny.generator(), torch.randn(3, 8, 16)
    each = torch.cat([generator.synthesis(w[None]) for w in ws])
    assert torch.allclose(generator.synthesis(ws), each, atol=1e-5)


def test_features_by_layer_name_and_unknown_names():
    generator, ws = tiny.generator(), torch.randn(1, 8, 16)
    found = generator.features(ws, ["b8.conv0", "b16"])
    assert {name: tuple(x.shape) for name, x in found.items()} == {
        "b8.conv0": (1, 16, 8, 8),
        "b16": (1, 16, 16, 16),
    }
    for wrong in (["b64"], ["b8.torgb"], []):
        with pytest.raises(InputError, match=r"b8\.conv0"):
            generator.features(ws, wrong)


def test_wrong_shapes_get_a_sentence():
    generator = tiny.generator()
    with pytest.raises(InputError, match="16"):
        generator.mapping(torch.randn(1, 17))
    with pytest.raises(ModelMismatchError, match="another model"):
        generator.synthesis(torch.randn(1, 7, 16))
    with pytest.raises(ModelMismatchError, match="powers of two"):
        StyleGAN2Config(48, (8, 8, 8, 8))


def test_channel_table_of_config_f():
    assert channel_table(1024) == (512, 512, 512, 512, 512, 256, 128, 64, 32)
