"""Learnt edits over a real socket: which fit, what they look like, how they compose, and how new ones are kept."""

import io
from urllib.parse import quote

import numpy as np
import pytest
import torch
from PIL import Image

from pliant.gan.latent import fingerprint, sample
from pliant.gan.vectors import EditVector, vectors_folder, vectors_for
from served import SIZE, living_in, make_home

import tiny


def vector(name, seed, generator=None, safe=(-1.0, 1.5)):
    generator = generator or tiny.generator(SIZE)
    rng = torch.Generator().manual_seed(seed)
    offset = 0.3 * torch.randn(generator.config.num_ws, generator.config.w_dim, generator=rng)
    return EditVector(name, offset, ("sea",), fingerprint(generator), safe)


SMILE, AGE = vector("smile", 1), vector("more years", 2)


@pytest.fixture(scope="module")
def own_home(tmp_path_factory):
    """A home with vectors, one of them of another model."""
    home = make_home(tmp_path_factory.mktemp("home"))
    (home / "vectors").mkdir()
    SMILE.save(home / "vectors" / "a.safetensors")
    AGE.save(home / "vectors" / "b.safetensors")
    vector("foreign", 3, tiny.generator(SIZE, seed=5)).save(home / "vectors" / "c.safetensors")
    (home / "vectors" / "d.safetensors").write_bytes(b"nothing")
    with living_in(home):
        yield


def names(page, node):
    return [each["name"] for each in page.get(f"nodes/{node}/vectors").json]


def test_those_that_fit_are_listed(page):
    at = page.sample()
    listed = page.get(f"nodes/{at['node']}/vectors").json
    assert {"name": "smile", "parts": ["sea"], "safe": [-1.0, 1.5], "own": True} in listed
    assert {"smile", "more years"} <= set(names(page, at["node"]))
    assert "foreign" not in names(page, at["node"])
    other = page.do("sample", model="bare", seed=1)["document"]["at"]
    assert names(page, other["node"]) == []
    photo = page.upload(Image.new("RGB", (8, 8)))["document"]["at"]
    assert "Only pictures that a model makes" in page.get(f"nodes/{photo['node']}/vectors").sentence


def shows(jpeg, picture):
    """A JPEG is of a picture rather than of the one before the edit."""
    seen, expected, plain = (
        np.asarray(image.convert("RGB")).astype(int)
        for image in (Image.open(io.BytesIO(jpeg)), picture.preview(), sample("tiny", 4, 0.7).preview())
    )
    return abs(seen - expected).mean() < 6 < abs(seen - plain).mean()


def test_a_thumbnail_is_this_picture_with_the_edit(page):
    at = page.sample(4)
    answer = page.get(f"frames/{at['node']}/0/vector?name={quote('more years')}&strength=-0.5&width=32")
    assert answer.headers["content-type"] == "image/jpeg"
    assert shows(answer.body, AGE.apply(sample("tiny", 4, 0.7), -0.5))
    small = page.get(f"frames/{at['node']}/0/vector?name=smile&strength=1&width=16")
    assert Image.open(io.BytesIO(small.body)).size == (16, 16)


@pytest.mark.parametrize(
    "query",
    ["name=nothing", "name=../../x", "name=", "", "name=smile&strength=11", "name=smile&strength=nan",
     "name=smile&strength=x", "name=smile&width=9000", f"name={'x' * 200}", "name=foreign", "name=a.safetensors"],
)  # fmt: skip
def test_what_has_no_thumbnail_gets_a_sentence(page, query):
    at = page.sample(4)
    answer = page.get(f"frames/{at['node']}/0/vector?{query}")
    assert answer.status in {400, 422}
    assert answer.sentence.endswith(".")


def test_several_compose_and_are_done_after_the_run(served, page):
    at = page.sample(4)
    state = page.do("change", label="Smile", edit="vector", vectors={"smile": 1.0, "more years": -4.0})
    assert state["document"]["vectors"] == {"smile": 1.0, "more years": -4.0}
    page.send("preview")
    assert page.until("ended")["node"] is None
    page.until("state")
    ended, state = page.run()
    project = served.studio.sessions[page.session].project
    expected = AGE.apply(SMILE.apply(sample("tiny", 4, 0.7)), -4.0)
    assert torch.allclose(project.picture(ended["node"]).ws, expected.ws, atol=1e-5)
    assert project.nodes[ended["node"]].inputs == {"vectors": {"smile": 1.0, "more years": -4.0}}
    assert state["nodes"][-1]["title"] == "Smile +1, More years -4"
    assert (state["document"]["vectors"], state["document"]["edit"]) == ({}, "vector")
    back = page.do("undo")["document"]
    assert (back["vectors"], back["at"]) == ({"smile": 1.0, "more years": -4.0}, at)


