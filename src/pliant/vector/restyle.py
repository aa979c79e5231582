"""Move a drawing toward words (CLIPVG: Song et al., AAAI 2023, arXiv 2212.02122).

Each prompt names a region, which may be the whole drawing. Every step rasterises the drawing once, a text-image model looks at
each region as a whole and at random slanted crops of it, and Adam moves points and colours so that the change of what it sees points
from the reference text "photo" to the prompt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pliant.errors import InputError
from pliant.perception.clip import TextImageModel
from pliant.prompts import PromptsLike
from pliant.settings import Slider
from pliant.steps import Step
from pliant.vector.scene import VectorPicture

__all__ = ["RestyleSettings", "RestyleStep", "restyle"]


@dataclass(frozen=True)
class RestyleSettings:
    """How a drawing is moved toward words; rates and weights are the paper's where nothing else is said."""

    max_steps: Annotated[int, Slider(10, 500)] = 150
    """Updates of the drawing."""
    change: Literal["both", "shapes", "colours"] = "both"
    """What may change."""
    shape_rate: Annotated[float, Slider(0.02, 2, log=True)] = 0.2
    """Adam's learning rate of points, in pixels of a drawing whose longer side has 512."""
    colour_rate: Annotated[float, Slider(0.001, 0.1, log=True)] = 0.01
    """Adam's learning rate of colours and opacities, which lie between 0 and 1."""
    crops: Annotated[int, Slider(1, 64)] = 16
    """Random crops of each region in each step; 64 as published takes longer and is steadier."""
    crop_size: Annotated[float, Slider(0.2, 1)] = 0.8
    """Side of the crops, as a share of the longer side of the region."""
    region_weight: Annotated[float, Slider(0, 100)] = 30.0
    """Weight of the view of a whole region."""
    crop_weight: Annotated[float, Slider(0, 200)] = 80.0
    """Weight of the crops' mean."""
    distortion: Annotated[float, Slider(0, 0.6)] = 0.3
    """How slanted the crops are: the share of half a side by which each corner moves inward at most."""
    direction: Literal["crop", "region", "none"] = "crop"
    """What a view is compared with: the same crop of the drawing at the start, the whole region at the start (as published), or
    nothing, so that the view itself should lie where the words point."""
    crossing_weight: Annotated[float, Slider(0, 100)] = 0.0
    """Weight against curves that cross themselves."""
    area_weight: Annotated[float, Slider(0, 100)] = 0.0
    """Weight against shapes that shrink below half of their area or turn inside out."""
    anchor_weight: Annotated[float, Slider(0, 100)] = 0.0
    """Weight that holds points and colours to where they started."""
    max_side: Annotated[int, Slider(128, 1024)] = 512
    """Longer side, in pixels, at which the drawing is painted at most for the model to look at."""
    seed: Annotated[int, Slider(0, 1000)] = 0
    """Of the crops; the same seed gives the same result."""


@dataclass(frozen=True, eq=False)
class RestyleStep(Step):
    """The drawing after `index` updates."""

    picture: VectorPicture
    loss: float
    """What is minimised, regularisers included."""
    agreement: tuple[float, ...]
    """For each prompt how far its region lies where the words point from "photo", as a cosine; it rises from step 0 on."""
    memory: object = field(repr=False, compare=False)
    """What a following run needs to go on as if it were the same one."""


def restyle(
    picture: VectorPicture,
    prompts: PromptsLike,
    *,
    words: TextImageModel | None = None,
    settings: RestyleSettings = RestyleSettings(),
    after: RestyleStep | None = None,
) -> Iterator[RestyleStep]:
    """Yield the drawing as it is, then once after each update. Closing the iterator stops."""
    raise InputError("Not built yet.")
