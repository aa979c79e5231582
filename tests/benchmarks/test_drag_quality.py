"""The quality benchmark runs from end to end at tiny size, and measures what it says."""

import importlib
import json
import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pliant import checkpoints
from pliant.gan.drag import DragSettings, drag
from pliant.gan.drag_loop import LoopInput
from pliant.gan.latent import sample
from pliant.perception.landmarks import POINTS, LandmarkConfig, LandmarkNet, config_json

import tiny
from paths import REPOSITORY

pytest.importorskip("cv2")
pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def quality():
    """The benchmark's modules, importable only while these tests run."""
    before = set(sys.modules)
    folder = str(REPOSITORY / "benchmarks")
    sys.path.insert(0, folder)
    names = ("flow", "perceptual", "protocols", "report", "rows")
    modules = {name: importlib.import_module(f"quality.{name}") for name in names}
    yield SimpleNamespace(main=importlib.import_module("drag_quality"), **modules)
    sys.path.remove(folder)
    for name in set(sys.modules) - before:
        if folder in (getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Folders of a random generator and an untrained landmark network."""
    folder = tmp_path_factory.mktemp("models")
    generator = tiny.generator(64)
    state = {name: value.clone() for name, value in generator.state_dict().items()}
    stored = checkpoints.Checkpoint(generator.config.to_json(), state, "native", {})
    checkpoints.write_native(stored, folder / "generator", dtype=torch.float32)
    torch.manual_seed(0)
    net = LandmarkNet(LandmarkConfig(32, (8, 8, 8, 8)))
    torch.nn.init.normal_(net.head.bias, std=3.0)
    torch.nn.init.normal_(net.head.weight, std=3.0)
    (folder / "landmarks").mkdir()
    (folder / "landmarks" / "config.json").write_text(config_json(net.config))
    weights = {name: value.contiguous() for name, value in net.state_dict().items()}
    save_file(weights, folder / "landmarks" / "model.safetensors")
    return folder


def run_quick(quality, models, out, *more):
    arguments = [
        *("--quick", "--model", str(models / "generator"), "--landmarks", str(models / "landmarks")),
        *("--stlpips", "none", "--out", str(out), *more),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["drag_quality.py", *arguments])
        quality.main.main()
    return json.loads((out / "drag_quality.json").read_text())


@pytest.fixture(scope="module")
def quick(quality, models, tmp_path_factory):
    out = tmp_path_factory.mktemp("results")
    rows = ("no-edit", "published", "default", "flow", "l1:tracking=l1,step_size=0.005")
    return out, run_quick(quality, models, out, "--rows", *rows)


def test_quick_mode_answers_every_question_for_every_row(quick):
    out, figures = quick
    results = figures["results"]
    assert set(results) == {"faces-1", "faces-5", "faces-68", "reconstruction", "there-and-back"}
    for rows in results.values():
        assert set(rows) == {"no-edit", "published", "default", "flow", "l1"}
        assert all(np.isfinite(v) for row in rows.values() for v in row.values() if isinstance(v, float))
    assert figures["rows"]["l1"]["tracking"] == "l1"
    assert figures["rows"]["l1"]["step_size"] == 0.005
    page = (out / "drag_quality.md").read_text()
    assert page.count("| no-edit |") == 5
    assert (out / "drag_quality_faces.png").stat().st_size > 1000
    assert (out / "drag_quality_faces_5.jpg").stat().st_size < 1_000_000


def test_leaving_the_picture_alone_is_the_yardstick(quick):
    _, figures = quick
    results = figures["results"]
    for count in (1, 5, 68):
        row = results[f"faces-{count}"]["no-edit"]
        assert row["ratio_to_no_edit"] == pytest.approx(1)
        assert row["frechet_landmark_features"] == pytest.approx(0, abs=1e-6)
    assert results["there-and-back"]["no-edit"]["mse_x100"] == 0
    moved = results["faces-68"]["default"]
    assert moved["frechet_landmark_features"] > 0
    assert set(moved["curve"]) == {"0", "5"}


def test_a_second_run_keeps_what_is_there(quality, models, quick):
    out, figures = quick
    before = (out / "drag_quality.json").read_text()
    again = run_quick(quality, models, out, "--rows", "no-edit", "default", "--seconds", "0")
    assert again["results"] == figures["results"]
    changed = run_quick(quality, models, out, "--rows", "default", "--steps", "7")
    assert (
        json.loads(before)["setup"]["protocol"] == changed["setup"]["protocol"]
    )  # --quick decides the steps


def test_times_of_another_machine_are_left_out(quality):
    rows = {
        "a": {"steps": 3, "seconds_alone": 0.5, "machine": "here"},
        "b": {"steps": 4, "seconds_alone": 9.0},
    }
    rows["b"]["machine"] = "there"
    text = quality.report.table(rows, {"steps": "steps", "seconds_alone": "s"}, "here")
    assert "| a | 3 | 0.5 |" in text
    assert "| b | 4 |  |" in text
    assert "b: run on there" in text


def test_rows_are_read_from_their_names(quality):
    row = quality.rows.make_row("mine:published,step_size=4e-3,moving_layers=4,exact_grid=True")
    assert row.settings == DragSettings.published(step_size=4e-3, moving_layers=4, exact_grid=True)
    assert quality.rows.make_row("a:flow,step_size=1e-3").flow
    for wrong in ("fast", "a:speed=3"):
        with pytest.raises(SystemExit):
            quality.rows.make_row(wrong)


def test_points_that_cannot_be_dragged_are_left_out(quality):
    start = torch.tensor([[[5.0, 5], [5.4, 5.2], [40, 5], [9, 9]]])
    goal = torch.tensor([[[8.0, 9], [8, 9], [5, 5], [-1, 4]]])
    what = quality.protocols.task(start, goal, (32, 32))
    assert what.handles[0].tolist() == [[5, 5]]
    assert what.targets[0].tolist() == [[8, 9]]
    assert what.measured[0].tolist() == [True, True, False, False]
    # (3, 4) is 5 px away; the second is at its goal; the others do not count.
    found = torch.tensor([[[5.0, 5], [8, 9], [0, 0], [0, 0]]])
    assert quality.protocols.distance(found, what).tolist() == [2.5]


def test_chosen_points(quality):
    points = torch.arange(POINTS * 2.0).reshape(1, POINTS, 2)
    assert quality.protocols.chosen(points, 1).tolist() == [[[60, 61]]]
    assert quality.protocols.chosen(points, 5).shape == (1, 5, 2)
    assert quality.protocols.chosen(points, 68) is points


def shifted_pictures():
    y, x = np.mgrid[0:96, 0:96]
    first = 128 + 60 * np.sin(x / 7) * np.cos(y / 9) + 30 * np.sin((x + y) / 5)
    return first.astype(np.uint8), np.roll(first, (3, 5), (0, 1)).astype(np.uint8)


def test_flow_finds_a_shift_and_drops_what_leaves_the_picture(quality):
    first, second = shifted_pictures()
    handles, targets = quality.flow.flow_pairs(first, second, 20, np.random.default_rng(0))
    assert handles.shape == targets.shape == (20, 2)
    assert (targets - handles).median(0).values.tolist() == pytest.approx([5, 3], abs=0.3)
    assert targets.max() <= 95


def test_flow_tracking_follows_the_picture(quality):
    generator = tiny.generator(64)
    ws = generator.mapping(torch.randn(1, 16, generator=torch.Generator().manual_seed(0)))[0]
    point = torch.tensor([[32.0, 32.0]])
    share = LoopInput(ws, point, torch.tensor([[40.0, 32.0]]), None, torch.tensor([False]), None)
    loop = quality.flow.FlowLoop(generator, [share], DragSettings())
    assert loop.step().handles[0].tolist() == [[32, 32]]
    loop.first = np.roll(loop.first, -2, 2)  # as if the picture had since moved two pixels to the right
    assert loop.step().handles[0, 0].tolist() == pytest.approx([34, 32], abs=1)


def test_cases_are_best_median_and_worst(quality):
    score = torch.tensor([5.0, 1, 9, 3, 7, 2, 8, 4, 6, 0])
    kinds = quality.report.cases(score, each=(1, 2, 2))
    assert kinds == [("best", 9), ("median", 7), ("median", 0), ("worst", 2), ("worst", 6)]
    gained = torch.arange(10.0)
    assert quality.report.cases(score, gained, (2, 0, 1)) == [("best", 9), ("best", 8), ("worst", 2)]


def test_perceptual_distance_is_that_of_the_package(quality, monkeypatch):
    pytest.importorskip("stlpips_pytorch")
    # The package imports these without needing them for this network.
    for name in ("torchvision", "torchvision.models", "IPython", "torchsummary"):
        stand_in = ModuleType(name)
        stand_in.models = stand_in.embed = stand_in.summary = None
        monkeypatch.setitem(sys.modules, name, stand_in)
    package = importlib.import_module("stlpips_pytorch.stlpips")
    published = package.LPIPS(net="alex", variant="shift_tolerant", verbose=False)
    ours = quality.perceptual.PerceptualDistance(quality.perceptual.weights_path())
    random = torch.Generator().manual_seed(0)
    a = torch.rand(2, 3, 64, 64, generator=random) * 2 - 1
    b = (a + 0.3 * torch.randn(a.shape, generator=random)).clamp(-1, 1)
    with torch.no_grad():
        expected = published(a, b).flatten()
    assert torch.allclose(ours(a, b), expected, rtol=1e-4)
    assert ours(a, a).abs().max() < 1e-9
    assert ours.embed(a, batch_size=1).shape == (2, 256)


def test_a_row_is_what_the_public_drag_does(quality, monkeypatch):
    monkeypatch.setattr(quality.rows, "SHRINK_EVERY", 2)
    monkeypatch.setattr(quality.rows, "SHRINK_AT", 0.2)
    generator = tiny.generator(64)
    pictures = [sample(generator, seed) for seed in (1, 2, 3)]
    # The second picture arrives at once and leaves the batch, in which two handles of the first meet.
    handles = [torch.tensor([[20.0, 20], [21, 20]]), torch.tensor([[10.0, 50]]), torch.tensor([[33.0, 12]])]
    targets = [handles[0] + 9, handles[1] + 1, handles[2] + 6]
    row = quality.rows.make_row("plain:precision=float32,step_size=0.01")
    looked = {}

    def watch(part):
        return lambda nudges, ws: looked.__setitem__((part.start, nudges), ws.clone())

    outcome = quality.rows.run(row, pictures, handles, targets, max_steps=7, batch=2, watch=watch)
    for i, (picture, start, end) in enumerate(zip(pictures, handles, targets, strict=True)):
        steps = list(drag(picture, start, end, settings=replace(row.settings, max_steps=8)))
        assert torch.allclose(outcome.ws[i], steps[-1].picture.ws, atol=2e-3)
        assert torch.equal(outcome.handles[i], steps[-1].handles)
        assert outcome.arrived[i] == steps[-1].arrived
        assert outcome.steps[i] == (steps[-1].index if steps[-1].arrived else 7)
    assert outcome.steps.tolist()[1] == 0
    assert torch.equal(looked[0, 0][0], pictures[0].ws)
    assert looked[0, 7][0].sub(pictures[0].ws).abs().max() > 0.02
    assert outcome.ws.shape == (3, generator.config.num_ws, 16)
