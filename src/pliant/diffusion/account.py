"""What edits compute, in forward equivalents of the UNet.

One unit is a forward of the whole UNet for one picture, so that a call with and without words counts two. Features that leave
the UNet early count the part that was passed, in multiply-adds; a gradient through them counts the same once more.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

__all__ = ["Account"]


class Account:
    """Forward equivalents since a model was loaded.

    Args:
        config: of the UNet.
        levels: the up blocks after the last of which features are complete.
    """

    def __init__(self, config: Any, levels: tuple[int, int]) -> None:
        self.forwards = 0.0
        self._config, self._last = config, max(levels)
        self._shares: dict[tuple[int, ...], float] = {}

    def add_forward(self, latents: Tensor) -> None:
        """A pass through all of it."""
        self.forwards += len(latents)

    def add_features(self, latents: Tensor) -> None:
        """A pass that left early."""
        self.forwards += len(latents) * self.share(latents)

    add_gradient = add_features
    """A gradient back through such a pass."""

    def share(self, latents: Tensor) -> float:
        """How much of the whole the way to the features is, for latents of this shape."""
        shape = (1, *latents.shape[1:])
        if shape not in self._shares:
            self._shares[shape] = self._measured(shape)
        return self._shares[shape]

    def _measured(self, shape: tuple[int, ...]) -> float:
        """On a copy without memory, which computes nothing."""
        from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

        with torch.device("meta"), torch.no_grad():
            made: Any = UNet2DConditionModel.from_config(self._config)
            unet: Any = made.eval()
            words = torch.zeros(1, 77, unet.config.cross_attention_dim)
            more: dict[str, Any] = {}
            if unet.config.addition_embed_type == "text_time":
                ids = torch.zeros(1, 6)
                width = unet.config.projection_class_embeddings_input_dim
                pooled = torch.zeros(1, width - 6 * unet.config.addition_time_embed_dim)
                more["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": ids}
            passed = [0]
            with FlopCounterMode(display=False) as counter:

                def note(*_: Any) -> None:
                    passed.append(counter.get_total_flops())

                unet.up_blocks[self._last].register_forward_hook(note)
                unet(torch.zeros(shape), torch.tensor(1), encoder_hidden_states=words, **more)
            return passed[-1] / counter.get_total_flops()
