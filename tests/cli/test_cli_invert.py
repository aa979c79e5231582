"""`pliant invert` and `pliant putback`, from a photo to an edit of it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pliant.gan import inversions
from pliant.gan.latent import sample
from pliant.project import Project

import tiny

QUICK = ("--candidates", "4", "--w-steps", "2", "--wplus-steps", "3", "--tune-steps", "4")


@pytest.fixture(autouse=True)
def photo(workplace):
    """photo.png: noise of 140 x 100 with a picture of the model in it."""
    noise = np.random.RandomState(0).randint(0, 255, (100, 140, 3), dtype=np.uint8)
    made = Image.fromarray(noise)
    made.paste(sample(tiny.generator(64), 3).image().resize((80, 80)), (30, 10))
    made.save("photo.png")


INVERT = (
    "invert",
    "photo.png",
    "--out",
    "me.pliant",
    "--model",
    "tiny",
    "--device",
    "cpu",
    "--crop",
    "30,10,80,80",
)


def test_a_photo_is_opened_dragged_and_pasted_back(pliant):
    code, out, _ = pliant(*INVERT, *QUICK, "--image", "me.png", "--json", "--again")
    assert code == 0
    report = json.loads(out)
    assert [each["stage"] for each in report["stages"]] == ["start", "w", "w+", "tune"]
    assert report["psnr"] == report["stages"][-1]["psnr"] > report["stages"][0]["psnr"]
    assert report["distance_on_landmarks_68"] >= 0
    assert report["box"] == [30, 10, 80, 80]
    assert report["written"] == ["me.pliant", "me.png"]
    project = Project.open("me.pliant")
    assert project.picture().kind == "latent"
    assert np.array_equal(np.asarray(project.picture().image()), np.asarray(Image.open("me.png")))
    assert [node.kind for node in project.nodes.values()] == ["pixels", "latent"]

    code, out, _ = pliant("putback", "--picture", "me.pliant", "--out", "same.png", "--json")
    assert (code, json.loads(out)["changed_share"]) == (0, 0)
    assert np.array_equal(np.asarray(Image.open("same.png")), np.asarray(Image.open("photo.png")))

    drag = (
        "drag",
        "--picture",
        "me.pliant",
        "--project",
        "me.pliant",
        "--handle",
        "20,20",
        "--target",
        "30,24",
    )
    assert pliant(*drag, "--out", "dragged.png", "--max-steps", "4", "--device", "cpu", "--quiet")[0] == 0
    code, out, _ = pliant("putback", "--picture", "me.pliant", "--out", "whole.png", "--whole", "--json")
    assert code == 0
    whole, photo = (np.asarray(Image.open(name)) for name in ("whole.png", "photo.png"))
    assert 0.2 < json.loads(out)["changed_share"] < 0.5
    assert np.array_equal(whole[:, :30], photo[:, :30])
    assert np.array_equal(whole[90:], photo[90:])


def test_the_second_time_it_is_there_at_once(pliant):
    assert pliant(*INVERT, *QUICK, "--seed", "5", "--json")[0] == 0
    code, out, _ = pliant(*INVERT, *QUICK, "--seed", "5", "--json")
    report = json.loads(out)
    assert code == 0
    assert len(report["stages"]) == 1
    code, out, _ = pliant(*INVERT, *QUICK, "--seed", "5", "--json", "--again")
    assert json.loads(out)["psnr"] == pytest.approx(report["psnr"], abs=0.05)
    assert len(json.loads(out)["stages"]) == 4
    for path in inversions.folder().iterdir():
        path.write_bytes(b"damaged")
    assert len(json.loads(pliant(*INVERT, *QUICK, "--seed", "5", "--json")[1])["stages"]) == 4


def test_an_existing_project_grows_and_nothing_else_is_overwritten(pliant):
    brief = ("--candidates", "1", "--w-steps", "0", "--wplus-steps", "1", "--tune-steps", "0", "--quiet")
    assert pliant(*INVERT, *brief)[0] == 0
    assert pliant(*INVERT, *brief)[0] == 0
    assert len(Project.open("me.pliant").nodes) == 4
    before = Path("photo.png").read_bytes()
    code, _, err = pliant(
        "invert", "photo.png", "--out", "photo.png", "--model", "tiny", "--crop", "30,10,80,80"
    )
    assert code == 2
    assert "not a Pliant project" in err
    assert Path("photo.png").read_bytes() == before


def test_a_sentence_says_how_it_went(pliant):
    code, out, err = pliant(*INVERT, *QUICK, "--again")
    assert code == 0
    assert "dB like the photo after stage tune" in out
    assert "invert: " in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--crop", "30,10,80"), "X,Y,WIDTH,HEIGHT"),
        (("--crop", "130,90,80,80"), "outside the photo"),
        (("--w-steps", "-1"), "0 or more"),
        (("--start", "encoder"), "no encoder"),
        (("--out", "no/where.pliant"), "no folder"),
        (("--image", "me.tiff"), "should end in"),
        (("--model", "nothing"), "no model"),
    ],
)
def test_bad_input_gets_a_sentence(pliant, arguments, sentence):
    code, _, err = pliant(*INVERT, *QUICK, *arguments)
    assert code == 2
    assert sentence in err
    assert not Path("me.pliant").exists()


def test_a_photo_without_a_face_asks_for_a_crop(pliant):
    Image.new("RGB", (90, 70)).save("black.png")
    code, _, err = pliant("invert", "black.png", "--out", "me.pliant", "--model", "tiny")
    assert code == 2
    assert "No face was found" in err
    assert "--crop" in err


def test_pasting_asks_for_a_project_that_began_with_a_photo(pliant):
    project = Project()
    project.add(sample(tiny.generator(64), 1))
    project.save("other.pliant")
    code, _, err = pliant("putback", "--picture", "other.pliant", "--out", "x.png")
    assert code == 2
    assert "pliant invert" in err


def test_ctrl_c_keeps_what_is_there():
    arguments = [*INVERT[:-2], "--crop", "30,10,80,80", "--w-steps", "100000", "--again"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pliant.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr.readline().startswith("invert: 1/")  # the first step is there
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted" in out
    assert Project.open("me.pliant").picture().kind == "latent"
