"""`pliant move`, `resize`, `remove`, `paste`, `swap` and `dragcontent`, with a tiny model."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pliant import catalogue
from pliant.cli.things_options import options_class
from pliant.images import read_metadata
from pliant.project import Project
from pliant.restoring import loader
from pliant.settings import read_settings
from tiny_sd import save_tiny

VERBS = ("move", "resize", "remove", "paste", "swap", "dragcontent", "dragdiffusion")
SIZE = (96, 64)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of Pliant's with one diffusion model, `little`."""
    home = tmp_path_factory.mktemp("things_home")
    save_tiny(home / "models" / "little")
    return home


@pytest.fixture(autouse=True)
def photos(workplace):
    """A photo with a disc, another, and the disc's mask."""
    disc = (20, 20, 40, 40)
    for name, ground in (("photo.png", (40, 90, 160)), ("other.png", (160, 90, 40))):
        picture = Image.linear_gradient("L").resize(SIZE)
        picture = Image.merge("RGB", [picture.point(lambda v, c=c: (v + 3 * c) // 4) for c in ground])
        ImageDraw.Draw(picture).ellipse(disc, fill=(220, 30, 30) if name == "photo.png" else (30, 220, 30))
        picture.save(name)
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).ellipse((18, 18, 42, 42), fill=255)
    mask.save("mask.png")


def run(pliant, *arguments):
    code, out, err = pliant(*arguments, "--model", "little", "--json", "--out", "out.png")
    assert (code, err) == (0, "")
    return json.loads(out)


GIVEN = {
    "move": ["--mask", "mask.png", "--by", "30,-5"],
    "resize": ["--mask", "mask.png", "--scale", "1.4", "--turn", "20"],
    "remove": ["--mask", "mask.png"],
    "paste": ["--other", "other.png", "--mask", "mask.png", "--to", "70,30"],
    "swap": ["--mask", "mask.png", "--other", "other.png", "--other-mask", "mask.png"],
    "dragcontent": ["--mask", "mask.png", "--handle", "30,30", "--target", "36,30"],
    "dragdiffusion": [
        *("--mask", "mask.png", "--handle", "30,30", "--target", "36,30"),
        *("--lora-steps", "2", "--drag-steps", "2", "--inversion-strength", "0.2"),
    ],
}


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_edits_a_photo(pliant, verb):
    told = run(pliant, verb, "photo.png", *GIVEN[verb], "--prompt", "a disc", "--feather", "4")
    assert told["inverted"]
    assert told["psnr_outside"] == 99
    assert 20 < told["network_calls"] < 64
    assert told["seconds"] > 0
    assert told["stopped"] == "arrived"
    made, photo = (
        np.asarray(Image.open(name).convert("RGB")).astype(int) for name in ("out.png", "photo.png")
    )
    assert made.shape == photo.shape
    assert (made != photo).any()
    assert (made[:10, :10] == photo[:10, :10]).all()
    about = read_metadata("out.png")
    assert about["edit"] == ("move" if verb == "resize" else verb)
    assert about["inputs"]["prompt"] == "a disc"


@pytest.mark.parametrize("verb", VERBS)
def test_options_have_different_names_and_the_settings_help(pliant, verb):
    edit = catalogue.get("move" if verb == "resize" else verb)
    parts = [field.type for field in options_class(edit, verb).__dataclass_fields__.values()]
    names = [name for part in parts for name in getattr(part.__origin__, "__dataclass_fields__", {})]
    assert len(set(names)) == len(names) > len(read_settings(edit.settings_class))
    code, out, _ = pliant(verb, "--help")
    assert code == 0
    assert "What the picture shows" in out


def test_a_copy_takes_no_model(pliant, monkeypatch, tmp_path):
    monkeypatch.setenv("PLIANT_HOME", str(tmp_path / "nothing"))
    code, out, _ = pliant(
        "move",
        "photo.png",
        "--mask",
        "mask.png",
        "--by",
        "40,0",
        "--preset",
        "copy",
        "--out",
        "o.png",
        "--json",
    )
    assert (code, json.loads(out)["network_calls"]) == (0, 0)
    assert np.asarray(Image.open("o.png").convert("RGB"))[30, 70].tolist() == [220, 30, 30]


def test_boxes_and_clicks_select_too(pliant):
    for given in (["--box", "16,16,29,29"], ["--click", "30,30"]):
        run(pliant, "remove", "photo.png", *given, "--preset", "copy")
        made = np.asarray(Image.open("out.png").convert("RGB"))
        assert made[30, 30, 0] < 150, given


def test_several_things_go_several_ways(pliant):
    ImageDraw.Draw(picture := Image.open("photo.png")).rectangle((70, 20, 80, 30), fill=(20, 200, 20))
    picture.save("photo.png")
    box = Image.new("L", SIZE)
    ImageDraw.Draw(box).rectangle((70, 20, 80, 30), fill=255)
    box.save("box.png")
    ways = ["--mask", "mask.png", "--mask", "box.png", "--by", "0,15", "--by", "-20,-10"]
    run(pliant, "move", "photo.png", *ways, "--preset", "copy")
    made = np.asarray(Image.open("out.png").convert("RGB"))
    assert made[45, 30].tolist() == [220, 30, 30]
    assert made[15, 55].tolist() == [20, 200, 20]


def test_a_project_keeps_candidates_as_branches_and_is_gone_on_with(pliant):
    told = pliant(
        "remove", "photo.png", "--mask", "mask.png", "--model", "little", "--out", "a.png", "--candidates", "2",
        "--project", "p.pliant", "--video", "v.gif", "--quiet",
    )  # fmt: skip
    assert told[0] == 0
    assert Path("a-2.png").exists()
    assert (np.asarray(Image.open("a.png")) != np.asarray(Image.open("a-2.png"))).any()
    project = Project.open("p.pliant", loader())
    root, first, second = project.nodes.values()
    assert (first.parent, second.parent) == (root.id, root.id)
    assert (first.settings["seed"], second.settings["seed"]) == (0, 1)
    with Image.open("v.gif") as film:
        assert film.n_frames <= 1 + 14 + 24  # of the steps that looked at the photo one
    code, _, _ = pliant(
        "move", "p.pliant", "--box", "60,10,20,20", "--by", "0,20", "--preset", "copy", "--project", "p.pliant",
        "--out", "b.png", "--quiet",
    )  # fmt: skip
    assert code == 0
    project = Project.open("p.pliant", loader())
    assert project.nodes[project.current].parent == second.id
    before = np.asarray(Image.open("a-2.png").convert("RGB"))
    assert (np.asarray(project.picture(second.id).render()) == before).mean() > 0.95


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["move", "photo.png", "--by", "9,9"], "Select at least one thing with --mask, --box or --click."),
        (["move", "photo.png", "--mask", "mask.png"], "Say where the things go"),
        (["move", "photo.png", "--mask", "mask.png", "--by", "9,9", "--to", "9,9"], "Give --by or --to"),
        (
            ["move", "photo.png", "--mask", "mask.png", "--by", "900,9"],
            "would lie outside the picture of 96x64",
        ),
        (["move", "photo.png", "--mask", "mask.png", "--by", "1,1", "--by", "2,2"], "1 things but 2 --by"),
        (["resize", "photo.png", "--mask", "mask.png", "--scale", "0"], "would be scaled by 0"),
        (
            ["remove", "photo.png", "--mask", "mask.png", "--candidates", "999"],
            "--candidates must be from 1 to 100",
        ),
        (
            ["remove", "photo.png", "--mask", "mask.png", "--candidates", "2", "--preset", "copy"],
            "no noise is drawn",
        ),
        (["remove", "photo.png", "--mask", "mask.png", "--model", "scenes-512"], "no model 'scenes-512'"),
        (["remove", "nothing.png", "--mask", "mask.png"], "nothing.png"),
        (
            ["dragcontent", "photo.png", "--mask", "mask.png", "--handle", "1,1"],
            "as many --target as --handle",
        ),
        (["remove", "photo.png", "--mask", "mask.png", "--strength", "99"], "strength must be from 0 to 10"),
    ],
)
def test_what_cannot_be_done_is_told(pliant, arguments, sentence):
    code, out, err = pliant(*arguments, "--out", "o.png")
    assert (code, out) == (2, "")
    assert sentence in err
    assert not Path("o.png").exists()


def test_a_mask_of_another_size_is_told(pliant):
    Image.new("L", (10, 10), 255).save("small.png")
    code, _, err = pliant("remove", "photo.png", "--mask", "small.png", "--out", "o.png")
    assert code == 2
    assert "The mask is 10x10 but the picture is 96x64" in err


def test_a_missing_model_is_told(pliant):
    code, _, err = pliant(
        "remove", "photo.png", "--mask", "mask.png", "--out", "o.png", "--model", "none-such"
    )
    assert code == 2
    assert "There is no model 'none-such'" in err
