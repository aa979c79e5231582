"""The edits of things through the catalogue: what they are given, and what a project keeps of it."""

from dataclasses import replace

import pytest
import torch

from pliant.catalogue import EDITS, Inputs, get
from pliant.diffusion.generate import GenerateSettings, generate
from pliant.diffusion.loading import load_diffusion
from pliant.diffusion.things import Thing
from pliant.errors import InputError
from pliant.picture import PixelPicture
from pliant.project import Project
from pliant.restoring import loader
from pliant.settings import settings_facts
from tiny_sd import save_tiny

NAMES = ("move", "remove", "paste", "swap", "dragcontent", "dragdiffusion")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_diffusion(save_tiny(tmp_path_factory.mktemp("model") / "little"))


@pytest.fixture
def photo():
    return PixelPicture((torch.rand(64, 96, 3) * 255).byte(), {"file": "photo.png"})


@pytest.fixture
def mask():
    mask = torch.zeros(64, 96)
    mask[20:40, 20:40] = 1
    return mask


def test_they_are_one_group_and_take_photos_and_their_results():
    assert tuple(edit.name for edit in EDITS if edit.group == "Things") == (*NAMES, "generate")
    for name in NAMES:
        assert get(name).pictures == ("pixels", "diffusion")
        assert {"prompt", "diffuser"} <= set(get(name).optional)
    assert get("invert").pictures == get("trace").pictures == ("pixels", "diffusion")


def test_a_run_is_kept_with_all_that_it_was_given(photo, mask, model, tmp_path):
    other = PixelPicture((torch.rand(40, 50, 3) * 255).byte())
    shown = torch.zeros(40, 50)
    shown[10:20, 10:20] = 1
    inputs = Inputs(
        things=[Thing(shown, (20.0, 5.0), 1.5, 30.0)], other=other, prompt="a cat", diffuser=model
    )
    edit = get("paste")
    settings = edit.make_settings({"preset": "warp"})
    run = edit.run(photo, inputs, settings)
    for _ in run:
        pass
    project = Project(loader(find={"diffusion": lambda name: {"little": model}[name]}))
    project.add(photo)
    node = project.add_run(run.trace, edit.name, inputs.named(photo.size), settings_facts(settings))
    project.save(tmp_path / "p.pliant")
    again = Project.open(tmp_path / "p.pliant", loader(find={"diffusion": lambda _: model}))
    given = again.inputs(node.id)
    assert given["things"] == [{"shift": [20.0, 5.0], "scale": 1.5, "turn": 30.0, "pivot": None}]
    assert (given["prompt"], given["diffuser"]) == ("a cat", "little")
    assert torch.equal(given["thing0"], shown)
    assert torch.equal(given["other"], other.rgb)
    made, kept = run.trace[-1].picture, again.picture(node.id)
    assert torch.equal(made.rgb_image(), kept.rgb_image())
    assert torch.equal(again.picture(node.id, 0).rgb_image(), photo.rgb)
    assert again.numbers(node.id)["network_calls"][-1] == 8


def test_the_result_of_one_is_edited_by_the_next_and_traced(photo, mask, model):
    edit = get("remove")
    given = Inputs(mask=mask, diffuser=model)
    *_, first = edit.run(photo, given, edit.make_settings({"preset": "warp", "feather": 8}))
    *_, second = edit.run(first.picture, given, edit.make_settings({"preset": "warp", "feather": 8}))
    assert second.picture.size == photo.size
    assert next(iter(get("trace").run(second.picture, Inputs()))).picture.kind == "vector"


def test_a_saved_picture_needs_its_model(photo, mask, model, tmp_path):
    edit = get("remove")
    run = edit.run(
        photo, Inputs(mask=mask, diffuser=model), edit.make_settings({"preset": "warp", "feather": 8})
    )
    for _ in run:
        pass
    project = Project(loader())
    project.add(photo)
    node = project.add_run(run.trace, "remove", {}, {})
    with pytest.raises(InputError, match="made with the model 'little', which is none of Pliant's or yours"):
        project.picture(node.id)


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("move", {}, "There is no thing"),
        ("remove", {}, "Select the thing first"),
        ("paste", {"things": [1]}, "Choose the second picture first"),
        ("swap", {"mask": [[0, 1]]}, "Choose the second picture first"),
        (
            "dragcontent",
            {"handles": [(1, 1)], "targets": [(5, 5)]},
            "Select where the picture may change first",
        ),
        ("dragdiffusion", {}, "There are no handles"),
        ("generate", {}, "The prompt is empty"),
    ],
)
def test_what_is_missing_is_told(photo, model, name, given, sentence):
    with pytest.raises(InputError, match=sentence):
        get(name).run(photo, Inputs(diffuser=model, **given))


def test_words_leave_the_picture_behind_that_they_begin_at(photo, model, tmp_path):
    edit = get("generate")
    settings = edit.make_settings({"num_inference_steps": 4, "negative_prompt": "dogs", "seed": 3})
    run = edit.run(photo, Inputs(prompt="a cat", diffuser=model), settings)
    made = [step.picture for step in run]
    assert (len(made), run.max_steps, made[-1].size) == (5, 5, (64, 64))
    *_, alone = generate("a cat", model=model, settings=settings)
    assert torch.equal(made[-1].latents, alone.picture.latents)
    *_, other = generate("a cat", model=model, settings=replace(settings, negative_prompt=""))
    assert not torch.equal(made[-1].latents, other.picture.latents)
    project = Project(loader(find={"diffusion": lambda _: model}))
    project.add(photo)
    named = Inputs(prompt="a cat", diffuser=model).named(photo.size)
    node = project.add_run(run.trace, "generate", named, settings_facts(settings))
    assert project.inputs(node.id) == {"prompt": "a cat", "diffuser": "little"}
    assert torch.equal(project.picture(node.id).rgb_image(), made[-1].rgb_image())
    without = Project.of(project.tree(), project._states, loader())
    assert without.picture(node.id, 0).size == (64, 64), "the first step needs no model"


def test_what_words_made_is_edited_like_a_photo(mask, model):
    *_, first = generate("a cat", model=model, settings=GenerateSettings(num_inference_steps=4))
    gone = Inputs(mask=mask[:, :64], diffuser=model)
    edit = get("remove")
    *_, second = edit.run(first.picture, gone, edit.make_settings({"preset": "warp", "feather": 8}))
    before, after = (each.picture.rgb_image() for each in (first, second))
    assert torch.equal(before[50:], after[50:])
    assert not torch.equal(before[20:40, 20:40], after[20:40, 20:40])


def test_a_drawing_is_no_photo(photo):
    drawing = next(iter(get("trace").run(photo, Inputs()))).picture
    with pytest.raises(
        InputError, match="'move' edits pixels and diffusion pictures; this is a vector picture"
    ):
        get("move").run(drawing, Inputs())
