"""Parts over a real socket: their maps, what is painted, and runs that are the library's."""

import numpy as np
import pytest
import torch
from PIL import Image

from pliant.gan.latent import sample
from pliant.gan.part_edit import RepaintSettings, repaint
from pliant.gan.parts import load_head, segment
from served import SIZE, parts_text, picture_of, png_text

QUICK = {"max_steps": 4}


def painted(ids):
    """The map with a square of another part."""
    made = ids.copy()
    made[6:20, 6:20] = (made[6:20, 6:20] + 1) % 3
    return made


def test_the_parts_of_a_frame_are_what_the_head_says(page):
    at = page.sample(3)
    known = page.get(f"nodes/{at['node']}/parts").json
    assert [each["name"] for each in known["classes"]] == ["sea", "land", "ice"]
    assert known["classes"][2]["colour"] == [250, 250, 250]
    assert known["uncertainty"] is True
    answer = page.get(f"frames/{at['node']}/0/parts?head={known['head']}")
    assert (answer.headers["content-type"], "immutable" in answer.headers["cache-control"]) == (
        "image/png",
        True,
    )
    picture = sample("tiny", 3, 0.7)
    ids = picture_of(answer.body)
    assert (ids.dtype, ids.shape) == (np.uint8, (SIZE, SIZE))
    assert np.array_equal(ids, segment(picture, load_head(picture.generator)).ids.numpy())
    unsure = page.get(f"frames/{at['node']}/0/uncertainty?head={known['head']}")
    expected = segment(picture, load_head(picture.generator), uncertainty=True).uncertainty
    assert 0 < expected.max() < 0.7
    assert np.array_equal(picture_of(unsure.body), (expected / 0.7 * 255).round().byte().numpy())


def test_a_model_without_a_head_says_so(page):
    at = page.do("sample", model="bare", seed=1)["document"]["at"]
    assert page.get(f"nodes/{at['node']}/parts").json == {"head": None, "classes": [], "uncertainty": False}
    assert "not known yet" in page.get(f"frames/{at['node']}/0/parts?head={'0' * 64}").sentence
    ids = np.zeros((SIZE, SIZE))
    assert "name them first" in page.refused("change", label="x", edit="repaint", parts=parts_text(ids))
    page.until("state")
    classes = [{"name": name, "colour": [k, 0, 0]} for k, name in enumerate(("ground", "sky"))]
    page.do("set_classes", classes=classes)
    assert page.get(f"nodes/{at['node']}/parts").json["classes"] == classes
    assert page.paint(ids + 1)["document"]["parts"]
    assert "no part head" in page.refused("start"), "it may be painted, to teach the model, but not run"


@pytest.mark.parametrize("head", ["0" * 64, "", "x", "../../secret", "0" * 63])
def test_another_head_gets_a_sentence(page, head):
    at = page.sample()
    for name in ("parts", "uncertainty"):
        answer = page.get(f"frames/{at['node']}/0/{name}?head={head}")
        assert answer.status in {400, 422}
        assert answer.sentence.endswith(".")
    assert page.get(f"frames/{at['node']}/7/parts?head={head}").status in {400, 422}
    assert page.get(f"frames/{at['node']}/-1/parts?head={head}").status in {400, 422}
    assert page.get(f"frames/{'0' * 16}/0/parts?head={'0' * 64}").status == 400


def test_a_painted_map_is_kept_by_its_content(served, page):
    at = page.sample(3)
    ids = page.parts(at)
    digest = page.paint(painted(ids))["document"]["parts"]
    answer = page.get(f"parts/{digest}")
    assert np.array_equal(picture_of(answer.body), painted(ids))
    assert page.paint(ids)["document"]["parts"] != digest
    assert page.do("undo")["document"]["parts"] == digest
    assert page.do("change", label="Reset", clear_parts=True)["document"]["parts"] is None
    assert page.do("undo")["document"]["parts"] == digest
    assert "no such part map" in page.get(f"parts/{'0' * 64}").sentence
    page.close()
    with served.page(page.session) as again:
        assert again.log[-1]["document"]["parts"] == digest
        assert np.array_equal(picture_of(again.get(f"parts/{digest}").body), painted(ids))


def test_what_one_person_paints_is_not_anothers(served, page):
    at = page.sample(3)
    digest = page.paint(painted(page.parts(at)))["document"]["parts"]
    page.do("add_label")
    with served.page() as other:
        assert "no such part map" in other.get(f"parts/{digest}").sentence
        assert other.get(f"frames/{at['node']}/0/parts?head={'0' * 64}").status == 400
        assert other.log[-1]["labelling"]["labels"] == []


def with_pixel(value):
    image = Image.new("RGB", (SIZE, SIZE))
    image.putpixel((5, 6), value)
    return png_text(image)


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ("not base64!", "not base64"),
        ("QUJD", "not an image"),
        (parts_text(np.zeros((SIZE, SIZE + 1))), "give a map of the picture's size"),
        (with_pixel((3, 3, 3)), "holds the id 3"),
        (with_pixel((255, 255, 255)), "holds the id 255"),
        (with_pixel((1, 2, 1)), "A part map is grey"),
    ],
)
def test_maps_that_cannot_be_used_get_a_sentence(page, sent, sentence):
    page.sample()
    assert sentence in page.refused("change", label="x", parts=sent)
    assert page.until("state")["document"]["parts"] is None


