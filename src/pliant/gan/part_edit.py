"""Repaint the parts of a picture (EditGAN: Ling et al., NeurIPS 2021, arXiv 2111.03186).

A person repaints the part map; the code is optimised until the picture has those parts. Inside a region the predicted parts
must become the painted ones (cross-entropy), outside it the picture must stay. All layers' codes move.

What differs from the paper and its program:

* The picture outside is held by pixels (L2) and, instead of LPIPS on VGG, by the generator's own features, each place's scaled
  to length one as LPIPS does. They are computed anyway, fit every model, and need no further network.
* Features are resized bilinearly in the loop as in training (the program resizes to the nearest there).
* The best step is kept by value and given out last (the program's "best" is an alias of the latest).
* It stops early once nothing improves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.errors import InputError
from pliant.gan.head import Features, PartHead, look
from pliant.gan.latent import LatentPicture
from pliant.gan.lean import fast_dtype
from pliant.gan.parts import PartMap, PartsLike, as_parts, checked_head, segment
from pliant.gan.region import KnownRegion
from pliant.perception.identity import load_identity
from pliant.points import MaskLike, as_mask
from pliant.settings import Slider
from pliant.steps import Step

REFERENCE_HEIGHT = 512
"""Height of the picture in whose pixels lengths are given."""
FEATURE_HEIGHTS = (16, 128)
"""Feature maps of these heights and between hold the picture outside the region."""
APART = 0.3
"""How much slower the layers' codes move apart than together, which keeps them a code that the model could have given."""
IMPROVEMENT = 0.01
"""Share by which the loss must fall to count as better, for stopping early."""


@dataclass(frozen=True)
class RepaintSettings:
    """How a repaint behaves."""

    step_size: Annotated[float, Slider(5e-3, 0.2, log=True)] = 0.05
    """Adam's learning rate on the code, in standard deviations of the model's codes."""
    max_steps: Annotated[int, Slider(10, 200)] = 60
    """Most steps."""
    region: Literal["painted", "parts"] = "painted"
    """Where the picture may change: what was painted over, or all that is or was one of the parts painted over or with."""
    margin: Annotated[float, Slider(0, 40)] = 8.0
    """How far the region reaches beyond that, in pixels of a 512-pixel picture."""
    part_weight: Annotated[float, Slider(0.1, 10, log=True)] = 1.0
    """Weight of the painted parts inside the region."""
    pixel_weight: Annotated[float, Slider(0, 100)] = 20.0
    """Weight of the pixels outside the region."""
    feature_weight: Annotated[float, Slider(0, 100)] = 5.0
    """Weight of the generator's features outside the region."""
    identity_weight: Annotated[float, Slider(0, 5)] = 0.0
    """Weight of staying the same person, as Pliant's identity network sees it; for portraits."""
    hold_back: Annotated[float, Slider(0, 10)] = 1.0
    """Weight of the pull toward codes that the model knows, felt once strain exceeds 1."""
    patience: Annotated[int, Slider(2, 50)] = 12
    """End when so many steps brought no improvement."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the convolutions; auto takes bfloat16 where the machine has it."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        for name in ("step_size", "max_steps", "part_weight", "patience"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be greater than 0; it is {getattr(self, name)}.")
        for name in ("margin", "pixel_weight", "feature_weight", "identity_weight", "hold_back"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} must be 0 or more; it is {getattr(self, name)}.")

    def dtype(self, device: torch.device) -> torch.dtype:
        """What `precision` means there."""
        chosen = {"float32": torch.float32, "bfloat16": torch.bfloat16}
        return chosen.get(self.precision) or fast_dtype(device)


SHORT = RepaintSettings(max_steps=30)
"""For refinement: more steps bring little (paper, section 4.3)."""


@dataclass(frozen=True, eq=False)
class RepaintStep(Step):
    """One step of a repaint: the picture after `index` updates. The last step is the best one once more."""

    picture: LatentPicture
    loss: float
    """All weighted terms together."""
    agreement: float
    """Share of the repainted pixels that have the painted part."""
    change: float
    """Root mean square change of the pixels outside the region, of a range of 2."""
    strain: float
    """How far the code is from what the model knows; beyond 1 it leaves the model's world."""
    best: bool
    """The loss is the lowest so far."""
    arrived: bool
    """The run has ended because nothing improved any more."""


