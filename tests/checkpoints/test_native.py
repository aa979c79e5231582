"""The native format: written, read, refused."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from foreign import checkpoint
from pliant.checkpoints import inspect, read, write_native
from pliant.errors import CheckpointError, InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_native(checkpoint(), tmp_path / "model", dtype=torch.float32)


def _edit_config(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def test_float32_comes_back_unchanged(folder: Path) -> None:
    source, result = checkpoint(), read(folder)

    assert result.source == "native"
    assert result.config == source.config
    assert all(torch.equal(tensor, source.tensors[name]) for name, tensor in result.tensors.items())
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors", "README.md"}
    assert {path.name for path in folder.parent.iterdir()} == {"model"}


def test_float16_comes_back_as_float32(tmp_path: Path) -> None:
    source = checkpoint()

    result = read(write_native(source, tmp_path / "new" / "model"))

    for name, tensor in result.tensors.items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, source.tensors[name].half().float())
    assert load_file(tmp_path / "new" / "model" / "model.safetensors")["mapping.w_avg"].dtype == torch.float16


def test_the_weights_may_be_named_instead_of_the_folder(folder: Path) -> None:
    assert read(folder / "model.safetensors").config == read(folder).config
    assert inspect(folder)["sha256"] == inspect(folder / "model.safetensors")["sha256"]


def test_the_card_is_the_given_one(tmp_path: Path) -> None:
    assert "licence" in (write_native(checkpoint(), tmp_path / "a") / "README.md").read_text()
    assert (write_native(checkpoint(), tmp_path / "b", card="# B\n") / "README.md").read_text() == "# B\n"


def test_a_model_is_replaced_and_anything_else_is_not(tmp_path: Path) -> None:
    write_native(checkpoint(), tmp_path / "model")
    write_native(checkpoint(z_dim=3), tmp_path / "model")
    assert read(tmp_path / "model").config["z_dim"] == 3

    (tmp_path / "model" / "holiday.jpg").touch()
    (tmp_path / "file").touch()
    for taken in ("model", "file"):
        with pytest.raises(InputError, match="choose a new folder"):
            write_native(checkpoint(), tmp_path / taken)
    assert read(tmp_path / "model").config["z_dim"] == 3


def test_configs_of_tuples_can_be_written(tmp_path: Path) -> None:
    source = checkpoint()
    tuples = {key: tuple(value) if isinstance(value, list) else value for key, value in source.config.items()}

    assert (
        read(write_native(dataclasses.replace(source, config=tuples), tmp_path / "m")).config == source.config
    )


def test_what_cannot_be_written(tmp_path: Path) -> None:
    source = checkpoint()
    with pytest.raises(InputError, match="float16 or float32"):
        write_native(source, tmp_path / "a", dtype=torch.float64)
    big = source.tensors | {"mapping.w_avg": torch.full((6,), 1e6)}
    with pytest.raises(CheckpointError, match="A weight is larger than float16"):
        write_native(dataclasses.replace(source, tensors=big), tmp_path / "a")
    few = {name: tensor for name, tensor in source.tensors.items() if name != "mapping.w_avg"}
    with pytest.raises(CheckpointError, match="w_avg is missing"):
        write_native(dataclasses.replace(source, tensors=few), tmp_path / "a")
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="cannot be written"):
        write_native(source, tmp_path / "file" / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": "other"}, "belongs to another program"),
        ({"version": 2}, "update Pliant"),
        ({"colour": "blue"}, "unknown key 'colour'"),
        ({"resolution": 12}, "a power of two"),
        ({"resolution": 16.0}, "a power of two"),
        ({"resolution": 32}, "one for each of 4, 8"),
        ({"channels": [8, 7]}, "one for each of 4, 8"),
        ({"channels": [8, 7, 0]}, "whole numbers from 1"),
        ({"channels": "877"}, "whole numbers from 1"),
        ({"z_dim": -1}, "whole number from 1"),
        ({"w_dim": 7}, "shape"),
        ({"w_dim": 10**12}, "whole number from 1"),
        ({"c_dim": 4}, "mapping.embed.weight is missing"),
        ({"mapping_layers": 3}, "mapping.fc2.weight is missing"),
        ({"mapping_layers": 1}, "does not have"),
        ({"architecture": "orig"}, "does not have"),
        ({"architecture": ["skip"]}, "resnet"),
        ({"img_channels": 1}, "RGB"),
        ({"lr_multiplier": float("nan")}, "positive number"),
        ({"conv_clamp": -1}, "positive number or null"),
        ({"half_resolution": 7}, "power of two or null"),
        ({"base": [8, 8]}, "size of the constant"),
        ({"base": [4, 2]}, "shape"),
    ],
)
def test_configs_that_are_refused(folder: Path, changes: dict[str, Any], sentence: str) -> None:
    _edit_config(folder, **changes)

    with pytest.raises(CheckpointError, match=sentence) as refusal:
        read(folder)
    assert str(refusal.value).startswith("model: ")


def test_files_that_are_refused(folder: Path) -> None:
    config = (folder / "config.json").read_text()
    for text in (
        "",
        "[]",
        "{",
        "[" * 100_000,
        '{"format": 1}',
        "\ud800".encode("utf-16-le", "surrogatepass"),
    ):
        (folder / "config.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(CheckpointError, match=r"config\.json"):
            read(folder)
    (folder / "config.json").write_text(config.replace('"z_dim": 5,', ""))
    with pytest.raises(CheckpointError, match='no "z_dim"'):
        read(folder)
    (folder / "config.json").write_text(config + " " * 100_000)
    with pytest.raises(CheckpointError, match="more than 65536 bytes"):
        read(folder)
    (folder / "config.json").write_text(config)
    weights = (folder / "model.safetensors").read_bytes()
    for size in (0, 4, 100, len(weights) - 1):
        (folder / "model.safetensors").write_bytes(weights[:size])
        with pytest.raises(CheckpointError, match="fetch it again"):
            read(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"no model\.safetensors"):
        read(folder)


def test_tensors_that_are_refused(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    path = folder / "model.safetensors"
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    broken = {
        "is missing": {name: tensor for name, tensor in tensors.items() if name != "synthesis.b8.conv1.bias"},
        "does not have": tensors | {"extra": torch.zeros(1)},
        r"has the shape \[7\]": tensors | {"mapping.w_avg": torch.zeros(7)},
        "NaN": tensors | {"mapping.w_avg": torch.full((6,), torch.nan)},
        "infinity": tensors | {"mapping.w_avg": torch.full((6,), torch.inf)},
        "expected float16": tensors | {"mapping.w_avg": torch.zeros(6, dtype=torch.int32)},
    }
    for sentence, content in broken.items():
        save_file(content, path)
        with pytest.raises(CheckpointError, match=sentence):
            read(folder)


def test_a_model_does_not_change_with_its_file(folder: Path) -> None:
    result = read(folder)
    before = result.tensors["mapping.w_avg"].clone()

    content = bytearray((folder / "model.safetensors").read_bytes())
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(len(content) // 4)
        file.write(bytes(len(content) // 2))

    assert torch.equal(result.tensors["mapping.w_avg"], before)
