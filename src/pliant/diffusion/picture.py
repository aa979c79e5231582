"""DiffusionPicture: a photo, part of which a diffusion model made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import torch
from PIL import Image
from torch import Tensor

from pliant.diffusion.pipeline import DiffusionModel
from pliant.errors import InputError
from pliant.images import from_uint8, resize, to_uint8
from pliant.picture import Picture

__all__ = ["DiffusionPicture"]


@dataclass(frozen=True, eq=False)
class DiffusionPicture(Picture):
    """A photo whose pixels in a mask come from latents; all others are its own, bit for bit.

    Args:
        model: that decodes the latents; None for a photo alone.
        rgb: uint8 [H, W, 3], the photo.
        mask: float32 [H, W], how much of the model's picture is seen; None for the photo alone.
        latents: [C, h, w] of the model; None without a mask.
        origin: JSON-ready facts on where the photo comes from.
    """

    kind: ClassVar[str] = "diffusion"

    model: DiffusionModel | None = field(repr=False)
    rgb: Tensor = field(repr=False)
    mask: Tensor | None = field(default=None, repr=False)
    latents: Tensor | None = field(default=None, repr=False)
    origin: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def restore(
        cls, model: DiffusionModel | None, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]
    ) -> DiffusionPicture:
        """Inverse of `state`.

        Raises:
            InputError: something is missing, or does not fit together.
        """
        rgb, mask, latents = (tensors.get(name) for name in ("rgb", "mask", "latents"))
        if rgb is None or rgb.dtype != torch.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
            raise InputError("The saved picture has lost its photo 'rgb'.")
        if (mask is None) != (latents is None) or (mask is not None and mask.shape != rgb.shape[:2]):
            raise InputError("The saved picture's mask and latents do not belong to its photo.")
        if latents is not None:
            if model is None:
                raise InputError("The saved picture does not say which model made it.")
            width, height = model.working_size((rgb.shape[1], rgb.shape[0]))
            expected = [model.unet.config.in_channels, height // model.factor, width // model.factor]
            if list(latents.shape) != expected:
                raise InputError(
                    f"The saved picture's latents are {list(latents.shape)}; {model.name} makes {expected}."
                )
            latents = latents.float().to(model.device)
        origin = facts.get("origin")
        return cls(
            model, rgb, mask, latents, cast("dict[str, Any]", origin) if isinstance(origin, dict) else {}
        )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]

    def pixels(self) -> Tensor:
        """Float32 [3, H, W] in [-1, 1], on the CPU."""
        return from_uint8(self.rgb_image())

    def rgb_image(self) -> Tensor:
        """The pixels as uint8 [H, W, 3]; those of the photo are the photo's to the bit."""
        if self.mask is None or self.latents is None or self.model is None:
            return self.rgb
        as_saved = self.latents.half().float()
        return self._with(self.mask, self.model.decode(as_saved).cpu())

    def render(self) -> Image.Image:
        """The pixels as PIL."""
        return Image.fromarray(self.rgb_image().numpy())

    def preview(self) -> Image.Image:
        """As `render`; on a CPU, where decoding takes as long as a step, only the colours of what is being made."""
        if self.mask is None or self.latents is None or self.model is None or self.model.device.type != "cpu":
            return self.render()
        seen = self._with(self.mask, self.model.glimpse(self.latents))
        return Image.fromarray(seen.numpy())

    def _with(self, mask: Tensor, made: Tensor) -> Tensor:
        """What was made, [3, h, w], in the mask over the photo."""
        if tuple(made.shape[1:]) != tuple(self.rgb.shape[:2]):
            made = resize(made, (self.rgb.shape[0], self.rgb.shape[1]))
        share = mask[:, :, None]
        mixed = share * to_uint8(made).float() + (1 - share) * self.rgb
        return torch.where(share > 0, mixed.round().byte(), self.rgb)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The photo, the mask and the latents, these as float16."""
        tensors = {"rgb": self.rgb}
        if self.mask is not None and self.latents is not None:
            tensors |= {"mask": self.mask, "latents": self.latents.cpu().half()}
        return tensors, {"model": self.model and self.model.name, "origin": dict(self.origin)}
