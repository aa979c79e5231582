"""`pliant restyle` and `pliant draw`, from photos, drawings and projects to everything that is written."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from PIL import Image

from pliant import catalogue
from pliant.cli.drawing_options import options_class
from pliant.images import read_metadata
from pliant.perception.clip import load_words
from pliant.picture import PixelPicture
from pliant.project import Project
from pliant.prompts import Prompt
from pliant.settings import read_settings
from pliant.vector.compare import agreement
from pliant.vector.scene import VectorPicture
from pliant.vector.svg import read_svg
from text_images import save_words

SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="48" height="40">
<g id="sky"><rect width="48" height="20" fill="#88aadd"/><circle cx="36" cy="8" r="5" fill="#ffee88"/></g>
<g id="ground"><rect id="field" y="20" width="48" height="20" fill="#559944"/></g></svg>"""
QUICK = ("--words", "words", "--device", "cpu", "--max-steps", 3, "--crops", 2, "--colour-rate", 0.05)


@pytest.fixture(autouse=True)
def files(workplace):
    """photo.png, a.svg, and a text-image model in words/."""
    made = Image.new("RGB", (48, 40), (200, 210, 240))
    made.paste((180, 30, 30), (10, 5, 30, 25))
    made.save("photo.png")
    Path("a.svg").write_text(SVG)
    save_words(Path("words"))


def scene(path):
    return read_svg(path).scene


def sentence(text):
    """What was said in a box, as one line."""
    return " ".join(text.replace("│", " ").split())


