"""Words on drawings in the studio: prompts and their boxes, the model that reads them, runs, notes, scripts."""

import contextlib
import io
import os
import shlex
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from opened_drawings import SVG, opened
from pliant import catalogue
from pliant.cli import main
from pliant.errors import InputError
from pliant.perception.clip import load_words
from pliant.project import Project
from pliant.prompts import Prompt
from pliant.studio.foreign import check_tree
from pliant.studio.studio import Studio
from pliant.studio.text_models import TextModels, is_text_model
from pliant.vector.draw import DrawSettings, blank, draw
from pliant.vector.restyle import RestyleSettings, restyle
from pliant.vector.scene import VectorPicture
from pliant.vector.svg import read_svg
from served import living_in, make_home, picture_of, serve
from text_images import save_words

QUICK = {"max_steps": 3, "crops": 2}
"""Settings of restyle for a few quick steps."""
STROKES = {"strokes": 8, "max_steps": 3, "crops": 2}
FIRE = {"text": "fire", "box": None, "strength": 1.0}
LEAF = {"text": "blue", "box": [8.0, 2.0, 24.0, 20.0], "strength": 0.5}


@pytest.fixture(scope="module")
def own_home(tmp_path_factory):
    """A home with two text-image models beside the generators."""
    home = make_home(tmp_path_factory.mktemp("home"))
    save_words(home / "models" / "tiny-words")
    save_words(home / "models" / "other words")
    with living_in(home):
        yield


def said(page, *prompts, **changes):
    """Set prompts on the drawing; the state after that."""
    given = {"words": "tiny-words", "settings": QUICK} | changes
    return page.do("change", label="Say", edit="restyle", prompts=prompts, **given)


def drawing():
    return VectorPicture(read_svg(SVG).scene)


def as_pixels(picture):
    return np.array(picture.image())


# ---- runs


def test_a_run_of_words_is_the_library_call(page):
    opened(page)
    said(page, FIRE, LEAF)
    ended, state = page.run()
    place = state["document"]["at"]
    prompts = [Prompt("fire"), Prompt("blue", (8, 2, 24, 20), 0.5)]
    settings = RestyleSettings(max_steps=3, crops=2)
    steps = list(restyle(drawing(), prompts, words=load_words("tiny-words"), settings=settings))
    assert ended["steps"] == len(steps) == 4
    assert np.array_equal(picture_of(page.frame(place)), as_pixels(steps[-1].picture))
    facts = page.facts(place["node"])["facts"]
    assert [fact["agreements"] for fact in facts] == [
        pytest.approx(step.agreement, abs=1e-4) for step in steps
    ]
    assert [fact["loss"] for fact in facts] == [pytest.approx(step.loss, rel=1e-5) for step in steps]
    assert state["nodes"][-1]["title"] == "“fire”, “blue”"
    assert state["document"]["prompts"] == [FIRE, LEAF], "they stay for going on"


def test_live_frames_carry_what_each_prompt_measured(page):
    opened(page)
    said(page, FIRE, LEAF)
    page.send("start")
    facts = []
    while not facts or facts[-1]["step"] < 3:
        facts += page.until("frame")["facts"]
    assert [fact["step"] for fact in facts] == [0, 1, 2, 3]
    assert all(len(fact["agreements"]) == 2 for fact in facts)


def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(page):
    opened(page)
    said(page, FIRE, settings={"max_steps": 500, "crops": 2})
    page.start(2)
    page.send("stop")
    stopped = page.until("ended")
    page.until("state")
    count = stopped["steps"] - 1
    page.do("change", label="Steps", settings=QUICK)
    _, state = page.run(go_on=True)
    settings = RestyleSettings(max_steps=count + 3, crops=2)
    *_, last = restyle(drawing(), "fire", words=load_words("tiny-words"), settings=settings)
    assert np.array_equal(picture_of(page.frame(state["document"]["at"])), as_pixels(last.picture))


def test_settings_are_changed_while_it_runs(page):
    opened(page)
    said(page, FIRE, settings={"max_steps": 5000, "crops": 2, "colour_rate": 1e-6})
    page.start(1)
    page.send("change", label="Steps", settings={"max_steps": 3, "crops": 2})
    page.until("ended")
    page.until("ended")
    assert page.until("state")["run"] is None


def test_layers_are_changed_before_the_words(page):
    opened(page)
    said(page, FIRE)
    page.do("change", label="Lock", layers={"locked": ["crown"], "hidden": [3]})
    _, state = page.run()
    place = state["document"]["at"]
    frame = picture_of(page.frame(place))
    assert tuple(frame[8, 20]) == (0x2E, 0x8B, 0x57), "what is locked stays"
    assert tuple(frame[8, 48]) == (255, 255, 255), "what is hidden is not painted"
    assert state["document"]["layers"]["hidden"] == []


