import json
import math

import pytest
import torch
from torch.nn import functional

from pliant.errors import CheckpointError, InputError
from pliant.gan.latent import load_generator, sample
from pliant.perception.identity import (
    EMBEDDED,
    IN_A_PORTRAIT,
    IN_THE_CROP,
    IdentityConfig,
    IdentityNet,
    crop,
    find_faces,
    frames_of,
    load_identity,
    save_identity,
)

TINY = IdentityConfig(32, (8, 8, 8, 8), (1, 1, 2, 1), 16)


@pytest.fixture(scope="module")
def net():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return IdentityNet(TINY).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def faces():
    """[2, 3, 256, 256], two people of the embedded model."""
    generator = load_generator("portraits-256")
    return torch.stack([sample(generator, seed).pixels() for seed in (2, 5)])


def noise(count, side=48):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(count)) * 2 - 1


def test_the_frame_is_the_similarity_that_moved_the_eyes_and_mouth():
    angle, scale, shift = math.radians(20), 150.0, torch.tensor([40.0, 25.0])
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    forward = torch.tensor([[cos, -sin], [sin, cos]])
    points = torch.tensor(IN_THE_CROP) @ forward.T + shift
    frame = frames_of(points[None])[0]
    assert torch.allclose(frame, torch.cat([forward, shift[:, None]], 1), atol=1e-3)


def test_a_face_of_other_proportions_is_met_half_way():
    points = torch.tensor(IN_THE_CROP) * torch.tensor([100.0, 120.0])  # longer than wide
    frame = frames_of(points[None])[0]
    assert frame[0, 1] == pytest.approx(0, abs=1e-4)
    assert 100 < frame[0, 0] < 120
    placed = torch.tensor(IN_THE_CROP) @ frame[:, :2].T + frame[:, 2]
    assert torch.allclose(placed.mean(0), points.mean(0), atol=1e-4)


def test_a_crop_shows_what_its_frame_says():
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(60.0), indexing="ij")
    picture = torch.stack([x, y, x + y])[None]
    frame = torch.tensor([[[16.0, -8.0, 20.0], [8.0, 16.0, 5.0]]])
    found = crop(picture, frame, 4)
    for row in range(4):
        for column in range(4):
            u, v = (column + 0.5) / 4, (row + 0.5) / 4  # the middle of the crop's pixel
            place = [16 * u - 8 * v + 20, 8 * u + 16 * v + 5]
            assert found[0, :2, row, column].tolist() == pytest.approx(place, abs=1e-3)
    beyond = torch.tensor([[[16.0, 0.0, 200.0], [0.0, 16.0, 5.0]]])
    assert torch.allclose(crop(picture, beyond, 4)[0, 0], torch.tensor(59.0))


def test_moving_a_face_does_not_change_its_crop(faces):
    window = torch.stack([faces[0, :, 20:244, 20:244], faces[0, :, 10:234, 28:252]])
    frames = find_faces(window).frames
    shift = frames[0, :, 2] - frames[1, :, 2]
    assert shift.tolist() == pytest.approx([8, -10], abs=0.7)
    cut = crop(window, frames, 112)
    other = crop(faces[1:], find_faces(faces[1:]).frames, 112)[0]
    assert (cut[0] - cut[1]).abs().mean() < 0.15 * (cut[0] - other).abs().mean()


def test_the_size_of_a_picture_hardly_matters(faces):
    large = functional.interpolate(faces, (600, 600), mode="bicubic", align_corners=False)
    crops = crop(faces, find_faces(faces).frames, 112)
    assert (crop(large, find_faces(large).frames, 112) - crops).abs().mean() < 0.03


