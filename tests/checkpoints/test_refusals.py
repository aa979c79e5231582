"""Files that are not a StyleGAN2 generator: one sentence each, which says what they are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from foreign import Module, checkpoint, nvidia_generator, write_pickle, write_torch
from foreign_community import community_names
from foreign_tensorflow import tensorflow_generator, write_tensorflow
from pliant import checkpoints
from pliant.checkpoints import limits, read
from pliant.errors import CheckpointError


def refused(path: Path, sentence: str) -> None:
    with pytest.raises(CheckpointError, match=sentence) as refusal:
        read(path)
    message = str(refusal.value)
    assert message.startswith(f"{path.name}: ")
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 400


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is no checkpoint"),
        (b"hello", "it is no checkpoint"),
        (b"\n <!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "a picture"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"\x89HDF\r\n", "HDF5"),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00{}", "safetensors file without a config.json"),
        (b"PK\x03\x04", "incomplete download"),
        (b"\x80\x04", "incomplete download"),
        (b"\x80\x04N.", "no generator"),
        (b"\x80\x04}.", "no generator"),
        (b"\x80\x04K\x01.", "no generator"),
    ],
)
def test_other_files(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "some.pkl"
    path.write_bytes(content)

    refused(path, sentence)


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    refused(tmp_path / "missing.pkl", "no such file")
    refused(tmp_path, "folder has no config.json")
    refused(Path("/dev/zero"), "no such file")


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "huge.pkl"
    with path.open("wb") as file:
        file.truncate(limits.MAX_FILE_BYTES + 1)  # a hole: takes no disk

    refused(path, r"larger than 4\.0 GiB")


def test_the_limit_on_size_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_pickle(tmp_path / "g.pkl", nvidia_generator(checkpoint()))
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", path.stat().st_size)
    checkpoints.read(path)
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", path.stat().st_size - 1)

    refused(path, "larger than")


def test_a_stylegan3_network_is_named(tmp_path: Path) -> None:
    generator = Module("Generator", img_resolution=256)
    synthesis = Module("SynthesisNetwork")
    synthesis.state["_modules"] = {"input": Module("SynthesisInput"), "L0_36_512": Module("SynthesisLayer")}
    generator.state["_modules"] = {"mapping": Module("MappingNetwork"), "synthesis": synthesis}

    refused(write_pickle(tmp_path / "stylegan3-t.pkl", {"G_ema": generator}), "this is a StyleGAN3 network")


def _other_class(generator: Module) -> None:
    generator.class_name = "TriPlaneGenerator"


def _other_part(generator: Module) -> None:
    generator.child("synthesis.b8").state["_modules"]["attention"] = Module("SelfAttention")


def _other_activation(generator: Module) -> None:
    generator.child("synthesis.b8.conv0").state["activation"] = "relu"


def _other_filter(generator: Module) -> None:
    generator.child("synthesis.b8.conv0").state["_buffers"]["resample_filter"] = torch.full((4, 4), 1 / 16)


def _two_clamps(generator: Module) -> None:
    generator.child("synthesis.b8.conv0").state["conv_clamp"] = 1


def _other_resolution(generator: Module) -> None:
    generator.state["img_resolution"] = 1024


def _missing_tensor(generator: Module) -> None:
    del generator.child("synthesis.b8.conv0.affine").state["_parameters"]["bias"]


def _missing_block(generator: Module) -> None:
    del generator.child("synthesis").state["_modules"]["b8"]


def _missing_mapping(generator: Module) -> None:
    del generator.state["_modules"]["mapping"]


def _extra_tensor(generator: Module) -> None:
    generator.child("synthesis.b8.conv0").state["_parameters"]["gamma"] = torch.ones(2)


def _wrong_shape(generator: Module) -> None:
    generator.child("synthesis.b8.conv0").state["_parameters"]["weight"] = torch.ones(7, 8, 5, 5)


def _wrong_rank(generator: Module) -> None:
    generator.child("synthesis.b4").state["_parameters"]["const"] = torch.ones(8)


def _nan(generator: Module) -> None:
    generator.child("mapping").state["_buffers"]["w_avg"] = torch.full((6,), torch.nan)


def _infinity_in_float32(generator: Module) -> None:
    generator.child("mapping").state["_buffers"]["w_avg"] = torch.full((6,), 1e300, dtype=torch.float64)


def _whole_numbers(generator: Module) -> None:
    generator.child("mapping").state["_buffers"]["w_avg"] = torch.ones(6, dtype=torch.int64)


def _grey(generator: Module) -> None:
    for block in ("b4", "b8", "b16"):
        layer = generator.child(f"synthesis.{block}.torgb").state["_parameters"]
        layer |= {"weight": layer["weight"][:1].clone(), "bias": layer["bias"][:1].clone()}


def _label_without_average(generator: Module) -> None:
    del generator.child("mapping").state["_buffers"]["w_avg"]
    generator.child("mapping").state["_modules"]["embed"] = Module("FullyConnectedLayer")
    parameters = {"weight": torch.ones(6, 3), "bias": torch.ones(6)}
    generator.child("mapping.embed").state["_parameters"] = parameters
    generator.child("mapping.fc0").state["_parameters"]["weight"] = torch.ones(6, 11)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_other_class, "'TriPlaneGenerator', which is no part of StyleGAN2"),
        (_other_part, "'SelfAttention', which is no part of StyleGAN2"),
        (_other_activation, r"synthesis\.b8\.conv0 does not use leaky ReLU"),
        (_other_filter, r"resampling filter synthesis\.b8\.conv0\.resample_filter"),
        (_two_clamps, "clamp at different values"),
        (_other_resolution, "make the resolution 16"),
        (_missing_tensor, r"synthesis\.b8\.conv0\.affine\.bias is missing"),
        (_missing_block, r"resolutions \[4, 16\]"),
        (_missing_mapping, r"mapping\.fc0\.weight is missing"),
        (_extra_tensor, r"'synthesis\.b8\.conv0\.gamma' that a StyleGAN2 generator does not have"),
        (_wrong_shape, r"shape \[7, 8, 5, 5\] where a StyleGAN2 generator has \[7, 8, 3, 3\]"),
        (_wrong_rank, r"shape \[8\] where a StyleGAN2 generator has 3 axes"),
        (_nan, r"mapping\.w_avg holds NaN"),
        (_infinity_in_float32, r"mapping\.w_avg holds NaN or infinity"),
        (_whole_numbers, "int64"),
        (_grey, "RGB"),
        (_label_without_average, r"w_avg is missing"),
    ],
)
def test_networks_that_are_refused(tmp_path: Path, change: Callable[[Module], None], sentence: str) -> None:
    generator = nvidia_generator(checkpoint())
    change(generator)

    refused(write_pickle(tmp_path / "g.pkl", {"G_ema": generator}), sentence)
    refused(write_torch(tmp_path / "g.pt", generator), sentence)


def test_a_snapshot_without_a_generator(tmp_path: Path) -> None:
    path = write_pickle(tmp_path / "d.pkl", {"D": Module("Discriminator"), "augment_pipe": None})

    refused(path, r"no generator \(networks in it: 'D'\)")


def test_community_files_that_are_refused(tmp_path: Path) -> None:
    weights = community_names(checkpoint())
    without = {name: value for name, value in weights.items() if name != "convs.0.conv.weight"}
    contents: list[tuple[Any, str]] = [
        ({"state_dict": {}}, "holds 'state_dict' where a StyleGAN2 .pt has g_ema"),
        ({"g_ema": torch.zeros(2)}, "holds 'g_ema' where"),
        (torch.zeros(2), "no dictionary"),
        ({"g_ema": {}}, "resolutions"),
        ({"g_ema": without}, r"synthesis\.b8\.conv0\.weight is missing"),
        ({"g_ema": weights | {"convs.0.conv.weight": torch.ones(7, 8)}}, "shape"),
        ({"g_ema": weights | {"stddev": torch.ones(1)}}, "'stddev'"),
        ({"g_ema": weights | {"convs.0.bias": torch.ones(7)}}, "two tensors for one place"),
        ({"g_ema": weights | {"style.1.weight": 3}}, "something else than a tensor"),
        ({"g_ema": weights | {"convs.0.conv.blur.kernel": torch.ones(4, 4)}}, "resampling filter"),
        ({"g_ema": weights, "latent_avg": None}, "something else than a tensor"),
        ({"g_ema": weights, "latent_avg": torch.ones(2)}, r"w_avg has the shape \[2\]"),
    ]
    for content, sentence in contents:
        refused(write_torch(tmp_path / "a.pt", content), sentence)


def test_tensorflow_files_that_are_refused(tmp_path: Path) -> None:
    source, path = checkpoint(), tmp_path / "a.pkl"
    for arguments, sentence in (
        ({"nonlinearity": "relu"}, "another nonlinearity"),
        ({"normalize_latents": False}, "another normalize_latents"),
        ({"resample_kernel": [1, 1]}, "resample_kernel"),
    ):
        refused(write_tensorflow(path, source, **arguments), sentence)
    network = tensorflow_generator(source)
    refused(write_pickle(path, (network, network)), r"not the three \(G, D, Gs\)")
    network.state["components"]["mapping"].state["variables"][0] = ("Dense0/weight", torch.ones(3).numpy())
    refused(write_pickle(path, network), r"shape \[3\], which no layer gives it")
    network.state["version"] = 3
    refused(write_pickle(path, (network, network, network)), "older than StyleGAN2")
    network = tensorflow_generator(source)
    network.state["components"]["synthesis"].state["variables"].append(
        ("8x8/Attention/w", torch.ones(2).numpy())
    )
    refused(write_pickle(path, (network, network, network)), "8x8/Attention/w")
    del network.state["components"]["synthesis"]
    refused(write_pickle(path, network), "no component synthesis")
