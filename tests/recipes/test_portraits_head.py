"""The recipes of the part head and of the net that judges it: what they choose and count, and short runs from data to files."""

import io
import json
import sys
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from pliant.checkpoints import Checkpoint, write_native
from pliant.gan.head import PartHead
from pliant.gan.latent import sample

import tiny
from paths import REPOSITORY


@pytest.fixture(scope="module")
def recipes():
    """Both programs as modules."""
    sys.path.insert(0, str(REPOSITORY / "recipes" / "portraits"))
    import head
    import part_net

    yield head, part_net
    sys.path.pop(0)
    for name in ("head", "part_net"):
        del sys.modules[name]


TRAITS = {
    "hair_style": "bald", "beard": "", "glasses": "none", "theme": "neutral", "cloth": "a", "background": "plain",
    "fringe": False, "yaw": 0, "pitch": 0, "gender": 0, "age": 0, "skin_tone": 0, "eyes_open": 1, "mouth_open": 0,
}  # fmt: skip


@pytest.fixture
def data(tmp_path):
    """Six pictures of 64 pixels with labels, as the data set's shards hold them."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "portraits_000000.zip", "w") as archive:
        lines = []
        for seed in range(6):
            picture, ids = io.BytesIO(), io.BytesIO()
            Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(picture, "WEBP")
            Image.fromarray(np.kron(rng.integers(0, 16, (8, 8)), np.ones((8, 8))).astype(np.uint8)).save(
                ids, "PNG"
            )
            archive.writestr(f"img/{seed}.webp", picture.getvalue())
            archive.writestr(f"seg/{seed}.png", ids.getvalue())
            record = {"id": seed, "image": f"img/{seed}.webp", "parts": f"seg/{seed}.png"}
            lines.append(json.dumps(record | TRAITS | {"hair_style": f"style {seed % 2}"}))
        archive.writestr("labels.jsonl", "\n".join(lines))
    return tmp_path


def test_pictures_to_label_differ(recipes):
    head, part_net = recipes
    styles = ["a", "a", "a", "b", "a", "c"]
    attributes = [TRAITS | {"hair_style": style} for style in styles]
    rows = head.chosen(part_net.Labelled(list(range(6)), None, None, attributes), 3)
    assert {styles[row] for row in rows} == {"a", "b", "c"}
    assert len(set(head.chosen(part_net.Labelled(list(range(6)), None, None, attributes), 6))) == 6


def test_intersection_over_union_by_hand(recipes):
    _, part_net = recipes
    exact = torch.tensor([[0, 0, 1, 1]], dtype=torch.uint8)
    found = torch.tensor([[0, 1, 1, 2]], dtype=torch.uint8)
    counts = part_net.confusion(found, exact)
    assert part_net.iou(counts)[:3].tolist() == pytest.approx([1 / 2, 1 / 3, 0])
    assert part_net.mean_iou(counts) == pytest.approx(
        (1 / 2 + 1 / 3) / 2
    )  # 2 does not occur in the exact map


def test_labels_count_where_the_fit_looks_like_the_picture(recipes):
    head, _ = recipes
    generator = tiny.generator(32)
    picture = sample(generator, 0)
    photo = (picture.pixels() * 127.5 + 127.5).round().to(torch.uint8)
    assert (head.trust(generator, picture.ws, photo) == 1).all()
    photo[:, 4:10, 4:10] = 255 - photo[:, 4:10, 4:10]
    changed = (picture.pixels() * 2).abs().mean(0)[5:9, 5:9]
    trusted = head.trust(generator, picture.ws, photo)
    assert (trusted[5:9, 5:9][changed > 1] < 0.5).all()
    assert (trusted[12:] == 1).all()


def test_a_mirrored_picture_keeps_its_labels(recipes):
    _, part_net = recipes
    ids = torch.randint(16, (6, 64, 64), dtype=torch.uint8)
    images = ids[:, None].expand(-1, 3, -1, -1) * 16
    moved, labels = part_net.augment(images, ids, torch.Generator().manual_seed(1))
    assert moved.shape == images.shape
    mirror = torch.tensor(part_net.MIRRORED)
    counts = [each.flatten().long().bincount(minlength=16) for each in ids]
    for before, after in zip(counts, labels, strict=True):
        seen = after.flatten().long().bincount(minlength=16)
        assert torch.equal(seen, before) or torch.equal(seen[mirror], before)


def test_short_runs_leave_a_net_and_a_head(recipes, data, monkeypatch):
    head, part_net = recipes
    monkeypatch.setattr("pliant.train.head.LEAST_STEPS", 2)
    generator = tiny.generator(64)
    model = data / "model"
    write_native(Checkpoint(generator.config.to_json(), generator.state_dict(), "native", {}), model)
    net = ("--data", data, "--out", data / "net", "--seconds", 0.01, "--batch", 2, "--held-out", 2)
    monkeypatch.setattr(sys, "argv", ["part_net.py", *map(str, net)])
    part_net.main()
    assert json.loads((data / "net" / "report.json").read_text())["trained_on"] == 4
    words = (
        *(
            "--data",
            data,
            "--net",
            data / "net",
            "--out",
            data / "out",
            "--model",
            model,
            "--counts",
            1,
            "--embedded",
            2,
        ),
        *("--members", 2, "--keep", 1, "--pixels", 100, "--epochs", 1, "--unlabelled", 1, "--held-out", 1),
        *("--generated", 6, "--w-steps", 1, "--wplus-steps", 1, "--by-net"),
    )
    monkeypatch.setattr(sys, "argv", ["head.py", *map(str, words)])
    head.main()
    made = PartHead.open(data / "out" / "model")
    assert made.names == head.NAMES
    assert len(made.ensemble) == 1
    assert made.facts["labelled"] == 2
    report = json.loads((data / "out" / "report.json").read_text())
    assert list(report["rows"]) == [
        "supervised net",
        "1 labels",
        "2 labels",
        "2 generated pictures, labelled by the net",
    ]
    assert "| 2 labels, fast |" in (data / "out" / "model" / "README.md").read_text()
    assert (data / "out" / "sheet.jpg").is_file()
