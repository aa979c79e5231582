"""The zip that torch.save writes, and zips that it does not write."""

import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import torch

from foreign import checkpoint, nvidia_generator, write_torch
from hostile import archive, named, outcome, refused, text
from pliant.checkpoints import Checkpoint
from pliant.errors import UnsafeCheckpointError

# Archives


TENSOR = b"\x80\x02}" + text("g_ema") + b"}" + text("x") + named("torch._utils", "_rebuild_tensor_v2")


def tensor_of(
    key: str = "0", count: bytes = b"K\x04", kind: str = "FloatStorage", shape: bytes = b"K\x04\x85"
) -> bytes:
    """A pickle of {"g_ema": {"x": tensor}} whose tensor refers to a storage."""
    storage = b"(" + text("storage") + named("torch", kind) + text(key) + text("cpu") + count + b"tQ"
    return TENSOR + b"(" + storage + b"K\x00" + shape + b"K\x01\x85\x89}tRss."


def test_the_archive_that_the_attacks_below_change_is_read(tmp_path: Path) -> None:
    members = {"a/data.pkl": tensor_of(), "a/data/0": bytes(16), "a/version": b"3", "a/byteorder": b"little"}

    assert "'x'" in refused(tmp_path / "m", archive(members))  # read up to the name of the tensor


@pytest.mark.parametrize(
    "name", ["../canary", "a/../../canary", "/canary", "a\\..\\canary", "..", "a/data/..", "C:\\canary"]
)
def test_members_with_odd_names(tmp_path: Path, name: str) -> None:
    members = {"a/data.pkl": tensor_of(), "a/data/0": bytes(16), name: b"x"}

    assert isinstance(outcome(tmp_path / "m", archive(members)), UnsafeCheckpointError)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize(
    "key", ["../data.pkl", "0/../0", "", "00", "1", "\u0660", "9" * 400, "0\0", "a", "-1", "+0"]
)
def test_storages_that_are_not_there(tmp_path: Path, key: str) -> None:
    content = archive({"a/data.pkl": tensor_of(key), "a/data/0": bytes(16)})

    assert "is missing" in refused(tmp_path / "m", content)


@pytest.mark.parametrize(
    ("pickled", "sentence"),
    [
        (tensor_of(count=b"K\x05"), "another size"),
        (tensor_of(count=b"J\xff\xff\xff\xff"), "not a whole number"),
        (tensor_of(count=b"\x88"), "not a whole number"),
        (tensor_of(count=b"\x8a\x09" + bytes(8) + b"\x01"), "not a whole number"),
        (tensor_of(kind="DoubleStorage"), "another size"),
        (tensor_of(shape=b"K\x05\x85"), "does not fit"),
        (tensor_of(shape=b"J\xff\xff\xff\xff\x85"), "not a whole number"),
        (tensor_of(shape=b"K\x02K\x02\x86"), "does not fit"),
        (tensor_of(shape=b"(" + b"K\x01" * 100 + b"t"), "without a shape"),
        (tensor_of().replace(b"K\x01\x85\x89", b"K\x00\x85\x89"), "does not fit"),  # stride 0
        (tensor_of().replace(b"K\x01\x85\x89", b"J\xff\xff\xff\xff\x85\x89"), "not a whole number"),
        (tensor_of().replace(b"cpu", b"cpu:"), "damaged"),
        (tensor_of().replace(b"FloatStorage", b"UntypedStorage"), "asks for torch.UntypedStorage"),
        (tensor_of().replace(b"storage", b"modules"), "something else than stored numbers"),
    ],
)
def test_tensors_that_do_not_fit_their_numbers(tmp_path: Path, pickled: bytes, sentence: str) -> None:
    assert sentence in refused(tmp_path / "m", archive({"a/data.pkl": pickled, "a/data/0": bytes(16)}))


def test_archives_that_torch_does_not_write(tmp_path: Path) -> None:
    path = tmp_path / "m"
    good = {"a/data.pkl": tensor_of(), "a/data/0": bytes(16)}
    assert "compressed or encrypted" in refused(path, archive(good, zipfile.ZIP_DEFLATED))
    assert "without a data.pkl" in refused(path, archive({"a/photo.png": b"x"}))
    assert "without a data.pkl" in refused(path, archive({"data.pkl": tensor_of()}))
    assert "TorchScript" in refused(path, archive(good | {"a/constants.pkl": b"x"}))
    assert "big-endian" in refused(path, archive(good | {"a/byteorder": b"big"}))
    assert "overlap" in refused(path, archive(good | {"b/data.pkl": tensor_of()}))
    assert "overlap" in refused(path, archive(good | {f"{folder}/x": b"" for folder in "ab"}))
    encrypted = archive(good).replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"
    )
    assert "compressed or encrypted" in refused(path, encrypted)
    assert "has changed" in refused(path, archive(good).replace(bytes(16), bytes(15) + b"x"))
    moved = bytearray(archive(good))
    entry = moved.index(b"PK\x01\x02")
    moved[entry + 42 : entry + 46] = struct.pack("<I", 2**31)
    assert "damaged" in refused(path, bytes(moved)) or "incomplete" in refused(path)


def test_a_zip_bomb_stays_packed(tmp_path: Path) -> None:
    bomb = archive({"a/data.pkl": tensor_of(), "a/data/0": bytes(100 * 2**20)}, zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    refused(tmp_path / "m", bomb)
    assert tracemalloc.get_traced_memory()[1] < 10 * len(bomb) + 2**20
    tracemalloc.stop()


def test_members_that_share_their_bytes(tmp_path: Path) -> None:
    data = archive({"a/data.pkl": tensor_of(), "a/data/0": bytes(10_000)})
    start = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    end = data.index(b"PK\x05\x06")
    entries = b"".join(
        data[start:end].replace(b"a/data/0", f"a/data/{index}".encode()) for index in range(1, 10)
    )
    size = end - data.index(b"PK\x01\x02") + len(entries)
    trailer = bytearray(data[end:])
    trailer[8:16] = struct.pack("<HHI", 11, 11, size)
    overlapping = data[:end] + entries + bytes(trailer)

    assert "overlap" in refused(tmp_path / "m", overlapping) or "incomplete" in refused(tmp_path / "m")


def test_an_archive_of_very_many_members(tmp_path: Path) -> None:
    assert "members" in refused(tmp_path / "m", b"PK\x03\x04" + b"PK\x01\x02" * 100_001)


def test_tensors_that_share_their_numbers(tmp_path: Path) -> None:
    """A small file must not become a large network: here every weight is a view of one storage."""
    source = checkpoint(channels=[512, 512, 512], z_dim=512, w_dim=512)
    numbers = torch.ones(512 * 512 * 9)
    shared = {name: numbers[: value.numel()].view(value.shape) for name, value in source.tensors.items()}
    generator = nvidia_generator(Checkpoint(source.config, shared, "native", {}))
    for path in [*generator.state["_modules"], "mapping.fc0", "mapping.fc1"]:
        assert generator.child(path)
    for size in (4, 8, 16):
        for layer in ("conv0", "conv1") if size > 4 else ("conv1",):
            part = generator.child(f"synthesis.b{size}.{layer}").state["_parameters"]
            part["weight"] = torch.nn.Parameter(numbers.view(512, 512, 3, 3), requires_grad=False)

    assert "share their numbers" in refused(write_torch(tmp_path / "m", generator))
