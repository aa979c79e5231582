"""A small correction of a model, fitted to one picture (LoRA, arXiv 2106.09685), as DragDiffusion fits one before it drags.

Every linear layer W of the attentions, self and cross, becomes W + B A with A and B of a low rank; only A and B learn, from the
usual loss of predicting noise, with the one picture and new noise each time.

The correction is added by hooks that are there only while a pass lasts. PEFT would exchange the layers themselves (260 of the
names in a tiny model's state dict change), so a run that is paused between two steps would leave a changed model to everyone
else, and two runs at once would need to know of one another. Names and arithmetic are PEFT's; a test compares both.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from pliant.diffusion.pipeline import Condition, DiffusionModel
    from pliant.diffusion.schedule import NoiseSchedule

__all__ = ["Hook", "Lora", "LoraKey", "LoraSettings", "LossScale", "hooked", "lesson", "noise_loss", "tuned"]

ENDS = (".to_q", ".to_k", ".to_v", ".to_out.0")
"""Of the names of layers that are corrected."""
LESSON = 2.15
"""Forward equivalents of a step for each noise: multiply-adds in Stable Diffusion 1.5, there and back to the correction."""
DOWN, UP = ".lora_A.weight", ".lora_B.weight"

Hook = Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor | None]
"""Sees what goes into a layer and what comes out; what it returns comes out instead."""


@contextmanager
def hooked(hooks: Iterable[tuple[nn.Module, Hook]]) -> Generator[None]:
    """While this lasts, layers have hooks; those given first are called first."""
    with ExitStack() as added:
        for module, hook in hooks:
            added.callback(module.register_forward_hook(hook).remove)
        yield


class LossScale:
    """Gradients that neither vanish nor overflow in half precision.

    The loss is multiplied before gradients are taken, by half as much from each time on that one of them was not finite.
    """

    def __init__(self) -> None:
        self.scale = 4096.0

    def gradients(self, loss: Tensor, leaves: Sequence[Tensor]) -> list[Tensor]:
        """Of the loss, by each of the leaves; none at all if one was not finite."""
        found = torch.autograd.grad(loss * self.scale, leaves)
        if all(bool(each.isfinite().all()) for each in found):
            return [each / self.scale for each in found]
        self.scale /= 2
        return []


@dataclass(frozen=True)
class LoraSettings:
    """How a correction is fitted; the defaults are DragDiffusion's."""

    steps: int = 80
    """0: none."""
    rank: int = 16
    learning_rate: float = 5e-4
    """Of AdamW."""
    batch: int = 4
    """Noises that are drawn for each step."""
    weight_decay: float = 1e-2
    seed: int = 0
    """Of the noise, and of A."""


@dataclass(frozen=True)
class LoraKey:
    """Which picture a correction was fitted to, and how."""

    picture: str
    """SHA-256 of its pixels."""
    prompt: str
    settings: LoraSettings


@dataclass(frozen=True, eq=False)
class Lora:
    """A correction.

    Args:
        weights: float32 by name: LAYER.lora_A.weight [rank, inputs] and LAYER.lora_B.weight [outputs, rank], as safetensors
            and PEFT have them.
    """

    weights: dict[str, Tensor] = field(repr=False)

    @classmethod
    def new(cls, unet: nn.Module, rank: int, seed: int) -> Lora:
        """One that corrects nothing yet: A is noise, B is 0.

        Args:
            unet: whose attentions it is for.
            rank: of each product B A.
            seed: of A.
        """
        random = torch.Generator().manual_seed(seed)
        weights: dict[str, Tensor] = {}
        for name, module in unet.named_modules():
            if isinstance(module, nn.Linear) and name.endswith(ENDS):
                place = module.weight.device
                drawn = torch.randn(rank, module.in_features, generator=random) / rank
                weights[name + DOWN] = drawn.to(place)
                weights[name + UP] = torch.zeros(module.out_features, rank, device=place)
        return cls(weights)

    @classmethod
    def none(cls) -> Lora:
        """One without layers."""
        return cls({})

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        return sum(each.nbytes for each in self.weights.values())

    @contextmanager
    def on(self, unet: nn.Module) -> Generator[None]:
        """While this lasts, a UNet is corrected; its own weights stay as they are."""
        with hooked(self._hooks(unet)):
            yield

    def _hooks(self, unet: nn.Module) -> Iterator[tuple[nn.Module, Hook]]:
        for name in self.weights:
            if name.endswith(DOWN):
                layer = name.removesuffix(DOWN)
                module = cast("nn.Linear", unet.get_submodule(layer))
                down, up = (self.weights[layer + end].to(module.weight) for end in (DOWN, UP))
                yield module, _correction(down, up)


