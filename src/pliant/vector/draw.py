"""Draw strokes that show what words say (CLIPDraw: Frans, Soros & Witkowski, arXiv 2106.14843)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from pliant.errors import InputError
from pliant.perception.clip import TextImageModel
from pliant.prompts import PromptsLike
from pliant.settings import Slider
from pliant.steps import Step
from pliant.vector.scene import VectorPicture

__all__ = ["DrawSettings", "DrawStep", "blank", "draw"]


@dataclass(frozen=True)
class DrawSettings:
    """How strokes are drawn; the defaults are the paper's, whose canvas has 224 pixels."""

    strokes: Annotated[int, Slider(8, 1024, log=True)] = 256
    """How many strokes there are, of one to three cubics each."""
    max_steps: Annotated[int, Slider(10, 1000)] = 250
    """Updates of the strokes; the rates of points fall to 0.4 of theirs at half and to 0.1 at three quarters of them."""
    shape_rate: Annotated[float, Slider(0.1, 5, log=True)] = 1.0
    """Adam's learning rate of points, in pixels of a canvas of 224."""
    width_rate: Annotated[float, Slider(0, 1)] = 0.1
    """Adam's learning rate of widths, in the same pixels; 0 keeps them."""
    colour_rate: Annotated[float, Slider(0, 0.1)] = 0.01
    """Adam's learning rate of colours and opacities; 0 keeps them."""
    crops: Annotated[int, Slider(1, 64)] = 8
    """Random crops of each region in each step."""
    seed: Annotated[int, Slider(0, 1000)] = 0
    """Of the strokes and the crops; the same seed gives the same drawing."""


@dataclass(frozen=True, eq=False)
class DrawStep(Step):
    """The drawing after `index` updates."""

    picture: VectorPicture
    loss: float
    agreement: tuple[float, ...]
    """For each prompt how far its region lies where the words point, as a cosine."""
    memory: object = field(repr=False, compare=False)
    """What a following run needs to go on as if it were the same one."""


def blank(size: tuple[float, float]) -> VectorPicture:
    """A white drawing without paths; width and height in user units."""
    raise InputError("Not built yet.")


def draw(
    picture: VectorPicture,
    prompts: PromptsLike,
    *,
    words: TextImageModel | None = None,
    settings: DrawSettings = DrawSettings(),
    after: DrawStep | None = None,
) -> Iterator[DrawStep]:
    """Yield the drawing with new strokes on top of it, then once after each update. Closing the iterator stops."""
    raise InputError("Not built yet.")
