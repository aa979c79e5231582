"""A picture of a project goes back into the photo that it comes from."""

import numpy as np
import pytest
import torch
from PIL import Image

from pliant.errors import InputError
from pliant.gan.align import Crop
from pliant.gan.latent import sample
from pliant.photo import photo_behind
from pliant.picture import PixelPicture
from pliant.project import Project
from pliant.restoring import loader
from pliant.steps import Step, Trace

import tiny

CROP = Crop((39.5, 29.5), 1.0, 0.0, (32, 32))


@pytest.fixture
def opened():
    """A project of a grey photo of 80 x 60, with a picture of a model below it, as if that made the middle."""
    project = Project(loader(find={"latent": lambda _: tiny.generator()}))
    project.add(PixelPicture.of(Image.new("RGB", (80, 60), (90, 100, 110))))
    made = sample(tiny.generator(), 1)
    node = project.add_run(Trace([Step(0, made)]), "invert", {"crop": CROP.facts(), "model": "tiny"})
    return project, node, made


def test_the_photo_is_found_from_every_picture_below(opened):
    project, node, made = opened
    edited = made.with_ws(made.ws + 1)
    project.add_run(Trace([Step(0, made), Step(1, edited)]), "drag")
    photo = photo_behind(project)
    assert photo.whole.size == (80, 60)
    assert photo.crop == CROP
    assert torch.equal(photo.opened.pixels(), made.pixels())
    assert photo_behind(project, node.id).crop == CROP


def test_a_photo_that_was_edited_before_it_was_opened_is_the_edited_one():
    project = Project(loader(find={"latent": lambda _: tiny.generator()}))
    before, after = (PixelPicture.of(Image.new("RGB", (80, 60), colour)) for colour in ("black", "white"))
    project.add(before)
    project.add_run(Trace([Step(0, before), Step(1, after)]), "remove")
    made = sample(tiny.generator(), 1)
    project.add_run(Trace([Step(0, made)]), "invert", {"crop": CROP.facts()})
    assert photo_behind(project).whole.getpixel((0, 0)) == (255, 255, 255)


def test_nothing_edited_changes_nothing_and_an_edit_changes_its_place_only(opened):
    project, _, made = opened
    photo = photo_behind(project)
    assert photo.paste(made).tobytes() == photo.whole.tobytes()
    pasted = np.asarray(photo.paste(made, everything=True)).astype(int)
    differs = (pasted != np.asarray(photo.whole)).any(2)
    inside = np.zeros((60, 80), bool)
    inside[14:46, 24:56] = True
    assert differs[inside].mean() > 0.5
    assert not differs[~inside].any()
    masked = photo.paste(made, everything=True, mask=torch.zeros(32, 32))
    assert masked.tobytes() == photo.whole.tobytes()


def test_a_project_without_a_photo_says_so():
    project = Project()
    project.add(sample(tiny.generator(), 1))
    with pytest.raises(InputError, match="does not come from a photo"):
        photo_behind(project)


@pytest.mark.parametrize("crop", [None, 3, {"centre": [0, 0]}, {**CROP.facts(), "scale": float("nan")}])
def test_a_damaged_crop_gets_a_sentence(opened, crop):
    project, node, _ = opened
    vars(node)["inputs"]["crop"] = crop
    with pytest.raises(InputError, match="crop"):
        photo_behind(project)
