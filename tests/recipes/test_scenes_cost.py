"""What the page on things says that edits cost with scenes-256, from the shape of its UNet."""

import re

import pytest
import torch

from pliant.diffusion.account import Account
from pliant.diffusion.pipeline import feature_levels
from pliant.diffusion.sampler import PRESETS

from paths import REPOSITORY

PAGE = REPOSITORY / "docs" / "things.md"


@pytest.fixture(scope="module")
def share(scenes):
    """Of the whole UNet, what lies before the features that edits compare."""
    unet = scenes.models.make_unet(scenes.models.SIZES["scenes-256"])
    return Account(unet.config, feature_levels(unet, 8)).share(torch.zeros(1, 4, 32, 32))


@pytest.mark.parametrize("name", ["dragondiffusion", "diffeditor", "fast"])
def test_the_page_says_what_a_first_and_a_second_edit_cost(name, share):
    preset = PRESETS[name]
    steps = range(preset.first, preset.steps)
    times = {step: 3 if step in preset.again else 1 for step in steps}
    passes = sum((2 if step in preset.worded else 1) * times[step] for step in steps)
    back = sum(each - 1 for each in times.values())
    guided = sum(times[step] for step in preset.guided)
    again = passes + back + 3 * guided * share  # features, and gradients of both parts
    looks = preset.steps if preset.bank == "inverted" else len(steps)
    known = len(preset.guided) * share if preset.bank == "inverted" else 0
    row = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if f"`{name}`" in line)
    told = [int(each) for each in re.findall(r"(\d+)", row.split("|")[3])]
    assert told == [pytest.approx(again + looks + known, abs=0.5), pytest.approx(again, abs=0.5)]