def test_parts_belong_to_pictures_of_models(page):
    assert page.refused("change", label="x", parts=parts_text(np.zeros((2, 2)))) == "Choose a picture first."
    page.until("state")
    at = page.upload(Image.new("RGB", (SIZE, SIZE)))["document"]["at"]
    assert "Only pictures that a model makes" in page.get(f"nodes/{at['node']}/parts").sentence
    sent = parts_text(np.zeros((SIZE, SIZE)))
    assert "Only pictures that a model makes" in page.refused("change", label="x", parts=sent)


def test_a_run_is_the_library_call_and_takes_the_painted_map_off(served, page):
    at = page.sample(3)
    ids = painted(page.parts(at))
    digest = page.paint(ids, settings=QUICK)["document"]["parts"]
    ended, state = page.run()
    picture = sample("tiny", 3, 0.7)
    steps = list(repaint(picture, ids, settings=RepaintSettings(**QUICK)))
    assert (ended["reason"], ended["steps"]) == ("max_steps", len(steps))
    project = served.studio.sessions[page.session].project
    assert torch.equal(project.picture(ended["node"]).ws, steps[-1].picture.ws)
    assert np.array_equal(project.inputs(ended["node"])["parts"].numpy(), ids)
    facts = page.facts(ended["node"])["facts"]
    for step, fact in zip(steps, facts, strict=True):
        assert fact["agreement"] == pytest.approx(step.agreement, abs=1e-6)
        assert (fact["strain"], fact["psnr"]) == (pytest.approx(step.strain, abs=1e-5), None)
    assert state["nodes"][-1]["title"] == "Repaint"
    assert (state["document"]["parts"], state["document"]["edit"]) == (None, "repaint")
    assert page.do("undo")["document"]["parts"] == digest
    assert page.do("redo")["document"]["parts"] is None


def test_a_mask_takes_the_place_of_the_region(served, page):
    at = page.sample(3)
    ids = painted(page.parts(at))
    region = Image.new("L", (SIZE, SIZE))
    region.paste(255, (0, 0, 16, 16))
    page.paint(ids, mask=png_text(region), settings=QUICK)
    ended, _ = page.run()
    steps = list(repaint(sample("tiny", 3, 0.7), ids, movable=region, settings=RepaintSettings(**QUICK)))
    project = served.studio.sessions[page.session].project
    assert torch.equal(project.picture(ended["node"]).ws, steps[-1].picture.ws)
    assert set(project.inputs(ended["node"])) == {"mask", "parts"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda _: None, "Paint over some of the picture's parts first."),
        (lambda ids: ids, "The part map is that of the picture already"),
        (np.ones_like, "The whole picture is painted 'land'"),
    ],
)
def test_what_cannot_be_run_gets_a_sentence(page, change, sentence):
    at = page.sample(3)
    ids = change(page.parts(at))
    if ids is None:
        page.do("change", label="Mode", edit="repaint")
    else:
        page.paint(ids)
    for wish in ("preview", "start"):
        page.send(wish)
        assert page.until("ended")["node"] is None
        problem = page.until("problem")
        assert problem["sentence"].startswith(sentence)
        assert problem["about"] == {"preview": "parts", "start": "run"}[wish]
        assert len(page.until("state")["nodes"]) == 1


def test_a_painted_map_stays_with_its_frame(page):
    first = page.sample(3)
    ids = painted(page.parts(first))
    page.paint(ids, settings=QUICK)
    ended, _ = page.run()
    middle = {"node": ended["node"], "step": 2}
    page.do("go", place=middle)
    digest = page.paint(ids)["document"]["parts"]
    assert page.do("go", place=middle)["document"]["parts"] == digest, "the same frame"
    assert page.do("go", place=first)["document"]["parts"] is None
    assert page.do("undo")["document"]["parts"] == digest
    assert page.do("sample", model="tiny", seed=4)["document"]["parts"] is None


def test_a_drag_leaves_no_parts_in_its_run(served, page):
    at = page.sample(3)
    page.paint(painted(page.parts(at)))
    page.do("change", label="Mode", edit="drag")
    page.points((10, 10, 14, 10), max_steps=3)
    ended, state = page.run()
    assert "parts" not in served.studio.sessions[page.session].project.inputs(ended["node"])
    assert (state["document"]["parts"], state["document"]["edit"]) == (None, "drag")


def test_only_a_drag_goes_on_with_its_memory(served, page):
    at = page.sample(3)
    ids = painted(page.parts(at))
    page.paint(ids, settings=QUICK)
    page.run()
    page.paint(ids)
    second, _ = page.run(go_on=True)
    assert "goes_on" not in served.studio.sessions[page.session].project.nodes[second["node"]].inputs
