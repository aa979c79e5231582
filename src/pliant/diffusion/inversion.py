"""What is known of a picture before it is edited: its latents with every amount of noise, and what the UNet saw in them.

It takes one pass of the UNet for each step and is done once for a picture, its words and a number of steps; every later edit
takes it from the model's `banks`. The latents are found by DDIM inversion (as DragonDiffusion), or are the picture with the
same noise added to it in different amounts, which needs no inversion and is truer to the picture, but less so to its noise.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Generator, Hashable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

import torch
from torch import Tensor

from pliant.diffusion.attention import LayerBank

if TYPE_CHECKING:
    from pliant.diffusion.pipeline import Condition, DiffusionModel, Features

__all__ = ["Bank", "BankKey", "Banks", "bank_of", "drawn", "noised_only"]

How = Literal["inverted", "noised"]


@dataclass(frozen=True)
class BankKey:
    """Which picture, and how it was looked at."""

    picture: str
    """SHA-256 of its pixels."""
    prompt: str
    how: How
    steps: int
    first: int = 0
    """The first step that is needed; earlier ones are left out of a bank of noised latents."""
    seed: int = 0
    """Of the noise that was added."""

    @classmethod
    def of(cls, rgb: Tensor, prompt: str, how: How, steps: int, *, first: int = 0, seed: int = 0) -> BankKey:
        """Of a picture uint8 [H, W, 3]."""
        digest = hashlib.sha256(str(tuple(rgb.shape)).encode() + rgb.contiguous().numpy().tobytes())
        if how == "inverted":
            first = seed = 0
        return cls(digest.hexdigest(), prompt, how, steps, first, seed)


@dataclass(eq=False)
class Bank:
    """What is known of one picture. It grows only by features that are computed when first asked for."""

    timesteps: list[int]
    """Of the sampling, the noisiest first."""
    latents: dict[int, Tensor]
    """float32 [1, C, h, w] by step: with the noise of that step's timestep. -1: the picture itself."""
    keys_values: dict[int, LayerBank]
    """By step."""
    condition: Condition = field(repr=False)
    kept_features: dict[int, Features] = field(default_factory=dict[int, "Features"], repr=False)

    @torch.no_grad()
    def features(self, model: DiffusionModel, step: int) -> Features:
        """What the UNet sees in the picture at a step."""
        if step not in self.kept_features:
            found = model.features(self.latents[step], self.timesteps[step], self.condition)
            self.kept_features[step] = found
        return self.kept_features[step]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the latents."""
        return self.latents[-1].shape[-2], self.latents[-1].shape[-1]

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        pairs = [each for bank in self.keys_values.values() for pair in bank.values() for each in pair]
        seen = [each for pair in self.kept_features.values() for each in pair]
        return sum(each.nbytes for each in (*pairs, *seen, *self.latents.values()))


class Kept(Protocol):
    """Something that is known of a picture."""

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        ...


K = TypeVar("K", bound=Kept)


class Banks:
    """What a model knows of pictures, as many as fit; the one that was not used for longest leaves first.

    Attributes:
        limit: bytes that all of them may take; the one in use is never dropped.
        device: where keys and values are kept: "cpu" frees the GPU and costs a copy in each step. None: with the model.
    """

    def __init__(self) -> None:
        self.limit = 4 << 30
        self.device: str | None = None
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def get(self, key: Hashable, kind: type[K]) -> K | None:
        """What is kept under a key, which is now the one used last; None if nothing of that kind is."""
        found = self._kept.get(key)
        if not isinstance(found, kind):
            return None
        self._kept.move_to_end(key)
        return found

    def keep(self, key: Hashable, known: Kept) -> None:
        """Keep one more, and let others go that no longer fit."""
        self._kept[key] = known
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(each.bytes for each in self._kept.values()) > self.limit:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()


def bank_of(
    model: DiffusionModel, latents: Tensor, condition: Condition, key: BankKey
) -> Generator[int, None, Bank]:
    """The bank of a picture, made and kept.

    Args:
        model: that looks at it.
        latents: float32 [1, C, h, w], of the picture.
        condition: of the prompt alone.
        key: of picture, prompt and steps.

    Yields:
        The number of passes so far.

    Returns:
        The bank.
    """
    bank = Bank(model.schedule.timesteps(key.steps), {-1: latents}, {}, condition)
    passes = _inverted(model, bank) if key.how == "inverted" else _noised(model, bank, key)
    yield from passes
    model.banks.keep(key, bank)
    return bank


@torch.no_grad()
def _inverted(model: DiffusionModel, bank: Bank) -> Iterator[int]:
    """DDIM backwards, without guidance: latents are seen with the timestep of the next noisier step (published)."""
    now, steps = bank.latents[-1], len(bank.timesteps)
    for count, step in enumerate(range(steps - 1, -1, -1)):
        timestep = bank.timesteps[step]
        kept: LayerBank = {}
        with model.attention.keeping(kept):
            noise = model.noise(now, timestep, bank.condition)
        following = bank.timesteps[step + 1] if step + 1 < steps else None
        now = model.schedule.back(now, noise, timestep, following)
        bank.latents[step] = now
        bank.keys_values[step] = _placed(kept, model.banks.device)
        yield count + 1


@torch.no_grad()
def _noised(model: DiffusionModel, bank: Bank, key: BankKey) -> Iterator[int]:
    """The same noise in every amount, from the first step on."""
    noised = noised_only(model, bank.latents[-1], bank.condition, key.steps, key.seed)
    bank.latents.update(noised.latents)
    for count, step in enumerate(range(key.first, key.steps)):
        timestep = bank.timesteps[step]
        kept: LayerBank = {}
        seen: list[Features] = []
        with model.attention.keeping(kept):
            model.noise(bank.latents[step], timestep, bank.condition, kept=seen)
        bank.kept_features[step] = seen[0]
        bank.keys_values[step] = _placed(kept, model.banks.device)
        yield count + 1


def noised_only(model: DiffusionModel, latents: Tensor, condition: Condition, steps: int, seed: int) -> Bank:
    """A bank of latents alone, which takes no pass: the picture with the same noise in every amount."""
    bank = Bank(model.schedule.timesteps(steps), {-1: latents}, {}, condition)
    noise = drawn(tuple(latents.shape), seed).to(latents)
    for step, timestep in enumerate(bank.timesteps):
        bank.latents[step] = model.schedule.noised(latents, noise, timestep)
    return bank


def drawn(shape: tuple[int, ...], seed: int) -> Tensor:
    """Noise on the CPU, the same on every device."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _placed(bank: LayerBank, device: str | None) -> LayerBank:
    if device is None:
        return bank
    return {layer: (key.to(device), value.to(device)) for layer, (key, value) in bank.items()}
