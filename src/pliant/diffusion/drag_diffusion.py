"""Drag points of a photo by its noisy latents (DragDiffusion: Shi et al., CVPR 2024, arXiv 2306.14435).

A correction of the model is fitted to the picture (`lora.py`), with which the picture is inverted to 0.7 of the steps. There,
*motion supervision* nudges the latents until the features around each handle lie a pixel nearer to its target, and
*point tracking* finds where the handle went. The dragged latents are sampled with *reference-latent control*: in
the finer self-attention of the decoder, keys and values are those of the picture itself, sampled beside it.

As published, but: gradients are those of the latents alone, the network's weights have none (equal, and cheaper); the pass
that only looked at the start is the first one of the loop (equal); features are read where they are needed instead of resized
(equal); the picture is sampled beside the dragged one once and remembered, in place of a batch of two (equal; every later drag
of the picture takes half the passes); and the photo is put back outside the mask.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

import numpy as np
import torch
from torch import Tensor

from pliant.diffusion.attention import LayerBank
from pliant.diffusion.drag_features import HalfGrid, supervision, track
from pliant.diffusion.editing import Reach, soft
from pliant.diffusion.inversion import Bank, BankKey
from pliant.diffusion.loading import load_diffusion
from pliant.diffusion.lora import Lora, LoraKey, LoraSettings, LossScale, tuned
from pliant.diffusion.picture import DiffusionPicture
from pliant.diffusion.pipeline import Condition, DiffusionModel, Features
from pliant.diffusion.plans import shrunk
from pliant.diffusion.reference import ReferenceControl
from pliant.images import from_uint8
from pliant.picture import Picture
from pliant.points import MaskLike, PointsLike, as_mask, as_points, check_pairs
from pliant.settings import Slider, check_ranges
from pliant.steps import Step

__all__ = ["DragDiffusionSettings", "DragDiffusionStep", "drag_diffusion"]

STEPS = 50
"""Of the whole sampling (published)."""
Phase = Literal["tune", "invert", "drag", "edit"]


@dataclass(frozen=True)
class DragDiffusionSettings:
    """How points are dragged; the defaults are the published ones."""

    lora_steps: Annotated[int, Slider(0, 200)] = 80
    """Steps in which the model is fitted to the picture before its first drag, so that its looks stay; 0 for none."""
    lora_rank: Annotated[int, Slider(1, 64)] = 16
    """Rank of what is fitted: more can learn more."""
    lora_rate: Annotated[float, Slider(1e-5, 5e-3, log=True)] = 5e-4
    """Learning rate of the fit."""
    inversion_strength: Annotated[float, Slider(0.1, 1)] = 0.7
    """Share of the 50 steps that the picture is taken back before it is dragged: more can change more."""
    drag_steps: Annotated[int, Slider(1, 300)] = 80
    """Most nudges."""
    latent_rate: Annotated[float, Slider(1e-3, 0.1, log=True)] = 0.01
    """Size of a nudge: learning rate of Adam on the latents."""
    patch_radius: Annotated[int, Slider(1, 8)] = 1
    """Half a side of the square around each handle that is moved, in pixels of half the working size."""
    search_radius: Annotated[int, Slider(1, 16)] = 3
    """Half a side of the square in which each handle is searched for, in the same pixels."""
    mask_weight: Annotated[float, Slider(0, 1)] = 0.1
    """Weight lambda of keeping what lies outside the selection."""
    stop_distance: Annotated[float, Slider(0.5, 10)] = 2.0
    """A handle this close to its target is there, in the same pixels."""
    reference_control: bool = True
    """Let the result look at the picture itself while it is made."""
    feather: Annotated[float, Slider(0, 64)] = 8.0
    """Pixels beyond the selection that may change, ever less to their end; more beyond 512 pixels a side."""
    paste_back: bool = True
    """Keep the pixels outside the selection and its feather exactly as they were."""
    seed: int = 0
    """Of the noise that the model is fitted with; the rest draws none."""

    def __post_init__(self) -> None:
        """Refuse what could not work."""
        check_ranges(
            self,
            {
                "lora_steps": (0, 10_000),
                "lora_rank": (1, 1024),
                "lora_rate": (1e-8, 1),
                "inversion_strength": (1 / STEPS, 1),
                "drag_steps": (1, 10_000),
                "latent_rate": (1e-8, 10),
                "patch_radius": (0, 64),
                "search_radius": (1, 64),
                "mask_weight": (0, 1e6),
                "stop_distance": (0, 1000),
                "feather": (0, 512),
                "seed": (0, 2**32 - 1),
            },
        )

    @property
    def draws(self) -> bool:
        """Whether another seed gives another answer."""
        return self.lora_steps > 0

    @property
    def passes(self) -> int:
        """Steps of the inversion, and of the sampling after the drag."""
        return max(1, round(self.inversion_strength * STEPS))

    @property
    def max_steps(self) -> int:
        """Steps of a run at most; fewer where points arrive early, or the picture was dragged before."""
        return 1 + self.lora_steps + self.drag_steps + 2 * self.passes


@dataclass(frozen=True, eq=False)
class DragDiffusionStep(Step):
    """One step: of fitting the model or looking at the picture, which stays as it is; of the drag; of making the result."""

    picture: DiffusionPicture
    phase: Phase
    handles: Tensor
    """[N, 2] (x, y) pixels, where the points are thought to be."""
    targets: Tensor
    """[N, 2] (x, y) pixels."""
    distances: Tensor
    """[N] pixels."""
    energy: float
    """Loss of the fit or of the drag; 0 in other steps."""
    network_calls: float
    """Forward equivalents of the UNet so far."""
    reach: Reach
    arrived: bool = False
    """This is the last step."""


def drag_diffusion(
    picture: Picture,
    handles: PointsLike,
    targets: PointsLike,
    mask: MaskLike | None,
    *,
    prompt: str = "",
    model: DiffusionModel | None = None,
    settings: DragDiffusionSettings = DragDiffusionSettings(),
) -> Iterator[DragDiffusionStep]:
    """Drag points of a picture.

    Args:
        picture: any; it is edited at the resolution of the model.
        handles: [N, 2] (x, y) pixels, where each drag starts.
        targets: [N, 2], where each should end.
        mask: [H, W], 1 where the picture may change; None for everywhere.
        prompt: what the picture shows.
        model: scenes-256 if not given.
        settings: how.

    Returns:
        Steps; the first shows the picture as it is.

    Raises:
        InputError: points or a mask that cannot be used, or too long a prompt.
    """
    starts, ends = (
        as_points(points, picture.size, name=name)
        for points, name in ((handles, "handles"), (targets, "targets"))
    )
    check_pairs(starts, ends)
    area = as_mask(mask, picture.size)
    model = load_diffusion() if model is None else model
    rgb = torch.from_numpy(np.array(picture.render().convert("RGB")))
    condition = model.condition(prompt.strip(), model.working_size(picture.size))
    return _Drag(model, settings, rgb, starts, ends, area, prompt.strip(), condition).run()


# ---- the run


@dataclass(frozen=True)
class _ReferenceKey(BankKey):
    """Of a picture that was inverted with a correction, and sampled from there."""

    lora: LoraKey | None = None


@dataclass(eq=False)
class _Pull:
    """What a drag in progress holds on the device."""

    leaf: Tensor
    """float32 [1, C, h, w]: the latents, and their gradient."""
    closed: Tensor
    """[1, 1, h, w], 1 where they should stay."""
    anchors: Tensor | None = None
    """[N, C]: features of the handles at the start."""
    still: Tensor = field(default_factory=lambda: torch.zeros(()))
    """[1, C, h, w]: the latents of the next step, at the start."""
    scale: LossScale = field(default_factory=LossScale)
    done: bool = False
    """All handles have arrived."""


@dataclass(eq=False)
class _Drag:
    """One drag in progress."""

    model: DiffusionModel
    settings: DragDiffusionSettings
    rgb: Tensor
    """uint8 [H, W, 3]."""
    starts: Tensor
    targets: Tensor
    area: Tensor | None
    """float32 [H, W]."""
    prompt: str
    condition: Condition
    lora: Lora = field(default_factory=Lora.none)
    lora_key: LoraKey | None = None
    key: _ReferenceKey | None = None

    def __post_init__(self) -> None:
        """What follows from the input."""
        size = self.rgb.shape[1], self.rgb.shape[0]
        self.begun = self.model.account.forwards
        self.grid = HalfGrid.of(size, self.model.working_size(size))
        self.handles, self.ends = self.grid.nearest(self.starts), self.grid.nearest(self.targets)
        self.begin_handles = self.handles
        self.first = STEPS - self.settings.passes
        self.timesteps = self.model.schedule.timesteps(STEPS)
        free = torch.ones(self.rgb.shape[:2])
        inside = free if self.area is None else self.area
        self.mask = soft(inside, self.settings.feather) if self.settings.paste_back else free

    def run(self) -> Iterator[DragDiffusionStep]:
        """All steps, numbered."""
        steps = self._steps()
        for index, step in enumerate(steps):
            yield replace(step, index=index)

    def _steps(self) -> Iterator[DragDiffusionStep]:
        yield self._step("tune" if self.settings.lora_steps else "invert")
        latents = self.model.encode(from_uint8(self.rgb))
        bank = yield from self._looked_at(latents)
        moved = yield from self._dragged(bank.latents[self.first])
        yield from self._sampled(moved, bank)

    def _step(
        self, phase: Phase, latents: Tensor | None = None, *, energy: float = 0.0, last: bool = False
    ) -> DragDiffusionStep:
        """What is shown: the photo, or what the model makes of it."""
        picture = (
            DiffusionPicture(self.model, self.rgb)
            if latents is None
            else DiffusionPicture(self.model, self.rgb, self.mask, latents.detach()[0])
        )
        shown = self.starts + (self.handles - self.begin_handles) * self.grid.pixel
        far = (self.targets - shown).norm(dim=-1)
        calls = self.model.account.forwards - self.begun
        return DragDiffusionStep(
            0, picture, phase, shown, self.targets, far, energy, calls, Reach(self.mask), arrived=last
        )

    def _following(self, step: int) -> int | None:
        """The timestep after that of a step."""
        return self.timesteps[step + 1] if step + 1 < STEPS else None

    # ---- before the drag

    def _looked_at(self, latents: Tensor) -> Generator[DragDiffusionStep, None, Bank]:
        """The correction is fitted, and the picture inverted, if it was not before."""
        settings, model = self.settings, self.model
        key = BankKey.of(self.rgb, self.prompt, "inverted", STEPS)
        if settings.lora_steps:
            how = LoraSettings(
                settings.lora_steps, settings.lora_rank, settings.lora_rate, seed=settings.seed
            )
            self.lora_key = LoraKey(key.picture, self.prompt, how)
            tuning = tuned(model, latents, self.condition, self.lora_key)
            while True:
                try:
                    loss = next(tuning)
                except StopIteration as ended:
                    self.lora = ended.value
                    break
                yield self._step("tune", energy=loss)
        self.key = _ReferenceKey(key.picture, key.prompt, key.how, STEPS, self.first, lora=self.lora_key)
        known = model.banks.get(self.key, Bank)
        if known is not None:
            return known
        bank = Bank(self.timesteps, {-1: latents}, {}, self.condition)
        now = latents
        for step in range(STEPS - 1, self.first - 1, -1):
            now = self._back(now, step)
            yield self._step("invert")
        bank.latents[self.first] = now
        self._keep(bank)
        return bank

    def _keep(self, bank: Bank) -> None:
        """Keep what is known, now that it has grown; where not all fits, the correction, which is small and took longest."""
        banks = self.model.banks
        banks.keep(self.key, bank)
        if self.lora_key is not None:
            banks.keep(self.lora_key, self.lora)

    @torch.no_grad()
    def _back(self, now: Tensor, step: int) -> Tensor:
        """One step of DDIM inversion without guidance: seen with the timestep it goes to (as `inversion.py`)."""
        timestep = self.timesteps[step]
        with self.lora.on(self.model.unet):
            noise = self.model.noise(now, timestep, self.condition)
        return self.model.schedule.back(now, noise, timestep, self._following(step))

    # ---- the drag

    def _dragged(self, latents: Tensor) -> Generator[DragDiffusionStep, None, Tensor]:
        """Nudge the latents, float32 [1, C, h, w], until all handles are there."""
        pull = _Pull(latents.clone().requires_grad_(), self._closed(latents))
        adam = torch.optim.Adam([pull.leaf], self.settings.latent_rate)
        for _ in range(self.settings.drag_steps):
            clean, loss = self._pulled(pull)
            yield self._step("drag", clean, energy=loss)
            if pull.done:
                break
            adam.step()
        return pull.leaf.detach()

    def _pulled(self, pull: _Pull) -> tuple[Tensor, float]:
        """Find the handles and the gradient. Returns what the picture is thought to be, and the loss."""
        settings = self.settings
        with torch.enable_grad(), self.lora.on(self.model.unet):
            features, clean, after = self._seen(pull.leaf)
            seen = features.detach()
            if pull.anchors is None:
                pull.anchors, pull.still = self.grid.at(seen, self.handles), after.detach()
            else:
                self.handles = track(seen, pull.anchors, self.handles, self.grid, settings.search_radius)
            if ((self.ends - self.handles).norm(dim=-1) < settings.stop_distance).all():
                pull.done = True
                return clean, 0.0
            loss = supervision(
                features,
                self.handles,
                self.ends,
                self.grid,
                radius=settings.patch_radius,
                stop=settings.stop_distance,
            )
            loss = loss + settings.mask_weight * ((after - pull.still) * pull.closed).abs().sum()
            gradients = pull.scale.gradients(loss, [pull.leaf])
        pull.leaf.grad = gradients[0] if gradients else None
        self.model.account.add_forward(pull.leaf)  # back through all of it: the mask term is of the noise
        return clean, float(loss.detach())

    def _seen(self, leaf: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features [C, h, w] at an eighth of the picture, what it is thought to be, and the latents of the next step."""
        schedule, timestep = self.model.schedule, self.timesteps[self.first]
        kept: list[Features] = []
        noise = self.model.noise(leaf, timestep, self.condition, kept=kept)
        clean = schedule.clean(leaf, noise, timestep)
        return kept[0][1][0], clean, schedule.step(clean, noise, timestep, self._following(self.first))

    def _closed(self, latents: Tensor) -> Tensor:
        """[1, 1, h, w]: 1 for cells that lie wholly outside the mask."""
        if self.area is None:
            return torch.zeros_like(latents[:, :1])
        shape = latents.shape[-2], latents.shape[-1]
        return 1 - shrunk(self.area, shape, any_part=True)[None, None].to(latents)

    # ---- after the drag

    def _sampled(self, latents: Tensor, bank: Bank) -> Iterator[DragDiffusionStep]:
        """Sample the dragged latents, looking at the picture."""
        now, control = latents, ReferenceControl(self.model)
        for step in range(self.first, STEPS):
            now, clean = self._forth(now, step, control, bank)
            yield self._step("edit", clean, last=step == STEPS - 1)

    @torch.no_grad()
    def _forth(self, now: Tensor, step: int, control: ReferenceControl, bank: Bank) -> tuple[Tensor, Tensor]:
        """One step: the latents after it, and what the picture is thought to be."""
        schedule, timestep, following = self.model.schedule, self.timesteps[step], self._following(step)
        with self.lora.on(self.model.unet):
            if not self.settings.reference_control:
                noise = self.model.noise(now, timestep, self.condition)
            else:
                if step not in bank.keys_values:
                    self._remember(step, control, bank)
                with control.seeing(bank.keys_values[step]):
                    noise = self.model.noise(now, timestep, self.condition)
        clean = schedule.clean(now, noise, timestep)
        after = schedule.step(clean, noise, timestep, following)
        return after, clean if following is not None else after

    def _remember(self, step: int, control: ReferenceControl, bank: Bank) -> None:
        """One step of the picture itself, whose keys and values are kept."""
        schedule, timestep, following = self.model.schedule, self.timesteps[step], self._following(step)
        there = bank.latents[step]
        kept: LayerBank = {}
        with control.keeping(kept):
            noise = self.model.noise(there, timestep, self.condition)
        if following is not None:
            clean = schedule.clean(there, noise, timestep)
            bank.latents[step + 1] = schedule.step(clean, noise, timestep, following)
        place = self.model.banks.device
        bank.keys_values[step] = {
            layer: (key.to(place or key.device), value.to(place or value.device))
            for layer, (key, value) in kept.items()
        }
        self._keep(bank)