def test_vectors_have_length_one_and_do_not_depend_on_the_batch(net, faces):
    pictures = torch.cat([faces, faces.flip(3)])
    vectors = net.embed(pictures)
    assert vectors.shape == (4, 16)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(4))
    assert torch.allclose(net.embed(pictures, batch_size=3), vectors, atol=1e-5)
    assert torch.equal(net.embed(pictures), vectors)
    assert net.similarity(faces, faces).tolist() == pytest.approx([1, 1])
    to_one = net.similarity(faces, faces[:1])
    assert to_one.tolist() == pytest.approx([1, float(vectors[0] @ vectors[1])], abs=1e-5)


def test_gradients_reach_the_face(net, faces):
    picture = faces[:1].clone().requires_grad_()
    net.similarity(picture, faces[1:]).sum().backward()
    size = picture.grad.abs().sum(1)[0]
    assert torch.isfinite(size).all()
    assert size[90:190, 90:170].mean() > 0
    assert size[:20].max() == 0  # above the crop


def test_without_a_face_the_frame_is_an_average_one(net, faces):
    pictures = torch.cat([noise(1, 256), torch.zeros(1, 3, 256, 256), faces])
    assert net.sees_face(pictures).tolist() == [False, False, True, True]
    usual = torch.tensor(IN_A_PORTRAIT) * 256 - 0.5
    assert torch.allclose(find_faces(pictures).frames[0], frames_of(usual[None])[0])
    assert torch.isfinite(net.embed(pictures)).all()


@pytest.mark.parametrize("shape", [(3, 32, 32), (0, 3, 32, 32), (1, 4, 32, 32), (1, 3, 8, 32)])
def test_what_is_no_picture_is_refused(net, shape):
    with pytest.raises(InputError, match=r"\[N, 3, H, W\]"):
        net.embed(torch.zeros(shape))


def test_unusable_values_and_counts_are_refused(net):
    with pytest.raises(InputError, match="NaN"):
        net.embed(torch.full((1, 3, 32, 32), math.nan))
    with pytest.raises(InputError, match="there are 3 and 2"):
        net.similarity(noise(3), noise(2))


def test_a_saved_network_comes_back(net, tmp_path):
    halved = {k: v.half().float() if v.is_floating_point() else v for k, v in net.state_dict().items()}
    save_identity(net, tmp_path)
    again = load_identity(tmp_path)
    assert again.config == TINY
    for name, value in again.state_dict().items():
        assert torch.equal(value, halved[name])
    assert load_identity(tmp_path) is again
    assert not again.training
    assert not any(p.requires_grad for p in again.parameters())


@pytest.mark.parametrize("damage", ["missing", "format", "weights", "shape", "json", "list"])
def test_unreadable_folders_are_refused_with_a_sentence(net, tmp_path, damage):
    save_identity(net, tmp_path)
    config, weights = tmp_path / "config.json", tmp_path / "model.safetensors"
    stored = json.loads(config.read_text())
    match damage:
        case "missing":
            weights.unlink()
        case "format":
            config.write_text(json.dumps(stored | {"format": "another"}))
        case "shape":
            config.write_text(json.dumps(stored | {"dimensions": 8}))
        case "weights":
            weights.write_bytes(b"not weights")
        case _:
            config.write_text("{" if damage == "json" else "[]")
    with pytest.raises(CheckpointError, match="identity network"):
        load_identity(tmp_path)


def test_the_network_is_small():
    net = IdentityNet()
    assert sum(p.numel() for p in net.parameters()) <= 1_500_000
    assert sum(value.numel() * 2 for value in net.state_dict().values()) <= 3e6
    assert net.eval()(torch.zeros(1, 3, 112, 112)).shape == (1, 128)


@pytest.mark.skipif(not (EMBEDDED / "model.safetensors").exists(), reason="not trained yet")
def test_the_embedded_network_tells_a_person_from_another(faces):
    assert sum(path.stat().st_size for path in EMBEDDED.iterdir()) <= 3.2e6
    net = load_identity()
    darker = faces * 0.8 - 0.1
    assert (net.similarity(faces, darker) > net.similarity(faces, faces.flip(0)) + 0.3).all()
