"""`pliant trace`, from a photo to an SVG."""

import json

import pytest
from PIL import Image

from pliant.project import Project
from pliant.vector.svg import read_svg


@pytest.fixture(autouse=True)
def photo(workplace):
    """photo.png: three areas, 60 x 40."""
    made = Image.new("RGB", (60, 40), (200, 210, 240))
    made.paste((180, 30, 30), (10, 5, 35, 30))
    made.paste((20, 60, 20), (40, 10, 60, 40))
    made.save("photo.png")


def test_a_photo_becomes_a_drawing(pliant, tmp_path):
    code, out, err = pliant(
        "trace", "photo.png", "a.svg", "--colours", 3, 6, "--region", "5,5,30,30", "--json"
    )
    assert (code, err) == (0, "")
    report = json.loads(out)
    drawn = read_svg("a.svg")
    assert drawn.left_out == ()
    assert report["paths"] == len(drawn.scene)
    assert report["bytes"] == (tmp_path / "a.svg").stat().st_size
    assert report["psnr"] == report["psnr_before"] > 25
    assert report["seconds"] > 0
    assert drawn.scene.size == (60, 40)


def test_refining_and_a_sentence(pliant):
    code, out, _ = pliant("trace", "photo.png", "a.svg", "--colours", 3, "--refine", 3, "--json")
    report = json.loads(out)
    assert (code, report["out"]) == (0, "a.svg")
    assert report["psnr"] != report["psnr_before"]
    code, out, _ = pliant("trace", "photo.png", "a.svg", "--colours", 3)
    assert code == 0
    assert "dB like the photo" in out


def test_a_project_keeps_the_photo_and_every_round(pliant):
    code, out, _ = pliant(
        "trace", "photo.png", "a.pliant", "--colours", 3, 6, "--refine", 2, "--region", "5,5,30,30", "--json"
    )
    project = Project.open("a.pliant")
    first, run = project.nodes.values()
    assert (code, first.kind, run.edit, run.steps) == (0, "pixels", "trace", 5)
    assert run.inputs == {"boxes": [[5, 5, 30, 30]]}
    assert (run.settings["colours"], run.settings["refine"]) == ([3, 6], 2)
    assert len(project.picture().scene) == json.loads(out)["paths"]
    pliant("trace", "photo.png", "a.pliant", "--colours", 3)
    assert len(Project.open("a.pliant").nodes) == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["photo.png", "a.png"], "should end in .svg"),
        (["photo.png", "no/a.svg"], "no folder"),
        (["no.png", "a.svg"], "no.png"),
        (["photo.png", "a.svg", "--colours", "1"], "2 to 256"),
        (["photo.png", "a.svg", "--region", "90,0,5,5"], "outside the photo"),
        (["photo.png", "a.svg", "--region", "0,0,0,5"], "above 0"),
        (["photo.png", "a.svg", "--region", "nonsense"], "X,Y,WIDTH,HEIGHT"),
        (["photo.png", "a.svg", "--refine", "-3"], "0 or more"),
    ],
)
def test_bad_input_is_refused_and_nothing_written(pliant, tmp_path, given, words):
    code, _, err = pliant("trace", *given)
    assert code == 2
    assert words in " ".join(err.replace("│", " ").split())
    assert not (tmp_path / "a.svg").exists()
