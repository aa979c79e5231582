"""A photo is opened in the studio: its faces, its crop, the inversion, edits of it, and the way back into the photo."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from pliant.gan.align import crop_box, cut
from pliant.gan.invert import InvertSettings, invert
from pliant.gan.latent import load_generator, sample
from pliant.images import to_tensor
from pliant.photo import photo_behind
from pliant.project import Project
from served import SIZE, make_home, picture_of

QUICK = {"candidates": 4, "w_steps": 3, "wplus_steps": 3, "tune_steps": 20, "precision": "float32"}
BOX = (6, 4, 32, 32)


@pytest.fixture(scope="module")
def own_home(tmp_path_factory):
    """A home of its own, where inversions are kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLIANT_HOME", str(make_home(tmp_path_factory.mktemp("home"))))
        yield


def photo(seed=8):
    """A picture of the tiny model, larger and with a border."""
    whole = Image.effect_noise((48, 40), 30).convert("RGB")
    whole.paste(sample("tiny", seed, 0.9).image(), BOX[:2])
    return whole


@pytest.fixture(scope="module")
def opened(served):
    """A page with an inverted photo: the photo's place, how the run ended, and the state after it."""
    with served.page() as page:
        page.whole = photo()
        page.root = page.upload(page.whole)["document"]["at"]
        page.do("change", label="Crop", crop={"box": BOX}, settings=QUICK)
        page.ended, page.after = page.run()
        yield page


def project_of(page) -> Project:
    return page.served.studio.sessions[page.session].project


def test_an_inversion_is_the_library_call(opened):
    framed = to_tensor(cut(opened.whole, crop_box(BOX, opened.whole.size, (SIZE, SIZE))))
    steps = list(invert(load_generator("tiny"), framed, settings=InvertSettings(**QUICK)))
    assert (opened.ended["reason"], opened.ended["steps"]) == ("arrived", len(steps))
    made = project_of(opened).picture(opened.ended["node"])
    assert torch.equal(made.ws, steps[-1].picture.ws)
    assert made.generator.delta.digest == steps[-1].picture.generator.delta.digest
    facts = opened.facts(opened.ended["node"])["facts"]
    assert [fact["psnr"] for fact in facts] == [pytest.approx(step.psnr, abs=1e-4) for step in steps]
    live = [fact for each in opened.log if each["type"] == "frame" for fact in each["facts"]]
    assert {fact["stage"] for fact in live} <= {"start", "w", "w+", "tune"}
    assert live[0]["stage"] == "start"


def test_its_run_is_of_another_kind_and_size(opened):
    root, run = opened.after["nodes"]
    assert (root["kind"], root["size"], root["photo"], root["title"]) == ("pixels", [48, 40], False, "Photo")
    assert (run["kind"], run["size"], run["photo"], run["title"]) == (
        "latent",
        [SIZE, SIZE],
        True,
        "Opened photo",
    )
    document = opened.after["document"]
    assert (document["edit"], document["crop"]["box"]) == ("drag", list(BOX))
    node = project_of(opened).nodes[run["id"]]
    assert node.inputs == {"model": "tiny", "crop": crop_box(BOX, (48, 40), (SIZE, SIZE)).facts()}
    with_sizes = opened.served.studio.sessions[opened.session].desk.sizes
    assert with_sizes == {root["id"]: (48, 40), run["id"]: (SIZE, SIZE)}


