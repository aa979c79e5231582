import json

import pytest
import torch
from safetensors.torch import save_file

from pliant.errors import CheckpointError
from pliant.perception.landmarks import (
    EMBEDDED,
    MIRROR,
    POINTS,
    LandmarkConfig,
    LandmarkNet,
    config_json,
    expectation,
    five_points,
    interocular,
    load_landmarks,
    resize_for,
)

TINY = LandmarkConfig(32, (8, 8, 8, 8))


@pytest.fixture(scope="module")
def net():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return LandmarkNet(TINY).eval()


def test_expectation_finds_a_peak_between_cells():
    logits = torch.full((1, 2, 8, 16), -50.0)
    logits[0, 0, 3, 5] = 0
    logits[0, 1, 2, 4] = logits[0, 1, 2, 5] = 0
    points, sure = expectation(logits)
    assert points[0, 0].tolist() == pytest.approx([5.5 / 16, 3.5 / 8])
    assert points[0, 1].tolist() == pytest.approx([5 / 16, 2.5 / 8])
    assert sure.tolist()[0] == pytest.approx([1, 1])
    _, unsure = expectation(torch.zeros(1, 1, 10, 10))
    assert float(unsure) == pytest.approx(4 / 100, abs=0.06)


def test_points_are_pixels_of_the_picture_given(net):
    head = torch.full((1, POINTS, 16, 16), -50.0)
    head[:, :, 0, 15] = 0  # top right cell of 16: its centre is at 15.5/16 of the width
    net = LandmarkNet(TINY).eval()
    net.forward = lambda images: head.expand(len(images), -1, -1, -1)
    found = net.detect(torch.zeros(2, 3, 64, 128))
    assert found.points.shape == (2, POINTS, 2)
    assert found.points[0, 0].tolist() == pytest.approx([15.5 / 16 * 128 - 0.5, 0.5 / 16 * 64 - 0.5])
    assert found.confidence.min() > 0.99


def test_any_size_and_batch_gives_the_same_points(net):
    images = torch.rand(5, 3, 48, 48, generator=torch.Generator().manual_seed(1)) * 2 - 1
    together, apart = net.detect(images), net.detect(images, batch_size=2)
    assert torch.allclose(together.points, apart.points, atol=1e-4)
    assert net.embed(images).shape == (5, 8)


def test_resize_averages():
    images = torch.arange(64.0).reshape(1, 1, 8, 8)
    assert resize_for(images, 8) is images
    assert resize_for(images, 4)[0, 0, 0, 0] == pytest.approx((0 + 1 + 8 + 9) / 4)
    assert resize_for(torch.ones(1, 3, 30, 20), 16).shape == (1, 3, 16, 16)


def test_mirror_is_its_own_inverse_and_keeps_the_middle():
    assert sorted(MIRROR) == list(range(POINTS))
    assert all(MIRROR[MIRROR[i]] == i for i in range(POINTS))
    middle = [i for i in range(POINTS) if MIRROR[i] == i]
    assert middle == [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]


def test_five_points_and_eye_distance():
    points = torch.zeros(2, POINTS, 2)
    points[:, 36:42, 0], points[:, 42:48, 0] = 10, 30
    points[:, 30], points[:, 48], points[:, 54] = (
        torch.tensor([20.0, 9]),
        torch.tensor([12.0, 15]),
        torch.tensor([28.0, 15]),
    )
    assert five_points(points)[1].tolist() == [[10, 0], [30, 0], [20, 9], [12, 15], [28, 15]]
    assert interocular(points).tolist() == [20, 20]


def test_a_saved_network_comes_back(net, tmp_path):
    (tmp_path / "config.json").write_text(config_json(TINY))
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, tmp_path / "model.safetensors")
    again = load_landmarks(tmp_path)
    images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    assert torch.equal(again(images), net(images))
    assert load_landmarks(tmp_path) is again
    assert not any(p.requires_grad for p in again.parameters())


@pytest.mark.parametrize("damage", ["missing", "format", "weights", "shape", "json"])
def test_unreadable_folders_are_refused_with_a_sentence(net, tmp_path, damage):
    config = json.loads(config_json(TINY))
    weights = {k: v.contiguous() for k, v in net.state_dict().items()}
    if damage == "format":
        config["format"] = "another"
    if damage == "shape":
        weights["head.weight"] = torch.zeros(3)
    if damage != "missing":
        (tmp_path / "config.json").write_text("{" if damage == "json" else json.dumps(config))
        save_file(weights, tmp_path / "model.safetensors")
    if damage == "weights":
        (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(CheckpointError, match="landmark network"):
        load_landmarks(tmp_path)


@pytest.mark.skipif(not (EMBEDDED / "model.safetensors").exists(), reason="not trained yet")
def test_embedded_network_is_small_and_finds_a_symmetric_answer():
    size = sum(path.stat().st_size for path in EMBEDDED.iterdir())
    assert size <= 3.2e6
    net = load_landmarks()
    assert sum(p.numel() for p in net.parameters()) <= 1_500_000
    images = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0)) * 2 - 1
    images = torch.nn.functional.avg_pool2d(images, 16).repeat_interleave(16, 2).repeat_interleave(16, 3)
    points = net.detect(images).points
    assert points.min() > -0.5
    assert points.max() < 255.5
