"""Each foreign format, written by an independent account of it and read back."""

from pathlib import Path

import pytest
import torch

from foreign import FILTER, Module, checkpoint, nvidia_generator, write_nvidia, write_pickle, write_torch
from foreign_community import community_names, write_community
from foreign_tensorflow import write_tensorflow
from pliant.checkpoints import Checkpoint, expected_shapes, inspect, read
from pliant.checkpoints.layout import nth_convolution

VARIANTS = {
    "plain": {},
    "conditional": {"c_dim": 3},
    "resnet": {"architecture": "resnet"},
    "orig": {"architecture": "orig"},
    "tall": {"base": [4, 2]},
    "mixed precision": {"conv_clamp": 256.0, "half_resolution": 8},
    "one mapping layer": {"mapping_layers": 1, "lr_multiplier": 1.0},
}


def assert_same(actual: Checkpoint, expected: Checkpoint, tolerance: float = 0) -> None:
    assert actual.config == expected.config
    assert list(actual.tensors) == list(expected_shapes(expected.config))
    for name, tensor in actual.tensors.items():
        assert tensor.dtype == torch.float32, name
        assert tensor.is_contiguous(), name
        torch.testing.assert_close(tensor, expected.tensors[name], rtol=0, atol=tolerance)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("arguments", ["flat", "nested", "positional"])
def test_nvidia_pickle(tmp_path: Path, variant: str, arguments: str) -> None:
    source = checkpoint(**VARIANTS[variant])

    result = read(write_nvidia(tmp_path / "snapshot", source, arguments=arguments))

    assert result.source == "nvidia-pickle"
    assert result.details["read"] == "G_ema"
    assert_same(result, source)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_nvidia_pickle_of_each_protocol(tmp_path: Path, protocol: int) -> None:
    source = checkpoint()

    assert_same(read(write_nvidia(tmp_path / "snapshot", source, protocol)), source)


@pytest.mark.parametrize("arguments", ["flat", "nested", "positional"])
def test_arguments_count_where_attributes_are_missing(tmp_path: Path, arguments: str) -> None:
    source = checkpoint(conv_clamp=128.0, half_resolution=8, lr_multiplier=0.5)

    assert_same(read(write_nvidia(tmp_path / "g", source, arguments=arguments, attributes=False)), source)


@pytest.mark.parametrize(("nested", "clamp", "half"), [(True, None, None), (False, 256.0, 8)])
def test_each_repository_has_its_own_defaults(tmp_path: Path, nested: bool, clamp: float, half: int) -> None:
    generator = nvidia_generator(checkpoint(), attributes=False)
    generator.state["_init_kwargs"] = {"synthesis_kwargs": {}} if nested else {}

    config = read(write_pickle(tmp_path / "g", {"G_ema": generator})).config

    assert (config["conv_clamp"], config["half_resolution"], config["lr_multiplier"]) == (clamp, half, 0.01)


def test_attributes_count_more_than_arguments(tmp_path: Path) -> None:
    generator = nvidia_generator(checkpoint(conv_clamp=256.0, half_resolution=16))
    generator.state["_init_kwargs"] |= {"conv_clamp": 1, "num_fp16_res": 0, "channel_max": 1}

    config = read(write_pickle(tmp_path / "g", {"G_ema": generator})).config

    assert (config["conv_clamp"], config["half_resolution"]) == (256.0, 16)


def test_g_stands_in_for_a_missing_g_ema(tmp_path: Path) -> None:
    source = checkpoint()
    snapshot = {"G": nvidia_generator(source), "D": Module("Discriminator"), "G_ema": None}

    result = read(write_pickle(tmp_path / "g", snapshot))

    assert result.details["read"] == "G"
    assert_same(result, source)


def test_a_bare_network(tmp_path: Path) -> None:
    source = checkpoint()

    assert_same(read(write_pickle(tmp_path / "g", nvidia_generator(source))), source)


def test_a_layer_without_noise_gets_noise_of_strength_zero(tmp_path: Path) -> None:
    generator = nvidia_generator(checkpoint())
    layer = generator.child("synthesis.b8.conv0")
    layer.state["use_noise"] = False
    del layer.state["_parameters"]["noise_strength"], layer.state["_buffers"]["noise_const"]

    tensors = read(write_pickle(tmp_path / "g", {"G_ema": generator})).tensors

    assert tensors["synthesis.b8.conv0.noise_strength"] == 0
    assert tensors["synthesis.b8.conv0.noise_const"].shape == (8, 8)


def test_a_network_in_half_precision(tmp_path: Path) -> None:
    source = checkpoint()
    generator = nvidia_generator(source)
    layer = generator.child("mapping.fc0").state["_parameters"]
    layer["weight"] = torch.nn.Parameter(layer["weight"].half(), requires_grad=False)

    tensors = read(write_pickle(tmp_path / "g", generator)).tensors

    expected = source.tensors["mapping.fc0.weight"].half().float()
    torch.testing.assert_close(tensors["mapping.fc0.weight"], expected, rtol=0, atol=0)


def test_buffers_that_are_not_saved_are_not_read(tmp_path: Path) -> None:
    source = checkpoint()
    generator = nvidia_generator(source)
    generator.child("synthesis.b8").state["_buffers"]["scratch"] = torch.ones(3)
    generator.child("synthesis.b8").state["_non_persistent_buffers_set"] = {"scratch"}

    assert_same(read(write_pickle(tmp_path / "g", generator)), source)


