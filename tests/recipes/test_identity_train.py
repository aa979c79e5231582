"""The identity recipe: figures and augmentations by hand, and a short run leaves a network that loads."""

import importlib.util
import json
import math
import sys

import numpy as np
import pytest
import torch

from pliant.perception.identity import IdentityNet, crop, load_identity

from paths import REPOSITORY


@pytest.fixture(scope="module")
def recipe():
    path = REPOSITORY / "recipes" / "identity" / "train.py"
    spec = importlib.util.spec_from_file_location("identity_train", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["identity_train"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["identity_train"]


def rendered(folder, persons, views, side=48):
    """A folder as the renderer writes it; the pictures are noise around a colour of each person."""
    (folder / "meta").mkdir(parents=True)
    random = np.random.default_rng(0)
    seeds = [person * views + view for person in persons for view in range(views)]
    colours = {person: random.integers(60, 190, (3, 1, 1)) for person in persons}
    pictures = [colours[seed // views] + random.integers(-60, 60, (3, side, side)) for seed in seeds]
    np.save(folder / "pictures.npy", np.stack(pictures).astype(np.uint8))
    for seed in seeds:
        labels = {"id": seed, "seed": seed // views, "gender": 0.1, "skin_tone": 0.3}
        (folder / "meta" / f"{seed:06d}.json").write_text(json.dumps(labels))


def on_circle(*degrees):
    angles = torch.tensor(degrees) * math.pi / 180
    return torch.stack([angles.cos(), angles.sin()], 1)


def test_figures_of_a_measure_that_parts_everyone(recipe):
    person = torch.tensor([3, 3, 8, 8])
    found = recipe.verification(on_circle(0.0, 60.0, 180.0, 180.0), person)
    assert (found["pairs_of_one"], found["pairs_of_two"]) == (2, 4)
    assert (found["accuracy"], found["auc"]) == (1, 1)
    assert -0.5 < found["threshold"] < 0.5  # between cos 120 and cos 60
    assert found["one_mean"] == pytest.approx((0.5 + 1) / 2)
    assert found["two_mean"] == pytest.approx((-1 - 1 - 0.5 - 0.5) / 4)
    assert found["two_std"] == pytest.approx(0.25)


def test_figures_of_a_measure_that_confuses_a_pair(recipe):
    # cosines of one person: cos 0 and cos 90; of two persons: cos 45, 45, 135 and 45
    found = recipe.verification(on_circle(0.0, 0.0, 45.0, 135.0), torch.tensor([1, 1, 2, 2]))
    assert found["auc"] == pytest.approx((4 + 2) / 8)  # 1 beats all four, 0 only the two of 135 degrees
    assert found["accuracy"] == pytest.approx((0.5 + 1) / 2)
    alike = torch.zeros(4, 4, dtype=torch.bool)
    alike[0, 2] = alike[2, 0] = True
    only = recipe.verification(on_circle(0.0, 0.0, 45.0, 135.0), torch.tensor([1, 1, 2, 2]), alike)
    assert (only["pairs_of_one"], only["pairs_of_two"]) == (2, 1)
    assert only["auc"] == pytest.approx(0.5)
    with pytest.raises(SystemExit, match="two persons"):
        recipe.verification(on_circle(0.0, 10.0), torch.tensor([1, 1]))


def test_the_margin_lowers_the_right_person_only(recipe):
    cosines = torch.tensor([[0.6, 0.2]])
    plain = recipe.margin_loss(cosines, torch.tensor([0]), 0.0, 10.0)
    assert float(plain) == pytest.approx(math.log(1 + math.exp(-4)), rel=1e-5)
    margin = recipe.margin_loss(cosines, torch.tensor([0]), 0.35, 10.0)
    assert float(margin) == pytest.approx(math.log(1 + math.exp(-0.5)), rel=1e-5)


def test_a_misframed_crop_is_near_its_frame(recipe):
    frames = torch.tensor([[100.0, 0, 20], [0, 100.0, 30]]).expand(50, -1, -1)
    moved = recipe.misframe(frames, recipe.Chance(torch.device("cpu"), 0))
    middle = moved @ torch.tensor([0.5, 0.5, 1.0])
    assert (middle - torch.tensor([70.0, 80.0])).abs().max() <= 3 + 1e-4
    corner = (moved - frames) @ torch.tensor([0.0, 0.0, 1.0])
    assert 3 < corner.abs().max() < 20
    assert moved.std(0)[:, :2].min() > 0.5
    assert crop(torch.zeros(50, 3, 64, 64), moved, 16).shape == (50, 3, 16, 16)


def test_degraded_crops_stay_pictures(recipe):
    crops = torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    changed = recipe.degrade(crops, recipe.Chance(torch.device("cpu"), 2))
    assert changed.shape == crops.shape
    assert changed.abs().max() <= 1
    assert (changed - crops).abs().flatten(1).mean(1).min() > 0.01
    assert torch.equal(changed, recipe.degrade(crops, recipe.Chance(torch.device("cpu"), 2)))


def test_compression_keeps_what_is_smooth_and_loses_what_is_fine(recipe):
    chance = recipe.Chance(torch.device("cpu"), 0)
    flat = torch.linspace(-1, 1, 8)[:, None, None, None].expand(8, 3, 16, 16)
    assert (
        recipe.compress(flat, chance) - flat
    ).abs().max() <= 0.15 / 2 / 8 + 1e-5  # half a step, of 8 pixels
    stripes = torch.tensor([0.01, -0.01]).repeat(8).expand(4, 3, 16, 16)
    assert recipe.compress(stripes, chance).abs().max() < 1e-5


def test_a_short_run_leaves_a_network(recipe, tmp_path, monkeypatch):
    rendered(tmp_path / "people", [10, 11, 12, 13], 3)
    rendered(tmp_path / "others", [12, 20, 21], 3)  # person 12 is held out and must not be trained on
    # Noise has no faces; believe them anyway.
    monkeypatch.setattr("pliant.perception.identity.SURE", 0.0)
    arguments = [
        *("--pictures", str(tmp_path / "people"), "--held-out", str(tmp_path / "others")),
        *("--out", str(tmp_path / "net"), "--device", "cpu", "--small"),
        *("--steps", "4", "--batch", "8", "--report-every", "2"),
    ]
    monkeypatch.setattr(sys, "argv", ["train.py", *arguments])
    recipe.main()
    report = json.loads((tmp_path / "net" / "report.json").read_text())
    assert (report["persons"], report["pictures"], report["held_out_persons"]) == (3, 9, 3)
    assert (report["steps"], len(report["log"])) == (4, 2)
    network = report["held_out"]["the network"]
    assert (network["pairs_of_one"], network["pairs_of_two"]) == (9, 27)
    assert report["held_out"]["colours"]["auc"] > 0.9
    assert load_identity(tmp_path / "net").embed(torch.zeros(1, 3, 64, 64)).shape == (1, 16)
    assert "| the network, people alike | 27 |" in (tmp_path / "net" / "README.md").read_text()
    assert (tmp_path / "net" / "sheet.jpg").stat().st_size > 0


def test_training_brings_pictures_of_a_person_together(recipe, tmp_path):
    rendered(tmp_path, range(4), 4)
    people = recipe.read_people(tmp_path, torch.device("cpu"))
    command = {"seed": 0, "batch": 16, "learning_rate": 0.02, "weight_decay": 0.0, "margin": 0.2, "scale": 16}
    training = recipe.Training(people, recipe.argparse.Namespace(small=True, **command))
    before = recipe.verification(recipe.vectors_of(training.average, people), people.person)
    for step in range(60):
        training.step(step / 60)
    after = recipe.verification(recipe.vectors_of(training.average, people), people.person)
    assert after["one_mean"] - after["two_mean"] > before["one_mean"] - before["two_mean"] + 0.3
    assert isinstance(training.average, IdentityNet)


def test_what_is_no_rendered_folder_is_refused(recipe, tmp_path):
    with pytest.raises(SystemExit, match="must hold one"):
        recipe.read_people(tmp_path, torch.device("cpu"))
    rendered(tmp_path / "a", [1], 2)
    (tmp_path / "a" / "meta" / "000002.json").unlink()
    with pytest.raises(SystemExit, match="2 pictures but 1 labels"):
        recipe.read_people(tmp_path / "a", torch.device("cpu"))
