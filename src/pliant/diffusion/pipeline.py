"""A latent diffusion model as edits use it: words and noisy latents to noise, pictures to latents and back.

The networks are those of diffusers, as they are. What is ours is what editing asks of them: features of two places in the
middle of the UNet, the arithmetic of the noise schedule, and an account of what was computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from pliant.diffusion.account import Account
from pliant.diffusion.attention import SharedAttention
from pliant.diffusion.colours import LatentColours
from pliant.diffusion.schedule import NoiseSchedule
from pliant.errors import CheckpointError, InputError
from pliant.images import resize

if TYPE_CHECKING:
    from pliant.diffusion.inversion import Banks

__all__ = ["Condition", "DiffusionModel", "Features", "TextTower"]

GRAINS = (16, 8)
"""Pixels of the picture for each cell of the features that edits compare, the coarse ones first (DragonDiffusion)."""
SIDES = 64
"""The sides of pictures that the networks see are multiples of this."""

Features = tuple[Tensor, Tensor]
"""[N, C, H/16, W/16] and [N, C, H/8, W/8], float32."""


@dataclass(frozen=True, eq=False)
class Condition:
    """What the UNet is told of the words."""

    hidden: Tensor
    """[N, T, D]."""
    added: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    """What else SDXL takes, each [N, D]."""

    def with_other(self, other: Condition) -> Condition:
        """Both in one batch, this one first."""
        added = {name: torch.cat([each, other.added[name]]) for name, each in self.added.items()}
        return Condition(torch.cat([self.hidden, other.hidden]), added)

    def repeated(self, count: int) -> Condition:
        """The same for each of several rows."""
        added = {name: each.repeat(count, 1) for name, each in self.added.items()}
        return Condition(self.hidden.repeat(count, 1, 1), added)


@dataclass(frozen=True, eq=False)
class TextTower:
    """One of the encoders of words: SDXL has two, the others have one."""

    tokenizer: Any
    encoder: nn.Module


class DiffusionModel:
    """A model as edits use it; made by `loading.load_diffusion`.

    Args:
        name: what pictures and projects call it.
        unet: frozen.
        vae: frozen.
        towers: one, or the two of SDXL.
        schedule: of its noise.
        zero_empty: the empty prompt is zeros, as some of SDXL are trained.
    """

    def __init__(
        self,
        name: str,
        unet: nn.Module,
        vae: nn.Module,
        towers: Sequence[TextTower],
        schedule: NoiseSchedule,
        *,
        zero_empty: bool = False,
    ) -> None:
        from pliant.diffusion.inversion import Banks

        self.name, self.schedule = name, schedule
        self.unet, self.vae = cast("Any", unet), cast("Any", vae)
        self._towers, self._zero_empty = tuple(towers), zero_empty
        for network in (unet, vae, *(tower.encoder for tower in towers)):
            network.requires_grad_(False).eval()
        self.factor = 2 ** (len(self.vae.config.block_out_channels) - 1)
        """Pixels of the picture for each cell of the latents."""
        self.levels = feature_levels(self.unet, self.factor)
        self.account = Account(self.unet.config, self.levels)
        self.attention = SharedAttention(self.unet)
        self._colours = LatentColours(int(self.unet.config.in_channels))
        self.banks: Banks = Banks()
        """What is known of pictures that were edited."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.unet.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Of the UNet."""
        return next(self.unet.parameters()).dtype

    @property
    def resolution(self) -> int:
        """Side of the square pictures that it was trained on, in pixels."""
        return int(self.unet.config.sample_size) * self.factor

    def working_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Width and height at which a picture is edited: as many pixels as the model was trained on, the same shape.

        Args:
            size: width and height of the picture.
        """
        zoom = self.resolution / math.sqrt(size[0] * size[1])
        width, height = (max(SIDES, round(side * zoom / SIDES) * SIDES) for side in size)
        return width, height

    # ---- pictures and latents

    @torch.no_grad()
    def encode(self, pixels: Tensor) -> Tensor:
        """Latents of a picture.

        Args:
            pixels: [3, H, W] in [-1, 1], any size.

        Returns:
            float32 [1, C, h, w], of the working size.
        """
        width, height = self.working_size((pixels.shape[2], pixels.shape[1]))
        shown = pixels[None].float()
        shown = shown if shown.shape[2:] == (height, width) else resize(shown, (height, width))
        place = next(self.vae.parameters())
        mean = self.vae.encode(shown.to(place.device, place.dtype)).latent_dist.mean
        latents = mean.float().to(self.device) * self.vae.config.scaling_factor
        self._colours.learn(latents[0], shown[0])
        return latents

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """The picture [3, H, W] in [-1, 1] of latents [C, h, w]."""
        place = next(self.vae.parameters())
        scaled = latents[None].to(place.device, place.dtype) / self.vae.config.scaling_factor
        pixels = self.vae.decode(scaled).sample[0].float().clamp(-1, 1)
        self._colours.learn(latents, pixels)
        return pixels

    def glimpse(self, latents: Tensor) -> Tensor:
        """Colours of latents [C, h, w], smooth and without detail, in a thousandth of the time of `decode`.

        Returns:
            [3, H, W] in [-1, 1] on the CPU; the first, where no picture was encoded, takes as long as `decode`.
        """
        if not self._colours.known:
            self.decode(latents)
        small = self._colours.of(latents)
        size = latents.shape[1] * self.factor, latents.shape[2] * self.factor
        return resize(small, size)

    # ---- words

    @torch.no_grad()
    def condition(self, prompt: str, size: tuple[int, int]) -> Condition:
        """What the UNet is told.

        Args:
            prompt: words; empty for none.
            size: width and height of the picture that is made, which SDXL wants to know.

        Raises:
            InputError: more words than the model reads.
        """
        states = [self._encoded(tower, prompt) for tower in self._towers]
        hidden = torch.cat([each[0] for each in states], -1)
        added: dict[str, Tensor] = {}
        if self._is_large:
            pooled = states[-1][1]
            if self._zero_empty and not prompt.strip():
                hidden, pooled = torch.zeros_like(hidden), torch.zeros_like(pooled)
            shape = [size[1], size[0], 0, 0, size[1], size[0]]
            added = {
                "text_embeds": pooled,
                "time_ids": torch.tensor([shape], device=self.device, dtype=self.dtype),
            }
        return Condition(hidden, added)

    @property
    def _is_large(self) -> bool:
        """Whether it is told as SDXL is."""
        return self.unet.config.addition_embed_type == "text_time"

    def _encoded(self, tower: TextTower, prompt: str) -> tuple[Tensor, Tensor]:
        """Hidden states [1, T, D] and the pooled one [1, D]."""
        longest = min(int(tower.tokenizer.model_max_length), 77)
        ids = tower.tokenizer(prompt, padding="max_length", max_length=longest)["input_ids"]
        if len(ids) > longest:
            raise InputError(
                f"The prompt has {len(ids) - 2} tokens, but {self.name} reads at most {longest - 2}; say it shorter."
            )
        states = tower.encoder(
            torch.tensor([ids], device=self.device), output_hidden_states=self._is_large, return_dict=True
        )
        if not self._is_large:
            return states.last_hidden_state.to(self.dtype), states.pooler_output.to(self.dtype)
        pooled = states.text_embeds if "text_embeds" in states else states.pooler_output
        return states.hidden_states[-2].to(self.dtype), pooled.to(self.dtype)

    # ---- noise and features

    def noise(
        self,
        latents: Tensor,
        timestep: int,
        condition: Condition,
        *,
        kept: list[Features] | None = None,
        guidance: float = 1.0,
    ) -> Tensor:
        """The noise in latents, whatever the network was trained to tell.

        Args:
            latents: float32 [N, C, h, w].
            timestep: of the training, 0 to 999.
            condition: of N rows, or of one for all of them.
            kept: a list that gets the features on the way, if given.
            guidance: scale that is told to models that were distilled with one.

        Returns:
            float32 [N, C, h, w].
        """
        with self._features_kept(kept):
            told = self.told(latents, timestep, condition, guidance)
        self.account.add_forward(latents)
        return self.schedule.noise_from(told.float(), latents, timestep)

    def features(self, latents: Tensor, timestep: int, condition: Condition) -> Features:
        """What the UNet sees in latents, at a sixteenth and an eighth of the picture; gradients go through it.

        The UNet is left as soon as both are there.

        Args: as `noise`.
        """
        kept: list[Features] = []
        with suppress(_SeenEnoughError), self._features_kept(kept, leave=True):
            self.told(latents, timestep, condition)
        self.account.add_features(latents)
        return kept[0]

    def told(
        self, latents: Tensor, timestep: int | Tensor, condition: Condition, guidance: float = 1.0
    ) -> Tensor:
        """What the network tells of latents, as it was trained to: noise or velocity, in its own precision; not counted.

        Args: as `noise`, but
            timestep: one for all, or int64 [N].
        """
        rows = len(latents)
        told = condition if len(condition.hidden) == rows else condition.repeated(rows)
        more: dict[str, Any] = {"added_cond_kwargs": told.added} if told.added else {}
        width = self.unet.config.time_cond_proj_dim
        if width is not None:
            waves = _guidance_embedding(guidance, width).repeat(rows, 1)
            more["timestep_cond"] = waves.to(latents.device, self.dtype)
        step = torch.as_tensor(timestep, device=latents.device)
        return self.unet(
            latents.to(self.dtype), step, encoder_hidden_states=told.hidden, return_dict=False, **more
        )[0]

    @contextmanager
    def _features_kept(self, kept: list[Features] | None, *, leave: bool = False) -> Generator[None]:
        """While this lasts, what leaves the two blocks goes into the list."""
        if kept is None:
            yield
            return
        seen: dict[int, Tensor] = {}

        def keep(level: int) -> Callable[..., None]:
            def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
                seen[level] = output.float()
                if len(seen) == len(self.levels):
                    kept.append((seen[0], seen[1]))
                    if leave:
                        raise _SeenEnoughError

            return hook

        hooks = [
            self.unet.up_blocks[block].register_forward_hook(keep(level))
            for level, block in enumerate(self.levels)
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


class _SeenEnoughError(Exception):
    """Leaves the UNet early."""


def _guidance_embedding(scale: float, width: int) -> Tensor:
    """[1, width]: a guidance scale as waves (Latent Consistency Models, arXiv 2310.04378, appendix)."""
    half = width // 2
    waves = torch.exp(torch.arange(half) * -(math.log(10_000) / (half - 1))) * (scale - 1) * 1000
    return torch.cat([waves.sin(), waves.cos()])[None]


def feature_levels(unet: Any, factor: int) -> tuple[int, int]:
    """The up blocks whose outputs have a cell for 16 and for 8 pixels of the picture: the 2nd and 3rd of Stable Diffusion.

    Args:
        unet: of diffusers.
        factor: pixels of the picture for each cell of the latents.

    Raises:
        CheckpointError: there are no such blocks.
    """
    grain = factor * 2 ** (len(unet.up_blocks) - 1)
    found: dict[int, int] = {}
    for number, block in enumerate(unet.up_blocks):
        grain //= 2 if getattr(block, "upsamplers", None) else 1
        found.setdefault(grain, number)
    if not all(grain in found for grain in GRAINS):
        raise CheckpointError(
            "This model has no features at 1/16 and 1/8 of its pictures, which edits compare; expected a UNet of three or "
            f"more levels over latents at 1/8, as Stable Diffusion has; it has {len(unet.up_blocks)} over 1/{factor}."
        )
    return found[GRAINS[0]], found[GRAINS[1]]
