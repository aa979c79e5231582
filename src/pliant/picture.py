"""Picture: pixels together with the code that made them, the one noun of Pliant.

An engine brings its own kind: a latent picture is a generator and its code. A picture never changes; every
edit makes new ones. A photo from a file is a `PixelPicture` until an engine finds a code for it.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pliant.errors import InputError
from pliant.images import MAX_PIXELS, save_image, to_pil, to_tensor

__all__ = ["Picture", "PixelPicture", "Restore"]


class Picture(ABC):
    """What all kinds of picture have in common; the subclasses are frozen dataclasses in the engines."""

    kind: ClassVar[str]
    """The engine's word for it, such as "latent"; edits and project files tell pictures apart by it."""

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    @abstractmethod
    def pixels(self) -> Tensor:
        """Compute the pixels: float32 RGB [3, H, W] in [-1, 1], on the device of the picture."""

    @abstractmethod
    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that is needed to make the picture again, as tensors on the CPU and as JSON-ready facts."""

    def about(self) -> dict[str, Any]:
        """What made the picture, as JSON-ready facts for people who look into an image of it."""
        return self.state()[1]

    def render(self) -> Image.Image:
        """Compute the picture as PIL and keep nothing, for sequences whose frames are shown once."""
        return to_pil(self.pixels())

    def preview(self) -> Image.Image:
        """The picture for a moment, such as a live frame: as `render`, or faster and nearly the same."""
        return self.render()

    def image(self) -> Image.Image:
        """The picture as PIL, computed when first asked for and kept."""
        return self._image.copy()  # a copy, because PIL images can be drawn on and pictures never change

    def save(self, path: str | Path, metadata: Mapping[str, Any] | None = None) -> None:
        """Write a .png, .jpg or .webp, with what made the picture in its metadata.

        Args:
            path: where to; the suffix says the format.
            metadata: JSON-ready facts to add, such as the edit and its settings.

        Raises:
            InputError: an unknown suffix, or a place that cannot be written to.
        """
        from pliant import __version__

        facts = {"software": f"pliant {__version__}", "picture": {"kind": self.kind, **self.about()}}
        save_image(self._image, path, {**facts, **(metadata or {})})

    @cached_property
    def _image(self) -> Image.Image:
        return self.render()

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self._image.save(buffer, "PNG")
        return buffer.getvalue()


@dataclass(frozen=True, eq=False)
class PixelPicture(Picture):
    """A picture that is nothing but its pixels, such as a photo from a file.

    Args:
        rgb: uint8 [H, W, 3].
        origin: JSON-ready facts on where it comes from, kept in saved files.
    """

    kind: ClassVar[str] = "pixels"

    rgb: Tensor = field(repr=False)
    origin: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        """Refuse what is no picture."""
        shape = tuple(self.rgb.shape)
        if self.rgb.dtype != torch.uint8 or len(shape) != 3 or shape[2] != 3 or 0 in shape:
            raise InputError(f"Pixels are uint8 [H, W, 3]; these are {self.rgb.dtype} {list(shape)}.")
        if shape[0] * shape[1] > MAX_PIXELS:
            raise InputError(f"The picture is too large: at most {MAX_PIXELS // 10**6} megapixels.")

    @classmethod
    def of(cls, image: Image.Image, origin: Mapping[str, Any] | None = None) -> PixelPicture:
        """The picture of a decoded image."""
        return cls(torch.from_numpy(np.array(image.convert("RGB"))), origin or {})

    @classmethod
    def restore(cls, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> PixelPicture:
        """Inverse of `state`.

        Raises:
            InputError: there are no pixels in it.
        """
        if "rgb" not in tensors:
            raise InputError("The saved picture has lost its pixels 'rgb'.")
        origin = facts.get("origin")
        return cls(tensors["rgb"], cast("dict[str, Any]", origin) if isinstance(origin, dict) else {})

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]

    def pixels(self) -> Tensor:
        """Float32 [3, H, W] in [-1, 1], on the CPU."""
        return to_tensor(self.render())

    def render(self) -> Image.Image:
        """The pixels as PIL."""
        return Image.fromarray(self.rgb.numpy())

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The pixels."""
        return {"rgb": self.rgb}, {"origin": dict(self.origin)}


Restore = Callable[[str, dict[str, Tensor], dict[str, Any]], Picture]
"""Makes a saved picture again, from its kind and what its `state()` gave."""
