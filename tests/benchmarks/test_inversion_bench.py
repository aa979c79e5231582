"""The benchmark of inversions: every row is measured, and the tables say so."""

import importlib
import sys

import pytest

from pliant.gan.invert import InvertSettings
from pliant.gan.latent import sample
from pliant.perception.identity import IdentityConfig, IdentityNet
from pliant.perception.landmarks import load_landmarks

import tiny
from paths import REPOSITORY


@pytest.fixture(scope="module")
def bench_module():
    before, folder = set(sys.modules), str(REPOSITORY / "benchmarks")
    sys.path.insert(0, folder)
    yield importlib.import_module("inversion")
    sys.path.remove(folder)
    for name in set(sys.modules) - before:
        if folder in (getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]


def test_every_stage_has_its_row(bench_module):
    generator = tiny.generator(64)
    settings = bench_module.settings_from(["w_steps=2", "wplus_steps=2", "tune_steps=3", "candidates=4"])
    assert settings == InvertSettings(w_steps=2, wplus_steps=2, tune_steps=3, candidates=4)
    judge = bench_module.perceptual.PerceptualDistance(None)
    identity = (
        IdentityNet(IdentityConfig(widths=(8, 8, 8, 8), depths=(1, 1, 1, 1)))
        .eval()
        .requires_grad_(requires_grad=False)
    )
    bench = bench_module.Bench(generator, load_landmarks(), judge, identity, settings, drag_steps=2)
    pictures = bench.invert("drawn", sample(generator, 1).pixels())
    rows = bench.rows["drawn"]
    assert list(rows) == ["mean", "best of random codes", "+ W", "+ W+", "+ tuned generator (PTI)"]
    assert len(pictures) == len(rows)
    assert rows["mean"][0]["psnr"] < rows["+ tuned generator (PTI)"][0]["psnr"]
    assert rows["+ W"][0]["seconds"] < rows["+ W+"][0]["seconds"]
    assert set(bench.drags) == {"drawn, before tuning", "drawn, tuned"}
    setup = {"command": "c", "machine": "m", "model": "tiny", "drag_steps": 2, "settings": {}}
    share = bench_module.Share(bench.rows, bench.drags, bench.slides, {("drawn", 0): []})
    text = bench_module.markdown(setup, share)
    assert text.count("| + W |") == 1
    assert "drawn (1)" in text
    both = bench_module.together([share, share])
    assert "drawn (2)" in bench_module.markdown(setup, both)
    assert len(share.rows["drawn"]["mean"]) == 1
