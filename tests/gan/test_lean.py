"""The lean forward pass and the reads against their plain twins."""

import pytest
import torch
import torch.nn.functional as F

from pliant.gan import reads, windows
from pliant.gan.lean import LeanForward
from pliant.gan.painter import painter_of

import tiny


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("folded", [False, True])
def test_features_and_gradients_equal_the_plain_network(architecture, batch, folded, monkeypatch):
    generator = tiny.generator(architecture=architecture, conv_clamp=3.0, channels=(16, 12, 20, 8))
    ws = torch.randn(batch, 8, 16)
    lean = LeanForward(generator, ws, "b16", moving=3, dtype=torch.float32, folded=folded)
    moved = (ws[:, :3] + 0.3 * torch.randn(batch, 3, 16)).requires_grad_()
    plain = generator.features(torch.cat([moved, ws[:, 3:]], 1), ["b16"])["b16"]
    fast = lean(moved)
    weight = torch.randn_like(plain)
    expected, found = (torch.autograd.grad(x, moved, weight)[0] for x in (plain, fast))
    assert torch.allclose(fast, plain, atol=1e-4)
    assert torch.allclose(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize(("batch", "points"), [(1, 1), (1, 3), (2, 2)])
def test_windows_equal_the_whole_map_where_they_lie(batch, points, folded, monkeypatch):
    monkeypatch.setattr(windows, "WORTH", 100)
    generator = tiny.generator(128)
    ws = torch.randn(batch, 12, 16)
    lean = LeanForward(generator, ws, "b64", 6, torch.float32, folded=folded)
    local = windows.WindowedForward(lean, points, reach=5)
    moved = (ws[:, :6] + 0.1 * torch.randn(batch, 6, 16)).requires_grad_()
    centres = torch.randint(0, 64, (batch, points, 2))
    centres[0, 0] = torch.tensor([0, 63])
    assert local.blocks
    around = local(moved, centres)
    found, origin = around.values, around.origin
    padded, side = F.pad(lean(moved), (40,) * 4), found.shape[2]
    expected = torch.stack(
        [padded[m // points, :, y + 40 :, x + 40 :][:, :side, :side] for m, (x, y) in enumerate(origin)]
    )
    inside = torch.stack(
        [F.pad(torch.ones(64, 64), (40,) * 4)[y + 40 :, x + 40 :][:side, :side] for x, y in origin]
    )[:, None]
    assert torch.allclose(found * inside, expected, atol=1e-4)
    cut = windows.WindowedForward(lean, points, reach=5, whole=True)(moved, centres)
    assert torch.allclose(cut.whole, lean(moved))
    assert cut.values.shape[2] == 12
    before = centres.flatten(0, 1) - origin
    assert before.min() >= 5
    assert (side - 1 - before).min() >= 6
    weight = torch.randn_like(found) * inside
    slopes = [torch.autograd.grad(x, moved, weight, retain_graph=True)[0] for x in (found, expected)]
    assert torch.allclose(*slopes, rtol=1e-3, atol=1e-3)


def test_windows_are_planned_only_where_they_hold_fewer_cells():
    lean = LeanForward(tiny.generator(128), torch.randn(1, 12, 16), "b64", 6, torch.float32)
    assert [block.index for block in windows.WindowedForward(lean, 1, reach=5).blocks] == [5, 7]
    assert not windows.WindowedForward(lean, 64, reach=5).blocks


def test_bfloat16_features_are_close():
    generator, ws = tiny.generator(), torch.randn(1, 8, 16)
    plain = generator.features(ws, ["b16"])["b16"]
    fast = LeanForward(generator, ws, "b16", 3, torch.bfloat16)(ws[:, :3]).float()
    assert (fast - plain).norm() / plain.norm() < 0.02


def read_everything(features, size, method, points):
    """Read points [1, P, 2] of whole maps [1, C, h, w], each as a window that happens to hold all of it."""
    cells = features.shape[3], features.shape[2]
    windows_ = windows.FeatureWindows(features, torch.zeros(1, 2, dtype=torch.long), cells)
    return getattr(reads.PictureReads(size, cells, torch.device("cpu")), method)(windows_, points[None])[
        0, 0
    ].T


@pytest.mark.parametrize("size", [16, 32, 64])
def test_pixel_reads_equal_a_resized_map(size):
    features = torch.randn(1, 5, 16, 16)
    resized = F.interpolate(features, (size, size), mode="bilinear", align_corners=False)
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    found = read_everything(features, (size, size), "pixels", torch.stack([x, y], -1).float().view(1, -1, 2))
    assert torch.allclose(found, resized[0].flatten(1), atol=1e-5)


def test_reads_between_pixels_equal_grid_sample_on_the_resized_map():
    features = torch.randn(1, 5, 16, 16)
    resized = F.interpolate(features, (64, 64), mode="bilinear", align_corners=False)
    points = torch.rand(1, 200, 2) * 66 - 1.5
    expected = F.grid_sample(resized, points[:, None] / 63 * 2 - 1, align_corners=True)[0, :, 0]
    assert torch.allclose(read_everything(features, (64, 64), "between", points), expected, atol=1e-4)


@pytest.mark.parametrize("chunk", [1, 1 << 22])
def test_masked_change_equals_the_resized_formula_in_value_and_gradient(chunk, monkeypatch):
    monkeypatch.setattr(reads, "CHUNK_ELEMENTS", chunk)
    features, reference = torch.randn(2, 3, 8, 8, requires_grad=True), torch.randn(2, 3, 8, 8)
    keep = (torch.rand(2, 32, 32) > 0.5).float()

    def resized(x):
        return F.interpolate(x, (32, 32), mode="bilinear", align_corners=False) * keep[:, None]

    expected = (resized(features) - resized(reference)).abs().mean((1, 2, 3))
    found = reads.masked_change(features, reference, keep)
    assert torch.allclose(found, expected, atol=1e-6)
    weight = torch.tensor([1.0, 1.0])
    slopes = [torch.autograd.grad(x, features, weight, retain_graph=True)[0] for x in (found, expected)]
    assert torch.allclose(*slopes, atol=1e-6)


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
@pytest.mark.parametrize("changes", [{}, {"conv_clamp": 0.5, "channels": (16, 12, 20, 8)}, {"base": (4, 2)}])
def test_a_painter_gives_the_plain_picture(architecture, changes):
    generator = tiny.generator(architecture=architecture, **changes)
    ws = torch.randn(1, generator.config.num_ws, 16)
    painted = painter_of(generator, torch.float32)(ws)
    assert torch.allclose(painted, generator.synthesis(ws), atol=1e-4)
    quick = painter_of(generator, torch.bfloat16)(ws)
    assert (quick - painted).abs().mean() < 0.02 * painted.std() + 1e-3


def test_a_generator_keeps_its_painter():
    generator = tiny.generator()
    assert painter_of(generator, torch.float32) is painter_of(generator, torch.float32)
    assert painter_of(generator, torch.float32) is not painter_of(generator, torch.bfloat16)
