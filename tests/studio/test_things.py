"""Things of photos in the studio: selected, moved, removed, pasted, restyled and dragged; models, candidates, scripts."""

import io
import os
import shlex
import subprocess
import sys
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pliant.cli import main
from pliant.diffusion.drag_diffusion import DragDiffusionSettings, drag_diffusion
from pliant.diffusion.edits import ThingSettings, drag_content, move, paste, remove, swap
from pliant.diffusion.loading import EMBEDDED, load_diffusion
from pliant.diffusion.picture import DiffusionPicture
from pliant.diffusion.things import Thing
from pliant.errors import InputError
from pliant.picture import PixelPicture
from pliant.project import Project
from pliant.selecting.sam import SamSelector
from pliant.studio.diffusion_models import DiffusionModels
from pliant.studio.foreign import check_tree
from pliant.studio.models import Models
from pliant.studio.studio import Studio
from pliant.zoo import user_folder
from served import living_in, make_home, picture_of, png_text, serve
from tiny_sam import save_tiny_sam
from tiny_sd import save_tiny

SIZE = (96, 64)
QUICK = {"preset": "warp"}
"""Settings of a few calls of a model, without looking at the picture first."""
COPY = {"preset": "copy"}
DRAG = {"lora_steps": 1, "drag_steps": 3, "inversion_strength": 0.1}


