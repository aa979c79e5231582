"""Picture: pixels together with the code that made them, the one noun of Pliant.

An engine brings its own kind: a latent picture is a generator and its code. A picture never changes; every
edit makes new ones.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from PIL import Image
from torch import Tensor

from pliant.images import save_image, to_pil

__all__ = ["Picture", "Restore"]


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

    def render(self) -> Image.Image:
        """Compute the picture as PIL and keep nothing, for sequences whose frames are shown once."""
        return to_pil(self.pixels())

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

        facts = {"software": f"pliant {__version__}", "picture": {"kind": self.kind, **self.state()[1]}}
        save_image(self._image, path, {**facts, **(metadata or {})})

    @cached_property
    def _image(self) -> Image.Image:
        return self.render()

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self._image.save(buffer, "PNG")
        return buffer.getvalue()


Restore = Callable[[str, dict[str, Tensor], dict[str, Any]], Picture]
"""Makes a saved picture again, from its kind and what its `state()` gave."""
