"""Pictures from words in the studio: from the start page's message to a picture that other edits go on with."""

import base64
import io
import os
import shlex
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from pliant.cli import main
from pliant.diffusion.generate import GenerateSettings, generate
from pliant.diffusion.loading import load_diffusion
from pliant.project import Project
from pliant.studio.foreign import check_tree
from pliant.studio.studio import Studio
from served import living_in, make_home, picture_of, png_text, serve
from tiny_sd import save_tiny

QUICK = {"num_inference_steps": 4}
WORDS = "a cat on a mat"


@pytest.fixture(scope="module")
def own_home(tmp_path_factory):
    """A home with a diffusion model beside the generators."""
    home = make_home(tmp_path_factory.mktemp("home"))
    save_tiny(home / "models" / "tiny-sd")
    with living_in(home):
        yield


@pytest.fixture(scope="module")
def model(own_home):
    return load_diffusion("tiny-sd")


def said(page, words=WORDS, **settings):
    """A new picture's words and settings."""
    page.do("from_words")
    return page.do("change", label="Words", prompt=words, diffuser="tiny-sd", settings=QUICK | settings)


def made(model, words=WORDS, **settings):
    *_, last = generate(words, model=model, settings=GenerateSettings(**QUICK, **settings))
    return np.asarray(last.picture.render())


def shown(page, state):
    return picture_of(page.frame(state["document"]["at"]))


def select_square(page, **changes):
    """Select a square of a picture of 64 pixels."""
    square = Image.new("L", (64, 64))
    square.paste(255, (16, 16, 32, 32))
    mask = page.served.post(f"/api/sessions/{page.session}/masks", base64.b64decode(png_text(square)))
    page.do("change", label="Select", things=[{"mask": mask.json["mask"]}], **changes)


def remove_square(page):
    """Remove that; the state after the run."""
    select_square(page, edit="remove", settings={"preset": "warp"})
    return page.run()[1]


def alike(path, expected):
    """The same picture but for the rounding of latents in a project."""
    found = np.array(Image.open(path).convert("RGB")).astype(int)
    return np.abs(found - expected).max() <= 1


def test_a_picture_is_made_from_words_alone(page, model):
    state = page.do("from_words")
    document, (blank,) = state["document"], state["nodes"]
    assert (document["edit"], document["prompt"], state["undo"]) == ("generate", "", None)
    assert (blank["kind"], blank["title"], blank["size"], blank["model"]) == (
        "pixels",
        "Blank",
        [256, 256],
        None,
    )
    assert (shown(page, state) == 128).all()
    page.do("change", label="Words", prompt=f" {WORDS} ", diffuser="tiny-sd", settings=QUICK)
    page.send("start")
    frame = page.see(1)
    live = Image.open(io.BytesIO(frame["image"]))
    assert live.size == (64, 64)
    assert np.std(live) > 0, "colours are seen from the first step on"
    ended = page.until("ended")
    state = page.until("state")
    assert (ended["reason"], ended["steps"]) == ("arrived", 5)
    assert np.array_equal(shown(page, state), made(model))
    node = state["nodes"][-1]
    assert (node["kind"], node["title"], node["size"]) == ("diffusion", f"“{WORDS}”", [64, 64])
    assert node["model"] == "tiny-sd"
    assert (state["document"]["edit"], state["document"]["prompt"]) == ("generate", WORDS)
    listed = {each["session"]: each["title"] for each in page.served.get("/api/projects").json}
    assert listed[page.session] == f"“{WORDS}”"
    assert page.do("undo")["document"]["at"]["node"] == blank["id"]


def test_without_words_it_says_so(page):
    page.do("from_words")
    page.do("change", label="Model", diffuser="tiny-sd")
    page.send("start")
    assert "prompt is empty" in page.until("problem")["sentence"]
    assert len(page.until("state")["nodes"]) == 1


