"""What the page is told of edits, settings, nodes and steps; and what an edit is given of what it sends back."""

import base64
import io
import json
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from flat import walk
from pliant import catalogue
from pliant.errors import InputError
from pliant.gan.drag import DragSettings
from pliant.project_file import Node
from pliant.settings import Setting, Slider
from pliant.steps import Trace
from pliant.studio import messages as m
from pliant.studio.describe import all_facts, edit_info, node_info, node_title, setting_info, step_facts
from pliant.studio.disk import Store
from pliant.studio.inputs import check_points, edit_inputs, followed, keep_mask, used_mask

DRAG = catalogue.get("drag")
INFO = edit_info(DRAG)
SETTINGS = {setting.name: setting for setting in INFO.settings}


# ---- edits and settings


def test_an_entry_of_the_catalogue_becomes_a_mode():
    assert (INFO.name, INFO.title, INFO.pictures) == ("drag", DRAG.title, ("latent",))
    assert INFO.group == ""
    assert (INFO.inputs, INFO.optional) == (("points", "mask"), ("mask",))
    assert set(SETTINGS) == set(DragSettings.__dataclass_fields__)
    assert {name for name, setting in SETTINGS.items() if setting.main} == set(DRAG.main_settings)
    assert {name for name, setting in SETTINGS.items() if setting.live} == set(DRAG.live_settings)
    assert all(setting.help for setting in SETTINGS.values()), "every setting has a tooltip"
    json.loads(INFO.model_dump_json())


def test_settings_have_their_kind_their_default_and_their_slider():
    step = SETTINGS["step_size"]
    assert (step.kind, step.default, step.low, step.high, step.log) == ("number", 2e-3, 1e-4, 2e-2, True)
    steps = SETTINGS["max_steps"]
    assert (steps.kind, steps.default, steps.low, steps.high, steps.log) == ("integer", 300, 10, 1000, False)
    space = SETTINGS["space"]
    assert (space.kind, space.default, space.choices, space.low) == ("choice", "w+", ("w+", "w"), None)
    assert (SETTINGS["exact_grid"].kind, SETTINGS["block"].kind) == ("switch", "text")
    assert "learning rate" in step.help


def test_defaults_sent_back_make_the_default_settings():
    values = {name: setting.default for name, setting in SETTINGS.items()}
    assert DRAG.make_settings(values) == DragSettings()
    for name, setting in SETTINGS.items():
        for value in (setting.low, setting.high) if setting.low is not None else setting.choices:
            typed = int(value) if setting.kind == "integer" else value
            assert DRAG.make_settings({name: typed}), "the ends of every slider and every choice can be used"


@pytest.mark.parametrize("kind", [Path, int | None, tuple[int, int]])
def test_settings_that_a_form_cannot_give_are_left_out(kind):
    assert setting_info(Setting("x", kind, None, ""), DRAG) is None


def test_a_setting_outside_the_lists_is_neither_main_nor_live():
    info = setting_info(Setting("other", Literal["a", "b"], "a", "help", Slider(0, 1)), DRAG)
    assert info == m.SettingInfo(
        name="other", kind="choice", default="a", help="help", choices=("a", "b"), low=0, high=1
    )


# ---- nodes and steps


def node(**values):
    return Node(**{"id": "a" * 16, "parent": None, "kind": "latent"} | values)


@pytest.mark.parametrize(
    ("values", "title"),
    [
        ({"edit": "drag", "inputs": {"handles": [[1, 2]]}}, "Drag 1 point"),
        ({"edit": "drag", "inputs": {"handles": [[1, 2], [3, 4]]}}, "Drag 2 points"),
        ({"edit": "swap_looks"}, "Swap looks"),
        ({"facts": [{"origin": {"seed": 3, "truncation_psi": 0.7}}]}, "Seed 3"),
        ({"facts": [{"origin": {"file": "holiday.jpg"}}]}, "holiday.jpg"),
        ({"facts": [{"origin": {"file": "x" * 300}}]}, "x" * 60),
        ({"facts": [{"origin": 5}], "kind": "pixels"}, "Photo"),
        ({"kind": "pixels"}, "Photo"),
        ({}, "Picture"),
    ],
)
def test_nodes_have_short_titles(values, title):
    assert node_title(node(**values)) == title
    info = node_info(node(**values), (32, 48), photo=True)
    assert (info.size, info.photo) == ((32, 48), True)


def test_a_node_names_the_model_that_makes_its_pictures():
    assert node_info(node(facts=[{"model": "tiny"}]), (32, 48), photo=False).model == "tiny"
    assert node_info(node(kind="pixels"), (32, 48), photo=False).model is None


def rounded(fact):
    """Losses are stored in single precision."""
    return fact.model_copy(update={"loss": round(fact.loss, 6)})


