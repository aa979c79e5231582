"""The speed benchmark: its twin is the published step, and its last line is what outside checks read."""

import json
import subprocess
import sys

import numpy as np
import torch

from pliant.gan.latent import load_generator

from paths import FIXTURES, REPOSITORY

sys.path.insert(0, str(REPOSITORY / "benchmarks"))
from plain_drag import plain_drag


def test_the_twin_repeats_the_published_loop():
    expected = dict(np.load(FIXTURES / "drag-256.npz"))
    handles, targets = (
        [tuple(map(int, point)) for point in expected[name]] for name in ("handles", "targets")
    )
    steps = plain_drag(
        load_generator(FIXTURES / "drag-256.pkl"),
        torch.from_numpy(expected["w0"]),
        handles,
        targets,
        fixed=torch.from_numpy(expected["mask"]).float(),
        step_size=float(expected["lr"]),
        mask_weight=float(expected["lambda_mask"]),
    )
    for index in range(6):
        step = next(steps)
        assert np.array_equal(np.array(step.points), expected["points"][index])
        assert torch.allclose(step.ws, torch.from_numpy(expected["ws"][index]), atol=1e-4)


def test_quick_json_ends_with_one_object_that_holds_the_speedup():
    run = subprocess.run(
        [sys.executable, "-m", "pliant.cli", "bench", "drag", "--quick", "--json"],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    )
    summary = json.loads(run.stdout.splitlines()[-1])
    assert summary["speedup"] > 1
    assert summary["rows"][0]["points"] == 2
