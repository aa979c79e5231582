"""The numbers of a drawing that gradient descent changes, and what must stay bit for bit."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from pliant.errors import InputError
from pliant.vector.scene import Scene

__all__ = ["Memory", "Rates", "Variables"]

MEMORY = (0.9, 0.999)
"""How much of the running means of gradients and of their squares each update keeps, as Adam's authors advise."""


@dataclass(frozen=True)
class Rates:
    """Adam's learning rates; what has none stays."""

    points: float = 0.0
    """In user units."""
    colours: float = 0.0
    opacity: float = 0.0
    stroke_width: float = 0.0
    """In user units."""


@dataclass(eq=False)
class Moments:
    """Adam's, of one kind of numbers."""

    count: int
    """Updates."""
    first: Tensor
    """Running mean of the gradients."""
    second: Tensor
    """Running mean of their squares."""


@dataclass(eq=False)
class Memory:
    """What a run leaves for one that follows it."""

    start: Scene = field(repr=False)
    """The drawing before any change."""
    taken: int
    """Updates so far."""
    moments: dict[str, Moments] | None = field(repr=False)
    """By the name of the numbers. Only the newest step of a run has them, because they are twice as large as the
    drawing; a run that follows an earlier one gathers them anew."""
    movable: Tensor | None = field(default=None, repr=False)
    """bool [N], the paths that may change; None for all."""


class Variables:
    """Points, colours, opacities and widths of a drawing on their way.

    Paths whose shape or colour is locked keep it, and hidden paths all of theirs. A colour that several paths share stays
    shared, and stays as it is if one of them must keep it.

    Args:
        scene: where they start.
        rates: of each.
        movable: bool [N], the paths that may change; None for all.
        memory: of the run that this one follows; what was movable then is movable now.
        widths: least and most width of a stroke that changes, in user units.
        outlines: the squared gradients that scale the steps of a point are the mean of its subpath, so that points that hardly
            matter hardly move; False for each number by itself, as Adam has it (arXiv 1412.6980).

    Raises:
        InputError: nothing can change, or the memory is of another drawing.
    """

    def __init__(
        self,
        scene: Scene,
        rates: Rates,
        *,
        movable: Tensor | None = None,
        memory: Memory | None = None,
        widths: tuple[float, float] = (0.0, math.inf),
        outlines: bool = False,
    ) -> None:
        if memory is not None:
            _check_same(scene, memory.start)
            movable = memory.movable
        self._scene, self._widths, self._outlines = scene.detach(), widths, outlines
        self._fixed = _fixed(scene, movable)
        self._kept = {name: getattr(self._scene, name)[fixed] for name, fixed in self._fixed.items()}
        moving = {
            name: rate for name, rate in vars(rates).items() if rate > 0 and not bool(self._fixed[name].all())
        }
        if not moving:
            raise InputError(
                "Nothing of the drawing can change: all is locked, hidden or beyond the boxes, or all rates are 0."
            )
        self.now = {name: getattr(self._scene, name).clone().requires_grad_() for name in moving}
        self._rates = moving
        self.memory = Memory(self._scene, 0, None, movable)
        known: dict[str, Moments] = {}
        if memory is not None:
            known, self.memory = copy.deepcopy(memory.moments or {}), replace(memory, moments=memory.moments)
        self._moments = {
            name: known.get(name) or Moments(0, torch.zeros_like(value), torch.zeros_like(value))
            for name, value in self.now.items()
        }

    def scene(self) -> Scene:
        """The drawing, whose numbers ask for gradients."""
        return self._scene.with_(**self.now)

    def still(self) -> Scene:
        """The drawing as it is now, which further updates do not touch."""
        return self._scene.with_(**{name: value.detach().clone() for name, value in self.now.items()})

    @torch.no_grad()
    def update(self, share: Mapping[str, float] | None = None) -> None:
        """One step of Adam along the gradients that were gathered; the memory so far is cut.

        Args:
            share: of the learning rates by name, where it is not 1.
        """
        for name, value in self.now.items():
            gradient = torch.zeros_like(value) if value.grad is None else value.grad.nan_to_num_(0, 0, 0)
            value.grad = None
            rate = self._rates[name] * (share or {}).get(name, 1.0)
            value.sub_(rate * self._direction(name, gradient))
            if name in {"colours", "opacity"}:
                value.clamp_(0, 1)
            elif name == "stroke_width":
                value.clamp_(*self._widths)
            value[self._fixed[name]] = self._kept[name]
        self.memory.moments = None
        self.memory = replace(self.memory, taken=self.memory.taken + 1, moments=self._moments)

    def _direction(self, name: str, gradient: Tensor) -> Tensor:
        """Adam's step for a rate of 1."""
        moments = self._moments[name]
        moments.count += 1
        moments.first.lerp_(gradient, 1 - MEMORY[0])
        moments.second.lerp_(gradient.square(), 1 - MEMORY[1])
        first = moments.first / (1 - MEMORY[0] ** moments.count)
        second = moments.second / (1 - MEMORY[1] ** moments.count)
        if name == "points" and self._outlines:
            second = _mean_of_subpaths(second, self._scene)
        return first / (second.sqrt() + 1e-8)


def _mean_of_subpaths(values: Tensor, scene: Scene) -> Tensor:
    """For each point [P, 2] the mean over all numbers of its subpath, [P, 1]."""
    counts = scene.points_of_subpath
    owner = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
    total = values.new_zeros(len(counts)).index_add(0, owner, values.mean(1))
    return (total / counts)[owner, None]


def _check_same(scene: Scene, start: Scene) -> None:
    """Refuse a run that follows one of another drawing."""
    if any(len(getattr(scene, name)) != len(getattr(start, name)) for name in vars(Rates())):
        raise InputError("The step to go on from is one of another drawing; start anew.")


def _fixed(scene: Scene, movable: Tensor | None) -> dict[str, Tensor]:
    """What must stay: bool [P] of points, [C] of colours, [N] of opacities and of widths."""
    still = scene.hidden if movable is None else scene.hidden | ~movable
    shape, colour = scene.locked_shape | still, scene.locked_colour | still
    rows = torch.cat([scene.colour_of[colour], scene.stroke_of[colour]])
    kept = torch.zeros(len(scene.colours), dtype=torch.bool, device=rows.device)
    kept[rows[rows >= 0]] = True
    return {
        "points": shape[scene.path_of_point],
        "colours": kept,
        "opacity": colour,
        "stroke_width": shape,
    }
