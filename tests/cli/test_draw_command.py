"""`pliant draw`, on a blank canvas and on a drawing."""

import json
from pathlib import Path

import pytest

from pliant.project import Project
from pliant.vector.svg import read_svg
from text_images import save_words

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="48" height="40"><rect width="9" height="9" fill="#88aadd"/></svg>'
QUICK = ("--words", "words", "--device", "cpu", "--max-steps", 2, "--crops", 1, "--strokes", 5)


@pytest.fixture(autouse=True)
def files(workplace):
    """A drawing, and a text-image model in words/."""
    Path("a.svg").write_text(SVG)
    save_words(Path("words"))


def test_strokes_are_drawn_on_a_blank_canvas(pliant):
    code, out, err = pliant(
        "draw", "--prompt", "fire", "--canvas", "60x40", "--out", "b.svg", *QUICK, "--json"
    )
    report = json.loads(out)
    scene = read_svg("b.svg").scene
    assert (code, err) == (0, "")
    assert (report["steps"], report["paths"], report["judge"]) == (3, 5, "words")
    assert scene.size == (60, 40)
    assert (scene.stroke_of >= 0).all()
    assert [group.id for group in scene.groups] == ["strokes"]


def test_strokes_are_drawn_on_a_drawing_with_every_step_in_a_project(pliant):
    code, *_ = pliant("draw", "a.svg", "--prompt", "fire", "--out", "b.pliant", *QUICK)
    project = Project.open("b.pliant")
    assert code == 0
    assert [(node.edit, node.steps) for node in project.nodes.values()] == [(None, 1), ("draw", 3)]
    assert len(project.picture().scene) == 6
    assert project.picture().size == (48, 40)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--prompt", "fire", "--canvas", "60"], "WIDTHxHEIGHT, such as 224x224"),
        (["--prompt", "fire", "--canvas", "0x40"], "at least 1"),
        (["--prompt", "fire", "--canvas", "99999x99999"], "40 megapixels at most"),
        (["--prompt", ""], "A prompt is empty"),
        ([], "There is no prompt"),
        (["--roi", "300,0,9,9=fire"], "outside the picture of 224 x 224"),
    ],
)
def test_bad_input_is_refused_and_nothing_written(pliant, tmp_path, given, words):
    code, _, err = pliant("draw", "--out", "b.svg", "--words", "words", *given)
    assert code == 2
    assert words in " ".join(err.replace("│", " ").split())
    assert not (tmp_path / "b.svg").exists()
