"""The benchmark of edits of things: its measures by hand, and a small run of all of it."""

import importlib
import json
import sys

import pytest
import torch

from tiny_sd import save_tiny

from paths import REPOSITORY


@pytest.fixture(scope="module")
def bench(scenes):
    """The benchmark's module, while the recipe's modules are there."""
    folder = str(REPOSITORY / "benchmarks")
    before = set(sys.modules)
    sys.path.insert(0, folder)
    yield importlib.import_module("diffusion")
    sys.path.remove(folder)
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(folder):
            del sys.modules[name]


def test_decibels_are_of_what_the_mask_covers(bench):
    truth = torch.zeros(3, 8, 8)
    made = truth.clone()
    made[:, :, :4] = 0.2
    left = torch.zeros(8, 8)
    left[:, :4] = 1
    assert bench._psnr(made, truth, left) == pytest.approx(20)  # 10 log10(4 / 0.04)
    assert bench._psnr(made, truth, 1 - left) == 60
    assert bench._psnr(made, truth, torch.ones(8, 8)) == pytest.approx(23.01, abs=0.01)


@pytest.mark.parametrize("aside", [(0, 0), (5, 0), (-3, 4), (20, -20)])
def test_a_thing_is_found_where_it_is(bench, aside):
    torch.manual_seed(0)
    truth, mask = torch.zeros(3, 96, 96) - 0.5, torch.zeros(96, 96)
    thing = torch.rand(3, 12, 16)
    mask[40:52, 40:56] = 1
    truth[:, 40:52, 40:56] = thing
    made = torch.zeros(3, 96, 96) - 0.5
    x, y = 40 + aside[0], 40 + aside[1]
    made[:, y : y + 12, x : x + 16] = thing
    assert bench.misplaced(made, truth, mask) == pytest.approx((aside[0] ** 2 + aside[1] ** 2) ** 0.5)


def test_it_runs_from_end_to_end(bench, scenes, sprites, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "read_sprites", lambda _: sprites)
    monkeypatch.setattr(bench, "Composer", lambda sprites: scenes.compose.Composer(sprites, 64))
    monkeypatch.setattr(bench.perceptual, "weights_path", lambda: None)
    model = save_tiny(tmp_path / "little")
    bench.main(
        [
            *(
                "--data",
                "unused",
                "--model",
                str(model),
                "--tasks",
                "move",
                "remove",
                "looks",
                "--count",
                "1",
            ),
            *("--presets", "copy", "warp", "fast", "--drags", "0", "--sheet", "1", "--out", str(tmp_path)),
        ]
    )
    told = json.loads((tmp_path / "diffusion_cpu.json").read_text())
    rows = {(row["task"], row["method"]): row for row in told["rows"]}
    assert [method for task, method in rows if task == "move"] == ["nothing", "copy", "warp", "fast"]
    assert rows["move", "nothing"]["psnr_outside"] > 45
    assert rows["move", "copy"]["psnr_inside"] > rows["move", "nothing"]["psnr_inside"] + 3
    assert rows["move", "copy"]["place"] < 2 < rows["move", "nothing"]["place"]
    assert rows["remove", "warp"]["calls"] == pytest.approx(8)
    assert rows["remove", "fast"]["calls"] - rows["remove", "fast"]["calls_again"] == pytest.approx(10)
    assert "picture" not in rows["move", "copy"]
    assert (tmp_path / "diffusion_cpu.jpg").stat().st_size > 5000
    assert "| move | do nothing |" in capsys.readouterr().out
