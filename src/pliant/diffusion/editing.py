"""How an edit of things goes: look at the picture, or remember it; make the plan; sample; show each step."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.diffusion.energy import Grid
from pliant.diffusion.holes import box_around
from pliant.diffusion.inversion import Bank, BankKey, bank_of, noised_only
from pliant.diffusion.loading import load_diffusion
from pliant.diffusion.picture import DiffusionPicture
from pliant.diffusion.pipeline import Condition, DiffusionModel
from pliant.diffusion.plans import Task, shrunk
from pliant.diffusion.sampler import PRESETS, Plan, sample
from pliant.images import from_uint8, to_uint8
from pliant.picture import Picture
from pliant.steps import Step

if TYPE_CHECKING:
    from pliant.diffusion.edits import ThingSettings
    from pliant.diffusion.warp import Warped

__all__ = ["DiffusionStep", "Reach", "run", "soft"]


USUAL = 512
"""Pixels of the longer side of a picture, from which on a feather grows with it."""


@dataclass(frozen=True, eq=False)
class Reach:
    """Where an edit may change a picture."""

    mask: Tensor = field(repr=False)
    """float32 [H, W]: 0 where it may not."""


@dataclass(frozen=True, eq=False)
class DiffusionStep(Step):
    """One step: of looking at the picture, which stays as it is, or of making the new one."""

    picture: DiffusionPicture
    phase: Literal["invert", "edit"]
    energy: float
    """How far the picture is from what was asked; 0 in steps without guidance."""
    network_calls: float
    """Forward equivalents of the UNet so far."""
    reach: Reach
    arrived: bool = False
    """This is the last step."""


@dataclass(frozen=True, eq=False)
class Asked:
    """An edit with all that it needs."""

    task: Task
    copy: Callable[[Tensor], Warped]
    """Makes what is wanted out of pixels [3, H, W] alone."""
    pictures: tuple[Tensor, ...]
    """uint8 [H, W, 3]: the picture, and the second one of tasks that take one."""
    prompt: str
    """What the picture shows."""
    settings: ThingSettings


def run(
    task: Task,
    copy: Callable[[Tensor], Warped],
    pictures: Sequence[Picture],
    *,
    prompt: str,
    model: DiffusionModel | None,
    settings: ThingSettings,
) -> Iterator[DiffusionStep]:
    """Carry an edit out.

    Args:
        task: what is asked.
        copy: makes what is wanted out of pixels [3, H, W] alone.
        pictures: to edit, and the second one of tasks that take one.
        prompt: what the picture shows.
        model: that makes it; the embedded one if not given.
        settings: how.

    Raises:
        InputError: too long a prompt.
    """
    shown = tuple(torch.from_numpy(np.array(each.render().convert("RGB"))) for each in pictures)
    asked = Asked(task, copy, shown, prompt.strip(), settings)
    if settings.preset == "copy":
        return _copied(asked)
    model = load_diffusion() if model is None else model
    size = model.working_size(pictures[0].size)
    return _made(model, asked, (model.condition(asked.prompt, size), model.condition("", size)))


def _copied(asked: Asked) -> Iterator[DiffusionStep]:
    """Two steps: the picture, and a copy of what is wanted."""
    (rgb, *_) = asked.pictures
    reach = _reach(asked)
    yield DiffusionStep(0, DiffusionPicture(None, rgb), "edit", 0.0, 0.0, reach)
    made = DiffusionPicture(None, _shown(asked.copy(from_uint8(rgb)), rgb, reach.mask))
    yield DiffusionStep(1, made, "edit", 0.0, 0.0, reach, arrived=True)


def _shown(copy: Warped, rgb: Tensor, mask: Tensor) -> Tensor:
    """A copy of what is wanted, uint8 [H, W, 3], with the photo itself wherever the mask [H, W] is 0."""
    made, changed = rgb.clone(), (copy.changed > 0) & (mask > 0)
    if changed.any():
        top, bottom, left, right = box_around(changed)
        inside = (slice(top, bottom), slice(left, right))
        made[inside] = torch.where(changed[inside][..., None], to_uint8(copy.pixels[:, *inside]), rgb[inside])
    return made


def _made(model: DiffusionModel, asked: Asked, words: tuple[Condition, Condition]) -> Iterator[DiffusionStep]:
    """All steps of an edit by a model; `words` are those of the prompt and of none."""
    preset = PRESETS[asked.settings.preset]
    begun, index = model.account.forwards, 0
    start, reach = DiffusionPicture(model, asked.pictures[0]), _reach(asked)
    yield DiffusionStep(0, start, "invert", 0.0, 0.0, reach)
    banks: list[Bank] = []
    for number, shown in enumerate(asked.pictures if preset.bank != "none" else ()):
        looking = _looked_at(model, shown, asked.prompt if number == 0 else "", words[number], asked)
        while True:
            try:
                next(looking)
            except StopIteration as ended:
                banks.append(ended.value)
                break
            index += 1
            yield DiffusionStep(index, start, "invert", 0.0, model.account.forwards - begun, reach)
    plan, canvas, mask = _planned(model, asked, banks, words) if banks else _filling(model, asked, words)
    for step, latents, energy in sample(model, plan, preset, asked.settings.seed):
        index += 1
        picture = DiffusionPicture(model, canvas, mask, latents)
        calls = model.account.forwards - begun
        yield DiffusionStep(index, picture, "edit", energy, calls, reach, arrived=step == preset.steps - 1)


def _reach(asked: Asked) -> Reach:
    """The region of an edit with its feather, or everything where nothing is pasted back."""
    region = asked.task.region
    return Reach(
        soft(region, asked.settings.feather) if asked.settings.paste_back else torch.ones_like(region)
    )


def _looked_at(
    model: DiffusionModel, rgb: Tensor, prompt: str, words: Condition, asked: Asked
) -> Generator[int, None, Bank]:
    """What is known of a picture; the number of passes so far, while it is looked at."""
    preset = PRESETS[asked.settings.preset]
    assert preset.bank != "none"  # noqa: S101 - told apart by the caller
    key = BankKey.of(rgb, prompt, preset.bank, preset.steps, first=preset.first, seed=asked.settings.seed)
    known = model.banks.get(key, Bank)
    return known or (yield from bank_of(model, model.encode(from_uint8(rgb)), words, key))


def _planned(
    model: DiffusionModel, asked: Asked, banks: list[Bank], words: tuple[Condition, Condition]
) -> tuple[Plan, Tensor, Tensor]:
    """The plan of a guided edit; the photo around what is made, uint8 [H, W, 3]; the mask of what is made, [H, W]."""
    task, settings, rgb = asked.task, asked.settings, asked.pictures[0]
    preset, weights, mask = PRESETS[settings.preset], task.weights, _reach(asked).mask
    injection = task.injection([bank.shape for bank in banks])
    guidance = settings.guidance_scale or weights.guidance
    copy, sure, canvas = None, None, rgb
    if preset.first:
        wanted = asked.copy(from_uint8(rgb))
        copy = noised_only(model, model.encode(wanted.pixels), words[0], preset.steps, settings.seed)
        started = copy.latents[preset.first]
        sure = shrunk(wanted.placed, banks[0].shape)[None, None].to(started)
        if sure.any() and not settings.guidance_scale:
            guidance = 1.0  # the words would have what is there already drawn beside it
        canvas = _shown(wanted, rgb, mask)
        mask = mask * (1 - _with_rim(wanted.placed, rgb.shape[0] / banks[0].shape[0]))
        injection = replace(injection, own=True, begin=0.0, end=1.0)
    else:
        started = task.begin([bank.latents[0] for bank in banks])
    changes = {"edit": settings.strength, "content": settings.consistency}
    grids = [Grid.of(bank.latents[-1], model.factor) for bank in banks]
    plan = Plan(
        started,
        shrunk(task.region, banks[0].shape, any_part=True)[None, None].to(started),
        shrunk(mask, banks[0].shape, any_part=True)[None, None].to(started),
        *words,
        guidance=guidance,
        pull=weights.pull,
        terms=tuple(replace(term, weight=term.weight * changes[term.part]) for term in task.terms(grids)),
        banks=tuple(banks),
        copy=copy,
        sure=sure,
        injection=injection,
    )
    return plan, canvas, mask


def _filling(
    model: DiffusionModel, asked: Asked, words: tuple[Condition, Condition]
) -> tuple[Plan, Tensor, Tensor]:
    """The same for a copy of what is wanted, of which only what it does not know is made."""
    settings, preset, rgb = asked.settings, PRESETS[asked.settings.preset], asked.pictures[0]
    copy, reach = asked.copy(from_uint8(rgb)), _reach(asked).mask
    mask = torch.minimum(_unknown(copy, settings.feather), reach)
    bank = noised_only(model, model.encode(copy.pixels), words[0], preset.steps, settings.seed)
    started = bank.latents[preset.first]
    region = shrunk(mask, bank.shape, any_part=True)[None, None].to(started)
    plan = Plan(started, region, region, *words, guidance=1.0, banks=(bank,))
    return plan, _shown(copy, rgb, reach), mask


def _with_rim(placed: Tensor, cell: float) -> Tensor:
    """Where content was put [H, W], and an eighth of a cell of the ground around it, which the model would smudge.

    Args:
        placed: 0 to 1.
        cell: of the latents, in pixels.
    """
    rim = max(1, round(cell / 8))
    return torch.maximum(placed, _spread(placed, rim, (rim + 1) // 2))


def _unknown(copy: Warped, feather: float) -> Tensor:
    """What a copy does not know, with a soft edge: what was uncovered, and the ground around what was put somewhere."""
    outside = 1 - (copy.placed[None, None] > 0.5).float()
    seam = F.max_pool2d(outside, 9, 1, 4) * F.max_pool2d(1 - outside, 9, 1, 4)
    return soft(torch.maximum(copy.uncovered, seam[0, 0]), feather) * (1 - copy.placed)


def soft(region: Tensor, feather: float) -> Tensor:
    """A region [H, W] with an edge that falls to exactly 0 within so many pixels; 1 inside.

    Args:
        region: 0 to 1.
        feather: pixels beyond it; more in proportion where a side of the picture is longer than 512.
    """
    edge, reach = (region > 0).float(), round(feather / 2 * max(1.0, max(region.shape) / USUAL))
    return _spread(edge, reach, reach) if reach else edge


def _spread(region: Tensor, reach: int, blur: int) -> Tensor:
    """A region [H, W] grown by so many pixels, then blurred over so many to each side."""
    made = region.clone()
    if region.max() == 0:
        return made
    top, bottom, left, right = box_around(region > 0, least=reach + blur)
    grown = region[None, None, top:bottom, left:right]
    for kernel, padding in _ways(reach):
        grown = F.max_pool2d(grown, kernel, 1, padding)
    for kernel, padding in _ways(blur):
        grown = F.avg_pool2d(
            F.pad(grown, (padding[1], padding[1], padding[0], padding[0]), "replicate"), kernel, 1
        )
    made[top:bottom, left:right] = grown[0, 0].clamp(0, 1)
    return made


def _ways(reach: int) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...]:
    """Kernels and paddings of a square window that reaches so far, down and then across."""
    return ((2 * reach + 1, 1), (reach, 0)), ((1, 2 * reach + 1), (0, reach))