def test_a_preview_may_be_of_a_slider_that_still_moves(page):
    page.sample(4)
    before = page.do("change", label="Mode", edit="vector")
    page.send("preview", vectors={"smile": 0.5})
    frame = page.until("frame")
    while frame["step"] < 1:
        frame = page.until("frame")
    assert shows(frame["image"], SMILE.apply(sample("tiny", 4, 0.7), 0.5))
    assert page.state()["document"] == before["document"]
    for wrong in ({"nothing": 1}, {"../../x": 1}):
        assert "There is no learnt edit" in page.refused("preview", vectors=wrong)
        page.until("state")


@pytest.mark.parametrize("name", ["nothing", "../../x", "foreign", "a.safetensors", "a", "\0", "SMILE"])
def test_unknown_names_get_a_sentence(page, name):
    page.sample(4)
    assert "There is no learnt edit" in page.refused("change", label="x", edit="vector", vectors={name: 1})
    state = page.until("state")
    assert (state["document"]["vectors"], state["document"]["edit"]) == ({}, "drag")


def test_they_need_a_picture_of_their_model(page):
    assert page.refused("change", label="x", vectors={"smile": 1}) == "Choose a picture first."
    page.until("state")
    first = page.sample(4)
    page.do("change", label="Smile", edit="vector", vectors={"smile": 1.0})
    other = page.do("sample", model="bare", seed=1)["document"]
    assert (other["vectors"], other["edit"]) == ({}, "vector")
    assert "There is no learnt edit" in page.refused("change", label="x", vectors={"smile": 1})
    page.until("state")
    page.do("go", place=first)
    page.do("change", label="Smile", vectors={"smile": 1.0})
    gone = page.do("go", place=other["at"])["document"]
    assert gone["vectors"] == {}, "going to a picture of another model takes them off"


def test_nothing_chosen_gets_a_sentence(page):
    page.sample(4)
    page.do("change", label="Mode", edit="vector")
    page.send("start")
    assert page.until("ended")["node"] is None
    assert page.until("problem")["sentence"] == "Choose at least one learnt edit."


# ---- keeping


@pytest.fixture
def dragged(page):
    """The place of the last frame of a run."""
    page.sample(5)
    page.points((10, 10, 20, 14), max_steps=6, step_size=0.02)
    return page.run()[1]["document"]["at"]


def test_what_a_run_did_is_kept_and_fits_other_pictures(served, page, dragged):
    page.send("save_vector", place=dragged, name=" Ünder the sea/../x ", parts=["sea"])
    assert page.until("vector_saved")["name"] == "Ünder the sea/../x"
    (kept,) = [each for each in page.get(f"nodes/{dragged['node']}/vectors").json if "nder" in each["name"]]
    assert kept == {"name": "Ünder the sea/../x", "parts": ["sea"], "safe": [0.0, 1.0], "own": True}
    project = served.studio.sessions[page.session].project
    offset = project.picture(dragged["node"]).ws - project.picture(dragged["node"], 0).ws
    learnt = vectors_for(tiny.generator(SIZE))["Ünder the sea/../x"]
    assert torch.equal(learnt.offset, offset)
    assert learnt.facts["edit"] == "drag"
    assert learnt.facts["settings"]["max_steps"] == 6
    (path,) = [each for each in vectors_folder().iterdir() if "nder" in each.name]
    assert path.name.startswith("nder-the-sea-x-"), "nothing of a name becomes a path"
    page.sample(6)
    page.do("change", label="x", edit="vector", vectors={"Ünder the sea/../x": 2.0})
    ended, _ = page.run()
    expected = sample("tiny", 6, 0.7).ws + 2 * offset
    assert torch.allclose(project.picture(ended["node"]).ws, expected, atol=1e-5)
    taken = page.refused("save_vector", place=dragged, name="Ünder the sea/../x")
    assert "already; choose another name" in taken


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "smile"}, "already"),
        ({"name": "a.safetensors"}, "a few words"),
        ({"name": "two\nlines"}, "a few words"),
        ({"name": "--out"}, "a few words"),
        ({"name": "   "}, "a few words"),
        ({"name": "new", "parts": ["sea", "nose"]}, "There is no part 'nose'"),
    ],
)
def test_names_that_cannot_be_used_get_a_sentence(page, dragged, fields, sentence):
    before = sorted(vectors_folder().iterdir())
    page.send("save_vector", place=dragged, **fields)
    problem = page.until("problem")
    assert sentence in problem["sentence"]
    assert problem["about"] == "vectors"
    assert sorted(vectors_folder().iterdir()) == before


def test_only_what_an_edit_did_is_kept(page, dragged):
    assert "same code" in page.refused("save_vector", place={**dragged, "step": 0}, name="none")
    page.until("state")
    root = page.sample(7)
    assert "opened as it is" in page.refused("save_vector", place=root, name="none")
    page.until("state")
    photo = page.upload(Image.new("RGB", (8, 8)))["document"]["at"]
    assert "opened as it is" in page.refused("save_vector", place=photo, name="none")
    page.until("state")
    nowhere = {"node": "0" * 16, "step": 0}
    assert "no such frame" in page.refused("save_vector", place=nowhere, name="none")
