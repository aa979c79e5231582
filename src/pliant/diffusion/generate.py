"""Pictures from words alone: sampling with classifier-free guidance (arXiv 2207.12598) by DDIM, or a few consistency steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from pliant.diffusion.editing import DiffusionStep, Reach
from pliant.diffusion.inversion import drawn
from pliant.diffusion.loading import load_diffusion
from pliant.diffusion.picture import DiffusionPicture
from pliant.diffusion.pipeline import DiffusionModel
from pliant.diffusion.sampler import Plan, Preset, sample
from pliant.errors import InputError
from pliant.picture import PixelPicture
from pliant.settings import Slider, check_ranges

__all__ = ["GenerateSettings", "blank", "generate"]

BLANK = 256
"""Pixels a side of a picture that nothing is on yet."""


@dataclass(frozen=True)
class GenerateSettings:
    """How a picture is made from words."""

    num_inference_steps: Annotated[int, Slider(4, 100)] = 50
    """Steps from noise to the picture; 4 to 8 for models made for few."""
    guidance_scale: Annotated[float, Slider(1, 12)] = 5.0
    """How much the words count; 1 for the model's own measure."""
    seed: int = 0
    """Of the noise; another seed gives another picture."""
    negative_prompt: str = ""
    """What the picture should not show."""
    width: int = 0
    """In pixels; 0 for what the model was trained on."""
    height: int = 0
    """In pixels; 0 for what the model was trained on."""

    def __post_init__(self) -> None:
        """Refuse what no model could work with."""
        ranges = {"num_inference_steps": (1, 1000), "guidance_scale": (0, 30), "seed": (0, 2**32 - 1)}
        check_ranges(self, ranges | {"width": (0, 4096), "height": (0, 4096)})

    @property
    def max_steps(self) -> int:
        """Steps of a run."""
        return 1 + self.num_inference_steps


def generate(
    prompt: str,
    *,
    model: DiffusionModel | None = None,
    settings: GenerateSettings = GenerateSettings(),
) -> Iterator[DiffusionStep]:
    """Make a picture that words describe.

    Args:
        prompt: what it shows.
        model: scenes-256 if not given.
        settings: how.

    Returns:
        Steps; each shows what the picture is thought to be so far, the first is grey.

    Raises:
        InputError: no words, or more than the model reads.
    """
    if not prompt.strip():
        raise InputError("The prompt is empty; say in a few words what the picture shows.")
    model = load_diffusion() if model is None else model
    width, height = (
        round(side / 64) * 64 if side else model.resolution for side in (settings.width, settings.height)
    )
    told = model.condition(prompt.strip(), (width, height))
    against = model.condition(settings.negative_prompt.strip(), (width, height))
    shape = (1, int(model.unet.config.in_channels), height // model.factor, width // model.factor)
    everywhere = torch.ones(1, 1, *shape[2:], device=model.device)
    noise = drawn(shape, settings.seed).to(model.device)
    steps = frozenset(range(settings.num_inference_steps))
    plan = Plan(noise, everywhere, everywhere, told, against, guidance=settings.guidance_scale)
    preset = Preset(settings.num_inference_steps, bank="none", worded=steps)
    origin = {"prompt": prompt.strip(), "seed": settings.seed}
    return _shown(model, plan, preset, settings.seed, origin)


def blank() -> PixelPicture:
    """A grey picture, for a project to begin with where there is none."""
    return PixelPicture(_grey(BLANK, BLANK), {"blank": [BLANK, BLANK]})


def _grey(width: int, height: int) -> Tensor:
    return torch.full((height, width, 3), 128, dtype=torch.uint8)


def _shown(
    model: DiffusionModel, plan: Plan, preset: Preset, seed: int, origin: Mapping[str, object]
) -> Iterator[DiffusionStep]:
    height, width = (side * model.factor for side in plan.start.shape[2:])
    grey = _grey(width, height)
    whole, begun = torch.ones(height, width), model.account.forwards
    reach = Reach(whole)
    yield DiffusionStep(0, DiffusionPicture(None, grey), "edit", 0.0, 0.0, reach)
    for step, latents, _ in sample(model, plan, preset, seed):
        picture = DiffusionPicture(model, grey, whole, latents, origin)
        calls = model.account.forwards - begun
        yield DiffusionStep(step + 1, picture, "edit", 0.0, calls, reach, arrived=step == preset.steps - 1)