@pytest.mark.parametrize("as_zip", [True, False])
@pytest.mark.parametrize("variant", VARIANTS)
def test_tuned_network_of_pti(tmp_path: Path, variant: str, as_zip: bool) -> None:
    source = checkpoint(**VARIANTS[variant])

    result = read(write_torch(tmp_path / "model_a.pt", nvidia_generator(source), as_zip=as_zip))

    assert result.source == "pti-pt"
    assert_same(result, source)


@pytest.mark.parametrize("as_zip", [True, False])
@pytest.mark.parametrize("base", [[4, 4], [4, 2]])
def test_community_state_dict(tmp_path: Path, base: list[int], as_zip: bool) -> None:
    source = checkpoint(base=base)

    result = read(write_community(tmp_path / "550000.pt", source, as_zip=as_zip))

    assert result.source == "community-pt"
    assert result.details["read"] == "g_ema"
    assert_same(result, source)


def test_community_names_follow_the_published_table() -> None:
    # methods/draggan.md section 7.4, spelled out for 16x16
    assert [nth_convolution(index) for index in range(5)] == [
        "synthesis.b4.conv1",
        "synthesis.b8.conv0",
        "synthesis.b8.conv1",
        "synthesis.b16.conv0",
        "synthesis.b16.conv1",
    ]
    names = community_names(checkpoint())
    assert {"style.1.weight", "input.input", "conv1.conv.weight", "to_rgb1.conv.modulation.bias"} <= set(
        names
    )
    assert {"convs.3.activate.bias", "to_rgbs.1.bias", "noises.noise_4", "convs.2.conv.blur.kernel"} <= set(
        names
    )
    assert "convs.1.conv.blur.kernel" not in names


def test_the_mean_code_is_computed_where_the_file_has_none(tmp_path: Path) -> None:
    source = checkpoint(mapping_layers=1, lr_multiplier=0.01)
    weight, bias = source.tensors["mapping.fc0.weight"], source.tensors["mapping.fc0.bias"]
    draw = torch.Generator().manual_seed(1)
    z = torch.randn(200_000, 5, generator=draw)
    z = z / z.square().mean(1, keepdim=True).sqrt()
    w = z @ (0.01 * weight / 5**0.5).T + 0.01 * bias
    expected = (2**0.5 * torch.where(w > 0, w, 0.2 * w)).mean(0)

    result = read(write_community(tmp_path / "a.pt", source, average=False))

    scale = w.std(0).max().item()
    torch.testing.assert_close(result.tensors["mapping.w_avg"], expected, rtol=0, atol=0.06 * scale)
    again = read(tmp_path / "a.pt")
    assert torch.equal(result.tensors["mapping.w_avg"], again.tensors["mapping.w_avg"])


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("variant", ["plain", "conditional", "resnet", "orig"])
def test_tensorflow_pickle(tmp_path: Path, variant: str, protocol: int) -> None:
    source = checkpoint(**VARIANTS[variant])

    result = read(write_tensorflow(tmp_path / "stylegan2-car-config-f.pkl", source, protocol))

    assert result.source == "tensorflow-pickle"
    assert result.details["channel_base"] == 2 * 8192
    assert_same(result, source, tolerance=1e-6)  # style biases go through -1 and +1


def test_tensorflow_arguments(tmp_path: Path) -> None:
    source = checkpoint(conv_clamp=256.0, half_resolution=8, lr_multiplier=0.02)
    given = {"conv_clamp": 256, "num_fp16_res": 2, "mapping_lrmul": 0.02, "resample_kernel": [1, 3, 3, 1]}

    assert_same(read(write_tensorflow(tmp_path / "g", source, **given)), source, tolerance=1e-6)


def test_the_name_of_a_file_says_nothing(tmp_path: Path) -> None:
    source = checkpoint()

    assert read(write_nvidia(tmp_path / "model.safetensors", source)).source == "nvidia-pickle"
    assert read(write_community(tmp_path / "model.pkl", source)).source == "community-pt"
    assert read(write_tensorflow(tmp_path / "model.pt", source)).source == "tensorflow-pickle"


def test_inspect(tmp_path: Path) -> None:
    source = checkpoint(base=[4, 2], c_dim=3)

    facts = inspect(write_nvidia(tmp_path / "person.pkl", source))

    fixed = ("noise_const", "w_avg")
    assert (facts["format"], facts["width"], facts["height"], facts["num_ws"]) == ("nvidia-pickle", 8, 16, 6)
    assert facts["conditional"] is True
    assert facts["keys"] == ["D", "G", "G_ema", "augment_pipe", "training_set_kwargs"]
    assert "torch_utils.persistence._reconstruct_persistent_obj" in facts["globals"]
    assert facts["bytes"] == (tmp_path / "person.pkl").stat().st_size
    assert facts["parameters"] == sum(
        tensor.numel() for name, tensor in source.tensors.items() if not name.endswith(fixed)
    )


def test_a_published_layout_has_its_published_size() -> None:
    # methods/draggan.md section 7.3: 512 pixels, channel_base 32768: 163 tensors with the filters, 30.28 M parameters
    channels = [min(32768 // 2**power, 512) for power in range(2, 10)]
    config = checkpoint().config | {
        "resolution": 512, "channels": channels, "z_dim": 512, "w_dim": 512, "mapping_layers": 8,
    }  # fmt: skip

    shapes = expected_shapes(config)

    filters = 2 + 7 * 3  # b4: block and conv1; seven blocks with one of their own and two layers
    parameters = {
        name: shape for name, shape in shapes.items() if not name.endswith(("noise_const", "w_avg"))
    }
    assert len(shapes) + filters == 163
    assert sum(torch.Size(shape).numel() for shape in parameters.values()) == pytest.approx(30.28e6, rel=1e-3)
    assert FILTER.sum() == 1
