"""How like a photo a drawing is, and how much it shows what words say."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from pliant.images import to_tensor
from pliant.perception.clip import TextImageModel
from pliant.prompts import Prompt
from pliant.vector.crops import Crops
from pliant.vector.guidance import Guidance
from pliant.vector.raster import rasterise
from pliant.vector.scene import VectorPicture

__all__ = ["agreement", "likeness", "psnr", "traced_size"]

MAX_SIDE = 768
"""A larger photo is traced, and compared, at this size."""


def traced_size(size: tuple[int, int], most: int) -> tuple[int, int]:
    """Width and height at which a photo is traced."""
    share = min(1.0, most / max(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def psnr(first: Tensor, second: Tensor) -> float:
    """Decibels between two pictures in [-1, 1]; infinite for the same."""
    error = float((first - second).double().square().mean()) / 4
    return -10 * math.log10(error) if error > 0 else math.inf


@torch.no_grad()
def likeness(picture: VectorPicture, photo: Image.Image, max_side: int = MAX_SIDE) -> float:
    """Decibels between a drawing and a photo, both at most `max_side` pixels wide and high."""
    small = photo.convert("RGB").resize(traced_size(photo.size, max_side), Image.Resampling.LANCZOS)
    return psnr(rasterise(picture.scene, small.size), to_tensor(small))


@torch.no_grad()
def agreement(picture: VectorPicture, prompts: Sequence[Prompt], words: TextImageModel) -> tuple[float, ...]:
    """For each prompt how far its region lies where the words point from "photo", as a cosine of the model.

    How much it rises from one drawing to another is what words have gained; best by a model that took no part in it.

    Args:
        picture: the drawing.
        prompts: of `as_prompts`.
        words: the model that judges.
    """
    painted = rasterise(picture.scene, traced_size(picture.size, MAX_SIDE)).float()
    whole = Crops(0, (1.0, 1.0), 0.0, 0.0)
    return Guidance(words, prompts, picture.scene.size, painted, whole, comparison="none")(
        painted, 0
    ).agreement