def test_a_photo_becomes_a_drawing_that_shows_the_words(pliant, tmp_path):
    code, out, err = pliant("restyle", "photo.png", "--prompt", "fire", "--out", "b.svg", *QUICK, "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    drawn = scene("b.svg")
    assert (report["out"], report["steps"], report["stopped"]) == ("b.svg", 4, "arrived")
    assert report["paths"] == len(drawn) > 0
    assert report["seconds_per_step"] == pytest.approx(report["seconds"] / 4)
    assert report["judge"] == "words"
    assert report["gain"] == pytest.approx(report["gains"][0])
    assert drawn.groups[0].id == "round-1-10-colours"
    assert report["written"] == ["b.svg"]
    assert (
        "&quot;edit&quot;" in (tmp_path / "b.svg").read_text()
        or '"edit": "restyle"' in (tmp_path / "b.svg").read_text()
    )


def test_the_gain_is_the_rise_of_the_agreement(pliant):
    code, out, _ = pliant(
        "restyle", "a.svg", "--prompt", "fire", "--roi", "0,0,24,20=red house", "--project", "a.pliant",
        "--out", "b.png", "--judge", "words", *QUICK, "--json",
    )  # fmt: skip
    report, words = json.loads(out), load_words("words")
    prompts = [Prompt("fire"), Prompt("red house", (0, 0, 24, 20))]
    trace = Project.open("a.pliant").trace()
    before, after = (agreement(trace[index].picture, prompts, words) for index in (0, -1))
    assert code == 0
    gains = [end - start for start, end in zip(before, after, strict=True)]
    assert report["gains"] == pytest.approx(gains, abs=1e-6)
    assert report["gain"] == pytest.approx(sum(gains) / 2, abs=1e-6)
    assert report["gain"] > 0, "three steps suffice for a model that judges itself"


def test_a_project_keeps_photo_tracing_and_every_step(pliant):
    pliant("restyle", "photo.png", "--prompt", "red robot", "--out", "a.pliant", *QUICK)
    code, out, err = pliant("restyle", "a.pliant", "--prompt", "blue", "--out", "a.pliant", *QUICK)
    assert (code, "It ended after 4 steps" in out, "gain" in out) == (0, True, True)
    assert "pliant:" not in err
    project = Project.open("a.pliant")
    assert [(node.kind, node.edit) for node in project.nodes.values()] == [
        ("pixels", None), ("vector", "trace"), ("vector", "restyle"), ("vector", "restyle"),
    ]  # fmt: skip
    last = project.nodes[project.current]
    assert last.inputs["prompts"] == [{"text": "blue", "box": None, "strength": 1.0}]
    assert last.inputs["words"] == "words"
    assert (last.steps, last.settings["max_steps"]) == (4, 3)
    first = project.picture(last.id, 0).scene
    assert torch.equal(first.points, project.picture(last.parent).scene.points)


def test_a_photo_in_a_project_is_traced_below_itself(pliant):
    project = Project()
    project.add(PixelPicture.of(Image.open("photo.png")))
    project.save("photo.pliant")
    code, *_ = pliant("restyle", "photo.pliant", "--prompt", "fire", "--out", "photo.pliant", *QUICK)
    assert code == 0
    assert [node.edit for node in Project.open("photo.pliant").nodes.values()] == [None, "trace", "restyle"]


def test_a_project_grows_a_branch_also_where_a_picture_is_written(pliant):
    pliant("restyle", "a.svg", "--prompt", "fire", "--out", "b.svg", "--project", "a.pliant", *QUICK)
    code, *_ = pliant(
        "restyle", "a.pliant", "--prompt", "fire", "--out", "c.png", "--project", "a.pliant", *QUICK
    )
    assert code == 0
    assert [node.edit for node in Project.open("a.pliant").nodes.values()] == [None, "restyle", "restyle"]
    facts = read_metadata("c.png")
    assert (facts["edit"], facts["picture"]["kind"]) == ("restyle", "vector")


def test_only_shapes_or_only_colours_change(pliant):
    before = scene("a.svg")
    pliant(
        "restyle",
        "a.svg",
        "--prompt",
        "fire",
        "--shapes-only",
        "--shape-rate",
        2,
        "--out",
        "shapes.svg",
        *QUICK,
    )
    assert torch.equal(scene("shapes.svg").colours, before.colours)
    assert not torch.equal(scene("shapes.svg").points, before.points)
    pliant("restyle", "a.svg", "--prompt", "fire", "--colours-only", "--out", "colours.svg", *QUICK)
    assert torch.allclose(scene("colours.svg").points, before.points, atol=0.006), "but for two decimals"
    assert not torch.equal(scene("colours.svg").colours, before.colours)


def test_locked_parts_stay_and_hidden_ones_are_not_painted(pliant):
    before = scene("a.svg")
    code, *_ = pliant(
        "restyle", "a.svg", "--prompt", "fire", "--lock", "sky", "--hide", "1", "--out", "b.svg", *QUICK
    )
    after = scene("b.svg")
    assert code == 0
    assert torch.equal(after.colours[after.colour_of[:2]], before.colours[before.colour_of[:2]])
    assert not torch.equal(after.colours[after.colour_of[2]], before.colours[before.colour_of[2]])
    assert after.hidden.tolist() == [False, True, False]


def test_layers_are_an_edit_of_their_own(pliant):
    code, out, _ = pliant(
        "layers",
        "a.svg",
        "--hide",
        "sky",
        "--lock",
        "field",
        "--swatch",
        "2=#ff0000",
        "--out",
        "b.svg",
        "--json",
    )
    after = scene("b.svg")
    assert (code, json.loads(out)["paths"]) == (0, 3)
    assert "gain" not in json.loads(out)
    assert after.hidden.tolist() == [True, True, False]
    assert after.locked_shape.tolist() == [False, False, True]
    assert (255 * after.colours[after.colour_of[2]]).round().tolist() == [255, 0, 0]


def test_inspect_lists_what_can_be_hidden_locked_and_recoloured(pliant):
    facts = json.loads(pliant("inspect", "a.svg", "--json")[1])
    assert facts == {
        "format": "drawing", "width": 48, "height": 40, "paths": 3, "hidden": 0, "layers": {"sky": 2, "ground": 1},
        "swatches": ["#88aadd", "#ffee88", "#559944"], "left_out": [],
    }  # fmt: skip


def test_a_video_shows_every_step(pliant):
    pliant(
        "restyle", "a.svg", "--prompt", "fire", "--out", "b.svg", "--video", "b.webp", "--boomerang", *QUICK
    )
    with Image.open("b.webp") as video:
        assert (video.n_frames > 4, video.size) == (True, (48, 40))


def test_unknown_words_are_named_and_the_run_goes_on(pliant):
    code, _, err = pliant("restyle", "a.svg", "--prompt", "a kestrel on fire", "--out", "b.svg", *QUICK)
    assert code == 0
    assert "pliant: 'kestrel' is no word that words learnt; it may do nothing." in err.splitlines()
    code, out, err = pliant("restyle", "a.svg", "--prompt", "kestrel", "--out", "b.svg", *QUICK, "--json")
    assert (err, json.loads(out)["warnings"]) == (
        "",
        ["'kestrel' is no word that words learnt; it may do nothing."],
    )


def test_what_an_svg_has_and_a_drawing_has_not_is_said(pliant):
    Path("text.svg").write_text(SVG.replace("</svg>", "<text>hello</text></svg>"))
    _, _, err = pliant("restyle", "text.svg", "--prompt", "fire", "--out", "b.svg", *QUICK)
    assert "pliant: The drawing has what is left out here: 1 x text." in err


RESTYLE = ("restyle", "a.svg", "--out", "b.svg", "--words", "words")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (RESTYLE, "There is no prompt; say in a few words"),
        ((*RESTYLE, "--prompt", "a", "--prompt", "b", "--strength", "2"), "There are 2 prompts but 1 --strength"),
        ((*RESTYLE, "--prompt", "a", "--strength", "9"), "give 0 to 3, usually 1"),
        ((*RESTYLE, "--prompt", "  "), "A prompt is empty"),
        ((*RESTYLE, "--prompt", "x" * 1001), "1,001 characters"),
        ((*RESTYLE, "--roi", "60,0,5,5=fire"), "outside the picture of 48 x 40"),
        ((*RESTYLE, "--roi", "0,0,0,5=fire"), "a width and a height above 0"),
        ((*RESTYLE, "--roi", "0,0,nan,5=fire"), "a width and a height above 0"),
        ((*RESTYLE, "--roi", "0,0,5,5="), "A prompt is empty"),
        ((*RESTYLE, "--roi", "0,0,5,5"), "X,Y,WIDTH,HEIGHT=TEXT"),
        ((*RESTYLE, "--roi", "a hat=0,0,5,5"), "X,Y,WIDTH,HEIGHT"),
        ((*RESTYLE, "--prompt", "a", "--shapes-only", "--colours-only"), "Give only one of --shapes-only"),
        ((*RESTYLE, "--prompt", "a", "--shapes-only", "--change", "colours"), "Give only one of --shapes-only"),
        ((*RESTYLE, "--prompt", "a", "--lock", "sea"), "no layer or path 'sea'; the layers are: sky, ground"),
        ((*RESTYLE, "--prompt", "a", "--swatch", "sky=red"), "NUMBER=#rrggbb"),
        ((*RESTYLE, "--prompt", "a", "--swatch", "0=red"), "written as #rrggbb"),
        ((*RESTYLE, "--prompt", "a", "--max-steps", "-1"), "max_steps"),
        ((*RESTYLE[:4], "--prompt", "a", "--words", "nowhere"), "no text-image model 'nowhere'"),
        ((*RESTYLE[:4], "--prompt", "a", "--words", "nowhere"), "Name one with --words, such as the folder"),
        ((*RESTYLE, "--prompt", "a", "--judge", "nowhere"), "no text-image model 'nowhere'"),
        (("restyle", "no.svg", *RESTYLE[2:], "--prompt", "a"), "no.svg"),
        (("restyle", "no.png", *RESTYLE[2:], "--prompt", "a"), "no.png"),
        (("restyle", "no.pliant", *RESTYLE[2:], "--prompt", "a"), "no project file"),
        (("restyle", "a.svg", "--out", "b.gif", "--prompt", "a"), "should end in .svg"),
        (("restyle", "a.svg", "--out", "no/b.svg", "--prompt", "a"), "no folder"),
        (("restyle", "a.svg", "--out", "b.pliant", "--project", "c.pliant", "--prompt", "a"), "not both"),
        (("restyle", "a.svg", "--out", "b.webp", "--video", "b.webp", "--prompt", "a"), "same name"),
        (("restyle", "a.svg", "--out", "b.svg", "--video", "b.svg", "--prompt", "a"), "b.svg"),
        (("layers", "a.svg", "--out", "b.svg", "--hide", "7"), "no path 7"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_and_nothing_written(pliant, tmp_path, given, words):
    before = set(tmp_path.iterdir())
    code, _, err = pliant(*given)
    assert code == 2
    assert words in sentence(err)
    assert set(tmp_path.iterdir()) == before


def test_a_project_of_a_generator_is_refused(pliant):
    pliant("sample", "--model", "tiny", "--device", "cpu", "--out", "face.png")
    pliant("drag", "--model", "tiny", "--device", "cpu", "--handle", "9,9", "--target", "9,20", "--max-steps", 2, "--out",
           "x.png", "--project", "face.pliant")  # fmt: skip
    code, _, err = pliant("restyle", "face.pliant", "--prompt", "fire", "--out", "b.svg", *QUICK)
    assert (code, "is one of a generator; save it as a .png" in err) == (2, True)


def test_without_a_model_there_is_a_sentence_before_anything_is_traced(pliant, monkeypatch):
    monkeypatch.setattr("pliant.vector.trace.trace_steps", lambda *_: pytest.fail("it was traced"))
    code, _, err = pliant("restyle", "photo.png", "--prompt", "fire", "--words", "nowhere", "--out", "b.svg")
    assert (code, "Name one with --words" in err) == (2, True)


def interrupted(arguments, after):
    """Runs a command and sends SIGINT once a line of standard error has the text; exit code and standard error."""
    program = "import sys; from pliant.cli import main, progress; progress.LINE_SECONDS = 0; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        killer = threading.Timer(100, process.kill)
        killer.start()
        said = []
        for line in process.stderr:
            said.append(line)
            if after in line:
                process.send_signal(signal.SIGINT)
                after = "never again"
        process.wait()
        killer.cancel()
    return process.returncode, "".join(said)


def test_ctrl_c_leaves_a_valid_drawing(pliant):
    endless = [*QUICK[:-4], "--max-steps", 100_000, "--crops", 1]
    code, _ = interrupted(
        ["restyle", "a.svg", "--prompt", "fire", "--out", "b.svg", "--project", "b.pliant", *endless],
        "restyle: 3/",
    )
    assert code == 130
    assert len(scene("b.svg")) == 3
    project = Project.open("b.pliant")
    assert project.nodes[project.current].steps >= 3


def test_prompts_count_as_much_as_was_said(pliant):
    pliant(
        "restyle", "a.svg", "--prompt", "fire", "--roi", "0,0,24,20=red house", "--strength", "0.5", "--strength", "2",
        "--out", "a.pliant", *QUICK,
    )  # fmt: skip
    project = Project.open("a.pliant")
    assert [each["strength"] for each in project.nodes[project.current].inputs["prompts"]] == [0.5, 2.0]


def test_ctrl_c_while_a_photo_is_traced_leaves_what_is_traced(pliant):
    Image.effect_noise((256, 256), 90).convert("RGB").save("noise.png")
    code, err = interrupted(
        ["restyle", "noise.png", "--prompt", "fire", "--out", "b.svg", "--words", "words"], "trace: 1/"
    )
    assert (code, "the drawing so far is written" in err) == (130, True)
    assert len(scene("b.svg")) > 0


def test_the_options_of_an_edit_of_drawings_have_different_names():
    for edit in (edit for edit in catalogue.EDITS if VectorPicture.kind in edit.pictures):
        parts = [field.type for field in options_class(edit).__dataclass_fields__.values()]
        names = [name for part in parts for name in getattr(part.__origin__, "__dataclass_fields__", {})]
        assert len(set(names)) == len(names) > len(read_settings(edit.settings_class))
