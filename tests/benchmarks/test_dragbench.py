"""The benchmark on DragBench runs from end to end on two made-up pictures, and measures what it says."""

import importlib
import json
import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional

from pliant.diffusion.lora import LESSON
from pliant.errors import UnsafeCheckpointError

from paths import REPOSITORY


@pytest.fixture(scope="module")
def bench():
    """The benchmark's modules and the maker of tiny models, importable only while these tests run."""
    before = set(sys.modules)
    folders = [str(REPOSITORY / "benchmarks"), str(REPOSITORY / "tests" / "diffusion")]
    sys.path[:0] = folders
    modules = {
        name: importlib.import_module(f"quality.{name}")
        for name in ("samples", "matching", "lpips", "perceptual")
    }
    main, tiny_sd = importlib.import_module("dragbench"), importlib.import_module("tiny_sd")
    yield SimpleNamespace(main=main, save_tiny=tiny_sd.save_tiny, **modules)
    for folder in folders:
        sys.path.remove(folder)
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(folders[0]):
            del sys.modules[name]


POINTS = [[30, 20], [44, 26], [50, 40], [41, 44]]


def area():
    mask = np.zeros((64, 80), np.uint8)
    mask[10:50, 20:65] = 1
    return mask


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two pictures: one with a pickle as published, one with a converted file."""
    folder = tmp_path_factory.mktemp("drag_bench_data")
    facts = {"prompt": "a car", "points": POINTS, "mask": area()}
    for number, name in enumerate(("animals/JH_1", "other_objects/JH_2")):
        place = folder / name
        place.mkdir(parents=True)
        coarse = torch.rand(1, 3, 8, 10, generator=torch.Generator().manual_seed(number))
        shown = functional.interpolate(coarse, (64, 80), mode="bicubic").clamp(0, 1)[0]
        Image.fromarray((shown.permute(1, 2, 0) * 255).byte().numpy()).save(place / "original_image.png")
        if number == 0:
            (place / "meta_data.pkl").write_bytes(pickle.dumps(facts, protocol=4))
        else:
            Image.fromarray(area() * 255).save(place / "mask.png")
            (place / "meta_data.json").write_text(json.dumps(facts | {"mask": "mask.png"}))
    return folder


@pytest.fixture(scope="module")
def model(bench, tmp_path_factory):
    return bench.save_tiny(tmp_path_factory.mktemp("sd") / "tiny-sd")


QUICK = "quick:dragdiffusion,lora_steps=1,drag_steps=2,inversion_strength=0.06"


def run(bench, data, model, out, *more):
    arguments = [str(data), "--model", str(model), "--features", str(model), "--ensemble", "2"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench.main, "NEAR_SIDE", 128)
        patch.setattr(sys, "argv", ["dragbench.py", *arguments, "--out", str(out), *more])
        bench.main.main()
    return json.loads((out / "dragbench.json").read_text())


# ---- reading


def test_both_ways_of_writing_it_down_are_read_alike(bench, data):
    first, second = bench.samples.samples(data)
    assert (first.name, second.name) == ("animals/JH_1", "other_objects/JH_2")
    for sample in (first, second):
        assert sample.picture.size == (80, 64)
        assert sample.prompt == "a car"
        assert sample.handles.tolist() == [[30, 20], [50, 40]]
        assert sample.targets.tolist() == [[44, 26], [41, 44]]
        assert torch.equal(sample.mask, torch.from_numpy(area()).float())


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_pickles_of_each_protocol(bench, data, tmp_path, protocol):
    source = data / "animals" / "JH_1"
    (tmp_path / "original_image.png").write_bytes((source / "original_image.png").read_bytes())
    facts = {"prompt": "ein Käfer", "points": np.array(POINTS), "mask": area().astype(bool)}
    (tmp_path / "meta_data.pkl").write_bytes(pickle.dumps(facts, protocol=protocol))
    sample = bench.samples.sample(tmp_path, "x")
    assert sample.prompt == "ein Käfer"
    assert sample.targets.tolist() == [[44, 26], [41, 44]]
    assert sample.mask.sum() == area().sum()


class Harm:
    def __reduce__(self):
        return print, ("harm",)


def test_a_pickle_that_calls_something_is_refused(bench, tmp_path, capsys):
    (tmp_path / "meta_data.pkl").write_bytes(pickle.dumps({"prompt": Harm()}, protocol=4))
    with pytest.raises(UnsafeCheckpointError):
        bench.samples.read_facts(tmp_path)
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"points": POINTS[:3]}, "3 points"),
        ({"points": []}, "0 points"),
        ({"mask": [[0, 1]]}, "its mask"),
        ({"points": [[1, "a"]]}, "cannot be used"),
    ],
)
def test_samples_that_cannot_be_used(bench, data, tmp_path, changes, what):
    source = data / "animals" / "JH_1"
    (tmp_path / "original_image.png").write_bytes((source / "original_image.png").read_bytes())
    facts = {"prompt": "", "points": POINTS, "mask": area().tolist()} | changes
    (tmp_path / "meta_data.json").write_text(json.dumps(facts))
    with pytest.raises(SystemExit, match=what):
        list(bench.samples.samples(tmp_path))


def test_an_empty_folder(bench, tmp_path):
    with pytest.raises(SystemExit, match="expected DragBench"):
        list(bench.samples.samples(tmp_path))
    (tmp_path / "original_image.png").write_bytes(b"")
    with pytest.raises(SystemExit, match="cannot be used"):
        list(bench.samples.samples(tmp_path))


# ---- matching


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_bands_are_those_of_the_enlarged_features(bench, mode):
    features = torch.randn(3, 5, 6)
    whole = functional.interpolate(features[None], (50, 44), mode=mode)[0]
    for top, count in ((0, 1), (0, 50), (32, 18), (49, 1)):
        band = bench.matching.band(features, (44, 50), mode, top, count)
        assert torch.allclose(band, whole[:, top : top + count], atol=1e-5)


def compared(bench, shift=(4, -2), size=(40, 36)):
    """Features as large as the picture that moved; a handle that should go where it went, and one that should not."""
    before = torch.randn(8, size[1], size[0])
    after = torch.roll(before, (shift[1], shift[0]), (1, 2))
    handles = torch.tensor([[10.0, 20.0], [25.0, 15.0]])
    targets = handles + torch.tensor([[4.0, -2.0], [1.0, 2.0]])
    return bench.matching.Comparison(before, after, handles, targets, size)


def test_classic_distance(bench):
    asked = compared(bench)
    assert bench.matching.match(asked, "bilinear").tolist() == [[14, 18], [29, 13]]
    assert bench.matching.classic(asked).tolist() == [0, 5]
    far = compared(bench, shift=(20, 10))  # found wherever it is
    assert bench.matching.classic(far)[0] == pytest.approx((16**2 + 12**2) ** 0.5)


def test_near_distance_counts_in_hundredths_of_the_picture(bench):
    asked = compared(bench)
    assert bench.matching.near(asked).tolist() == pytest.approx(
        [0, 100 * ((3 / 40) ** 2 + (4 / 36) ** 2) ** 0.5]
    )
    discs = bench.matching.discs(asked)
    # Both are nearer than 5 times the root of 2, so discs have the least radius, around handle and target.
    for n, (handle, target) in enumerate(zip(asked.handles.tolist(), asked.targets.tolist(), strict=True)):
        for y in range(36):
            for x in range(40):
                near = any((x - a) ** 2 + (y - b) ** 2 < 25 for a, b in (handle, target))
                assert discs[n, y, x] == near
    far = compared(bench, shift=(20, 10))  # not found, because it is not looked for there
    found = bench.matching.match(far, "nearest", bench.matching.discs(far))
    assert (found - far.handles).norm(dim=-1).max() < 12


def test_features_are_those_of_the_model(bench, model):
    loaded = bench.main.load_diffusion(model)
    pixels = torch.rand(3, 64, 80) * 2 - 1
    dift = bench.matching.Dift(loaded, 3)
    features = dift(pixels, "a car", 1)
    assert features.shape == (32, 4, 5)
    assert torch.equal(dift(pixels, "a car", 1), features)
    assert not torch.equal(dift(pixels, "a car", 2), features)
    # By hand: each noise alone, and the mean.
    with torch.no_grad():
        scaled = loaded.vae.encode(pixels[None]).latent_dist.mode() * loaded.vae.config.scaling_factor
        noise = torch.randn(3, *scaled.shape[1:], generator=torch.Generator().manual_seed(1))
        condition = loaded.condition("a car", (80, 64))
        kept = loaded.schedule.kept[261]
        rows = [
            loaded.features(kept**0.5 * scaled + (1 - kept) ** 0.5 * each[None], 261, condition)[0]
            for each in noise
        ]
    assert torch.allclose(torch.cat(rows).mean(0), features, atol=1e-5)


def test_lpips_on_alexnet(bench, tmp_path):
    """Against the network written out once more, with the names that its weights have."""
    shapes = [(64, 3, 11), (192, 64, 5), (384, 192, 3), (256, 384, 3), (256, 256, 3)]
    weights = {}
    for place, (outputs, inputs, side) in zip(bench.lpips.PLACES, shapes, strict=True):
        weights[f"net.{place}.weight"] = 0.05 * torch.randn(outputs, inputs, side, side)
        weights[f"net.{place}.bias"] = 0.1 * torch.randn(outputs)
    for number, (outputs, _, _) in enumerate(shapes):
        weights[f"lin{number}.model.1.weight"] = torch.rand(1, outputs, 1, 1)
    save_file(weights, tmp_path / "alex.safetensors")
    torch.save(weights, tmp_path / "alex.pth")
    a, b = torch.rand(2, 3, 64, 64) * 2 - 1, torch.rand(2, 3, 64, 64) * 2 - 1

    def seen(x):
        x = (x - torch.tensor([-0.030, -0.088, -0.188])[:, None, None]) / torch.tensor([0.458, 0.448, 0.450])[
            :, None, None
        ]
        maps = []
        for number, place in enumerate(bench.lpips.PLACES):
            x = functional.max_pool2d(x, 3, 2) if number in (1, 2) else x
            stride, padding = (4, 2) if number == 0 else (1, (5 if number == 1 else 3) // 2)
            weight, bias = weights[f"net.{place}.weight"], weights[f"net.{place}.bias"]
            x = functional.relu(functional.conv2d(x, weight, bias, stride, padding))
            maps.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return maps

    expected = sum(
        ((x - y).square() * weights[f"lin{n}.model.1.weight"]).sum(1).mean((1, 2))
        for n, (x, y) in enumerate(zip(seen(a), seen(b), strict=True))
    )
    for file in ("alex.safetensors", "alex.pth"):
        assert torch.allclose(bench.lpips.Lpips(tmp_path / file)(a, b), expected, rtol=1e-4)
    save_file({"net": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(SystemExit, match="has not the weights of LPIPS"):
        bench.lpips.Lpips(tmp_path / "other.safetensors")


# ---- the whole


def test_it_runs_from_end_to_end(bench, data, model, tmp_path, capsys):
    figures = run(bench, data, model, tmp_path, "--rows", QUICK, "copy", "--stlpips", "none")
    assert list(figures["rows"]) == ["do nothing", "quick", "copy"]
    nothing, quick, copy = (row["mean"] for row in figures["rows"].values())
    assert (nothing["calls"], nothing["untouched"], nothing["psnr"]) == (0, 2, None)
    # For each picture: one step of fitting, 3 passes back, 2 nudges, and 3 passes forth beside the picture's own.
    assert quick["calls"] == pytest.approx(4 * LESSON + 3 + 2 * 2 + 2 * 3)
    assert copy["calls"] == 0
    assert all(row["refused"] == 0 for row in (nothing, quick, copy))
    assert all(len(each["classic"]) == 2 for each in figures["rows"]["quick"]["samples"])
    assert figures["setup"]["points"] == 4
    shown = (tmp_path / "dragbench.md").read_text()
    assert shown in capsys.readouterr().out
    assert "| do nothing |" in shown
    assert "No perceptual distance" in shown
    assert str(tmp_path) not in shown
    assert str(data) not in shown


def test_without_weights_of_lpips_the_other_distance_has_its_own_name(bench, data, model, tmp_path, capsys):
    pytest.importorskip("stlpips_pytorch")
    figures = run(bench, data, model, tmp_path, "--rows", "--samples", "1")
    assert figures["rows"]["do nothing"]["mean"]["likeness"] == 1
    shown = capsys.readouterr().out
    assert "1 - ST-LPIPS (AlexNet) | PSNR" in shown
    assert "which is no IF" in shown


def test_means_are_those_of_the_protocols(bench):
    base = {"psnr": None, "calls": 1.0, "seconds": 2.0, "refused": ""}
    found = [
        {**base, "classic": [1.0, 2.0, 3.0], "near": [3.0, 6.0, 9.0]},
        {**base, "classic": [10.0], "near": [2.0], "psnr": 30.0, "refused": "no"},
    ]
    mean = bench.main.means(found)
    assert (mean["classic"], mean["near"]) == (4, 4)  # of points; of pictures
    assert (mean["psnr"], mean["untouched"], mean["refused"], mean["likeness"]) == (30, 1, 1, None)


def test_what_a_method_refuses_is_left_as_it_is_and_counted(bench, data, model, tmp_path, monkeypatch):
    monkeypatch.setattr(bench.samples, "plain", lambda facts: facts | {"mask": np.ones((64, 80), np.uint8)})
    figures = run(bench, data, model, tmp_path, "--rows", "copy", "--samples", "1", "--stlpips", "none")
    (sample,) = figures["rows"]["copy"]["samples"]
    assert "select a part" in sample["refused"]
    assert figures["rows"]["copy"]["mean"]["refused"] == 1


def test_rows_are_read_from_their_names(bench):
    row = bench.main.make_row("mine:dragdiffusion,lora_steps=0,latent_rate=0.02,paste_back=False")
    assert (row.name, row.settings.lora_steps, row.settings.latent_rate) == ("mine", 0, 0.02)
    assert bench.main.make_row("diffeditor").settings.preset == "diffeditor"
    for wrong in ("best", "a:dragdiffusion,speed=3", "a:dragdiffusion,drag_steps=0"):
        with pytest.raises(SystemExit):
            bench.main.make_row(wrong)
