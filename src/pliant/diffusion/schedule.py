"""The noise schedule of a model and one step along it (DDIM, arXiv 2010.02502; consistency models, arXiv 2310.04378)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor

from pliant.errors import CheckpointError

__all__ = ["NoiseSchedule"]


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """How much of a picture is left at each timestep, and what the network tells of it."""

    kept: tuple[float, ...]
    """By timestep: the share of variance that is the picture (alphas_cumprod), falling."""
    last: float
    """The same for the end of sampling (final_alpha_cumprod)."""
    tells: str
    """"epsilon" or "v_prediction"."""
    few_steps: bool
    """It is a consistency model, which takes a few large steps."""
    config: dict[str, Any]
    """As the model has it."""

    @classmethod
    def of(cls, config: dict[str, Any]) -> NoiseSchedule:
        """From a scheduler's configuration, of any sampler that a model names.

        Raises:
            CheckpointError: a prediction or a schedule that we do not know.
        """
        from diffusers.schedulers.scheduling_ddim import DDIMScheduler

        tells = config.get("prediction_type", "epsilon")
        if tells not in ("epsilon", "v_prediction"):
            raise CheckpointError(f"This model predicts {tells!r}; expected 'epsilon' or 'v_prediction'.")
        few = config.get("_class_name") == "LCMScheduler"
        known = {name: value for name, value in config.items() if not name.startswith("_")}
        try:
            scheduler: Any = DDIMScheduler.from_config(known)
        except (TypeError, ValueError, NotImplementedError) as error:
            raise CheckpointError(f"The model's noise schedule is unknown: {error}.") from error
        values = tuple(float(each) for each in scheduler.alphas_cumprod)
        return cls(values, float(scheduler.final_alpha_cumprod), tells, few, known)

    def timesteps(self, steps: int) -> list[int]:
        """Timesteps of a sampling in so many steps, the noisiest first, spaced as the model's configuration says."""
        from diffusers.schedulers.scheduling_ddim import DDIMScheduler
        from diffusers.schedulers.scheduling_lcm import LCMScheduler

        scheduler: Any = (LCMScheduler if self.few_steps else DDIMScheduler).from_config(self.config)
        if self.few_steps:  # some of the steps that it was distilled from
            learnt = max(steps, scheduler.config.original_inference_steps)
            scheduler.set_timesteps(steps, original_inference_steps=learnt)
        else:
            scheduler.set_timesteps(steps)
        return [min(int(each), len(self.kept) - 1) for each in scheduler.timesteps]

    def at(self, timestep: int | None) -> float:
        """Share of variance that is the picture; None for the end of sampling."""
        return self.last if timestep is None else self.kept[timestep]

    def noised(self, latents: Tensor, noise: Tensor, timestep: int) -> Tensor:
        """A picture with the noise of a timestep."""
        kept = self.at(timestep)
        return kept**0.5 * latents + (1 - kept) ** 0.5 * noise

    def noise_from(self, told: Tensor, latents: Tensor, timestep: int) -> Tensor:
        """The noise in latents, from what the network told."""
        if self.tells == "epsilon":
            return told
        kept = self.at(timestep)
        return kept**0.5 * told + (1 - kept) ** 0.5 * latents

    def clean(self, latents: Tensor, noise: Tensor, timestep: int) -> Tensor:
        """The picture that is left of latents without that noise."""
        kept = self.at(timestep)
        return (latents - (1 - kept) ** 0.5 * noise) / kept**0.5

    def step(
        self,
        clean: Tensor,
        noise: Tensor,
        timestep: int,
        following: int | None,
        *,
        eta: Tensor | float = 0.0,
        fresh: Tensor | None = None,
    ) -> Tensor:
        """From one timestep to the next (DDIM, eq. 12).

        Args:
            clean: what the picture is thought to be.
            noise: direction that points back to the latents.
            timestep: where the latents are.
            following: where to go; None for the end.
            eta: how much of the noise is drawn anew, 0 to 1; a map [1, 1, h, w] for some places only.
            fresh: the noise that is drawn anew, where eta is not 0.
        """
        now, then = self.at(timestep), self.at(following)
        spread = eta * (((1 - then) / (1 - now)) * (1 - now / then)) ** 0.5
        direction = (1 - then - spread**2) ** 0.5 * noise
        moved = then**0.5 * clean + direction
        return moved if fresh is None else moved + spread * fresh

    def back(self, latents: Tensor, noise: Tensor, timestep: int, following: int | None) -> Tensor:
        """From `following` back to the noisier timestep before it: one step of DDIM inversion (eq. 13).

        Args:
            latents: at `following`.
            noise: that is seen in them.
            timestep: where to go.
            following: where the latents are; None for the end.
        """
        kept = self.at(following)
        return self.noised((latents - (1 - kept) ** 0.5 * noise) / kept**0.5, noise, timestep)

    def consistent(self, latents: Tensor, clean: Tensor, timestep: int) -> Tensor:
        """What a consistency model means by its answer: near the end of sampling, the latents themselves."""
        scaled = timestep * 10.0
        held, made = 0.25 / (scaled**2 + 0.25), scaled / (scaled**2 + 0.25) ** 0.5
        return cast("Tensor", held * latents + made * clean)
