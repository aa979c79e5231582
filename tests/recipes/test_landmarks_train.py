"""The landmark recipe: labels follow the pictures, and a short run leaves a network that loads."""

import importlib.util
import io
import json
import sys
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from pliant.perception.landmarks import load_landmarks

from paths import REPOSITORY


@pytest.fixture(scope="module")
def recipe():
    path = REPOSITORY / "recipes" / "landmarks" / "train.py"
    spec = importlib.util.spec_from_file_location("landmarks_train", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["landmarks_train"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["landmarks_train"]


def test_labels_move_with_the_picture(recipe):
    random = torch.Generator().manual_seed(0)
    side, count = 64, 12
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    # Mirroring swaps landmarks 36 and 45; a blob at each keeps both in view.
    points = torch.full((count, 68, 2), 31.5)
    points[:, 36], points[:, 45] = torch.tensor([24.0, 30.0]), torch.tensor([38.0, 33.0])
    blobs = [torch.exp(-((x - px) ** 2 + (y - py) ** 2) / 8) for px, py in points[0, [36, 45]]]
    images = torch.stack([blobs[0], blobs[1], torch.zeros(side, side)]).expand(count, -1, -1, -1)
    moved, labels = recipe._move(images, points, random)
    mirrored = labels[:, 36, 0] > labels[:, 45, 0]
    assert not mirrored.any()
    for channel in (0, 1):
        mass = moved[:, channel].flatten(1)
        place = torch.stack([(mass * x.flatten()).sum(1), (mass * y.flatten()).sum(1)], 1) / mass.sum(
            1, keepdim=True
        )
        gap = (place[:, None] - labels[:, [36, 45]]).norm(dim=2).min(1).values
        assert gap.max() < 0.35


def test_degraded_pictures_stay_pictures(recipe):
    images = torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    points = torch.rand(16, 68, 2) * 31
    random = torch.Generator().manual_seed(2)
    changed, labels = recipe.augment(images, points, random)
    again, _ = recipe.augment(images, points, torch.Generator().manual_seed(2))
    assert changed.shape == images.shape
    assert changed.abs().max() <= 1
    assert torch.isfinite(labels).all()
    assert torch.equal(changed, again)


def test_loss_is_least_at_the_label(recipe):
    points = torch.tensor([[[20.0, 12.0]]])

    def peak(cell_x, cell_y):
        logits = torch.zeros(1, 1, 16, 16)
        logits[0, 0, cell_y, cell_x] = 12
        return float(recipe.loss_of(logits, points, side=64))

    assert peak(5, 3) < min(peak(6, 3), peak(5, 4), peak(9, 9))
    outside = recipe.loss_of(torch.randn(1, 1, 16, 16), torch.tensor([[[70.0, 12.0]]]), side=64)
    assert float(outside) == 0


def test_a_short_run_leaves_a_network(recipe, tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "portraits_000000.zip", "w") as archive:
        labels = []
        for seed in range(8):
            blob = io.BytesIO()
            Image.fromarray(random.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(blob, "WEBP")
            archive.writestr(f"img/{seed}.webp", blob.getvalue())
            points = random.uniform(5, 60, (68, 2)).tolist()
            labels.append(json.dumps({"id": seed, "image": f"img/{seed}.webp", "landmarks": points}))
        archive.writestr("labels.jsonl", "\n".join(labels))
    extra = tmp_path / "extra"
    (extra / "meta").mkdir(parents=True)
    np.save(extra / "a.npy", random.integers(0, 255, (2, 3, 64, 64), dtype=np.uint8))
    for seed in (7, 100):  # seed 7 is held out and must not be trained on
        record = {"id": seed, "landmarks": points}
        (extra / "meta" / f"{seed:06d}.json").write_text(json.dumps(record))
    arguments = [
        *("--data", str(tmp_path), "--extra", str(extra), "--out", str(tmp_path / "net"), "--device", "cpu"),
        *("--steps", "2", "--batch", "4", "--input-size", "32", "--held-out", "3"),
    ]
    monkeypatch.setattr(sys, "argv", ["train.py", *arguments])
    recipe.main()
    report = json.loads((tmp_path / "net" / "report.json").read_text())
    assert report["trained_on"] == 5 + 1
    assert report["held_out_seeds"] == [5, 7]
    assert report["clean"]["mean_px"] > 0
    assert load_landmarks(tmp_path / "net").detect(torch.zeros(1, 3, 64, 64)).points.shape == (1, 68, 2)
    assert "| as rendered |" in (tmp_path / "net" / "README.md").read_text()