def repaint(
    picture: LatentPicture,
    edited_parts: PartsLike | PartMap,
    *,
    head: PartHead | None = None,
    movable: MaskLike | None = None,
    settings: RepaintSettings = RepaintSettings(),
) -> Iterator[RepaintStep]:
    """Change a picture so that it has the painted parts: one step per update, the first being the start itself.

    Closing the iterator stops.

    Args:
        picture: where to start; it is not changed.
        edited_parts: [H, W] class ids, the picture's part map (`segment`) with changes painted into it.
        head: the generator's own if not given.
        movable: [H, W], 1 where the picture may change; takes the place of the region that `settings` describe.
        settings: the method's parameters.

    Raises:
        InputError: a part map of another size, with unknown ids, equal to the picture's, or all of one part.
        ModelMismatchError: a head of another generator.
        CheckpointError: none was given and the generator has none.
    """
    head = checked_head(picture, head)
    target = as_parts(edited_parts, head)
    if len(target.unique()) == 1:
        raise InputError(
            f"The whole picture is painted '{head.names[int(target[0, 0])]}', which leaves nothing to keep; "
            "paint the part map that pliant segment gives, and change some of it."
        )
    mask = as_mask(movable, picture.size)
    device = picture.ws.device
    reference = _Reference.of(picture, head, settings)
    before, after = reference.ids, target.to(device).long()
    if not (before != after).any():
        raise InputError("The part map is that of the picture already; paint what should change.")
    inside = region_of(before, after, settings) if mask is None else mask.to(device) > 0
    if not ((before != after) & inside).any():
        raise InputError("Nothing was painted inside the region that may change; enlarge it, or paint there.")
    goal = _Goal(head, reference, after, inside, settings)
    return _optimised(picture, picture.ws, goal, settings)


def region_of(before: Tensor, after: Tensor, settings: RepaintSettings) -> Tensor:
    """Where a repaint may change the picture (paper's eq. 1): bool [H, W].

    Args:
        before: ids [H, W] of the picture.
        after: ids [H, W] as painted.
        settings: which region, and how far it reaches.
    """
    region = before != after
    if settings.region == "parts":
        concerned = torch.cat([before[region], after[region]]).unique()
        region = torch.isin(before, concerned) | torch.isin(after, concerned)
    return dilated(region, round(settings.margin * before.shape[0] / REFERENCE_HEIGHT))


def dilated(region: Tensor, radius: int) -> Tensor:
    """A region [H, W] and every pixel at most `radius` away in both directions."""
    if radius < 1:
        return region
    return F.max_pool2d(region[None, None].float(), 2 * radius + 1, 1, radius)[0, 0] > 0


@dataclass(frozen=True, eq=False)
class _Reference:
    """The picture before the edit."""

    image: Tensor
    """[1, 3, H, W]."""
    features: Features
    ids: Tensor
    """[H, W], its parts as `segment` gives them."""

    @staticmethod
    @torch.no_grad()
    def of(picture: LatentPicture, head: PartHead, settings: RepaintSettings) -> _Reference:
        ids = segment(picture, head).ids.to(picture.ws.device).long()
        return _Reference(*look(picture.generator, picture.ws[None], settings.dtype(ids.device)), ids)


class _Goal:
    """What a repaint minimises.

    Args:
        head: names the parts.
        reference: what must stay outside, and tells which pixels were repainted.
        after: ids [H, W] that the picture should have.
        inside: bool [H, W], where it may change.
        settings: weights.
    """

    def __init__(
        self, head: PartHead, reference: _Reference, after: Tensor, inside: Tensor, settings: RepaintSettings
    ) -> None:
        self.head, self.settings = head, settings
        self.image, self.outside = reference.image, (~inside).float()
        y, x = torch.nonzero(inside, as_tuple=True)
        self.pixels = torch.stack([x, y], 1)
        self.targets = after[y, x]
        self.repainted = (reference.ids != after)[y, x]
        self.held = {
            name: _unit(values)
            for name, values in reference.features.items()
            if FEATURE_HEIGHTS[0] <= values.shape[2] <= FEATURE_HEIGHTS[1] and name.endswith("conv1")
        }
        if settings.identity_weight:
            self.person = load_identity(device=self.image.device)
            if not self.person.sees_face(self.image).all():
                raise InputError("There is no face in this picture, so identity_weight must be 0.")
            self.before = self.person.embed(self.image)
        # A cell may be held only if all of the picture that it covers lies outside.
        self.cells = {
            name: (
                F.adaptive_avg_pool2d(self.outside[None], (values.shape[2], values.shape[3])) > 1 - 1e-6
            ).float()
            for name, values in self.held.items()
        }

    def __call__(self, image: Tensor, features: Features) -> tuple[Tensor, float, float]:
        """The loss without the pull on the code; agreement; change of the pixels outside."""
        logits = self.head.logits_at(features, self.pixels)[0]
        parts = F.cross_entropy(logits.T, self.targets)
        right = (logits.argmax(0) == self.targets)[self.repainted]
        squared = (image - self.image).square().mean((0, 1)) * self.outside
        pixels = squared.mean()
        kept = torch.stack([self._kept(name, features[name]) for name in self.held]).mean()
        weights = self.settings
        loss = weights.part_weight * parts + weights.pixel_weight * pixels + weights.feature_weight * kept
        if weights.identity_weight:
            loss = loss + weights.identity_weight * (1 - (self.person.embed(image) * self.before).sum())
        change = (squared.detach().sum() / self.outside.sum().clamp_min(1)).sqrt()
        return loss, float(right.float().mean()), float(change)

    def _kept(self, name: str, values: Tensor) -> Tensor:
        """Squared distance of unit features, averaged over the picture; cells inside count as unchanged."""
        return ((_unit(values) - self.held[name]).square().sum(1) * self.cells[name]).mean()


