"""Drag points of a generated picture (DragGAN: Pan et al., SIGGRAPH 2023, arXiv 2305.10973).

Two moves alternate. *Motion supervision* (eq. 1) nudges the latent code so that the features around each handle appear one
pixel closer to its target. *Point tracking* (eq. 2) finds where the handle went: the pixel nearby whose features are most like
those the handle had at the start.

`DragSettings.published()` is the published program with all its habits. The default differs where measurements favour it
(docs/drag.md): the moved patch is partly held to how it looked at the *start* of the drag, so the look does not wander off with
the shape; pixel grids are exact; precision follows the machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

import torch
from torch import Tensor

from pliant.errors import InputError
from pliant.gan.drag_loop import DragLoop, DragMemory, LoopInput, LoopState
from pliant.gan.latent import LatentPicture
from pliant.points import MaskLike, PointsLike, as_mask, as_points, check_pairs
from pliant.settings import Slider
from pliant.steps import Step


@dataclass(frozen=True)
class DragSettings:
    """How a drag behaves. Lengths are in pixels of a 512-pixel picture and scale with its height."""

    step_size: Annotated[float, Slider(1e-4, 2e-2, log=True)] = 2e-3
    """Adam's learning rate on the moving part of the code."""
    max_steps: Annotated[int, Slider(10, 1000)] = 300
    """Most steps of one drag."""
    space: Literal["w+", "w"] = "w+"
    """Move each layer's w by itself (w+), or all moving layers together (w)."""
    moving_layers: Annotated[int, Slider(1, 18)] = 6
    """How many of the first layers move: more changes finer detail too, fewer keep the look better."""
    block: str = "b128"
    """Block whose features are supervised and tracked; a smaller one is taken where the model has no such block."""
    patch_radius: Annotated[float, Slider(1, 10)] = 3.0
    """Radius r1 of the disc around each handle that is moved."""
    search_radius: Annotated[float, Slider(4, 40)] = 12.0
    """Radius r2 of the square in which each handle is searched for."""
    mask_weight: Annotated[float, Slider(0, 100)] = 20.0
    """Weight lambda of keeping what lies outside the movable region."""
    tracking: Literal["l2", "l1"] = "l2"
    """Norm that compares features: l1 in the paper, l2 in its program."""
    anchoring: Annotated[float, Slider(0, 1)] = 0.3
    """How the moved patch should look: 0 as it looks now (published), 1 as it looked at the start, between: a blend."""
    stop_distance: Annotated[float, Slider(1, 10)] = 2.0
    """The drag ends when every handle is this close to its target (never less than 2 pixels of the picture itself)."""
    stay_weight: Annotated[float, Slider(0, 10)] = 0.0
    """Weight of an L1 pull of the code toward where it started."""
    hold_back: Annotated[float, Slider(0, 10)] = 0.0
    """Weight of the pull toward codes that the model knows, felt once strain exceeds 1."""
    exact_grid: bool = True
    """False repeats the published program's patch grid, which is stretched by one pixel over the picture."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the convolutions; auto takes bfloat16 where the machine has it."""

    @staticmethod
    def published(**changes: Any) -> DragSettings:
        """The official program's loop: its learning rate, grid and unanchored patches, float32."""
        official = DragSettings(step_size=1e-3, anchoring=0.0, exact_grid=False, precision="float32")
        return replace(official, **changes)

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        positive = (
            "step_size",
            "max_steps",
            "moving_layers",
            "patch_radius",
            "search_radius",
            "stop_distance",
        )
        for name in positive:
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be greater than 0; it is {getattr(self, name)}.")
        if not 0 <= self.anchoring <= 1:
            raise InputError(f"anchoring must be from 0 to 1; it is {self.anchoring}.")
        for name in ("mask_weight", "stay_weight", "hold_back"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} must be 0 or more; it is {getattr(self, name)}.")


@dataclass(frozen=True, eq=False)
class DragStep(Step):
    """One step of a drag: the picture after `index` nudges, and where its handles are."""

    picture: LatentPicture
    handles: Tensor
    """[N, 2] (x, y) pixels, tracked on this picture."""
    targets: Tensor
    """[N, 2] (x, y) pixels."""
    distances: Tensor
    """[N] pixels from handle to target; 0 for a locked point."""
    loss: float
    """Motion supervision plus the weighted mask term and pulls."""
    strain: float
    """How far the moving part of the code is from what the model knows; beyond 1 it leaves the model's world."""
    arrived: bool
    """Every handle is close enough to its target; the last step of a drag that succeeded."""
    memory: DragMemory = field(repr=False, compare=False)
    """What a following drag needs to go on as if it were the same one."""