def _correction(down: Tensor, up: Tensor) -> Hook:
    def correct(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return output + F.linear(F.linear(inputs[0], down), up)

    return correct


def tuned(
    model: DiffusionModel, latents: Tensor, condition: Condition, key: LoraKey
) -> Generator[float, None, Lora]:
    """The correction for a picture, fitted if it is not known yet.

    The whole picture is seen in each step, at the size at which it is edited; nothing is cropped.

    Args:
        model: that is corrected; between the steps it is as it was.
        latents: float32 [1, C, h, w], of the picture.
        condition: of the prompt.
        key: of picture, prompt and settings.

    Yields:
        The loss of each step; nothing where it was known.

    Returns:
        The correction, which `model.banks` now keeps.
    """
    known = model.banks.get(key, Lora)
    if known is not None:
        return known
    how = key.settings
    lora = Lora.new(model.unet, how.rank, how.seed)
    learning = [each.requires_grad_() for each in lora.weights.values()]
    optimiser = torch.optim.AdamW(learning, how.learning_rate, weight_decay=how.weight_decay)
    random, scale = torch.Generator().manual_seed(how.seed + 1), LossScale()
    for _ in range(how.steps):
        noise = torch.randn(how.batch, *latents.shape[1:], generator=random).to(latents)
        timesteps = torch.randint(len(model.schedule.kept), (how.batch,), generator=random)
        with torch.enable_grad(), lora.on(model.unet):
            loss = noise_loss(model, latents, noise, timesteps, condition)
            gradients = scale.gradients(loss, learning)
        for weight, gradient in zip(learning, gradients, strict=False):
            weight.grad = gradient
        if gradients:
            optimiser.step()
        model.account.forwards += LESSON * how.batch
        yield float(loss.detach())
    found = Lora({name: each.detach() for name, each in lora.weights.items()})
    model.banks.keep(key, found)
    return found


def noise_loss(
    model: DiffusionModel, latents: Tensor, noise: Tensor, timesteps: Tensor, condition: Condition
) -> Tensor:
    """How wrong a model is about a picture: the mean squared error of what it was trained to tell.

    Args:
        model: as it is just now.
        latents: float32 [1, C, h, w], of the picture.
        noise: float32 [N, C, h, w].
        timesteps: int64 [N].
        condition: of one row.
    """
    noisy, wanted = lesson(model.schedule, latents, noise, timesteps)
    told = model.told(noisy, timesteps, condition)
    return F.mse_loss(told.float(), wanted)


def lesson(
    schedule: NoiseSchedule, latents: Tensor, noise: Tensor, timesteps: Tensor
) -> tuple[Tensor, Tensor]:
    """Noisy pictures, and what a model should tell of them: the noise, or the velocity.

    Args: as `noise_loss`.

    Returns:
        Both [N, C, h, w].
    """
    share = torch.tensor(schedule.kept)[timesteps].to(latents)[:, None, None, None]
    kept, gone = share.sqrt(), (1 - share).sqrt()
    noisy = kept * latents + gone * noise
    return noisy, noise if schedule.tells == "epsilon" else kept * noise - gone * latents
