"""Reference-latent control (DragDiffusion, arXiv 2306.14435): a picture is made that looks at another throughout.

`attention.py` lets all self-attention of the decoder look; here it is part of it, and keys and values are simply exchanged.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from pliant.diffusion.attention import LayerBank
from pliant.diffusion.lora import Hook, hooked
from pliant.diffusion.pipeline import DiffusionModel

__all__ = ["ReferenceControl"]


class ReferenceControl:
    """The finer self-attention of the decoder, which keeps keys and values of one pass and sees them in another.

    Its layers are those of the up blocks after the one that ends at a sixteenth of the picture: numbers 10 to 15 of the 16
    of Stable Diffusion 1.5, as published.

    Args:
        model: whose layers they are.
    """

    def __init__(self, model: DiffusionModel) -> None:
        self.layers = [name for name in model.attention.layers if int(name.split(".")[1]) > model.levels[0]]
        self._unet: Any = model.unet

    @contextmanager
    def keeping(self, bank: LayerBank) -> Generator[None]:
        """While this lasts, keys and values of passes go into the bank."""
        found: dict[nn.Module, Tensor] = {}

        def keep(module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
            found[module] = output

        with hooked((module, keep) for layer in self.layers for module in self._pair(layer)):
            yield
        for layer in self.layers:
            key, value = self._pair(layer)
            bank[layer] = found[key], found[value]

    @contextmanager
    def seeing(self, bank: LayerBank) -> Generator[None]:
        """While this lasts, passes see what is in the bank in place of their own keys and values."""
        with hooked(
            (module, _instead(kept))
            for layer in self.layers
            for module, kept in zip(self._pair(layer), bank[layer], strict=True)
        ):
            yield

    def _pair(self, layer: str) -> tuple[nn.Module, nn.Module]:
        attention = self._unet.get_submodule(layer)
        return attention.to_k, attention.to_v


def _instead(kept: Tensor) -> Hook:
    def instead(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return kept.to(output).expand_as(output)

    return instead
