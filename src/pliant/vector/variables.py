"""The numbers of a drawing that gradient descent changes, and what must stay bit for bit."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from pliant.errors import InputError
from pliant.vector.scene import Scene

__all__ = ["Memory", "Rates", "Variables"]


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
class Memory:
    """What a run leaves for one that follows it."""

    start: Scene = field(repr=False)
    """The drawing before any change."""
    taken: int
    """Updates so far."""
    moments: dict[str, dict[str, Any]] | None = field(repr=False)
    """Adam's, by the name of the numbers. Only the newest step of a run has them, because they are twice as large as the
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
    ) -> None:
        if memory is not None:
            _check_same(scene, memory.start)
            movable = memory.movable
        self._scene, self._widths = scene.detach(), widths
        self._fixed = _fixed(scene, movable)
        self._kept = {name: getattr(self._scene, name)[fixed] for name, fixed in self._fixed.items()}
        moving = {
            name: rate for name, rate in vars(rates).items() if rate > 0 and not bool(self._fixed[name].all())
        }
        if not moving:
            raise InputError(
                "Nothing of the drawing can change: all is locked or hidden, or all rates are 0."
            )
        self.now = {name: getattr(self._scene, name).clone().requires_grad_() for name in moving}
        self._optimiser = torch.optim.Adam(
            [{"params": [self.now[name]], "lr": rate, "first": rate} for name, rate in moving.items()]
        )
        self.memory = Memory(self._scene, 0, None, movable)
        if memory is not None:
            moments = copy.deepcopy(memory.moments or {})
            for name in self.now.keys() & moments.keys():
                self._optimiser.state[self.now[name]] = moments[name]
            self.memory = replace(memory, moments=moments)

    def scene(self) -> Scene:
        """The drawing, whose numbers ask for gradients."""
        return self._scene.with_(**self.now)

    def still(self) -> Scene:
        """The drawing as it is now, which further updates do not touch."""
        return self._scene.with_(**{name: value.detach().clone() for name, value in self.now.items()})

    def update(self, share: Mapping[str, float] | None = None) -> None:
        """One step of Adam along the gradients that were gathered; the memory so far is cut.

        Args:
            share: of the learning rates by name, where it is not 1.
        """
        for group in self._optimiser.param_groups:
            (value,) = group["params"]
            name = next(name for name, each in self.now.items() if each is value)
            group["lr"] = group["first"] * (share or {}).get(name, 1.0)
            if value.grad is None:
                value.grad = torch.zeros_like(value)
            value.grad.nan_to_num_(0, 0, 0)
        self._optimiser.step()
        self._optimiser.zero_grad()
        with torch.no_grad():
            for name, value in self.now.items():
                if name in {"colours", "opacity"}:
                    value.clamp_(0, 1)
                elif name == "stroke_width":
                    value.clamp_(*self._widths)
                value[self._fixed[name]] = self._kept[name]
        self.memory.moments = None
        moments = {name: self._optimiser.state[value] for name, value in self.now.items()}
        self.memory = replace(self.memory, taken=self.memory.taken + 1, moments=moments)


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
