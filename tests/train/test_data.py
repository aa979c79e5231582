"""Reading training sets, and one sentence for each unusable one."""

import io
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from pliant.errors import InputError
from pliant.train.data import Pictures, load_pictures

CPU = torch.device("cpu")


def test_a_folder_of_any_depth_and_shape(folder):
    (folder / "notes.txt").write_text("not a picture")
    pictures = load_pictures(folder, 16, CPU)
    assert pictures.count == 6
    with Image.open(folder / "1.png") as image:
        square = np.array(image)
    assert torch.equal(pictures.bytes[1], torch.from_numpy(square).permute(2, 0, 1))


def test_zip_files_and_shards(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, f"inside/{path.name}")
        archive.writestr("labels.json", "{}")
    assert torch.equal(
        load_pictures(tmp_path / "some.zip", 16, CPU).bytes, load_pictures(folder, 16, CPU).bytes
    )
    shard = np.arange(2 * 3 * 8 * 8, dtype=np.uint8).reshape(2, 3, 8, 8)
    np.save(tmp_path / "shard.npy", shard)
    assert torch.equal(load_pictures(tmp_path / "shard.npy", 8, CPU).bytes, torch.from_numpy(shard))


def test_batches_are_scaled_averaged_and_mirrored():
    pictures = Pictures(4, 2, CPU)
    ramp = torch.arange(4, dtype=torch.uint8) * 85  # 0, 85, 170, 255
    pictures.add(ramp.expand(1, 3, 4, 4))
    pictures.add(ramp.expand(5, 3, 4, 4))  # more than there is room for
    assert pictures.count == 2
    batch = pictures.batch(64, 4, torch.Generator().manual_seed(0))
    row = torch.tensor([-1.0, -1 / 3, 1 / 3, 1.0])
    mirrored = batch[:, 0, 0, 0] > 0
    torch.testing.assert_close(batch[~mirrored], row.expand(int((~mirrored).sum()), 3, 4, 4))
    assert 16 < mirrored.sum() < 48
    halved = pictures.batch(1, 2, torch.Generator().manual_seed(0))
    assert halved.abs().allclose(torch.tensor(2 / 3))


def test_a_pictures_batch_needs_no_flip():
    pictures = Pictures(4, 1, CPU, flip=False)
    pictures.add(torch.arange(4, dtype=torch.uint8).expand(1, 3, 4, 4))
    batch = pictures.batch(16, 4, torch.Generator().manual_seed(0))
    assert torch.equal(batch, batch[:1].expand_as(batch))


def bad(tmp_path, what):
    place = tmp_path / "bad"
    if what == "missing":
        return place
    place.mkdir()
    if what != "empty":
        Image.new("RGB", (9, 9)).save(place / "good.png")
    if what == "text":
        (place / "b.png").write_text("no picture")
    elif what == "truncated":
        buffer = io.BytesIO()
        Image.effect_noise((64, 64), 50).save(buffer, "PNG")
        (place / "b.png").write_bytes(buffer.getvalue()[:500])
    elif what == "zip":
        (place / "b.zip").write_bytes(b"PK not a zip")
    elif what == "npy":
        (place / "b.npy").write_bytes(b"nothing")
    elif what == "pickled":
        np.save(place / "b.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    elif what == "shape":
        np.save(place / "b.npy", np.zeros((4, 3, 9, 9), np.uint8))
    return place


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("missing", "does not exist"),
        ("empty", "holds 0 pictures"),
        ("one", "holds 1 pictures"),
        ("text", r"b\.png"),
        ("truncated", r"b\.png"),
        ("zip", "not a readable zip"),
        ("npy", "not a readable .npy"),
        ("pickled", "not a readable .npy"),
        ("shape", "expected uint8"),
    ],
)
def test_unusable_sets(tmp_path, what, says):
    with pytest.raises(InputError, match=says):
        load_pictures(bad(tmp_path, what), 8, CPU)
