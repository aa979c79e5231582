"""The portrait recipe: stages from text, shards taken in one by one, a state small enough to travel."""

import importlib.util
import json
import math
import sys

import numpy as np
import pytest
import torch

from pliant.train.data import Pictures
from pliant.train.state import read_state, write_state

from paths import REPOSITORY


@pytest.fixture(scope="module")
def recipe():
    path = REPOSITORY / "recipes" / "portraits" / "train.py"
    spec = importlib.util.spec_from_file_location("portraits_train", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["portraits_train"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["portraits_train"]


def test_stages(recipe):
    first, second = recipe.stages("64:32:10,256:64:inf")
    assert (first.resolution, first.batch, first.seconds) == (64, 32, 10)
    assert second.seconds == math.inf
    assert second.r1_gamma == recipe.GAMMA[256]


def test_shards_are_taken_in_as_they_appear(recipe, tmp_path):
    pictures, taken = Pictures(8, 10, torch.device("cpu")), set()
    for index, count in enumerate((2, 3)):
        np.save(tmp_path / f"{index}.npy", np.full((count, 3, 8, 8), index, np.uint8))
    counts = []
    for _ in range(3):
        recipe.take_shard(pictures, tmp_path, taken)
        counts.append(pictures.count)
    assert counts == [2, 5, 5]


def test_a_packed_state_unpacks(recipe, tmp_path):
    tensors = {f"{network}.weight": torch.randn(3, 2) for network in recipe.NETWORKS}
    left_out = {"generator_adam.exp_avg_sq": torch.ones(6), "rng": torch.zeros(4, dtype=torch.uint8)}
    numbers = {"images": 12, "stage": 1}
    write_state(tmp_path / "run", tensors | left_out | {"path_mean": torch.tensor(0.5)}, numbers)
    recipe.pack(tmp_path / "run", tmp_path / "packed")
    assert json.loads((tmp_path / "packed/counters.json").read_text())["path_mean"] == 0.5
    recipe.unpack(tmp_path / "packed", tmp_path / "elsewhere")
    found, counters = read_state(tmp_path / "elsewhere")
    assert counters == numbers
    assert found.keys() == tensors.keys() | {"path_mean"}
    for name, value in tensors.items():
        torch.testing.assert_close(found[name], value, atol=1e-3, rtol=1e-3)


def test_what_the_repository_keeps_goes_on_from_the_embedded_model(recipe, tmp_path):
    recipe.unpack(REPOSITORY / "recipes" / "portraits" / "resume", tmp_path)
    found, counters = read_state(tmp_path)
    assert counters["images"] > 1_000_000
    names = {network: {n for n in found if n.startswith(f"{network}.")} for network in recipe.NETWORKS}
    assert {n.partition(".")[2] for n in names["generator"]} == {
        n.partition(".")[2] for n in names["averaged"]
    }
    assert len(names["discriminator"]) > 20
