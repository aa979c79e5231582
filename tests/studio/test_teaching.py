"""A person teaches a model its parts: names them, labels frames, trains a head, and sees pictures read with it."""

import numpy as np
import pytest
from PIL import Image

from pliant.gan.head import PartHead
from pliant.gan.latent import load_generator, sample
from pliant.gan.parts import load_head, segment
from pliant.studio.studio import Studio
from pliant.train.head import HeadTrainSettings
from served import NEVER, SIZE, make_home, serve

CLASSES = [{"name": "ground", "colour": [90, 60, 30]}, {"name": "sky", "colour": [80, 120, 250]}]
UPPER = np.zeros((SIZE, SIZE), np.uint8)
UPPER[:14] = 1
LEFT = UPPER.T.copy()


@pytest.fixture(scope="module")
def own_home(tmp_path_factory):
    """A home of its own, where heads are trained; quickly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLIANT_HOME", str(make_home(tmp_path_factory.mktemp("home"))))
        patch.setattr("pliant.train.head.LEAST_STEPS", 12)
        quick = HeadTrainSettings(members=2, pixels=400, batch=128, epochs=3, unlabelled=2)
        patch.setattr("pliant.studio.teaching.SETTINGS", quick)
        yield


def bare(page, seed=1):
    """Open a picture of the model without a head; its place."""
    return page.do("sample", model="bare", seed=seed)["document"]["at"]


def label(page, seed, ids):
    """Label a fresh picture; the state after that."""
    bare(page, seed)
    page.paint(ids)
    return page.do("add_label")


def refused(page, *words, **fields):
    """The sentence; the state that follows it is read too."""
    said = page.refused(*words, **fields)
    page.until("state")
    return said


def test_labels_are_kept_replaced_and_removed(served, page):
    state = page.do("set_classes", classes=CLASSES)
    assert state["labelling"] == {"classes": CLASSES, "labels": [], "training": None}
    at = bare(page)
    first = page.paint(UPPER)["document"]["parts"]
    assert page.do("add_label")["labelling"]["labels"] == [{"place": at, "parts": first}]
    second = page.paint(LEFT)["document"]["parts"]
    assert page.do("add_label")["labelling"]["labels"] == [{"place": at, "parts": second}], (
        "of one frame, one"
    )
    other = label(page, 2, UPPER)["labelling"]["labels"]
    assert [each["parts"] for each in other] == [second, first]
    page.close()
    with served.page(page.session) as again:
        assert again.log[-1]["labelling"]["labels"] == other
        assert again.do("remove_label", label=second)["labelling"]["labels"] == other[1:]
        assert refused(again, "remove_label", label=second) == "There is no such label."
    stored = served.studio.sessions[page.session].folder.read_labelling()
    assert [each.parts for each in stored.labels] == [first]
    assert stored.training is None


def test_labels_come_back_in_a_studio_that_starts_anew(own_home, tmp_path):
    with serve(Studio(tmp_path, model="tiny")) as served, served.page() as page:
        page.do("set_classes", classes=CLASSES)
        before = label(page, 3, UPPER)
    with serve(Studio(tmp_path, model="tiny")) as served, served.page(page.session) as again:
        assert again.log[-1]["labelling"] == before["labelling"]
        assert again.log[-1]["document"]["parts"] == before["document"]["parts"]
        folder = served.studio.sessions[page.session].folder.path
    (folder / "labelling.json").write_text("{")
    with serve(Studio(tmp_path, model="tiny")) as served, served.page(page.session) as again:
        assert again.log[-1]["labelling"] == {"classes": [], "labels": [], "training": None}
        assert again.log[-1]["document"] == before["document"], "damaged labels cost nothing else"


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        ([CLASSES[0], {**CLASSES[1], "name": "ground"}], "a name of its own"),
        ([CLASSES[0], {**CLASSES[1], "name": "  "}], "a name of its own"),
        ([CLASSES[0], {**CLASSES[1], "colour": CLASSES[0]["colour"]}], "a colour of its own"),
    ],
)
def test_parts_must_be_told_apart(page, classes, sentence):
    assert sentence in refused(page, "set_classes", classes=classes)
    assert page.state()["labelling"]["classes"] == []


def test_parts_that_labels_use_stay(page):
    three = [*CLASSES, {"name": "sea", "colour": [0, 0, 200]}]
    page.do("set_classes", classes=three)
    label(page, 1, UPPER * 2)
    assert "labels with 3 parts" in refused(page, "set_classes", classes=CLASSES)
    renamed = [{**three[0], "name": "earth"}, *three[1:]]
    assert page.do("set_classes", classes=renamed)["labelling"]["classes"] == renamed


def test_what_cannot_be_labelled_gets_a_sentence(page):
    assert "Paint the parts" in refused(page, "add_label")
    bare(page)
    assert "Paint the parts" in refused(page, "add_label")
    assert "at least one" in refused(page, "train_head")
    page.do("set_classes", classes=CLASSES)
    page.paint(UPPER)
    page.do("add_label")
    at = page.sample(1)
    page.paint(page.parts(at))
    assert "The other labels are of pictures of 'bare'" in refused(page, "add_label")
    page.upload(Image.new("RGB", (SIZE, SIZE)))
    assert "Paint the parts" in refused(page, "add_label")


def test_a_map_with_parts_that_were_not_named_is_no_label(page):
    page.do("set_classes", classes=CLASSES)
    at = page.sample(1)
    ids = page.parts(at)
    assert ids.max() == 2, "the head of this model knows more parts"
    page.paint(ids)
    assert "holds the id 2" in refused(page, "add_label")


def test_the_parts_of_a_head_can_be_labelled_as_they_are(page):
    at = page.sample(1)
    page.paint(page.parts(at))
    labelling = page.do("add_label")["labelling"]
    assert [each["name"] for each in labelling["classes"]] == ["sea", "land", "ice"]


def test_a_photo_for_which_the_model_was_tuned_is_no_label(page):
    page.upload(Image.effect_noise((40, 40), 40).convert("RGB"))
    settings = {"candidates": 2, "w_steps": 0, "wplus_steps": 1, "tune_steps": 10}
    page.do("change", label="Crop", crop={"box": (0, 0, 40, 40)}, settings=settings, model="tiny")
    _, state = page.run()
    page.paint(page.parts(state["document"]["at"]))
    assert "it was tuned" in refused(page, "add_label")


# ---- training


def test_what_was_labelled_is_learnt(served, page):
    page.do("set_classes", classes=CLASSES)
    label(page, 1, UPPER)
    label(page, 2, UPPER)
    page.send("train_head")
    seen = []
    while (message := page.until("state", "trained", seconds=60))["type"] == "state":
        training = message["labelling"]["training"]
        seen += [training["stage"]] if training else []
    assert set(seen) <= {"waiting", "features", "ensemble", "distilled"}
    assert len(seen) >= 2
    assert page.until("state")["labelling"]["training"] is None
    at = bare(page, 5)
    known = page.get(f"nodes/{at['node']}/parts").json
    assert known == {"head": message["head"], "classes": CLASSES, "uncertainty": True}
    expected = segment(sample("bare", 5, 0.7), load_head(load_generator("bare"))).ids.numpy()
    assert np.array_equal(page.parts(at), expected)
    assert (expected[:8] == 1).mean() > 0.6 > 0.4 > (expected[20:] == 1).mean()
    page.paint(UPPER * 0 + LEFT, settings={"max_steps": 2})
    assert page.run()[0]["steps"] == 3, "what was learnt is used"


def test_training_again_takes_the_place_of_the_former_head(own_home, page):
    page.do("set_classes", classes=CLASSES)
    heads = []
    for ids in (UPPER, LEFT):
        label(page, 1, ids)
        page.send("train_head")
        heads.append(page.until("trained", seconds=60)["head"])
        at = bare(page, 6)
        assert page.get(f"nodes/{at['node']}/parts").json["head"] == heads[-1]
        page.parts(at)
    assert heads[0] != heads[1]
    stale = page.get(f"frames/{at['node']}/0/parts?head={heads[0]}")
    assert "learnt anew" in stale.sentence


def test_a_training_can_be_given_up(served, page, monkeypatch):
    monkeypatch.setattr("pliant.studio.teaching.SETTINGS", HeadTrainSettings(epochs=100, unlabelled=200))
    monkeypatch.setattr("pliant.train.head.LEAST_STEPS", 5)
    page.do("set_classes", classes=CLASSES)
    before = label(page, 7, UPPER)
    with served.page() as other:
        place = other.sample(2)
        page.send("train_head")
        while (
            not (training := page.until("state")["labelling"]["training"]) or training["stage"] == "waiting"
        ):
            pass
        assert "being trained" in refused(page, "train_head")
        assert "being trained" in refused(page, "start")
        assert page.do("sample", model="bare", seed=9)["labelling"]["training"]
        assert other.frame(place), "others are served meanwhile"
        other.points((10, 10, 14, 10), max_steps=4)
        assert other.run()[0]["steps"] == 4
        page.send("stop")
        while page.until("state", seconds=30)["labelling"]["training"] is not None:
            pass
        after = page.state()
        assert after["labelling"]["labels"] == before["labelling"]["labels"]
        assert not [each for each in page.log if each["type"] == "trained"]
        served.at_rest()


def test_no_training_while_a_run_goes_on(page):
    page.do("set_classes", classes=CLASSES)
    label(page, 1, UPPER)
    page.do("change", label="Mode", edit="drag")
    page.points((10, 10, 20, 14), **NEVER)
    page.start(2)
    assert refused(page, "train_head") == "Stop the run first."
    page.send("stop")
    page.until("ended")


def test_labels_that_teach_nothing_get_a_sentence_and_are_kept(page):
    page.do("set_classes", classes=CLASSES)
    before = label(page, 1, UPPER * 0)
    page.send("train_head")
    problem = page.until("problem", seconds=30)
    assert problem["about"] == "parts"
    assert problem["sentence"].endswith(".")
    state = page.until("state")
    assert state["labelling"] == before["labelling"]


def test_a_head_that_cannot_be_stored_gets_a_sentence(page, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    page.do("set_classes", classes=CLASSES)
    before = label(page, 1, UPPER)
    monkeypatch.setattr(PartHead, "save", full)
    page.send("train_head")
    assert "went wrong" in page.until("problem", seconds=60)["sentence"]
    assert page.until("state")["labelling"] == before["labelling"]
