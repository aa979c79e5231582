"""Pixels moved toward words, through a network and by themselves, by a model that knows colours."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from colour_words import colour_words
from pliant.errors import InputError
from pliant.picture import PixelPicture
from pliant.prompts import Prompt
from pliant.vector.stylise import StyliseSettings, stylise

QUICK = StyliseSettings(max_steps=12, crops=4, crop_size=0.5, rate=1e-2, pixel_rate=0.05)


@pytest.fixture
def photo():
    values = np.random.default_rng(0).integers(60, 190, (6, 8, 3), dtype=np.uint8)
    return PixelPicture.of(Image.fromarray(values).resize((64, 48), Image.Resampling.BICUBIC))


def run(photo, prompts="red", settings=QUICK):
    return list(stylise(photo, prompts, words=colour_words(), settings=settings))


def redness(picture):
    pixels = picture.rgb.float() / 255
    return pixels[..., 0] - pixels[..., 1:].mean(2)


@pytest.mark.parametrize("method", ["network", "pixels"])
@pytest.mark.parametrize("direction", ["none", "crop", "region"])
def test_red_lowers_the_loss_and_reddens_the_photo(photo, method, direction):
    steps = run(photo, settings=replace(QUICK, method=method, direction=direction))
    assert [step.index for step in steps] == list(range(13))
    assert torch.equal(steps[0].picture.rgb, photo.rgb)
    assert min(step.loss for step in steps) < steps[0].loss
    assert steps[-1].agreement[0] > steps[0].agreement[0]
    assert redness(steps[-1].picture).mean() > redness(photo).mean() + 0.1


@pytest.mark.parametrize("method", ["network", "pixels"])
def test_outside_of_boxes_nothing_changes(photo, method):
    now = run(photo, Prompt("red", (0, 0, 30, 48)), replace(QUICK, method=method))[-1].picture
    assert torch.equal(now.rgb[:, 30:], photo.rgb[:, 30:])
    assert (redness(now) - redness(photo))[:, :30].mean() > 0.05


def test_it_is_deterministic(photo):
    settings = replace(QUICK, max_steps=3)
    first, again = run(photo, settings=settings)[-1], run(photo, settings=settings)[-1]
    assert first.loss == again.loss
    assert torch.equal(first.picture.rgb, again.picture.rgb)
    assert not torch.equal(first.picture.rgb, run(photo, settings=replace(settings, seed=1))[-1].picture.rgb)


def test_content_and_smoothness_hold_it_back(photo):
    free, kept, smooth = (
        run(
            photo, settings=replace(QUICK, method="pixels", content_weight=content, smooth_weight=smoothness)
        )[-1]
        for content, smoothness in ((0, 0), (1e5, 0), (0, 1))
    )

    def away(step):
        return (step.picture.rgb.float() - photo.rgb.float()).square().mean()

    def rough(step):
        return step.picture.rgb.float().diff(dim=1).abs().mean()

    assert away(kept) < away(free)
    assert rough(smooth) < rough(free)


def test_a_large_photo_is_brought_to_a_size(photo):
    steps = run(photo, Prompt("red", (0, 0, 30, 48)), replace(QUICK, max_side=32, max_steps=1))
    assert steps[-1].picture.size == (32, 24)


def test_bad_input_is_refused_at_once(photo):
    for prompts in ("", Prompt("red", (64, 0, 5, 5)), []):
        with pytest.raises(InputError):
            stylise(photo, prompts, words=colour_words())
    for wrong in ({"crops": -1}, {"rejection": 5}, {"max_steps": 0}, {"rate": float("nan")}):
        with pytest.raises(InputError):
            StyliseSettings(**wrong)
    with pytest.raises(InputError, match="looked at"):
        StyliseSettings(region_weight=0, crops=0)