def test_every_edit_works_on_it_and_goes_back_into_the_photo(opened):
    start = opened.after["document"]["at"]
    opened.do("go", place=start)
    opened.points((10, 10, 18, 14), max_steps=8, step_size=0.02)
    ended, state = opened.run()
    at = state["document"]["at"]
    assert state["nodes"][-1]["photo"] is True
    name, data = opened.export("png", at, photo=True)
    assert name.endswith(".png")
    made, whole = picture_of(data), np.asarray(opened.whole)
    expected = photo_behind(project_of(opened), ended["node"]).paste(project_of(opened).picture(at["node"]))
    assert np.array_equal(made, np.asarray(expected))
    assert made.shape == whole.shape
    assert (made != whole).any()
    inside = np.zeros(whole.shape[:2], bool)
    inside[BOX[1] : BOX[1] + BOX[3], BOX[0] : BOX[0] + BOX[2]] = True
    assert (made[~inside] == whole[~inside]).all()
    assert picture_of(opened.export("png", at)[1]).shape == (SIZE, SIZE, 3)
    for kind in ("jpg", "webp"):
        assert Image.open(io.BytesIO(opened.export(kind, at, photo=True)[1])).size == (48, 40)
    opened.do("go", place=at)
    ids = opened.parts(at)
    ids[6:20, 6:20] = (ids[6:20, 6:20] + 1) % 3
    opened.paint(ids, settings={"max_steps": 3})
    ended, state = opened.run()
    assert (ended["steps"], state["nodes"][-1]["photo"]) == (4, True)


def test_what_cannot_go_back_into_a_photo_gets_a_sentence(opened):
    start = opened.after["document"]["at"]
    assert "Only a PNG, JPEG or WebP" in opened.refused("export", format="gif", place=start, photo=True)
    with opened.served.page() as page:
        generated = page.sample()
        assert "does not come from a photo" in page.refused(
            "export", format="png", place=generated, photo=True
        )


def test_it_comes_back_after_a_restart_and_from_its_file(served, opened):
    data = opened.export("project", opened.after["document"]["at"])[1]
    again = served.post("/api/projects", data)
    assert again.status == 200, again.body
    with served.page(again.json["session"]) as page:
        state = page.log[-1]
        kinds = [(node["kind"], node["size"], node["photo"]) for node in state["nodes"][:2]]
        assert kinds == [("pixels", [48, 40], False), ("latent", [SIZE, SIZE], True)]
        place = {"node": opened.ended["node"], "step": opened.ended["steps"] - 1}
        assert page.frame(place) == opened.frame(place)
        page.do("go", place={"node": state["nodes"][0]["id"], "step": 0})
        assert page.do("go", place=place)["document"]["edit"] != "invert"
        assert page.export("png", place, photo=True)[1]


def test_a_photo_that_was_opened_before_is_there_at_once(served, opened):
    with served.page() as page:
        page.upload(opened.whole)
        page.do("change", label="Crop", crop={"box": BOX}, settings=QUICK)
        ended, _ = page.run()
        assert ended["steps"] == 1
        one, other = (project_of(each).picture(each_end) for each, each_end in
                      ((page, ended["node"]), (opened, opened.ended["node"])))  # fmt: skip
        assert torch.equal(one.ws, other.ws)


def test_the_crop_stays_with_its_photo(page):
    first = page.upload(photo(1))["document"]["at"]
    page.do("change", label="Crop", crop={"box": BOX}, settings=QUICK | {"tune_steps": 0})
    page.run()
    assert page.do("go", place=first)["document"]["crop"]["box"] == list(BOX)
    assert page.do("go", place=first)["document"]["edit"] == "invert"
    assert page.upload(photo(2))["document"]["crop"] is None


# ---- faces


@pytest.fixture(scope="module")
def portrait():
    return sample(load_generator("portraits-256"), 24, 0.7).image()


def in_room(portrait, *places):
    """A photo with portraits hanging somewhere, each of a side at a place."""
    noise = np.random.RandomState(0).randint(60, 200, (24, 40, 3), dtype=np.uint8)
    whole = Image.fromarray(noise).resize((400, 240), Image.Resampling.BICUBIC)
    for side, place in places:
        whole.paste(portrait.resize((side, side), Image.Resampling.LANCZOS), place)
    return whole


