"""The rasteriser's benchmark: its twins are independent of the fast path, and its last line is what outside checks read."""

import json
import sys

import torch

from paths import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "benchmarks"))
import raster
from plain_raster import one_by_one, sampled
from pliant.vector.outline import Path, assemble, polygon
from pliant.vector.raster import rasterise


def test_samples_count_what_lies_inside():
    triangle = polygon([(1, 1), (5, 1), (1, 5)])
    hole = polygon([(1, 1), (1, 2), (2, 2), (2, 1)])
    scene = assemble([Path([triangle, hole], (0, 0, 0))], (6, 6))
    ink = ((1 - sampled(scene, 8)[0]) / 2)[1:5, 1:5]
    expected = torch.tensor([[0, 1, 1, 0.5], [1, 1, 0.5, 0], [1, 0.5, 0, 0], [0.5, 0, 0, 0]])
    assert (ink - expected).abs().max() < 0.07


def test_path_by_path_is_the_same_picture_with_the_same_gradient():
    scene = raster.drawing(350, 64).subset(torch.arange(60))
    pictures, gradients = [], []
    for draw in (rasterise, one_by_one):
        wanted = raster.wanting(scene)
        pictures.append(draw(wanted))
        pictures[-1].square().sum().backward()
        gradients.append([wanted.points.grad, wanted.colours.grad, wanted.opacity.grad])
    assert (pictures[0] - pictures[1]).abs().max() < 1e-5
    for ours, theirs in zip(*gradients, strict=True):
        assert (ours - theirs).norm() < 1e-3 * theirs.norm()
    assert raster.psnr(pictures[0].detach(), sampled(scene)) > 45


def test_quick_json_ends_with_one_object(capsys, monkeypatch):
    monkeypatch.setattr(raster, "drawing", lambda count, drawing=raster.drawing: drawing(count, 64))
    assert raster.main(["--quick", "--json"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["seconds"] > 0
    assert last["psnr"] > 40
