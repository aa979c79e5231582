"""`pliant generate`, which is the catalogue's edit of that name with no picture to begin at."""

import json

import numpy as np
import pytest
from PIL import Image

from pliant import catalogue
from pliant.cli import main, verbs
from pliant.cli.generate import options_class
from pliant.diffusion.generate import GenerateSettings, generate
from pliant.diffusion.loading import load_diffusion
from pliant.images import read_metadata
from pliant.project import Project
from pliant.restoring import loader
from tiny_sd import save_tiny

EDIT = catalogue.get("generate")
QUICK = ("--num-inference-steps", "4", "--model", "little")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of Pliant's with one diffusion model, `little`."""
    home = tmp_path_factory.mktemp("words_home")
    save_tiny(home / "models" / "little")
    return home


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


def test_there_is_one_door_and_it_has_every_setting(pliant):
    assert [words for words in verbs() if "generate" in words] == ["generate"]
    assert verbs()["generate"].summary == EDIT.summary
    code, out, _ = pliant("generate", "--help")
    assert code == 0
    for setting in EDIT.settings:
        assert f"--{setting.name.replace('_', '-')}" in out
    settings = options_class(EDIT).__dataclass_fields__["settings"].type
    assert list(settings.__origin__.__dataclass_fields__) == [setting.name for setting in EDIT.settings]


def test_a_picture_is_that_of_the_library(pliant):
    code, out, err = pliant(
        "generate", "a cat", *QUICK, "--seed", "7", "--negative-prompt", "dogs", "--out", "out.png", "--json"
    )
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["steps"], told["stopped"], told["network_calls"]) == (5, "arrived", 8)
    settings = GenerateSettings(num_inference_steps=4, seed=7, negative_prompt="dogs")
    *_, last = generate("a cat", model=load_diffusion("little"), settings=settings)
    assert np.array_equal(pixels("out.png"), np.asarray(last.picture.render()))
    about = read_metadata("out.png")
    assert about["inputs"] == {"mask": False, "prompt": "a cat", "diffuser": "little"}
    assert (about["edit"], about["settings"]["seed"]) == ("generate", 7)


def test_candidates_are_branches_of_a_project_that_is_gone_on_with(pliant):
    code, _, _ = pliant(
        "generate", *QUICK, "--candidates", "2", "--out", "a.png", "--project", "p.pliant", "--video", "v.gif",
        "--quiet", "--", "-a cat",
    )  # fmt: skip
    assert code == 0
    assert (pixels("a.png") != pixels("a-2.png")).any()
    project = Project.open("p.pliant", loader())
    root, first, second = project.nodes.values()
    assert (first.parent, second.parent) == (root.id, root.id)
    assert [node.settings["seed"] for node in (first, second)] == [0, 1]
    assert [project.inputs(node.id)["prompt"] for node in (first, second)] == ["-a cat"] * 2
    with Image.open("v.gif") as film:
        assert film.n_frames == 5
    code, _, _ = pliant(
        "remove", "p.pliant", "--box", "16,16,24,24", "--preset", "copy", "--out", "b.png", "--project", "p.pliant",
        "--quiet",
    )  # fmt: skip
    assert code == 0
    project = Project.open("p.pliant", loader())
    assert project.nodes[project.current].parent == second.id
    code, _, _ = pliant("generate", "a dog", *QUICK, "--out", "c.png", "--project", "p.pliant", "--quiet")
    assert code == 0
    assert len(Project.open("p.pliant").nodes) == 6, "another beginning in the same project"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([" "], "The prompt is empty"),
        (["a" * 500], "reads at most 75"),
        (["a cat", "--candidates", "0"], "--candidates must be from 1 to 100"),
        (["a cat", "--width", "5000"], "width must be from 0 to 4096"),
        (["a cat", "--model", "nobody"], "no model 'nobody'"),
    ],
)
def test_what_cannot_be_made_is_told(pliant, arguments, sentence):
    words = ["--model", "little", *arguments] if "--model" not in arguments else arguments
    code, out, err = pliant("generate", *words, "--out", "o.png")
    assert (code, out) == (2, "")
    assert sentence in err


def test_the_words_are_needed(pliant):
    assert main(["generate", "--out", "o.png"]) == 2