def photo(at=(30, 30), colour=(200, 40, 30)):
    """A disc on a ramp."""
    ramp = np.linspace(40, 220, SIZE[0]).astype(np.uint8)
    image = Image.fromarray(np.dstack([np.tile(ramp // 2, (SIZE[1], 1)), *[np.tile(ramp, (SIZE[1], 1))] * 2]))
    ImageDraw.Draw(image).circle(at, 10, colour)
    return image


def disc(at=(30, 30), radius=11, size=SIZE):
    """The mask of that."""
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).circle(at, radius, 255)
    return mask


@pytest.fixture(scope="module")
def own_home(tmp_path_factory):
    """A home with two diffusion models beside the generators."""
    home = make_home(tmp_path_factory.mktemp("home"))
    save_tiny(home / "models" / "tiny-sd")
    save_tiny(home / "models" / "other sd", seed=1)
    save_tiny_sam(home / "models" / "tiny sam")
    with living_in(home):
        yield


@pytest.fixture(scope="module")
def model(own_home):
    return load_diffusion("tiny-sd")


def png(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def kept(page, mask):
    """Keep a mask; its hash."""
    answer = page.served.post(f"/api/sessions/{page.session}/masks", png(mask))
    assert answer.status == 200, answer.body
    return answer.json["mask"]


def thing(mask, **placing):
    return {"mask": mask, **placing}


def opened(page, edit="move", image=None, settings=QUICK, **changes):
    """A photo, in a mode; the state after that."""
    page.upload(image or photo())
    given = {"settings": settings, "diffuser": "tiny-sd"} | changes
    return page.do("change", label="Set up", edit=edit, **given)


def shown(page, state):
    return picture_of(page.frame(state["document"]["at"]))


def last(steps):
    """The last picture as a project keeps it, which rounds its latents."""
    *_, step = steps
    picture = step.picture
    return np.array(DiffusionPicture.restore(picture.model, *picture.state()).render())


# ---- runs


def test_a_move_is_the_library_call(page, model):
    opened(page)
    things = [thing(kept(page, disc()), shift=[30, 5], scale=1.2, turn=10)]
    page.do("change", label="Move", things=things, prompt=" a red disc ")
    ended, state = page.run()
    assert ended["reason"] == "arrived"
    moved = Thing(disc(), (30, 5), 1.2, 10)
    picture = PixelPicture.of(photo())
    settings = ThingSettings(preset="warp")
    expected = last(move(picture, [moved], prompt="a red disc", model=model, settings=settings))
    assert np.array_equal(shown(page, state), expected)
    node = state["nodes"][-1]
    assert (node["kind"], node["title"], node["model"]) == ("diffusion", "Move", "tiny-sd")
    facts = page.facts(node["id"])["facts"]
    assert facts[-1]["energy"] is not None


def test_after_a_move_the_thing_is_selected_where_it_went(page):
    opened(page, settings=COPY)
    page.do("change", label="Move", things=[thing(kept(page, disc()), shift=[40, 0])])
    _, state = page.run()
    (after,) = state["document"]["things"]
    assert (after["shift"], after["scale"], after["turn"]) == ([0, 0], 1, 0)
    mask = picture_of(page.get(f"masks/{after['mask']}").body)
    assert np.abs(mask.astype(int) - np.array(disc((70, 30)))).mean() < 2
    undone = page.do("undo")
    assert undone["document"]["things"][0]["shift"] == [40, 0]
    assert page.do("redo")["document"]["things"] == [after]


def test_what_is_only_selected_is_left_alone(page, model):
    image = photo()
    ImageDraw.Draw(image).circle((75, 40), 6, (20, 200, 20))
    opened(page, image=image)
    stays, goes = kept(page, disc((75, 40), 8)), kept(page, disc())
    page.do("change", label="Move", things=[thing(stays), thing(goes, shift=[5, 20])])
    _, state = page.run()
    steps = move(
        PixelPicture.of(image), Thing(disc(), (5, 20)), model=model, settings=ThingSettings(preset="warp")
    )
    assert np.array_equal(shown(page, state), last(steps))
    first, second = state["document"]["things"]
    assert (first["mask"] == stays, second["mask"] == goes, second["shift"]) == (True, False, [0, 0])


def test_remove_takes_all_that_is_selected(page, model):
    image = photo()
    ImageDraw.Draw(image).circle((75, 40), 6, (20, 200, 20))
    opened(page, "remove", image)
    masks = [disc(), disc((75, 40), 8)]
    page.do("change", label="Select", things=[thing(kept(page, mask)) for mask in masks])
    _, state = page.run()
    both = Image.fromarray(np.maximum(*map(np.array, masks)))
    expected = last(remove(PixelPicture.of(image), both, model=model, settings=ThingSettings(preset="warp")))
    assert np.array_equal(shown(page, state), expected)
    assert state["document"]["things"] == []


def test_what_was_copied_in_one_picture_is_pasted_into_another(page, model):
    small = photo((20, 20)).crop((0, 0, 64, 48))
    first = opened(page, image=small)["document"]["at"]
    mask = disc((20, 20), size=(64, 48))
    copied = {"at": first, "masks": [kept(page, mask)]}
    page.do("change", label="Copy", other=copied)
    page.upload(photo((80, 50)))
    things = [thing(copied["masks"][0], shift=[10, 12], scale=0.5)]
    state = page.do("change", label="Paste", edit="paste", things=things, settings=QUICK)
    assert state["document"]["other"] == copied
    _, state = page.run()
    expected = last(
        paste(
            PixelPicture.of(photo((80, 50))),
            PixelPicture.of(small),
            [Thing(mask, (10, 12), 0.5)],
            model=model,
            settings=ThingSettings(preset="warp"),
        )
    )
    assert np.array_equal(shown(page, state), expected)
    assert (state["document"]["things"], state["document"]["other"]) == ([], copied)


def test_looks_are_those_of_what_was_copied(page, model):
    first = opened(page, image=photo(colour=(30, 60, 220)))["document"]["at"]
    page.do("change", label="Copy", other={"at": first, "masks": [kept(page, disc())]})
    page.upload(photo((60, 30)))
    mask = kept(page, disc((60, 30)))
    page.do("change", label="Select", edit="swap", things=[thing(mask)], settings=QUICK)
    _, state = page.run()
    pictures = [PixelPicture.of(each) for each in (photo((60, 30)), photo(colour=(30, 60, 220)))]
    settings = ThingSettings(preset="warp")
    expected = last(swap(pictures[0], disc((60, 30)), pictures[1], disc(), model=model, settings=settings))
    assert np.array_equal(shown(page, state), expected)
    assert [each["mask"] for each in state["document"]["things"]] == [mask], "it is where it was"


@pytest.mark.parametrize("by", ["brush", "selection"])
def test_content_is_dragged_where_it_was_painted_or_selected(page, model, by):
    opened(page, "dragcontent")
    area = disc(radius=20)
    how = {"mask": png_text(area)} if by == "brush" else {"things": [thing(kept(page, area))]}
    points = [{"handle": [30, 24], "target": [36, 22]}]
    page.do("change", label="Set up", points=points, **how)
    _, state = page.run()
    (after,) = state["document"]["points"]
    assert after["handle"] == [36, 22], "the content is there now"
    settings = ThingSettings(preset="warp")
    expected = last(
        drag_content(PixelPicture.of(photo()), [(30, 24)], [(36, 22)], area, model=model, settings=settings)
    )
    assert np.array_equal(shown(page, state), expected)


def test_points_are_dragged_by_the_other_method_too(page, model):
    opened(page, "dragdiffusion", settings=DRAG)
    points = [{"handle": [30, 24], "target": [36, 22]}]
    page.do("change", label="Set up", points=points, mask=png_text(disc(radius=20)))
    _, state = page.run(seconds=60)
    settings = DragDiffusionSettings(**DRAG)
    picture = PixelPicture.of(photo())
    steps = drag_diffusion(picture, [(30, 24)], [(36, 22)], disc(radius=20), model=model, settings=settings)
    assert np.array_equal(shown(page, state), last(steps))
    facts = page.facts(state["document"]["at"]["node"])["facts"]
    (after,) = state["document"]["points"]
    assert after["handle"] == facts[-1]["handles"][0], "where the drag left it"


def test_a_thing_follows_while_it_is_set_up(page):
    opened(page, settings={})
    page.do("change", label="Move", things=[thing(kept(page, disc()), shift=[40, 0])])
    page.send("preview")
    frame = page.until("frame")
    while frame["step"] == 0:
        frame = page.until("frame")
    image = np.array(Image.open(io.BytesIO(frame["image"])))
    assert image[30, 70, 0] > 150, "the disc is there"
    assert image[30, 30, 0] < 100, "and no more here"
    assert page.state()["nodes"][-1]["edit"] is None


# ---- candidates


def test_candidates_differ_in_their_seed_and_one_is_chosen(page, model):
    start = opened(page)["document"]["at"]
    page.do("change", label="Move", things=[thing(kept(page, disc()), shift=[30, 0])])
    page.do("change", label="Seed", settings=QUICK | {"seed": 2**32 - 1})
    page.send("start", candidates=3)
    seen = set()
    while True:
        message = page.until("progress", "ended", "frame", "state", seconds=60)
        if message["type"] == "progress":
            seen.add((message["run"]["candidate"], message["run"]["candidates"]))
        if message["type"] == "ended":
            break
    state = page.until("state")
    assert seen == {(1, 3), (2, 3), (3, 3)}
    nodes = state["nodes"][-3:]
    assert state["document"]["candidates"] == [node["id"] for node in nodes]
    assert {(node["parent"], node["edit"]) for node in nodes} == {(start["node"], "move")}
    assert state["document"]["at"]["node"] == nodes[-1]["id"]
    pictures = [picture_of(page.frame({"node": n["id"], "step": n["steps"] - 1})) for n in nodes]
    for seed, picture in zip((2**32 - 1, 0, 1), pictures, strict=True):
        settings = ThingSettings(preset="warp", seed=seed)
        steps = move(PixelPicture.of(photo()), Thing(disc(), (30, 0)), model=model, settings=settings)
        assert np.array_equal(picture, last(steps))
    chosen = {"node": nodes[0]["id"], "step": nodes[0]["steps"] - 1}
    state = page.do("go", place=chosen)
    assert (state["document"]["at"], len(state["document"]["candidates"])) == (chosen, 3)
    assert state["document"]["things"], "they lie on each of the candidates"
    assert page.do("change", label="Done", clear_candidates=True)["document"]["candidates"] == []
    assert page.do("undo")["document"]["candidates"]
    assert page.do("go", place=start)["document"]["candidates"] == []


def test_stop_ends_all_candidates_and_keeps_what_is_done(page):
    opened(page, settings={"preset": "diffeditor"})
    page.do("change", label="Move", things=[thing(kept(page, disc()), shift=[30, 0])])
    page.send("start", candidates=4)
    page.see(2)
    page.send("stop")
    page.until("ended")
    state = page.until("state")
    assert state["run"] is None
    assert [node["edit"] for node in state["nodes"]] == [None, "move"]
    assert state["document"]["candidates"] == []


def test_what_draws_no_noise_has_one_answer(page):
    opened(page, settings={"preset": "dragondiffusion"})
    page.do("change", label="Move", things=[thing(kept(page, disc()), shift=[30, 0])])
    assert "no noise is drawn" in page.refused("start", candidates=2)


def test_an_edit_without_a_seed_has_one_answer(page):
    page.sample()
    page.points((10, 10, 20, 14))
    assert "one answer" in page.refused("start", candidates=2)


# ---- selecting


def selection(page, how, at, **wanted):
    return page.get(f"frames/{at['node']}/{at['step']}/{how}?{urlencode(wanted)}")


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ("selection", {"x": 30, "y": 30, "tolerance": 0.2}),
        ("boxed", {"x": 16, "y": 17, "width": 28, "height": 27}),
    ],
)
def test_a_click_or_a_box_selects_the_thing(page, how, wanted):
    at = opened(page)["document"]["at"]
    answer = selection(page, how, at, **wanted)
    assert answer.status == 200, answer.body
    found, real = picture_of(answer.body) > 127, np.array(disc(radius=10)) > 127
    assert (found & real).sum() / (found | real).sum() > 0.85


def test_a_model_that_finds_things_is_asked_where_it_is_named(page):
    assert page.welcome["selectors"] == ["tiny sam"]
    assert "tiny sam" not in [each["name"] for each in page.welcome["models"]]
    at = opened(page)["document"]["at"]
    selector = SamSelector(user_folder() / "tiny sam")
    pixels = np.array(photo())
    answer = selection(page, "selection", at, x=30, y=30, selector="tiny sam")
    assert ((picture_of(answer.body) > 127) == selector.at(pixels, [(30, 30)])).all()
    answer = selection(page, "boxed", at, x=16, y=17, width=28, height=27, selector="tiny sam")
    assert ((picture_of(answer.body) > 127) == selector.in_box(pixels, (16, 17, 28, 27))).all()
    answer = selection(page, "selection", at, x=30, y=30, selector="../other sd")
    assert (answer.status, "not installed" in answer.sentence) == (400, True)


def test_a_large_photo_is_searched_smaller(page):
    at = opened(page, image=photo().resize((2400, 1600)))["document"]["at"]
    answer = selection(page, "selection", at, x=750, y=750)
    found = picture_of(answer.body)
    assert found.shape == (1600, 2400)
    assert 0.7 < (found > 127).sum() / (np.pi * 250**2) < 1.3


def test_a_photo_is_shown_without_its_things(page):
    at = opened(page)["document"]["at"]
    mask = kept(page, disc())
    answer = selection(page, "without", at, masks=mask)
    image = np.array(Image.open(io.BytesIO(answer.body)))
    assert image.shape == (64, 96, 3)
    assert image[30, 30, 0] < 100, "the disc is gone"
    assert np.abs(image[5].astype(int) - np.array(photo())[5]).mean() < 6


@pytest.mark.parametrize(
    ("how", "wanted", "status", "said"),
    [
        ("selection", {"x": 99, "y": 5}, 400, "outside the picture"),
        ("selection", {"x": "nan", "y": 5}, 422, "x is not"),
        ("selection", {"x": 5, "y": 5, "tolerance": 7}, 422, "tolerance"),
        ("boxed", {"x": 5, "y": 5, "width": 0, "height": 9}, 422, "width"),
        ("without", {"masks": "a" * 64}, 400, "no such mask"),
        ("without", {"masks": "../../etc"}, 400, "no such mask"),
    ],
)
def test_what_cannot_be_selected_is_said(page, how, wanted, status, said):
    at = opened(page)["document"]["at"]
    answer = selection(page, how, at, **wanted)
    assert answer.status == status
    assert said in answer.sentence


@pytest.mark.parametrize(
    ("data", "length", "said"),
    [(b"", 0, "empty"), (b"no picture", 10, "image"), (b"x", 1_100_000, "too large")],
)
def test_what_is_no_mask_is_not_kept(page, data, length, said):
    path = f"/api/sessions/{page.session}/masks"
    answer = page.served.post(path, data, Content_Length=str(length))
    assert answer.status == 400
    assert said in answer.sentence


def test_an_empty_mask_is_not_kept(page):
    answer = page.served.post(f"/api/sessions/{page.session}/masks", png(Image.new("L", SIZE)))
    assert (answer.status, "0 everywhere" in answer.sentence) == (400, True)


# ---- what is refused


def test_what_fits_no_picture_is_refused(page):
    opened(page)
    small = kept(page, disc(size=(50, 40)))
    assert "50x40 but the picture is 96x64" in page.refused("change", label="x", things=[thing(small)])
    assert "no such mask" in page.refused("change", label="x", things=[thing("a" * 64)])
    nowhere = {"at": {"node": "0" * 16, "step": 0}, "masks": [small]}
    assert "no such frame" in page.refused("change", label="x", other=nowhere)
    at = page.state()["document"]["at"]
    assert "50x40" in page.refused("change", label="x", other={"at": at, "masks": [small]})
    assert "not installed" in page.refused("change", label="x", diffuser="nobody")


def test_what_the_edit_lacks_is_said_when_it_begins(page):
    opened(page)
    assert "no thing" in page.refused("start")
    away = thing(kept(page, disc()), shift=[400, 0])
    page.do("change", label="Move", things=[away])
    assert "outside the picture" in page.refused("start")
    full = kept(page, Image.new("L", SIZE, 255))
    page.do("change", label="Select", things=[thing(full)], edit="remove", settings=COPY)
    page.send("start")
    assert "1 everywhere" in page.until("problem")["sentence"]
    page.until("state")
    page.do("change", label="Task", edit="swap", things=[thing(kept(page, disc()))])
    page.send("start")
    assert "second picture" in page.until("problem")["sentence"]


def test_things_of_the_other_picture_do_not_stay_when_pasting_ends(page):
    at = opened(page)["document"]["at"]
    mask = kept(page, disc())
    page.do("change", label="Select", things=[thing(mask)])
    state = page.do("change", label="Copy", other={"at": at, "masks": [mask]})
    assert page.do("change", label="Task", edit="remove")["document"]["things"]
    assert page.do("change", label="Task", edit="paste")["document"]["things"] == []
    page.do("change", label="Paste", things=[thing(mask, shift=[5, 5])])
    state = page.do("change", label="Task", edit="move")
    assert state["document"]["things"] == []


def test_another_picture_takes_the_selection_off(page):
    first = opened(page)["document"]["at"]
    page.do("change", label="Select", things=[thing(kept(page, disc()))], prompt="a disc")
    state = page.upload(photo((50, 30)))
    assert (state["document"]["things"], state["document"]["prompt"]) == ([], "")
    assert page.do("undo")["document"]["things"]
    page.do("redo")
    assert page.do("go", place=first)["document"]["things"] == []


def test_an_edited_photo_is_opened_and_traced_like_any(page):
    opened(page, settings=COPY)
    page.do("change", label="Move", things=[thing(kept(page, disc()), shift=[40, 0])])
    _, state = page.run()
    state = page.do("change", label="Box", edit="invert", model="tiny", crop={"box": [50, 10, 40, 40]})
    quick = {"w_steps": 1, "wplus_steps": 1, "tune_steps": 0}
    page.do("change", label="Quick", settings=quick)
    _, opened_as = page.run(seconds=60)
    assert opened_as["nodes"][-1]["kind"] == "latent"
    page.do("go", place=state["document"]["at"])
    page.do("change", label="Trace", edit="trace", settings={"colours": "4"})
    _, traced = page.run(seconds=60)
    assert traced["nodes"][-1]["kind"] == "vector"
    assert picture_of(page.frame(traced["document"]["at"]))[30, 70, 0] > 150


# ---- models


def test_models_of_photos_are_told_from_the_others(own_home, page):
    names = DiffusionModels("cpu").names
    assert [name for name in names if name != EMBEDDED] == ["other sd", "tiny-sd"]
    assert page.welcome["diffusers"] == list(names)
    assert [info.name for info in Models(None, "cpu").infos if "sd" in info.name] == []
    assert "tiny-sd" not in page.welcome["words"]


def test_without_diffusers_copies_are_made_and_the_rest_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PLIANT_HOME", str(make_home(tmp_path / "home")))
    monkeypatch.setattr("pliant.studio.diffusion_models.find_spec", lambda name: None)
    studio = Studio(tmp_path / "studio", test=True)
    with serve(studio) as served, served.page() as page:
        assert page.welcome["diffusers"] == []
        page.upload(photo())
        page.do("change", label="Task", edit="move")
        page.do("change", label="Move", things=[thing(kept(page, disc()), shift=[40, 0])])
        assert "No diffusion model can be read without diffusers" in page.refused("start")
        page.until("state")
        page.do("change", label="Preset", settings=COPY)
        ended, state = page.run()
        assert ended["reason"] == "arrived"
        assert shown(page, state)[30, 70, 0] > 150


def test_a_project_whose_model_is_gone_still_opens(served, page, tmp_path):
    start = opened(page)["document"]["at"]
    page.do("change", label="Move", things=[thing(kept(page, disc()), shift=[40, 0])])
    page.run()
    _, data = page.export("project", start)
    studio = Studio(tmp_path / "studio", test=True)
    studio.diffusion_models._sources.clear()
    with serve(studio) as other:
        answer = other.post("/api/projects", data)
        assert answer.status == 200, answer.body
        with other.page(answer.json["session"]) as there:
            nodes = there.state()["nodes"]
            assert [node["kind"] for node in nodes] == ["pixels", "diffusion"]
            made = there.get(f"frames/{nodes[1]['id']}/{nodes[1]['steps'] - 1}")
            assert (made.status, "No diffusion model" in made.sentence) == (400, True)
            assert there.get(f"frames/{nodes[0]['id']}/0").status == 200


# ---- projects and scripts


def alike(path, expected):
    """The same picture but for the rounding of latents in a project."""
    made = np.array(Image.open(path).convert("RGB")).astype(int)
    return np.abs(made - expected).max() <= 1


def moved_twice(page):
    """A move, and a removal of what was moved, from before its end."""
    opened(page, settings={})
    page.do("change", label="Move", things=[thing(kept(page, disc()), shift=[30.5, 4], scale=1.25)])
    page.do("change", label="Words", prompt='a "red" disc')
    _, first = page.run(seconds=60)
    page.do("change", label="Task", edit="remove", settings=QUICK, things=first["document"]["things"])
    _, state = page.run(seconds=60)
    place = state["document"]["at"]
    return {"node": place["node"], "step": place["step"] - 1}, place


def scripts(page, place):
    page.send("ask_script", place=place)
    answer = page.until("script")
    return answer["python"], answer["command"]


def test_the_program_makes_the_frame_again(page, tmp_path):
    early, _ = moved_twice(page)
    python, command = scripts(page, early)
    assert command.startswith("# A frame from before the end")
    _, data = page.export("project", early)
    (tmp_path / "project.pliant").write_bytes(data)
    (tmp_path / "program.py").write_text(python)
    subprocess.run([sys.executable, "program.py"], cwd=tmp_path, check=True, timeout=120)
    assert alike(tmp_path / "result.png", picture_of(page.frame(early)))


def test_the_program_of_a_paste_and_of_a_swap_has_the_other_picture(page, tmp_path):
    first = opened(page, image=photo(colour=(30, 60, 220)))["document"]["at"]
    copied = {"at": first, "masks": [kept(page, disc())]}
    page.do("change", label="Copy", other=copied)
    page.upload(photo((60, 30)))
    pasted = [thing(copied["masks"][0], shift=[-10, 10], turn=-5)]
    page.do("change", label="Paste", edit="paste", things=pasted, settings=QUICK)
    page.run()
    mask = kept(page, disc((60, 30)))
    page.do("change", label="Select", edit="swap", things=[thing(mask)], settings=QUICK)
    _, state = page.run()
    place = state["document"]["at"]
    python, command = scripts(page, place)
    assert "second picture" in command
    _, data = page.export("project", place)
    (tmp_path / "project.pliant").write_bytes(data)
    (tmp_path / "program.py").write_text(python)
    subprocess.run([sys.executable, "program.py"], cwd=tmp_path, check=True, timeout=120)
    assert alike(tmp_path / "result.png", picture_of(page.frame(place)))


@pytest.mark.skipif(os.name == "nt", reason="commands are for a shell")
def test_the_commands_make_the_frame_again(page, tmp_path, monkeypatch):
    _, place = moved_twice(page)
    _, command = scripts(page, place)
    monkeypatch.chdir(tmp_path)
    photo().save("photo.png")
    for line in command.splitlines():
        if line.startswith("pliant "):
            assert main(shlex.split(line)[1:]) == 0
        elif not line.startswith("#"):
            subprocess.run(["sh", "-c", line], check=True, cwd=tmp_path)
    assert alike("result.png", picture_of(page.frame(place)))


def test_a_project_from_elsewhere_goes_on_where_its_move_ended(page, served, tmp_path):
    opened(page)
    page.do("change", label="Move", things=[thing(kept(page, disc()), shift=[40, 0])], prompt="a disc")
    _, state = page.run()
    _, data = page.export("project", state["document"]["at"])
    project = tmp_path / "moved.pliant"
    project.write_bytes(data)
    check_tree(Project.open(project).tree())
    adopted = served.post("/api/projects", data)
    with served.page(adopted.json["session"]) as other:
        document = other.state()["document"]
        assert (document["edit"], document["prompt"]) == ("move", "a disc")
        (there,) = document["things"]
        mask = picture_of(other.get(f"masks/{there['mask']}").body)
        assert mask[30, 70] > 200
        assert mask[30, 30] == 0
        assert document["settings"]["move"] == QUICK


def test_a_project_with_senseless_things_is_refused(page, tmp_path):
    opened(page, settings=COPY)
    page.do("change", label="Move", things=[thing(kept(page, disc()), shift=[40, 0])])
    _, state = page.run()
    _, data = page.export("project", state["document"]["at"])
    path = tmp_path / "moved.pliant"
    path.write_bytes(data)
    tree = Project.open(path).tree()
    tree.nodes[-1].inputs["things"][0]["shift"] = ["__import__('os')", 0]
    with pytest.raises(InputError, match="damaged"):
        check_tree(tree)