def drag(
    picture: LatentPicture,
    handles: PointsLike,
    targets: PointsLike,
    *,
    movable: MaskLike | None = None,
    locked: Sequence[bool] | None = None,
    settings: DragSettings = DragSettings(),
    after: DragStep | None = None,
) -> Iterator[DragStep]:
    """Move handles to targets: one step per nudge, the first being the start itself. Closing the iterator stops the drag.

    Args:
        picture: where to start; it is not changed.
        handles: [N, 2] (x, y) pixels, where each drag starts.
        targets: [N, 2] (x, y) pixels, where each should end.
        movable: [H, W], 1 where the picture may change; None lets all of it change.
        locked: [N]; a locked point keeps its place, whatever its target.
        settings: the method's parameters.
        after: a step to go on from. Handles that were already there keep the features they had at the start of that drag,
            so adding or removing points does not re-anchor the others, and Adam keeps its moments.

    Raises:
        InputError: points or mask that cannot be used.
    """
    many = drag_many(
        [picture],
        [handles],
        [targets],
        movable=None if movable is None else [movable],
        locked=None if locked is None else [locked],
        settings=settings,
        after=None if after is None else [after],
    )
    return (steps[0] for steps in many)


def drag_many(
    pictures: Sequence[LatentPicture],
    handles: Sequence[PointsLike],
    targets: Sequence[PointsLike],
    *,
    movable: Sequence[MaskLike | None] | None = None,
    locked: Sequence[Sequence[bool]] | None = None,
    settings: DragSettings = DragSettings(),
    after: Sequence[DragStep] | None = None,
) -> Iterator[list[DragStep]]:
    """`drag` for several pictures of one model at once, each with its own points; ends when all have arrived.

    A picture whose handles have arrived is left as it is while the others go on.

    Args: as for `drag`, one of each per picture. Yields one list of steps, in order of the pictures, per nudge.
    """
    if not pictures or len({len(pictures), len(handles), len(targets)}) != 1:
        raise InputError("Give as many lists of handles and of targets as pictures, at least one of each.")
    generator = pictures[0].generator
    if any(picture.generator is not generator for picture in pictures):
        raise InputError("The pictures of one drag must come from one generator; drag the others separately.")
    points: list[LoopInput] = []
    for i, picture in enumerate(pictures):
        start = as_points(handles[i], picture.size, name="handles")
        end = as_points(targets[i], picture.size, name="targets")
        check_pairs(start, end)
        mask = as_mask(movable[i], picture.size) if movable is not None else None
        held = torch.zeros(len(start), dtype=torch.bool) if locked is None else torch.tensor(list(locked[i]))
        if held.shape != (len(start),):
            raise InputError(
                f"There are {len(start)} handles but {len(held)} locks; give one of each per point."
            )
        points.append(LoopInput(picture.ws, start, end, mask, held, after[i].memory if after else None))
    return _steps(pictures, DragLoop(generator, points, settings), settings)


def _steps(
    pictures: Sequence[LatentPicture], loop: DragLoop, settings: DragSettings
) -> Iterator[list[DragStep]]:
    try:
        for index in range(settings.max_steps):
            state = loop.step()
            yield [_step(index, picture, i, state, loop) for i, picture in enumerate(pictures)]
            if state.all_arrived:
                return
    finally:
        loop.close()


def _step(index: int, picture: LatentPicture, i: int, state: LoopState, loop: DragLoop) -> DragStep:
    """What is shown of one picture's share of a step."""
    n = loop.counts[i]
    return DragStep(
        index=index,
        picture=picture.with_ws(state.ws[i]),
        handles=state.handles[i, :n],
        targets=loop.targets_shown[i],
        distances=state.distances[i, :n],
        loss=float(state.loss[i]),
        strain=float(state.strain[i]),
        arrived=bool(state.arrived[i]),
        memory=loop.memory(i, state),
    )
