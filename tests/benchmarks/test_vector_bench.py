"""The benchmark of words on drawings: what it counts, its plain twin, and that a stopped run goes on."""

import json
import sys
from argparse import Namespace

import numpy as np
import pytest
import torch
from PIL import Image

from paths import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "benchmarks"))
import vector
from plain_guidance import pull_one_by_one
from pliant.perception.clip import load_words
from pliant.prompts import Prompt
from pliant.vector.crops import Crops, slants
from pliant.vector.guidance import Guidance
from pliant.vector.outline import Path, assemble, polygon
from pliant.vector.svg import read_svg
from quality import pairs, words
from text_images import save_words


class Alike:
    """Mean difference of pixels, in place of ST-LPIPS, whose weights are a package of their own."""

    def __call__(self, a, b):
        return (a - b).abs().mean((1, 2, 3))


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        ([(0, 0), (4, 0), (4, 4), (0, 4)], False),
        ([(0, 0), (4, 4), (4, 0), (0, 4)], True),
        ([(0, 0), (4, 0), (4, 4), (2, 0), (0, 4)], False),
    ],
)
def test_a_bow_tie_crosses_itself_and_a_corner_on_a_line_does_not(corners, expected):
    assert words.crosses(np.array(corners, dtype=float)) is expected


def test_of_two_shapes_one_crosses_itself_and_one_is_faint():
    square = Path([polygon([(1, 1), (5, 1), (5, 5), (1, 5)])], (0, 0, 0), opacity=0.04)
    bow = Path([polygon([(0, 0), (4, 4), (4, 0), (0, 4)])], (1, 0, 0))
    found = words.fitness(assemble([square, bow], (8, 8)))
    assert (found["paths"], found["faint"], found["crossed"]) == (2, 50, 50)


def test_what_happens_in_the_box_does_not_count_as_lost():
    before, after = torch.zeros(3, 8, 8), torch.zeros(3, 8, 8)
    after[:, 2:4, 2:4] = 1
    box = Prompt("red", (2, 2, 2, 2))
    assert words.kept(Alike(), before, after, box) == {"outside_db": 60, "outside_stlpips": 0}
    after[:, 0, 0] = 1
    found = words.kept(Alike(), before, after, box)
    assert found["outside_db"] == pytest.approx(10 * np.log10(4 * 60))
    assert words.kept(Alike(), before, after, Prompt("red")) == {"stlpips": pytest.approx(5 / 64)}


def test_crops_one_by_one_pull_as_all_at_once(tmp_path):
    model = load_words(save_words(tmp_path / "words"))
    picture = torch.rand(3, 24, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1
    crops = Crops(3, (0.8, 0.8), 0.2, 0.3)
    guidance = Guidance(model, [Prompt("red")], (24, 24), picture, crops, comparison="none", seed=5)
    together = guidance(picture, 0)
    whole = torch.diag(torch.tensor([24.0, 24, 1], dtype=torch.float64))[None]
    places = torch.cat([whole, slants((24, 24), crops, torch.Generator().manual_seed(5 * 2**16))])
    gradient, loss = pull_one_by_one(model, picture, places, guidance.toward[0], [30, *[80 / 3] * 3])
    assert loss == pytest.approx(together.loss, rel=1e-4)
    assert (gradient - together.gradient).abs().max() < 0.02 * gradient.abs().max()


def test_every_pair_can_be_made_and_its_box_lies_inside():
    assert len(pairs.PAIRS) >= 24
    assert len({pair.name for pair in pairs.PAIRS}) == len(pairs.PAIRS)
    for pair in pairs.PAIRS:
        x, y, width, height = pair.box or (0, 0, 1, 1)
        assert min(x, y) >= 0
        assert x + width <= 1
        assert y + height <= 1
    for name in {pair.picture for pair in pairs.PAIRS if " " not in pair.picture}:
        assert max(pairs.photo(name, 64).size) == 64


def test_a_pair_is_worked_on_measured_and_its_drawing_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(vector, "_distance", lambda *_: Alike())
    model = str(save_words(tmp_path / "words"))
    args = Namespace(
        device="cpu", workers=1, words=model, judge=model, stlpips=None, steps=1, crops=1, kept=tmp_path
    )
    number = next(n for n, pair in enumerate(pairs.PAIRS) if pair.name == "house: a pink tree")
    found = vector.done(args, number, "CLIPVG, 1 round")
    assert {"judge_gain", "own_gain", "outside_db", "paths", "crossed"} < set(found)
    assert found["judge_gain"] == found["own_gain"]
    drawing = read_svg(tmp_path / f"{number:02d}-2.svg").scene
    assert len(drawing) == found["paths"]
    with Image.open(tmp_path / f"{number:02d}-2.png") as image:
        assert max(image.size) == vector.SIDE


def test_what_is_finished_is_kept_and_of_other_settings_refused(tmp_path):
    kept = tmp_path / "figures.jsonl"
    assert vector.kept_figures(kept, {"steps": 3}) == {}
    with kept.open("a") as file:
        file.write(
            json.dumps({"number": 4, "row": "pixels", "figures": {"gain": 0.5}}) + '\n{"number": 5, "ro'
        )
    assert vector.kept_figures(kept, {"steps": 3}) == {(4, "pixels"): {"gain": 0.5}}
    with pytest.raises(SystemExit, match="another folder"):
        vector.kept_figures(kept, {"steps": 4})