def test_the_faces_of_a_photo_the_largest_first(page, portrait, monkeypatch):
    at = page.upload(in_room(portrait, (120, (270, 60)), (190, (20, 30))))["document"]["at"]
    faces = page.get(f"nodes/{at['node']}/faces?model=tiny").json
    assert len(faces) == 2
    boxes = []
    for face in faces:
        (left, top), (right, _), _, (_, bottom) = face["corners"]
        boxes.append((left, top, right - left, bottom - top))
    assert boxes[0] == pytest.approx((20, 30, 190, 190), abs=12)
    assert boxes[1] == pytest.approx((270, 60, 120, 120), abs=12)
    monkeypatch.setattr("pliant.studio.photos.find_faces", None)
    assert page.get(f"nodes/{at['node']}/faces").json == faces, "they are remembered"
    page.do("change", label="Face", crop={"face": 1}, settings=QUICK | {"tune_steps": 0})
    ended, _ = page.run()
    crop = project_of(page).nodes[ended["node"]].inputs["crop"]
    assert crop["centre"] == pytest.approx((330, 120), abs=8)
    page.do("undo")
    assert "There is no face 3 in the photo; 2 were found." in page.refused(
        "change", label="x", crop={"face": 2}
    )
    page.until("state")
    page.do("change", label="None", crop={})
    assert page.refused("start") == "There are 2 faces in the photo; choose one, or draw a box."


def test_the_only_face_is_taken_and_a_tiny_one_refused(page, portrait):
    page.upload(in_room(portrait, (190, (20, 30))))
    page.do("change", label="Quick", settings=QUICK | {"tune_steps": 0, "wplus_steps": 0})
    ended, _ = page.run()
    crop = project_of(page).nodes[ended["node"]].inputs["crop"]
    assert crop["centre"] == pytest.approx((115, 125), abs=8)
    small = in_room(portrait, (190, (20, 30))).resize((100, 60), Image.Resampling.LANCZOS)
    page.upload(small)
    assert "too small" in page.refused("change", label="x", crop={"face": 0})


@pytest.mark.parametrize(
    "image", [Image.new("RGB", (64, 64)), Image.new("RGB", (1, 1), "red"), Image.new("RGB", (3, 400))],
    ids=["black", "tiny", "narrow"],
)  # fmt: skip
def test_a_photo_without_a_face_asks_for_a_box(page, image):
    at = page.upload(image)["document"]["at"]
    assert page.get(f"nodes/{at['node']}/faces").json == []
    assert page.refused("start") == (
        "No face was found in the photo; draw a box around what the model should make."
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"crop": {"box": [0, 0, 0, 5]}}, "at least one pixel"),
        ({"crop": {"box": [40, 30, 30, 30]}}, "More than half"),
        ({"crop": {"face": 0}}, "There is no face 1"),
        ({"model": "../../x"}, "There is no model"),
        ({"model": "nothing"}, "There is no model"),
    ],
)
def test_what_cannot_be_used_gets_a_sentence(page, fields, sentence):
    page.upload(Image.new("RGB", (48, 40), "gray"))
    page.send("change", label="x", **fields)
    problem = page.until("problem")
    assert sentence in problem["sentence"]
    assert problem["about"] == "picture"
    document = page.until("state")["document"]
    assert (document["crop"], document["model"]) == (None, None)


def test_only_photos_are_cropped(page):
    assert page.refused("change", label="x", crop={"face": 0}) == "Choose a picture first."
    page.until("state")
    at = page.sample()
    assert "Only a photo" in page.refused("change", label="x", crop={"face": 0})
    page.until("state")
    assert "Only a photo" in page.get(f"nodes/{at['node']}/faces").sentence
    assert "There is no model" in page.get(f"nodes/{at['node']}/faces?model=../x").sentence


def test_the_chosen_model_makes_the_photo(page):
    page.upload(photo(3))
    settings = QUICK | {"tune_steps": 0, "wplus_steps": 0}
    page.do("change", label="Model", model="bare", crop={"box": BOX}, settings=settings)
    ended, state = page.run()
    assert project_of(page).nodes[ended["node"]].inputs["model"] == "bare"
    assert project_of(page).picture(ended["node"]).generator.name == "bare"
    assert state["nodes"][-1]["model"] == "bare"
