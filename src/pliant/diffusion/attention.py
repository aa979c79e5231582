"""Self-attention that looks at another picture: its keys and values are kept when it passes, and seen by the one that is made.

DragonDiffusion (arXiv 2307.02421, section 3.4) calls it visual cross-attention: queries are of the picture that is made, keys
and values of the one that guides it. Only the self-attention of the up blocks takes part.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["LayerBank", "Look", "Rule", "SharedAttention"]

LayerBank = dict[str, tuple[Tensor, Tensor]]
"""Keys and values of one pass, each [1, T, C], by layer."""


@dataclass(frozen=True, eq=False)
class Look:
    """A picture that is looked at."""

    bank: LayerBank
    where: Tensor | None = None
    """Float [h, w] of the picture's own shape: parts of it that may be seen, 1; all if not given."""


@dataclass(frozen=True, eq=False)
class Rule:
    """What the picture that is made sees."""

    looks: tuple[Look, ...]
    own: bool = False
    """Itself, too."""


class SharedAttention:
    """The self-attention layers of a UNet's up blocks, which keep what passes or follow a rule.

    Args:
        unet: of diffusers; its layers compute as before as long as nothing is asked for.
    """

    def __init__(self, unet: Any) -> None:
        self.layers: list[str] = []
        self._rule: Rule | None = None
        self._kept: LayerBank | None = None
        self._chosen: dict[tuple[int, int], Tensor] = {}
        for name, module in unet.named_modules():
            if name.startswith("up_blocks.") and name.endswith(".attn1"):
                self.layers.append(name)
                module.set_processor(_Processor(name, self))

    @contextmanager
    def keeping(self, bank: LayerBank) -> Generator[None]:
        """While this lasts, keys and values go into the bank."""
        self._kept = bank
        try:
            yield
        finally:
            self._kept = None

    @contextmanager
    def following(self, rule: Rule | None) -> Generator[None]:
        """While this lasts, the rule says what is seen; None for the picture itself only."""
        self._rule = rule
        try:
            yield
        finally:
            self._rule = None
            self._chosen.clear()

    def seen(self, layer: str, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """What a layer attends to in place of its own keys and values, each [N, T, C]."""
        if self._kept is not None:
            self._kept[layer] = keys.detach(), values.detach()
        rule = self._rule
        if rule is None:
            return keys, values
        parts = [(keys, values)] if rule.own else []
        for number, look in enumerate(rule.looks):
            kept = [each.to(keys.device, keys.dtype) for each in look.bank[layer]]
            if look.where is not None:
                chosen = self._tokens(number, look.where, kept[0].shape[1]).to(keys.device)
                kept = [each[:, chosen] for each in kept]
            parts.append((kept[0].expand(len(keys), -1, -1), kept[1].expand(len(keys), -1, -1)))
        return torch.cat([key for key, _ in parts], 1), torch.cat([value for _, value in parts], 1)

    def _tokens(self, number: int, where: Tensor, count: int) -> Tensor:
        """Which of a layer's tokens lie in a part of the picture; the nearest to it if none does."""
        if (number, count) not in self._chosen:
            height = round(math.sqrt(count * where.shape[0] / where.shape[1]))
            share = F.adaptive_avg_pool2d(where[None, None].float(), (height, count // height)).flatten()
            chosen = torch.nonzero(share >= 0.5).flatten()
            self._chosen[number, count] = chosen if len(chosen) else share.argmax()[None]
        return self._chosen[number, count]


class _Processor:
    """How a layer computes; as `AttnProcessor2_0` of diffusers for the self-attention of transformer blocks."""

    def __init__(self, layer: str, shared: SharedAttention) -> None:
        self._layer, self._shared = layer, shared

    def __call__(self, attn: Any, hidden_states: Tensor, *_: Any, **_more: Any) -> Tensor:
        """[N, T, C] to the same."""
        keys, values = self._shared.seen(self._layer, attn.to_k(hidden_states), attn.to_v(hidden_states))
        query, key, value = (
            each.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            for each in (attn.to_q(hidden_states), keys, values)
        )
        seen = F.scaled_dot_product_attention(query, key, value, scale=attn.scale)
        return attn.to_out[1](attn.to_out[0](seen.transpose(1, 2).flatten(2)))
