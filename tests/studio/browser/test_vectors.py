"""Learnt edits: the gallery, its sliders, and keeping a run as an edit."""

import pytest

import pliant
from pliant.gan.vectors import EditVector
from served import make_home

NAMES = ("other hair", "other look", "other shape")


@pytest.fixture(scope="module")
def learnt(serve, tmp_path_factory):
    """A studio of a person who has three learnt edits, and a model without any."""
    home = make_home(tmp_path_factory.mktemp("learnt_home"))
    (home / "vectors").mkdir()
    one = pliant.sample("portraits-256", seed=1)
    for seed, name in enumerate(NAMES, 2):
        other = pliant.sample(one.generator, seed=seed)
        vector = EditVector.between(one, other, name, ["hair"], safe=(-0.5, 1))
        vector.save(home / "vectors" / f"{seed}.safetensors")
    return serve(home)


@pytest.fixture
def gallery(new_studio, learnt, portrait_file):
    """The editor with one portrait, in the mode of learnt edits."""
    studio = new_studio(learnt).open_copy(portrait_file)
    studio.click("mode-vector")
    studio.get("vectors").wait_for()
    return studio


def slide(studio, name: str, *places: float) -> None:
    """Press a slider in its middle and move over places of it, 0 (left end) to 1, without letting go."""
    box = studio.get(f"vector-{name}-slider").bounding_box()
    y = box["y"] + box["height"] / 2
    studio.page.mouse.move(box["x"] + box["width"] / 3, y)
    studio.page.mouse.down()
    for place in places:
        studio.page.mouse.move(box["x"] + place * box["width"], y, steps=4)


def test_each_is_shown_on_this_picture(gallery):
    pictures = (
        "[...document.querySelectorAll('[data-testid=vectors] img')].slice(0, 3)"  # one's own come first
    )
    gallery.until(f"{pictures}.length === 3 && {pictures}.every(each => each.naturalWidth > 0)")
    shown = gallery.page.evaluate(f"{pictures}.map(each => each.getAttribute('src'))")
    assert len({gallery.fetch(each) for each in shown}) == len(NAMES)
    assert "Yours" in gallery.words("vector-other hair")


def test_a_slider_shows_while_it_moves_and_is_one_step_of_undo(gallery):
    slide(gallery, "other hair", 0.7, 0.9)
    gallery.until("s.view.previewed && s.frames > 0")
    assert gallery.read("state.document.vectors") == {}
    gallery.page.mouse.up()
    gallery.until("s.state.document.vectors['other hair'] > 0.7")
    gallery.until("s.view.previewed")
    assert gallery.read("state.undo").startswith("other hair +0.")
    gallery.get("vector-other look-slider").fill("0.5")
    gallery.until("Object.keys(s.state.document.vectors).length === 2")
    gallery.click("undo")
    gallery.until("Object.keys(s.state.document.vectors).length === 1")
    gallery.click("undo")
    gallery.until("Object.keys(s.state.document.vectors).length === 0 && !s.view.previewed")


def test_typed_strengths_go_further_and_say_so(gallery):
    field = gallery.get("vector-other look-strength")
    for typed, meant in (("-3,5", -3.5), ("99", 10)):
        field.fill(typed)
        field.press("Enter")
        gallery.until(f"s.state.document.vectors['other look'] === {meant}")
        assert "beyond" in gallery.words("vector-other look-warning")
    field.fill("1")
    field.press("Enter")
    gallery.until("s.state.document.vectors['other look'] === 1")
    assert gallery.get("vector-other look-warning").count() == 0
    gallery.click("vector-other look-reset")
    gallery.until("Object.keys(s.state.document.vectors).length === 0")


def test_several_compose_and_are_kept(gallery):
    before = gallery.frame(gallery.read("document.at"))
    gallery.get("vector-other hair-slider").fill("0.4")
    gallery.get("vector-other shape-slider").fill("-0.3")
    gallery.until("Object.keys(s.state.document.vectors).length === 2")
    ended = gallery.run_to_end()
    assert ended["reason"] == "arrived"
    assert gallery.read("state.document.vectors") == {}
    after = gallery.frame(gallery.read("document.at"))
    assert abs(after - before).mean() > 2


def test_all_are_reset_at_once(gallery):
    gallery.get("vector-other hair-slider").fill("0.4")
    gallery.get("vector-other shape-slider").fill("-0.3")
    gallery.until("Object.keys(s.state.document.vectors).length === 2")
    gallery.click("vectors-reset")
    gallery.until("Object.keys(s.state.document.vectors).length === 0")
    assert gallery.get("vectors-reset").count() == 0


def test_a_run_is_kept_as_a_learnt_edit(new_studio, learnt, dragged_file):
    studio = new_studio(learnt).open_copy(dragged_file)
    studio.click("frame-keep")
    assert studio.get("vector-save").is_disabled()
    studio.get("vector-name").fill("other hair")
    studio.get("vector-part-hair").click()
    studio.click("vector-save")
    assert studio.get("problem-vectors").inner_text()
    studio.get("vector-name").fill("a small grin")
    studio.click("vector-save")
    assert "a small grin" in studio.words("vector-saved")
    studio.click("vector-done")
    studio.click("mode-vector")
    assert "Yours" in studio.words("vector-a small grin")


def test_without_any_it_says_how_to_get_one(new_studio, learnt):
    studio = new_studio(learnt).open()
    studio.get("model").select_option("tiny")
    studio.portrait()
    studio.click("mode-vector")
    assert "Keep as learnt edit" in studio.words("vectors-none")


def test_many_are_searched(new_studio, learnt, portrait_file):
    studio = new_studio(learnt).open_copy(portrait_file)
    studio.page.route(
        "**/vectors",
        lambda route: route.fulfill(
            json=[
                {
                    "name": f"edit {number}",
                    "parts": ["hair" if number == 7 else "mouth"],
                    "safe": [-1, 1],
                    "own": False,
                }
                for number in range(13)
            ]
        ),
    )
    studio.expected = ("400",)
    studio.click("mode-vector")
    studio.get("vectors-search").fill("hair")
    studio.until("document.querySelectorAll('.vector').length === 1")
    assert studio.get("vector-edit 7").is_visible()
    studio.get("vectors-search").fill("nothing")
    studio.until("document.querySelectorAll('.vector').length === 0")