def _unit(values: Tensor) -> Tensor:
    """Each place's features [N, C, h, w] scaled to length one."""
    return values / (values.square().sum(1, keepdim=True) + 1e-8).sqrt()


def _optimised(
    picture: LatentPicture, start: Tensor, goal: _Goal, settings: RepaintSettings
) -> Iterator[RepaintStep]:
    """Adam on all layers' codes from `start`; the last step is the best."""
    known, dtype = KnownRegion.of(picture.generator), settings.dtype(start.device)
    reach = max(1.0, float(known.strain(picture.ws)))  # a picture that strains already is not pulled back
    start = start.detach()
    code = known.to_code(start)
    rounding = start - known.to_w(code)
    together = torch.zeros_like(code[:1]).requires_grad_()
    apart = torch.zeros_like(code).requires_grad_()
    adam = torch.optim.Adam(
        [{"params": [together]}, {"params": [apart], "lr": settings.step_size * APART}],
        settings.step_size,
        betas=(0.9, 0.99),
    )
    best: RepaintStep | None = None
    waited, mark, index = 0, float("inf"), 0
    for index in range(settings.max_steps):
        with torch.enable_grad():
            ws = known.to_w(code + together + apart) + rounding
            image, features = look(picture.generator, ws[None], dtype)
            loss, agreement, change = goal(image, features)
            strain = known.strain(ws)
            loss = loss + settings.hold_back * F.relu(strain - reach).square()
        value = float(loss.detach())
        better = best is None or value < best.loss
        waited = 0 if value < mark * (1 - IMPROVEMENT) else waited + 1
        mark = value if waited == 0 else mark
        step = RepaintStep(
            index=index,
            picture=picture.with_ws(ws.detach() if index else start),
            loss=value,
            agreement=agreement,
            change=change,
            strain=float(strain.detach()),
            best=better,
            arrived=False,
        )
        best = step if better else best
        yield step
        if waited >= settings.patience or index + 1 == settings.max_steps:
            break
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
    if best is not None:
        yield _last(best, index + 1, arrived=waited >= settings.patience)


def _last(best: RepaintStep, index: int, *, arrived: bool) -> RepaintStep:
    """The best step as the run's last."""
    return RepaintStep(
        index, best.picture, best.loss, best.agreement, best.change, best.strain, best=True, arrived=arrived
    )


def refine(
    edited: LatentPicture,
    reference: LatentPicture,
    parts: tuple[str, ...],
    *,
    head: PartHead | None = None,
    settings: RepaintSettings = SHORT,
) -> Iterator[RepaintStep]:
    """Tidy up after an edit that was applied directly (EditGAN section 3.4): its parts stay, all else returns to what it was.

    Args:
        edited: after the edit; its predicted parts are the goal.
        reference: the picture before the edit, of the same generator.
        parts: names of the parts that the edit concerns; where one of them is or was, the picture may differ.
        head: the generator's own if not given.
        settings: of the steps; `region` is not used.

    Raises:
        InputError: no part, a part of that name does not exist, none of them is in the picture, or pictures of two generators.
        ModelMismatchError: a head of another generator.
    """
    if edited.generator is not reference.generator:
        raise InputError("The edited picture and the one before must come from one generator.")
    head = checked_head(reference, head)
    ids = torch.tensor([head.id_of(name) for name in parts], device=reference.ws.device, dtype=torch.long)
    old = _Reference.of(reference, head, settings)
    before, after = old.ids, segment(edited, head).ids.to(ids.device).long()
    concerned = torch.isin(before, ids) | torch.isin(after, ids)
    if not concerned.any():
        raise InputError(f"None of the parts {', '.join(parts) or '(none given)'} is in the picture.")
    inside = dilated(concerned, round(settings.margin * before.shape[0] / REFERENCE_HEIGHT))
    goal = _Goal(head, old, after, inside, settings)
    return _optimised(reference, edited.ws, goal, settings)
