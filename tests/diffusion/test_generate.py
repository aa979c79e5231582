"""Pictures from words."""

from dataclasses import replace

import pytest
import torch
from diffusers import StableDiffusionPipeline
from diffusers.schedulers import scheduling_lcm as lcm

from pliant.diffusion.generate import GenerateSettings, generate
from pliant.diffusion.inversion import drawn
from pliant.errors import InputError


def test_a_sample_is_that_of_the_pipeline_of_diffusers(tiny_model, tiny_folder):
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(5))
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_folder("sd1"), safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    expected = pipeline(
        "a cat", latents=noise, guidance_scale=4.0, num_inference_steps=9, output_type="latent"
    ).images[0]
    settings = GenerateSettings(num_inference_steps=9, guidance_scale=4.0, seed=5)
    steps = list(generate("a cat", model=tiny_model(), settings=settings))
    assert torch.allclose(steps[-1].picture.latents, expected, atol=1e-4)
    assert [step.index for step in steps] == list(range(10))
    assert steps[-1].network_calls == 18
    assert steps[-1].arrived
    assert steps[-1].picture.size == (64, 64)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_consistency_model_steps_as_diffusers_has_it(tiny_model, tiny_folder, steps):
    model, folder = tiny_model("lcm"), tiny_folder("lcm")
    pipeline = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    assert pipeline.scheduler.__class__.__name__ == "LCMScheduler"
    first, *later = (
        drawn((1, 4, 8, 8), 5),
        *(drawn((1, 4, 8, 8), 5000 + 3 * step) for step in range(steps - 1)),
    )
    asked = iter(later)
    draw, lcm.randn_tensor = (
        lcm.randn_tensor,
        lambda *_, **__: next(asked),
    )  # the same noise between the steps
    try:
        expected = pipeline(
            "a cat", latents=first, guidance_scale=4.0, num_inference_steps=steps, output_type="latent"
        ).images[0]
    finally:
        lcm.randn_tensor = draw
    settings = GenerateSettings(num_inference_steps=steps, guidance_scale=4.0, seed=5)
    *_, last = generate("a cat", model=model, settings=settings)
    assert torch.allclose(last.picture.latents, expected, atol=1e-4)


def test_sizes_seeds_and_what_is_not_wanted(tiny_model):
    settings = GenerateSettings(num_inference_steps=3, width=128, height=70)
    *_, wide = generate("a cat", model=tiny_model(), settings=settings)
    assert wide.picture.size == (128, 64)
    without = replace(settings, negative_prompt="dogs")
    *_, other = generate("a cat", model=tiny_model(), settings=without)
    assert not torch.allclose(wide.picture.latents, other.picture.latents, atol=1e-4)
    *_, again = generate("a cat", model=tiny_model(), settings=settings)
    assert torch.equal(wide.picture.latents, again.picture.latents)


@pytest.mark.parametrize("kind", ["sd2", "lcm", "sdxl"])
def test_every_kind_of_model_makes_pictures(tiny_model, kind):
    settings = GenerateSettings(num_inference_steps=4)
    *_, last = generate("a cat", model=tiny_model(kind), settings=settings)
    assert torch.isfinite(last.picture.pixels()).all()
    assert last.network_calls == pytest.approx(4 if kind == "lcm" else 8)


def test_what_cannot_be_made_is_told(tiny_model):
    with pytest.raises(InputError, match="prompt is empty"):
        generate("  ", model=tiny_model())
    with pytest.raises(InputError, match="reads at most 75"):
        generate("a" * 500, model=tiny_model())
    with pytest.raises(InputError, match="num_inference_steps must be from 1"):
        GenerateSettings(num_inference_steps=0)
    with pytest.raises(InputError, match="width must be from 0"):
        GenerateSettings(width=10**6)