def test_candidates_have_seeds_of_their_own(page, model):
    said(page, seed=5)
    _, state = page.run(candidates=3)
    blank, *nodes = state["nodes"]
    assert state["document"]["candidates"] == [node["id"] for node in nodes]
    assert {node["parent"] for node in nodes} == {blank["id"]}
    assert [node["title"] for node in nodes] == [f"“{WORDS}”, seed {seed}" for seed in (5, 6, 7)]
    for node, seed in zip(nodes, (5, 6, 7), strict=True):
        picture = picture_of(page.frame({"node": node["id"], "step": node["steps"] - 1}))
        assert np.array_equal(picture, made(model, seed=seed))


def test_what_was_made_is_edited_and_opened_again(page, served, tmp_path):
    said(page)
    _, first = page.run()
    before = shown(page, first)
    state = remove_square(page)
    after = shown(page, state)
    assert state["document"]["prompt"] == WORDS, "the words help the next edit too"
    assert np.array_equal(before[48:], after[48:])
    assert (before != after).any()
    place = state["document"]["at"]
    _, data = page.export("project", place)
    (tmp_path / "p.pliant").write_bytes(data)
    check_tree(Project.open(tmp_path / "p.pliant").tree())
    adopted = served.post("/api/projects", data)
    with served.page(adopted.json["session"]) as other:
        nodes = other.state()["nodes"]
        assert [node["size"] for node in nodes] == [[256, 256], [64, 64], [64, 64]]
        assert np.array_equal(picture_of(other.frame(place)), after)


def test_a_project_opens_without_the_model_that_made_it(page, tmp_path):
    said(page)
    _, state = page.run()
    _, data = page.export("project", state["document"]["at"])
    studio = Studio(tmp_path / "studio", test=True)
    studio.diffusion_models._sources.clear()
    with serve(studio) as other:
        answer = other.post("/api/projects", data)
        with other.page(answer.json["session"]) as there:
            blank, made = there.state()["nodes"]
            assert (made["size"], made["model"]) == ([64, 64], "tiny-sd")
            assert there.get(f"frames/{blank['id']}/0").status == 200


def test_a_photo_that_is_opened_next_is_for_edits(page):
    page.do("from_words")
    state = page.upload(Image.new("RGB", (40, 30), (9, 90, 200)))
    assert state["document"]["edit"] == "move"


def test_words_begin_anew_and_take_the_selection_off(page, model):
    said(page)
    _, first = page.run()
    select_square(page)
    page.do("change", label="Words", prompt="a dog")
    _, state = page.run()
    assert state["nodes"][-1]["parent"] == first["document"]["at"]["node"]
    assert np.array_equal(shown(page, state), made(model, "a dog"))
    assert state["document"]["things"] == []
    page.send("ask_script", place=state["document"]["at"])
    script = page.until("script")
    assert "a dog" in script["python"]
    assert WORDS not in script["python"] + script["command"], "what was there before is not needed"


def test_the_program_and_the_commands_make_it_again(page, tmp_path, monkeypatch):
    said(page, words='-a "red" cat', negative_prompt="it's a dog", seed=3)
    _, first = page.run()
    monkeypatch.chdir(tmp_path)
    python, command = scripts(page, first["document"]["at"])
    assert "Project" not in python
    assert command.count("\n") == 0
    assert main(shlex.split(command)[1:]) == 0
    assert np.array_equal(np.asarray(Image.open("result.png").convert("RGB")), shown(page, first))
    early = {"node": first["document"]["at"]["node"], "step": 2}
    assert scripts(page, early)[1].startswith("# A frame from before the end")
    state = remove_square(page)
    place = state["document"]["at"]
    python, command = scripts(page, place)
    (tmp_path / "project.pliant").write_bytes(page.export("project", place)[1])
    (tmp_path / "program.py").write_text(python)
    subprocess.run([sys.executable, "program.py"], cwd=tmp_path, check=True, timeout=120)
    assert alike("result.png", shown(page, state))
    if os.name == "nt":
        return
    (tmp_path / "result.png").unlink()
    for line in command.splitlines():
        if line.startswith("pliant "):
            assert main(shlex.split(line)[1:]) == 0
        else:
            subprocess.run(["sh", "-c", line], check=True, cwd=tmp_path)
    assert alike("result.png", shown(page, state))


def scripts(page, place):
    page.send("ask_script", place=place)
    answer = page.until("script")
    return answer["python"], answer["command"]
