"""One loop that samples every edit: noise, energy, a step, sometimes back again.

DragonDiffusion (arXiv 2307.02421) guides each step by the gradient of an energy; DiffEditor (arXiv 2402.02583) adds steps that
are taken again, noise that is drawn anew in the region of the edit, and gradients that count in their own region only, which
their program does for both. What is moved where is the plan's; when what is done is the preset's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from pliant.diffusion.attention import Look, Rule
from pliant.diffusion.energy import Grid, Term, energies
from pliant.diffusion.inversion import Bank, drawn
from pliant.diffusion.pipeline import Condition, DiffusionModel

__all__ = ["PRESETS", "Injection", "Plan", "Preset", "sample"]

SCALE = 1000.0
"""Energies are multiplied by it before gradients are taken, so that these do not vanish in half precision."""


@dataclass(frozen=True)
class Preset:
    """When what is done; steps are counted from 0, the noisiest."""

    steps: int
    first: int = 0
    """Where sampling begins; from the noised copy of what is wanted if not at 0."""
    bank: Literal["inverted", "noised", "none"] = "inverted"
    """How the known pictures are looked at."""
    guided: frozenset[int] = frozenset()
    """Steps with energy."""
    again: frozenset[int] = frozenset()
    """Steps that are taken three times."""
    fresh: frozenset[int] = frozenset()
    """Steps that draw part of the noise anew in the region of the edit."""
    worded: frozenset[int] = frozenset()
    """Steps with classifier-free guidance."""
    hold: bool = False
    """Outside the region of the edit, latents are those of the picture."""

    @property
    def draws(self) -> bool:
        """Whether another seed gives another answer."""
        return bool(self.fresh) or self.bank != "inverted"

    @property
    def length(self) -> int:
        """Steps that are shown, those before the first edit of a picture included."""
        sampled = self.steps - self.first
        return sampled + {"inverted": self.steps, "noised": sampled, "none": 0}[self.bank]


def _all(steps: int) -> frozenset[int]:
    return frozenset(range(steps))


PRESETS = {
    "dragondiffusion": Preset(50, guided=_all(30), worded=_all(50)),
    "diffeditor": Preset(
        50,
        guided=frozenset((*range(10), *range(10, 30, 2))),
        again=frozenset((22, 24, 26, 28)),
        fresh=frozenset(range(11, 20)),
        worded=_all(50),
    ),
    "fast": Preset(20, 10, "noised", guided=frozenset((10, 11)), worded=frozenset((10, 11, 12)), hold=True),
    "warp": Preset(20, 12, "none", hold=True),
}
"""The published ones as their programs have them; `fast` and `warp` are ours."""


@dataclass(frozen=True, eq=False)
class Injection:
    """What the picture that is made sees, of the known pictures."""

    looks: tuple[tuple[int, Tensor | None], ...]
    """Number of the picture, and which part of it (float [h, w] of its own shape)."""
    own: bool = False
    """Itself, too."""
    begin: float = 0.0
    """Share of the steps after which it begins."""
    end: float = 1.0
    """And after which it ends."""

    def rule(self, step: int, steps: int, banks: Sequence[Bank]) -> Rule | None:
        """What is seen at a step."""
        if not self.begin <= step / steps <= self.end:
            return None
        return Rule(tuple(Look(banks[n].keys_values[step], where) for n, where in self.looks), self.own)


@dataclass(frozen=True, eq=False)
class Plan:
    """What an edit asks of the sampler."""

    start: Tensor = field(repr=False)
    """float32 [1, C, h, w]: noisy latents to begin with."""
    region: Tensor = field(repr=False)
    """float32 [1, 1, h, w], 1 where the edit is."""
    open: Tensor = field(repr=False)
    """float32 [1, 1, h, w], 1 where the picture may change at all."""
    condition: Condition = field(repr=False)
    empty: Condition = field(repr=False)
    """Of no words."""
    guidance: float
    """Scale of classifier-free guidance."""
    pull: float = 0.0
    """What gradients are multiplied with."""
    fresh: float = 0.4
    """Share of the noise that is drawn anew, where it is."""
    terms: tuple[Term, ...] = ()
    banks: tuple[Bank, ...] = ()
    """Of the picture itself, and of others."""
    copy: Bank | None = None
    """Of the copy of what is wanted, where sampling begins from it."""
    sure: Tensor | None = field(default=None, repr=False)
    """float32 [1, 1, h, w], 1 where the copy shows a thing itself, which stays."""
    injection: Injection | None = None


def sample(
    model: DiffusionModel, plan: Plan, preset: Preset, seed: int
) -> Iterator[tuple[int, Tensor, float]]:
    """Sample a plan.

    Args:
        model: that makes the picture.
        plan: what is wanted.
        preset: when what is done.
        seed: of noise that is drawn anew.

    Yields:
        The step, what the picture is thought to be after it (float32 [C, h, w]), and its energy.
    """
    schedule, timesteps = model.schedule, model.schedule.timesteps(preset.steps)
    now = plan.start
    grids = tuple(Grid.of(bank.latents[-1], model.factor) for bank in plan.banks)
    for step in range(preset.first, preset.steps):
        timestep = timesteps[step]
        following = timesteps[step + 1] if step + 1 < preset.steps else None
        times = 3 if step in preset.again else 1
        energy, clean, after = 0.0, now, now
        for time in range(times):
            noise = _noise(model, plan, preset, now, step)
            pull = torch.zeros_like(now)
            if step in preset.guided and plan.terms:
                pull, energy = _pull(model, plan, grids, now, step)
            clean = schedule.clean(now, noise + pull, timestep)
            fresh = drawn(tuple(now.shape), seed * 1000 + 3 * step + time).to(now)
            if schedule.few_steps:  # all noise is drawn anew, after each step but the last
                clean = schedule.consistent(now, clean, timestep)
                after = clean if following is None else schedule.noised(clean, fresh, following)
            else:
                eta = plan.fresh * plan.region if step in preset.fresh else 0.0
                after = schedule.step(clean, noise, timestep, following, eta=eta, fresh=fresh)
            if time + 1 < times:
                now = _back(model, plan, after, timestep, following)
        number = step + 1 if following is not None else -1
        if plan.copy is not None and plan.sure is not None:
            after = plan.sure * plan.copy.latents[number] + (1 - plan.sure) * after
        if preset.hold and plan.banks:
            known = plan.copy or plan.banks[0]
            after = plan.open * after + (1 - plan.open) * known.latents[number]
        now = after
        yield step, (now if following is None else clean)[0], energy


@torch.no_grad()
def _noise(model: DiffusionModel, plan: Plan, preset: Preset, now: Tensor, step: int) -> Tensor:
    """The noise that the model sees, looking at known pictures, stretched away from that of no words."""
    timestep = model.schedule.timesteps(preset.steps)[step]
    rule = plan.injection.rule(step, preset.steps, plan.banks) if plan.injection else None
    worded = step in preset.worded and plan.guidance != 1 and not model.schedule.few_steps
    with model.attention.following(rule):
        if not worded:
            return model.noise(now, timestep, plan.condition, guidance=plan.guidance)
        both = model.noise(now.expand(2, -1, -1, -1), timestep, plan.empty.with_other(plan.condition))
    return both[:1] + plan.guidance * (both[1:] - both[:1])


def _pull(
    model: DiffusionModel, plan: Plan, grids: Sequence[Grid], now: Tensor, step: int
) -> tuple[Tensor, float]:
    """Gradient of the energy, that of the edit in its region and that of the rest outside, and the energy."""
    bank = plan.banks[0]
    known = [each.features(model, step) for each in plan.banks]
    with torch.enable_grad():
        leaf = now.detach().requires_grad_()
        seen = model.features(leaf, bank.timesteps[step], plan.condition)
        parts = energies(plan.terms, grids, seen, known)
        gradients: dict[str, Tensor] = {}
        for number, (part, energy) in enumerate(parts.items()):
            held = number + 1 < len(parts)
            gradients[part] = torch.autograd.grad(energy * SCALE, leaf, retain_graph=held)[0]
            model.account.add_gradient(now)
    nothing = torch.zeros_like(now)
    inside, outside = gradients.get("edit", nothing), gradients.get("content", nothing)
    pull = plan.region * inside + (1 - plan.region) * outside
    total = float(sum(energy.detach() for energy in parts.values()))
    return pull.float() * (plan.pull / SCALE), total


@torch.no_grad()
def _back(model: DiffusionModel, plan: Plan, after: Tensor, timestep: int, following: int | None) -> Tensor:
    """From the next step back to this one, by one step of DDIM inversion that looks at no other picture."""
    noise = model.noise(after, timestep, plan.condition)
    return model.schedule.back(after, noise, timestep, following)
