"""The edits of photos and drawings through the catalogue: what reaches the method, what is kept, what is said before."""

import pytest
import torch
from PIL import Image

from colour_words import colour_words
from pliant.catalogue import Inputs, Note, get
from pliant.errors import InputError
from pliant.images import to_tensor
from pliant.picture import PixelPicture
from pliant.project import Project
from pliant.prompts import Prompt
from pliant.settings import settings_facts
from pliant.vector.compare import agreement
from pliant.vector.draw import blank
from pliant.vector.layers import LayerChanges
from pliant.vector.outline import Path, assemble, polygon
from pliant.vector.scene import Group, VectorPicture


@pytest.fixture
def picture():
    """A grey ground in one layer and two grey squares in another."""
    squares = [((0, 0), 40, 0), ((4, 4), 12, 1), ((20, 20), 14, 1)]
    paths = [
        Path(
            [polygon([(x, y), (x + side, y), (x + side, y + side), (x, y + side)])],
            (0.5, 0.5, 0.5),
            group=group,
        )
        for (x, y), side, group in squares
    ]
    return VectorPicture(
        assemble(paths, (40, 40), groups=(Group("ground", "Ground"), Group("squares", "Squares")))
    )


@pytest.fixture
def photo():
    """Two areas."""
    made = Image.new("RGB", (40, 30), (200, 30, 30))
    made.paste((10, 90, 200), (20, 0, 40, 30))
    return PixelPicture.of(made, {"file": "a.jpg", "seed": "of something else"})


def quick(edit, **more):
    return edit.make_settings({"max_steps": 3, "crops": 2, **more})


def test_a_photo_is_traced_round_by_round(photo):
    edit = get("trace")
    run = edit.run(photo, Inputs(boxes=[(0, 0, 30, 30)]), edit.make_settings({"colours": "2 4", "refine": 2}))
    steps = list(run)
    assert [step.stage for step in steps] == ["trace", "trace", "trace", "refine", "refine"]
    assert steps[-1].picture.origin["file"] == "a.jpg"
    assert "seed" not in steps[-1].picture.origin
    error = (steps[-1].picture.pixels() - to_tensor(photo.render())).abs().mean()
    assert error < 0.02


def test_words_and_locks_reach_the_drawing(picture):
    edit = get("restyle")
    inputs = Inputs(
        prompts=[Prompt("red"), Prompt("blue", (0, 0, 20, 20))],
        words=colour_words(),
        layers=LayerChanges(locked=["ground"]),
    )
    run = edit.run(picture, inputs, quick(edit, colour_rate=0.05))
    assert run.max_steps == 3
    *_, last = run
    assert len(last.agreement) == 2
    changed = (last.picture.scene.colours - picture.scene.colours).abs().amax(1)
    assert changed[0] == 0
    assert (changed[1:] > 0).all()


def test_a_run_goes_on_after_another(picture):
    edit = get("restyle")
    inputs = Inputs(prompts="red", words=colour_words())
    whole = list(edit.run(picture, inputs, quick(edit, max_steps=4)))
    first = list(edit.run(picture, inputs, quick(edit, max_steps=2)))
    rest = list(edit.run(first[-1].picture, inputs, quick(edit, max_steps=2), after=first[-1]))
    assert torch.equal(whole[-1].picture.scene.points, rest[-1].picture.scene.points)


def test_strokes_are_drawn_on_a_drawing():
    edit = get("draw")
    inputs = Inputs(prompts=["red"], words=colour_words())
    *_, last = edit.run(blank((32, 32)), inputs, quick(edit, strokes=4))
    assert len(last.picture.scene) == 4


def test_layers_change_in_one_step_that_can_be_previewed(picture):
    edit = get("layers")
    _, last = edit.run(
        picture, Inputs(layers=LayerChanges(hidden=["squares"])), edit.make_settings(edit.preview)
    )
    assert last.picture.scene.hidden.tolist() == [False, True, True]


def test_unknown_words_are_named_once_each(picture):
    inputs = Inputs(prompts=["red fox", Prompt("blue fox hat", (0, 0, 9, 9))], words=colour_words())
    for name in ("restyle", "draw"):
        edit = get(name)
        assert edit.warn(picture, inputs, edit.make_settings()) == [
            Note("'fox' is no word that colour-words learnt; it may do nothing."),
            Note("'hat' is no word that colour-words learnt; it may do nothing."),
        ]


def test_inputs_are_kept_by_name(picture):
    changes = LayerChanges(hidden=[0], swatches={1: "#ff0000"})
    inputs = Inputs(
        boxes=[(0, 1, 2, 3)],
        prompts=["red", Prompt("blue", (-5, 0, 15, 10), 0.5)],
        words=colour_words(),
        layers=changes,
    )
    assert inputs.named(picture.size) == {
        "boxes": [[0, 1, 2, 3]],
        "prompts": [
            {"text": "red", "box": None, "strength": 1.0},
            {"text": "blue", "box": [0, 0, 10, 10], "strength": 0.5},
        ],
        "words": "colour-words",
        "layers": {"hidden": [0], "swatches": {"1": "#ff0000"}},
    }
    assert Inputs().named(picture.size) == {}


def test_photo_tracing_and_words_are_one_project(photo, tmp_path):
    project = Project()
    project.add(photo)
    for name, inputs in [("trace", Inputs()), ("restyle", Inputs(prompts="red", words=colour_words()))]:
        edit = get(name)
        settings = edit.make_settings({"colours": [2]}) if name == "trace" else quick(edit)
        run = edit.run(project.picture(), inputs, settings)
        list(run)
        project.add_run(run.trace, name, inputs.named(photo.size), settings_facts(settings))
    project.save(tmp_path / "a.pliant")
    opened = Project.open(tmp_path / "a.pliant")
    assert torch.equal(opened.picture().pixels(), project.picture().pixels())
    for node in list(opened.nodes.values())[1:]:
        edit = get(node.edit)
        assert settings_facts(edit.make_settings(node.settings)) == node.settings


@pytest.mark.parametrize("name", ["restyle", "draw"])
def test_edits_with_words_refuse_what_they_cannot_use(picture, photo, name):
    edit = get(name)
    with pytest.raises(InputError, match="There is no prompt"):
        list(edit.run(picture, Inputs(words=colour_words())))
    with pytest.raises(InputError, match=f"'{name}' edits vector pictures; this is a pixels picture"):
        edit.run(photo, Inputs(prompts="red"))


def test_agreement_is_the_cosine_of_the_region_with_the_way_from_photo_to_the_words(picture):
    prompts = (Prompt("red"), Prompt("blue", (4, 4, 12, 12)))
    words = colour_words()
    red = picture.with_scene(picture.scene.with_(colours=torch.tensor([[0.9, 0.1, 0.1]]).repeat(3, 1)))
    toward = words.encode_text(["red", "blue"]) - words.encode_text(["photo"])
    seen = words.encode_images(red.pixels()[None])  # its parts look like the whole of it
    expected = torch.nn.functional.cosine_similarity(seen, toward)
    assert agreement(red, prompts, words) == pytest.approx(expected.tolist(), abs=5e-3)
    assert agreement(red, prompts, words)[0] > agreement(picture, prompts, words)[0] + 0.2
