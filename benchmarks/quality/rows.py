"""What is compared: ways to drag, each run on many pictures at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from pliant.gan.drag import DragSettings
from pliant.gan.drag_loop import DragLoop, LoopInput, LoopState
from pliant.gan.latent import LatentPicture
from quality.flow import FlowLoop


@dataclass(frozen=True)
class Row:
    """One line of the tables."""

    name: str
    settings: DragSettings | None
    """None: the picture is left as it is."""
    flow: bool = False
    """Track by optical flow in place of features."""


@dataclass(frozen=True)
class Outcome:
    """What a row made of a set of pictures."""

    ws: Tensor
    """[N, num_ws, w_dim] codes at the end, on the generator's device."""
    handles: list[Tensor]
    """Where the tracker believes the handles to be at the end."""
    steps: Tensor
    """[N] nudges until the handles had arrived, or until the limit."""
    arrived: Tensor
    """[N]."""
    strain: Tensor
    """[N]."""
    seconds: float
    """Wall time of the whole set."""


SHRINK_EVERY, SHRINK_AT = 20, 0.25
"""Every so many nudges pictures that have arrived leave their batch, if they are more than this share of it."""

DEFAULT_ROWS = ("no-edit", "published", "default", "flow")


def make_row(text: str) -> Row:
    """A row from its name, or from changes to the default settings.

    `no-edit`, `published`, `default`, `flow` (default settings, handles tracked by optical flow), or
    settings with a name in front, such as `l1:tracking=l1` or `slow:step_size=1e-3,moving_layers=4`. Among
    the changes `published` starts from the published settings, and `flow` tracks by optical flow, as in
    `fast:published,flow,step_size=4e-3`.

    Raises:
        SystemExit: no such row or setting.
    """
    fixed = {
        "no-edit": Row("no-edit", None),
        "published": Row("published", DragSettings.published()),
        "default": Row("default", DragSettings()),
        "flow": Row("flow", DragSettings(), flow=True),
    }
    if text in fixed:
        return fixed[text]
    name, colon, changes = text.partition(":")
    if not colon:
        raise SystemExit(f"There is no row '{text}'; there are {', '.join(fixed)} and NAME:SETTING=VALUE,...")
    base = DragSettings()
    parts = [part for part in changes.split(",") if part]
    if "published" in parts:
        base = DragSettings.published()
    changed = dict(_setting(part, base) for part in parts if part not in {"published", "flow"})
    return Row(name, replace(base, **changed), flow="flow" in parts)


def _setting(text: str, base: DragSettings) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    if name not in {field.name for field in fields(base)}:
        raise SystemExit(f"A drag has no setting '{name}'.")
    kind = type(getattr(base, name))
    return name, value == "True" if kind is bool else kind(value)


Watch = Callable[[int, Tensor], None]
"""Called with the number of nudges so far and the codes [B, num_ws, w_dim] they led to."""


def run(
    row: Row,
    pictures: Sequence[LatentPicture],
    handles: Sequence[Tensor],
    targets: Sequence[Tensor],
    *,
    max_steps: int,
    batch: int,
    watch: Callable[[slice], Watch] | None = None,
) -> Outcome:
    """Drag every picture's handles to its targets.

    Args:
        row: how.
        pictures: N pictures of one generator.
        handles: N sets of points [K, 2].
        targets: N sets of points [K, 2].
        max_steps: most nudges.
        batch: pictures dragged together.
        watch: given the part of the pictures about to be dragged, returns what to call after every nudge.
    """
    begin = time.perf_counter()
    parts = []
    for start in range(0, len(pictures), batch):
        part = slice(start, start + batch)
        seen = watch(part) if watch else None
        parts.append(
            _run_batch(row, pictures[part], handles[part], targets[part], max_steps=max_steps, watch=seen)
        )
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return Outcome(
        ws=torch.cat([one.ws for one in parts]),
        handles=[points for one in parts for points in one.handles],
        steps=torch.cat([one.steps for one in parts]),
        arrived=torch.cat([one.arrived for one in parts]),
        strain=torch.cat([one.strain for one in parts]),
        seconds=time.perf_counter() - begin,
    )


def _run_batch(
    row: Row,
    pictures: Sequence[LatentPicture],
    handles: Sequence[Tensor],
    targets: Sequence[Tensor],
    *,
    max_steps: int,
    watch: Watch | None,
) -> Outcome:
    """Drag a batch; pictures that have arrived leave it now and then, so that the last ones do not keep all waiting."""
    count = len(pictures)
    ws, zeros = torch.stack([picture.ws for picture in pictures]), torch.zeros(count)
    out = Outcome(ws, list(handles), zeros + max_steps, zeros > 0, zeros.clone(), 0)
    if row.settings is None:
        return replace(out, steps=zeros)
    active = list(range(count))
    inputs = [
        LoopInput(picture.ws, start, end, None, torch.zeros(len(start), dtype=torch.bool), None)
        for picture, start, end in zip(pictures, handles, targets, strict=True)
    ]
    # The loop itself, without the picture objects that `drag_many` makes of every step.
    kind = FlowLoop if row.flow else DragLoop
    loop = kind(pictures[0].generator, inputs, row.settings)
    # The first step shows the start, so the picture after n nudges is in step n + 1.
    for nudges in range(max_steps + 1):
        state = loop.step()
        _keep(out, active, state, nudges)
        if watch:
            watch(nudges, out.ws)
        if state.all_arrived:
            break
        if nudges % SHRINK_EVERY == 0 and not row.flow and state.arrived.float().mean() > SHRINK_AT:
            left = (~state.arrived).nonzero().flatten().tolist()
            inputs = [
                replace(inputs[i], ws=state.ws[i], handles=memory.handles, memory=memory)
                for i, memory in ((i, loop.memory(i, state)) for i in left)
            ]
            active = [active[i] for i in left]
            loop = _shrunk(loop, left, inputs)
    loop.graph = None  # a captured step refers to its loop, and holds much memory
    return out


def _shrunk(loop: DragLoop, left: list[int], inputs: list[LoopInput]) -> DragLoop:
    """A loop over some of another's pictures, in the same state."""
    smaller = DragLoop(loop.generator, inputs, loop.settings)
    # Handles that have met on one pixel could not be told apart by where they are.
    smaller.anchors.copy_(loop.anchors[left][:, :, : smaller.anchors.shape[2]])
    loop.graph = None
    smaller.step()  # repeats the step that the memory was taken at
    return smaller


def _keep(out: Outcome, active: list[int], state: LoopState, nudges: int) -> None:
    """Write a step of the pictures that are still dragged into the outcome of all."""
    rows = torch.tensor(active)
    out.ws[rows.to(out.ws.device)] = state.ws
    out.arrived[rows], out.strain[rows] = state.arrived, state.strain
    out.steps[rows] = torch.where(state.arrived, out.steps[rows].clamp_max(nudges), out.steps[rows])
    for i, points in zip(active, state.handles, strict=True):
        out.handles[i] = points[: len(out.handles[i])]
