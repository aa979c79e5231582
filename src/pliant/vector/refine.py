"""Fit a drawing to a photo by gradient descent: points and colours move until its picture is more like the photo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from PIL import Image

from pliant.errors import InputError
from pliant.images import to_tensor
from pliant.settings import Slider
from pliant.steps import Step
from pliant.vector.compare import psnr, traced_size
from pliant.vector.raster import rasterise
from pliant.vector.scene import VectorPicture
from pliant.vector.variables import Rates, Variables

__all__ = ["RefineSettings", "RefineStep", "refine"]


@dataclass(frozen=True)
class RefineSettings:
    """How a drawing is fitted to its photo; the rates are those of CLIPVG (arXiv 2212.02122)."""

    steps: Annotated[int, Slider(0, 300)] = 40
    """Updates of the drawing."""
    shape_rate: Annotated[float, Slider(0, 1)] = 0.2
    """Adam's learning rate of points, in pixels; 0 keeps the shapes."""
    colour_rate: Annotated[float, Slider(0, 0.1)] = 0.01
    """Adam's learning rate of colours, which lie between 0 and 1; 0 keeps them."""
    max_side: Annotated[int, Slider(64, 2048)] = 768
    """A larger photo is compared at this size."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        for name in ("steps", "shape_rate", "colour_rate"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InputError(f"{name} must be 0 or more; it is {getattr(self, name)}.")
        if not 16 <= self.max_side <= 2048:
            raise InputError(f"max_side must be between 16 and 2048; it is {self.max_side}.")


@dataclass(frozen=True, eq=False)
class RefineStep(Step):
    """One update."""

    picture: VectorPicture
    psnr: float
    """How like the photo it is at the size of comparison, in decibels."""


def refine(
    picture: VectorPicture, photo: Image.Image, settings: RefineSettings = RefineSettings()
) -> Iterator[RefineStep]:
    """Yield the drawing as it is, then once after each update. Closing the iterator stops.

    Paths whose shape or colour is locked keep it, and hidden paths all of theirs. A colour that several paths share
    stays shared, and stays as it is if one of them is locked.

    Args:
        picture: a drawing, such as `trace` makes.
        photo: what it should look like.
        settings: the method's parameters.

    Raises:
        InputError: a photo that has not the proportions of the drawing, or a drawing of which nothing can change.
    """
    width, height = picture.scene.size
    if abs(width * photo.height - height * photo.width) > max(width, height, *photo.size):
        raise InputError(
            f"The drawing is {width:g} x {height:g} and the photo {photo.width} x {photo.height}: "
            "they need the same proportions."
        )
    return _updates(picture, photo, settings)


def _updates(picture: VectorPicture, photo: Image.Image, settings: RefineSettings) -> Iterator[RefineStep]:
    size = traced_size(photo.size, settings.max_side)
    small = photo.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    target = to_tensor(small).to(picture.scene.points)
    moving = Variables(
        picture.scene, Rates(settings.shape_rate * picture.scene.size[0] / size[0], settings.colour_rate)
    )
    for index in range(settings.steps + 1):
        painted = rasterise(moving.scene(), size)
        yield RefineStep(index, picture.with_scene(moving.still()), psnr(painted.detach(), target))
        if index == settings.steps:
            return
        (painted - target).square().mean().backward()
        moving.update()
