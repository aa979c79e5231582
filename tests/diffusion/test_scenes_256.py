"""The model that comes with Pliant: its size, pictures from words, there and back by inversion, an edit."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from pliant.diffusion.edits import ThingSettings, move
from pliant.diffusion.generate import GenerateSettings, generate
from pliant.diffusion.inversion import BankKey, bank_of
from pliant.diffusion.loading import EMBEDDED, load_diffusion
from pliant.diffusion.sampler import Plan, Preset, sample
from pliant.diffusion.things import Thing
from pliant.errors import CheckpointError
from pliant.gan.latent import load_generator
from pliant.images import from_uint8, load_image
from pliant.picture import PixelPicture
from pliant.selecting import in_box
from pliant.zoo import resolve

PROMPT = "a red chocolate bar left of a bus on snow under a grey sky"


@pytest.fixture(scope="module")
def model():
    return load_diffusion()


@pytest.fixture(scope="module")
def scene():
    """One of `recipes/scenes` that was never trained on, of Fluent emoji (Microsoft, MIT)."""
    return PixelPicture.of(load_image(Path(__file__).with_name("bus.png")))


def test_it_takes_60_megabytes_at_most_and_has_a_card():
    folder = resolve(EMBEDDED)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 60e6
    assert "Apache-2.0" in (folder / "README.md").read_text(encoding="utf-8")


def test_pictures_are_of_the_colours_that_words_name(model):
    settings = GenerateSettings(num_inference_steps=12, seed=3)
    *_, last = generate("a red car on grass under a blue sky", model=model, settings=settings)
    red, green, blue = torch.from_numpy(np.array(last.image)).float().unbind(-1)
    assert (blue > red + 30)[:60].float().mean() > 0.8  # the sky
    assert (green > blue + 30)[230:].float().mean() > 0.8  # the grass
    assert 0.02 < ((red > green + 80) & (red > blue + 80)).float().mean() < 0.4  # the car


@pytest.mark.timeout(240)
def test_a_picture_comes_back_from_its_inversion(model, scene):
    """DDIM inversion in 50 steps and sampling back, without guidance and without looking at what is known."""
    size = model.working_size(scene.size)
    words, empty = model.condition(PROMPT, size), model.condition("", size)
    latents = model.encode(from_uint8(scene.rgb))
    looking = bank_of(model, latents, words, BankKey.of(scene.rgb, PROMPT, "inverted", 50))
    while True:
        try:
            next(looking)
        except StopIteration as ended:
            bank = ended.value
            break
    everywhere = torch.ones(1, 1, *bank.shape)
    plan = Plan(bank.latents[0], everywhere, everywhere, words, empty, guidance=1.0, banks=(bank,))
    *_, (_, back, _) = sample(model, plan, Preset(50), seed=0)
    error = (model.decode(back) - from_uint8(scene.rgb)).square().mean()
    assert 10 * math.log10(4 / float(error)) >= 30


def test_a_thing_is_moved_in_48_passes_and_all_else_stays_to_the_bit(model, scene):
    bus = in_box(scene.rgb.numpy(), (88, 100, 82, 92))
    thing = Thing(bus, shift=(70, -11))
    steps = list(move(scene, thing, prompt=PROMPT, model=model, settings=ThingSettings(feather=8)))
    last = steps[-1]
    assert last.arrived
    assert last.network_calls <= 48
    untouched = last.reach.mask == 0
    assert untouched.float().mean() > 0.3
    made = torch.from_numpy(np.array(last.image))
    assert torch.equal(made[untouched], scene.rgb[untouched])
    *_, second = move(scene, Thing(bus, shift=(60, 0)), prompt=PROMPT, model=model)
    assert second.network_calls * 1.5 <= last.network_calls


def test_who_takes_it_for_a_generator_is_told():
    with pytest.raises(CheckpointError, match="scenes-256: it is a diffusion model"):
        load_generator(EMBEDDED)