def test_strokes_are_drawn_on_an_empty_drawing(page):
    page.do("new_drawing", width=48, height=40)
    page.do("change", label="Say", edit="draw", prompts=[FIRE], words="tiny-words", settings=STROKES)
    _, state = page.run()
    node, place = state["nodes"][-1], state["document"]["at"]
    assert (node["kind"], node["edit"], node["size"]) == ("vector", "draw", [48, 40])
    model, settings = load_words("tiny-words"), DrawSettings(**STROKES)
    *_, last = draw(blank((48, 40)), "fire", words=model, settings=settings)
    assert np.array_equal(picture_of(page.frame(place)), as_pixels(last.picture))


@pytest.mark.parametrize("size", [(15, 40), (40, 2049)])
def test_an_empty_drawing_has_a_sensible_size(page, size):
    assert "did not understand" in page.refused("new_drawing", width=size[0], height=size[1])


# ---- what cannot be said


def test_a_prompt_without_words_is_refused_when_it_is_run(page):
    opened(page)
    said(page, FIRE, {**LEAF, "text": "  "})
    assert page.refused("start") == "Prompt 2 has no words; say what it should become, or delete it."


def test_a_prompt_is_not_endless_and_not_too_strong(page):
    opened(page)
    for prompt in ({**FIRE, "text": "a" * 1001}, {**FIRE, "strength": 3.5}):
        assert "did not understand" in page.refused("change", label="Say", prompts=[prompt])


def test_without_prompts_nothing_runs(page):
    opened(page)
    page.do("change", label="Mode", edit="restyle", words="tiny-words")
    assert "There is no prompt" in page.refused("start")


def test_words_are_not_run_on_a_photo(page):
    page.upload(Image.new("RGB", (32, 32)))
    page.do("change", label="Mode", edit="restyle", prompts=[FIRE])
    assert "edits vector pictures" in page.refused("start")


# ---- notes


def test_words_that_the_model_does_not_know_are_named(page):
    opened(page)
    said(page, {**FIRE, "text": "a fire of glass"})
    while not (notes := page.until("hints")["notes"]):
        pass
    assert len(notes) == 1
    assert "glass" in notes[0]
    said(page, FIRE, {**LEAF, "text": ""})
    while page.until("hints")["notes"]:
        pass


# ---- models


def test_models_are_told_and_chosen(page):
    assert page.welcome["words"][-2:] == ["other words", "tiny-words"], "Pliant's own comes before them"
    assert {model["name"] for model in page.welcome["models"]}.isdisjoint(page.welcome["words"])
    opened(page)
    assert said(page, FIRE, words="other words")["document"]["words"] == "other words"
    _, state = page.run()
    kept = page.served.studio.sessions[page.session].project.inputs(state["document"]["at"]["node"])
    assert kept["words"] == "other words"
    assert "is not installed" in page.refused("change", label="Choose", words="/etc")


def test_a_studio_without_a_model_of_words_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PLIANT_HOME", str(make_home(tmp_path / "home")))
    monkeypatch.setattr("pliant.studio.text_models.EMBEDDED", tmp_path / "nothing")
    with serve(Studio(tmp_path / "studio", model="tiny")) as served, served.page() as page:
        assert page.welcome["words"] == []
        opened(page)
        page.do("change", label="Say", prompts=[FIRE])
        assert page.refused("start").startswith("The text-image model words-small is not installed")