def test_steps_are_described_alike_live_and_stored():
    trace = Trace(list(walk(5, 4)))
    live = tuple(step_facts(step) for step in trace)
    assert [rounded(fact) for fact in all_facts(trace.numbers(), 4)] == [rounded(fact) for fact in live]
    assert live[3].handles == ((7.0, 16.0),)
    assert live[3].distances == (2.0,)
    assert all_facts({}, 2) == (m.StepFacts(step=0), m.StepFacts(step=1))
    assert all_facts(trace.numbers(), 6)[5] == m.StepFacts(step=5), "more steps than measurements"


# ---- points


def test_a_document_becomes_the_inputs_of_an_edit(tmp_path):
    points = (m.Point(handle=(1, 2), target=(3, 4)), m.Point(handle=(5, 6), target=(7, 8), locked=True))
    inputs = edit_inputs(DRAG, m.Document(edit="drag", points=points), folder(tmp_path))
    assert inputs.handles == [(1, 2), (5, 6)]
    assert inputs.targets == [(3, 4), (5, 6)], "a locked point stays, wherever its arrow was drawn"
    assert inputs.locked == [False, True]
    assert inputs.mask is None
    assert edit_inputs(DRAG, m.Document(edit="drag", points=points[:1]), folder(tmp_path)).locked is None


def test_points_must_lie_in_the_picture():
    check_points((), (1, 1))
    check_points([m.Point(handle=(0, 0), target=(31, 15))], (32, 16))
    for handle, target in (((32, 0), (1, 1)), ((1, 1), (0, 16)), ((-0.5, 0), (1, 1))):
        with pytest.raises(InputError, match="outside the picture"):
            check_points([m.Point(handle=handle, target=target)], (32, 16))


def test_handles_follow_where_they_went_if_they_are_theirs():
    points = (m.Point(handle=(1, 2), target=(3, 4)), m.Point(handle=(5, 6), target=(7, 8), locked=True))
    moved = followed(points, [(2, 3), (5, 6)])
    assert [point.handle for point in moved] == [(2, 3), (5, 6)]
    assert [(point.target, point.locked) for point in moved] == [((3, 4), False), ((7, 8), True)]
    assert followed(points, [(2, 3)]) == points
    assert followed(points, []) == points


# ---- masks


def folder(tmp_path):
    store = Store(tmp_path)
    return store.open(store.create())


def text(image, kind="PNG"):
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


SHADES = np.arange(96, dtype=np.uint8).reshape(8, 12) * 2


def test_a_mask_is_kept_exactly_and_used_as_it_is(tmp_path):
    files = folder(tmp_path)
    mask = keep_mask(text(Image.fromarray(SHADES)), 0.0, (12, 8), files)
    assert np.array_equal(np.asarray(used_mask(mask, files)), SHADES)
    again = keep_mask(text(Image.fromarray(SHADES)), 3.0, (12, 8), files)
    assert (again.image, again.feather) == (mask.image, 3.0), "one content, one file"
    inputs = edit_inputs(DRAG, m.Document(edit="drag", mask=mask), files)
    assert np.array_equal(np.asarray(inputs.mask), SHADES)
    assert torch.equal(inputs.named((12, 8))["mask"], torch.from_numpy(SHADES).float() / 255)


def test_feather_is_a_blur_when_it_is_used(tmp_path):
    files = folder(tmp_path)
    hard = Image.new("L", (12, 8))
    hard.paste(255, (6, 0, 12, 8))
    soft = used_mask(keep_mask(text(hard), 2.0, (12, 8), files), files)
    assert np.array_equal(np.asarray(soft), np.asarray(hard.filter(ImageFilter.GaussianBlur(2.0))))
    row = np.asarray(soft)[4].astype(int)
    assert (np.diff(row) >= 0).all()
    assert 60 < row[5] < row[6] < 195


def test_transparent_parts_of_a_mask_must_stay(tmp_path):
    files = folder(tmp_path)
    drawn = Image.new("RGBA", (12, 8), (255, 255, 255, 0))
    drawn.paste((255, 255, 255, 255), (0, 0, 6, 8))
    used = np.asarray(used_mask(keep_mask(text(drawn), 0.0, (12, 8), files), files))
    assert (used[:, :6] == 255).all()
    assert (used[:, 6:] == 0).all()


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ("not base64!", "not base64"),
        ("QUJD", "not an image"),
        ("", "not an image"),
        ("ü", "not base64"),
        (text(Image.new("L", (8, 12), 255)), "mask"),
        (text(Image.new("L", (12, 8), 0)), "mask"),
    ],
)
def test_masks_that_cannot_be_used_get_a_sentence(tmp_path, sent, sentence):
    files = folder(tmp_path)
    with pytest.raises(InputError, match=sentence):
        keep_mask(sent, 0.0, (12, 8), files)
    assert not list(files.masks.folder.iterdir())


def test_a_mask_that_lets_all_change_is_taken(tmp_path):
    files = folder(tmp_path)
    assert keep_mask(text(Image.new("L", (12, 8), 255)), 0.0, (12, 8), files).image
    assert keep_mask(text(Image.new("L", (12, 8), 255), "WEBP"), 0.0, (12, 8), files).image
