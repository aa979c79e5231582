"""The verbs of parts, from files to files."""

import json

import numpy as np
import pytest
from PIL import Image

from part_heads import CLASSES, channel_head
from pliant import images
from pliant.checkpoints import Checkpoint, write_native
from pliant.gan.latent import load_generator
from pliant.project import Project

import tiny

MODEL = ("--model", "tiny", "--device", "cpu")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of Pliant's with one model of 32 pixels and its head."""
    home = tmp_path_factory.mktemp("home")
    made = tiny.generator(32)
    folder = home / "models" / "tiny"
    write_native(Checkpoint(made.config.to_json(), made.state_dict(), "native", {}), folder)
    channel_head(load_generator(folder)).save(home / "heads" / "tiny")
    return home


@pytest.fixture
def painted(pliant, tmp_path):
    """The part map of seed 7 with a square of land in it."""
    assert pliant("segment", *MODEL, "--seed", 7, "--out", "parts.png")[0] == 0
    ids = np.array(Image.open(tmp_path / "parts.png"))
    ids[8:20, 8:20] = 1
    image = Image.fromarray(ids)
    image.putpalette([value for each in CLASSES for value in each.colour])
    image.save("painted.png")
    return "painted.png"


def test_segment_says_how_much_each_part_has(pliant, tmp_path):
    code, out, _ = pliant("segment", *MODEL, "--seed", 7, "--out", "parts.png", "--json")
    said = json.loads(out)
    ids = np.array(Image.open(tmp_path / "parts.png"))
    assert code == 0
    assert said["parts"] == pytest.approx(
        {"sea": (ids == 0).mean(), "land": (ids == 1).mean(), "ice": (ids == 2).mean()}, abs=1e-6
    )
    assert said["uncertainty"] is None
    pliant("sample", *MODEL, "--seed", 7, "--out", "seven.png", "--save-latent", "seven.safetensors")
    for start in ("seven.png", "seven.safetensors"):
        assert pliant("segment", start, *MODEL, "--out", "again.png")[0] == 0
        assert np.array_equal(np.array(Image.open("again.png")), ids)
    assert "sea" in pliant("segment", "seven.png", *MODEL, "--out", "again.png")[1]


def test_repaint_writes_what_it_did(pliant, painted, tmp_path):
    more = ("--max-steps", 5, "--project", "edit.pliant", "--save-latent", "end.safetensors", "--json")
    code, out, err = pliant("repaint", *MODEL, "--seed", 7, "--parts", painted, "--out", "new.png", *more)
    said = json.loads(out)
    assert (code, err) == (0, "")
    assert said["stopped"] == "max_steps"
    assert said["steps"] == 6
    assert 0 <= said["agreement"] <= 1
    facts = images.read_metadata(tmp_path / "new.png")
    assert facts["edit"] == "repaint"
    assert facts["inputs"] == {"mask": False, "parts": True}
    project = Project.open("edit.pliant")
    run = next(node for node in project.nodes.values() if node.edit == "repaint")
    assert project.inputs(run.id)["parts"].shape == (32, 32)
    assert pliant("segment", "edit.pliant", *MODEL, "--out", "after.png")[0] == 0


def test_a_vector_is_kept_and_applied(pliant, painted, home):
    more = ("--max-steps", 8, "--save-latent", "end.safetensors", "--quiet")
    assert pliant("repaint", *MODEL, "--seed", 7, "--parts", painted, "--out", "new.png", *more)[0] == 0
    pliant("sample", *MODEL, "--seed", 7, "--out", "old.png", "--save-latent", "start.safetensors")
    save = (
        "vector",
        "save",
        "--model",
        "tiny",
        "--before",
        "start.safetensors",
        "--after",
        "end.safetensors",
    )
    code, out, _ = pliant(*save, "--name", "more land", "--part", "land", "--most", 1.5, "--json")
    assert code == 0
    assert json.loads(out)["out"] == str(home / "vectors" / "more-land.safetensors")
    said = json.loads(pliant("vector", "list", "--model", "tiny", "--json")[1])
    assert said["vectors"] == [{"name": "more land", "parts": ["land"], "safe": [0.0, 1.5]}]
    assert "more land" in pliant("vector", "list", "--model", "tiny")[1]
    apply = ("vector", "apply", *MODEL, "--seed", 9, "--vector", "more land", "--json")
    assert json.loads(pliant(*apply, "--out", "direct.png")[1])["steps"] == 2
    assert json.loads(pliant(*apply, "--refine-steps", 3, "--out", "refined.png")[1])["steps"] == 5
    pliant(*apply[:-2], "more land=0", "--out", "same.png", "--save-latent", "same.safetensors")
    pliant("sample", *MODEL, "--seed", 9, "--out", "nine.png")
    assert np.array_equal(images.load_image("same.png"), images.load_image("nine.png"))
    assert "beyond, pictures may break" in pliant(*apply[:-2], "more land=3", "--out", "far.png")[2]
    code, _, err = pliant(*save, "--name", "x", "--part", "sky")
    assert (code, err) == (2, "pliant: There is no part 'sky'; this model's are: sea, land, ice.\n")


def test_a_head_is_trained_from_a_folder(pliant, painted, tmp_path):
    folder = tmp_path / "labels"
    folder.mkdir()
    for seed in (7, 8):
        pliant("segment", *MODEL, "--seed", seed, "--out", f"labels/seed{seed}.png")
    (folder / "classes.json").write_text(json.dumps([{"name": c.name, "colour": c.colour} for c in CLASSES]))
    quick = ("--members", 2, "--pixels", 400, "--epochs", 2, "--unlabelled", 1)
    code, out, _ = pliant("train", "head", *MODEL, "--labels", folder, "--out", "head", *quick, "--json")
    assert code == 0
    assert json.loads(out)["labelled"] == 2
    use = (
        "segment",
        *MODEL,
        "--seed",
        7,
        "--out",
        "own.png",
        "--head",
        "head",
        "--uncertainty",
        "doubt.png",
        "--json",
    )
    assert json.loads(pliant(*use)[1])["uncertainty"] >= 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("segment", "--out", "parts.jpg"), "'parts.jpg' should end in .png"),
        (("segment", "nothing.png", "--out", "a.png"), "There is no file 'nothing.png'"),
        (("segment", "plain.png", "--out", "a.png"), "'plain.png' does not say which code makes it"),
        (("segment", "plain.png", "--seed", "1", "--out", "a.png"), "Give either a file or one of --seed"),
        (("repaint", "--parts", "plain.png", "--out", "a.png"), "has the colour (1, 2, 3) at (0, 0)"),
        (("repaint", "--parts", "small.png", "--out", "a.png"), "part map is 16x16 but the picture is 32x32"),
        (("vector", "apply", "--vector", "none", "--out", "a.png"), "There is no vector 'none' for 'tiny'"),
        (("train", "head", "--labels", "."), "There are no part maps"),
    ],
)
def test_bad_input_gets_a_sentence(pliant, words, sentence, tmp_path):
    Image.new("RGB", (32, 32), (1, 2, 3)).save("plain.png")
    Image.new("RGB", (16, 16), (0, 200, 0)).save("small.png")
    if words[0] == "train":
        for each in tmp_path.glob("*.png"):
            each.unlink()
    code, out, err = pliant(*words, *MODEL)
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