def test_text_image_models_are_told_from_others_by_their_config(tmp_path):
    assert is_text_model(save_words(tmp_path / "words"))
    for name, text in {
        "clip": '{"model_type": "clip"}',
        "bert": '{"model_type": "bert"}',
        "odd": "[",
        "list": "[]",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(text)
    assert [is_text_model(tmp_path / name) for name in ("clip", "bert", "odd", "list", "none")] == [
        True
    ] + 4 * [False]


def test_a_path_is_no_model(own_home, tmp_path):
    save_words(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="is not installed"):
        TextModels("cpu").get(str(tmp_path / "elsewhere"))


# ---- again


def case_words(page):
    """Two prompts with layers changed, and going on."""
    opened(page)
    said(page, FIRE, {**LEAF, "text": 'it\'s "blue"; $(HOME)'})
    page.do("change", label="Lock", layers={"locked": ["crown"], "hidden": [3], "swatches": {"0": "#123456"}})
    page.run()
    page.do("change", label="Steps", settings=QUICK | {"colour_rate": 0.02})
    return page.run(go_on=True)[1]["document"]["at"]


def case_strokes(page):
    """Strokes on an empty drawing, a frame before the end."""
    page.do("new_drawing", width=48, height=40)
    page.do("change", label="Say", edit="draw", prompts=[FIRE], words="tiny-words", settings=STROKES)
    return {"node": page.run()[0]["node"], "step": 2}


def case_by_command(page):
    """Strokes on an empty drawing to their end, some locked and hidden, moved by words, cut off before the end."""
    page.do("new_drawing", width=48, height=40)
    page.do("change", label="Say", edit="draw", prompts=[FIRE], words="tiny-words", settings=STROKES)
    page.run()
    page.do("change", label="x", edit="layers", layers={"hidden": [1], "swatches": {"0": "#00ff00"}})
    page.run()
    said(
        page,
        {**FIRE, "text": "--it's $(HOME)"},
        {**LEAF, "strength": 1.0},
        layers={"locked": ["strokes"], "unlocked": [2, 3]},
    )
    return {"node": page.run()[0]["node"], "step": 2}


def case_traced(page):
    """A photo, traced with a box, recoloured, and then told."""
    image = Image.new("RGB", (40, 36), "#3060a0")
    image.paste("#c04020", (4, 4, 20, 30))
    page.upload(image)
    page.do(
        "change", label="x", edit="trace", boxes=[[2, 2, 20, 30]], settings={"colours": "3 4", "refine": 2}
    )
    page.run()
    page.do(
        "change", label="x", edit="layers", layers={"swatches": {"1": "#00ff00"}}, settings={"colours": "own"}
    )
    page.run()
    said(page, FIRE)
    return page.run()[1]["document"]["at"]


CASES = {name[5:]: case for name, case in list(globals().items()) if name.startswith("case_")}


@pytest.fixture(scope="module")
def programs_run(served, tmp_path_factory):
    """Of every case: the pixels, the commands, and a folder in which its program was run."""
    made = {}
    for name, case in CASES.items():
        with served.page() as page:
            place = case(page)
            page.send("ask_script", place=place)
            answer = page.until("script")
            folder = tmp_path_factory.mktemp(name)
            (folder / "program.py").write_text(answer["python"])
            (folder / "project.pliant").write_bytes(page.export("project", place)[1])
            made[name] = (picture_of(page.frame(place)), answer["command"], folder)
    runner = "import os, runpy, sys\nfor folder in sys.argv[1:]:\n    os.chdir(folder)\n    runpy.run_path('program.py')\n"
    folders = [str(folder) for _, _, folder in made.values()]
    # as many threads as the studio here has: sums over more threads may differ in the last bit
    environment = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    words = [sys.executable, "-W", "error", "-c", runner, *folders]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.mark.parametrize("name", CASES)
def test_the_program_makes_the_frame_again_exactly(programs_run, name):
    expected, _, folder = programs_run[name]
    made = np.array(Image.open(folder / "result.png").convert("RGB"))
    assert np.array_equal(made, expected)


def test_commands_make_a_drawing_that_was_begun_empty_again_exactly(programs_run):
    expected, command, folder = programs_run["by_command"]
    lines = [[word for word in shlex.split(line) if word != "pliant"] for line in command.splitlines()]
    assert [line[0] for line in lines] == ["draw", "layers", "restyle"]
    (folder / "result.png").unlink()
    with contextlib.chdir(folder):
        for line in lines:
            assert main([*line, "--device", "cpu", "--quiet"]) == 0
    assert np.array_equal(np.array(Image.open(folder / "result.png").convert("RGB")), expected)


def test_what_no_command_can_repeat_says_so(programs_run):
    for name in ("words", "strokes", "traced"):
        assert programs_run[name][1].startswith("# "), name
        assert programs_run[name][1].endswith("."), name


def test_a_project_with_words_is_taken_up_elsewhere(page, served):
    opened(page)
    said(page, FIRE, LEAF)
    _, state = page.run()
    _, data = page.export("project", state["document"]["at"])
    session = served.post("/api/projects", data).json["session"]
    with served.page(session) as again:
        document = again.log[-1]["document"]
        assert (document["edit"], document["prompts"]) == ("restyle", [FIRE, LEAF])
        assert document["settings"] == {"restyle": QUICK}


HOSTILE = {
    "no text": {"prompts": [{"text": "", "box": None, "strength": 1.0}]},
    "a number as text": {"prompts": [{"text": 3, "box": None, "strength": 1.0}]},
    "half a box": {"prompts": [{"text": "x", "box": [1, 2], "strength": 1.0}]},
    "too many": {"prompts": [FIRE] * 40},
    "another colour": {"layers": {"swatches": {"1": "red"}}},
    "another number": {"layers": {"swatches": {"x": "#ff0000"}}},
    "a layer that is a list": {"layers": {"hidden": [["x"]]}},
    "words that are a list": {"words": ["x"]},
    "half a box of a photo": {"boxes": [[1, 2]]},
    "boxes of words": {"boxes": [["1", "2", "3", "4"]]},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_foreign_values_are_refused(name):
    project = Project()
    project.add(drawing())
    edit = catalogue.get("layers")
    run = edit.run(drawing(), catalogue.Inputs())
    list(run)
    project.add_run(run.trace, "layers", HOSTILE[name])
    with pytest.raises(InputError, match="The project is damaged"):
        check_tree(project.tree())


def test_a_picture_of_a_preview_is_whole(page):
    """A drawing that is larger than live frames is only halved for them."""
    page.do("new_drawing", width=2048, height=64)
    page.do("change", label="x", edit="draw", prompts=[FIRE], words="tiny-words", settings=STROKES)
    page.send("start")
    frame = page.until("frame")
    assert max(Image.open(io.BytesIO(frame["image"])).size) == 1024
    page.until("ended")
