"""Restyle the pixels of a photo by words: CLIPstyler (Kwon & Ye, CVPR 2022, arXiv 2112.00374), and plain pixels beside it.

A small network is trained for this one photo to change it, so that the whole points from the reference "photo" to the words and
small slanted crops do, too; crops that agree enough already stop counting (threshold rejection), which spreads the style
evenly. The same loss on plain pixels is the baseline that CLIPVG argues against.

Weights, rates and the size of crops are the paper's. We differ in that the network starts from doing nothing, in what a crop
is compared with (`guidance.py`), in fewer crops by default, and in the content term, which uses the deeper features of the
network that finds landmarks instead of VGG's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from pliant.images import to_tensor, to_uint8
from pliant.perception.clip import TextImageModel, load_words
from pliant.perception.likeness import Likeness, landmark_features
from pliant.picture import PixelPicture
from pliant.prompts import Prompt, PromptsLike, as_prompts
from pliant.settings import Slider, check_ranges
from pliant.steps import Step
from pliant.vector.crops import Crops
from pliant.vector.guidance import Guidance, check_views
from pliant.vector.trace import traced_size

__all__ = ["StyliseSettings", "StyliseStep", "stylise"]


@dataclass(frozen=True)
class StyliseSettings:
    """How a photo is stylised; numbers are the paper's."""

    method: Literal["network", "pixels"] = "network"
    """Train a small network that changes the photo (CLIPstyler), or change its pixels themselves."""
    max_steps: Annotated[int, Slider(10, 500)] = 200
    """Updates; the rate is halved after half of them."""
    rate: Annotated[float, Slider(1e-5, 1e-2, log=True)] = 5e-4
    """Adam's learning rate of the network."""
    pixel_rate: Annotated[float, Slider(1e-3, 0.1, log=True)] = 0.01
    """Adam's learning rate of pixels, which lie between 0 and 1."""
    crops: Annotated[int, Slider(1, 64)] = 16
    """Random crops of each region in each step; 64, as published, take longer and are steadier."""
    crop_size: Annotated[float, Slider(0.1, 1)] = 0.25
    """Side of the crops, as a share of the longer side of the region."""
    distortion: Annotated[float, Slider(0, 0.6)] = 0.5
    """How slanted the crops are."""
    direction: Literal["none", "crop", "region"] = "none"
    """What a view is compared with: nothing, so that it should lie itself where the words point from "photo"; or the same crop
    of the photo, or the whole photo (published), so that its change should point there."""
    crop_weight: Annotated[float, Slider(0, 20000)] = 9000.0
    """Weight of the mean of the crops."""
    region_weight: Annotated[float, Slider(0, 2000)] = 500.0
    """Weight of the view of a whole region."""
    content_weight: Annotated[float, Slider(0, 1000)] = 150.0
    """Weight of staying like the photo in what it shows."""
    smooth_weight: Annotated[float, Slider(0, 0.01)] = 2e-3
    """Weight of the total variation, of a picture of 512 x 512."""
    rejection: Annotated[float, Slider(0, 1)] = 0.7
    """Crops whose loss (1 less the cosine) is below this count no more; 0 for all count always."""
    max_side: Annotated[int, Slider(64, 1024)] = 512
    """A larger photo is brought to this size."""
    seed: Annotated[int, Slider(0, 1000)] = 0
    """Of the network and the crops; the same seed gives the same result."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        ranges = {
            "max_steps": (1, 100_000), "rate": (0, 1), "pixel_rate": (0, 1), "crops": (0, 256), "rejection": (0, 2),
            "crop_size": (0.05, 2), "distortion": (0, 0.6), "max_side": (16, 2048), "seed": (0, 2**31),
            **dict.fromkeys(("crop_weight", "region_weight", "content_weight", "smooth_weight"), (0, 1e6)),
        }  # fmt: skip
        check_ranges(self, ranges)
        check_views(self.region_weight, self.crop_weight, self.crops)


@dataclass(frozen=True, eq=False)
class StyliseStep(Step):
    """The photo after `index` updates, of the size that was worked on."""

    picture: PixelPicture
    loss: float
    """What is minimised."""
    agreement: tuple[float, ...]
    """For each prompt the cosine between the view of its region and the way from "photo" to its words; it rises."""


def stylise(
    picture: PixelPicture,
    prompts: PromptsLike,
    *,
    words: TextImageModel | None = None,
    settings: StyliseSettings = StyliseSettings(),
) -> Iterator[StyliseStep]:
    """Yield the photo at the size that is worked on, then once after each update. Closing the iterator stops.

    Args:
        picture: the photo.
        prompts: what it should become; if all of them have boxes, the rest stays as it is.
        words: the text-image model; None for the embedded one.
        settings: the method's parameters.

    Raises:
        InputError: prompts that cannot be used.
        CheckpointError: there is no text-image model.
    """
    asked = as_prompts(prompts, picture.size)
    return _updates(picture, asked, words or load_words(), settings)


def _updates(
    picture: PixelPicture, prompts: tuple[Prompt, ...], words: TextImageModel, settings: StyliseSettings
) -> Iterator[StyliseStep]:
    small = picture.render().resize(traced_size(picture.size, settings.max_side), Image.Resampling.LANCZOS)
    start = to_tensor(small).to(words.device)
    painter = _painter(start, settings)
    changing = _changing(prompts, picture.size, start)
    guidance = Guidance(
        words,
        prompts,
        picture.size,
        start,
        Crops(settings.crops, (settings.crop_size, settings.crop_size), 0.0, settings.distortion),
        weights=(settings.region_weight, settings.crop_weight),
        comparison=settings.direction,
        rejected=settings.rejection,
        seed=settings.seed,
    )
    content = Likeness(start[None], _deep_features)
    rate = settings.rate if settings.method == "network" else 2 * settings.pixel_rate
    optimiser = torch.optim.Adam(painter.parameters(), rate)
    for index in range(settings.max_steps + 1):
        painted = torch.where(changing, painter(), start)
        pull = guidance(painted, index)
        kept = settings.content_weight * content(painted[None]).sum()
        kept = kept + settings.smooth_weight * 512**2 * _variation(painted)
        now = PixelPicture(to_uint8(painted).cpu(), picture.origin)
        yield StyliseStep(index, now, pull.loss + float(kept.detach()), pull.agreement)
        if index == settings.max_steps:
            return
        optimiser.param_groups[0]["lr"] = rate * (1.0 if index < settings.max_steps / 2 else 0.5)
        optimiser.zero_grad()
        torch.autograd.backward([painted, kept], [pull.gradient, None])
        for parameter in painter.parameters():
            if parameter.grad is not None:
                parameter.grad.nan_to_num_(0, 0, 0)
        optimiser.step()


class _Pixels(nn.Module):
    """The picture itself."""

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.pixels = nn.Parameter(start.clone())

    def forward(self) -> Tensor:
        return _limited(self.pixels)


class _Network(nn.Module):
    """The photo and what a network of three scales, each seeing the one above, adds to it: at first nothing."""

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.start: Tensor
        self.register_buffer("start", start)
        widths = (16, 32, 64)
        self.down = nn.ModuleList(
            _block(inputs, width) for inputs, width in zip((3, *widths[:-1]), widths, strict=True)
        )
        self.up = nn.ModuleList(_block(low + high, high) for low, high in ((64, 32), (32, 16)))
        self.out = nn.Conv2d(widths[0], 3, 1, bias=False)
        nn.init.zeros_(self.out.weight)

    def forward(self) -> Tensor:
        x = self.start[None]
        scales: list[Tensor] = []
        for block in self.down:
            x = block(functional.avg_pool2d(x, 2, ceil_mode=True) if scales else x)
            scales.append(x)
        for block, finer in zip(self.up, reversed(scales[:-1]), strict=True):
            x = functional.interpolate(x, finer.shape[2:], mode="bilinear", align_corners=False)
            x = block(torch.cat([x, finer], dim=1))
        return _limited(self.start + self.out(x)[0])


def _painter(start: Tensor, settings: StyliseSettings) -> nn.Module:
    if settings.method == "pixels":
        return _Pixels(start)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return _Network(start.cpu()).to(start.device)


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.GroupNorm(4, outputs),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.GroupNorm(4, outputs),
        nn.LeakyReLU(0.2, inplace=True),
    )


def _limited(picture: Tensor) -> Tensor:
    """What can be shown, from -1 to 1; gradients go on beyond it, so that nothing is stuck there."""
    return picture + (picture.clamp(-1, 1) - picture).detach()


def _deep_features(images: Tensor) -> list[Tensor]:
    """The coarser half of what the landmark network sees: what is where, not how it is painted."""
    return landmark_features()(images)[2:]


def _variation(picture: Tensor) -> Tensor:
    """Mean over the pixels of how much each differs from its neighbours across and down."""
    across, down = picture.diff(dim=2).abs(), picture.diff(dim=1).abs()
    return (across.sum() + down.sum()) / picture[0].numel()


def _changing(prompts: tuple[Prompt, ...], size: tuple[int, int], start: Tensor) -> Tensor:
    """Bool [H, W]: where the photo may change."""
    height, width = start.shape[1:]
    changing = torch.zeros(height, width, dtype=torch.bool, device=start.device)
    across, down = width / size[0], height / size[1]
    for prompt in prompts:
        x, y, wide, high = prompt.box or (0, 0, *size)
        changing[
            round(y * down) : round((y + high) * down), round(x * across) : round((x + wide) * across)
        ] = True
    return changing
