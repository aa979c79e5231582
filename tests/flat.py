"""A picture of one colour, for tests whose expected pixels are known without a network."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from pliant.picture import Picture
from pliant.steps import Step


@dataclass(frozen=True, eq=False)
class FlatPicture(Picture):
    """Args: colour [3] in [-1, 1]; note: any JSON-ready fact."""

    kind: ClassVar[str] = "flat"
    colour: Tensor
    width: int = 48
    height: int = 32
    note: Any = None
    looks: list[int] = field(default_factory=list)
    """Grows each time pixels are computed."""

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height

    def pixels(self) -> Tensor:
        self.looks.append(1)
        return self.colour[:, None, None].expand(3, self.height, self.width)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        return {"colour": self.colour}, {"width": self.width, "height": self.height, "note": self.note}


def flat(level: int, **facts: Any) -> FlatPicture:
    """A grey picture of the 8-bit level."""
    return FlatPicture(torch.full((3,), level / 127.5 - 1), **facts)


def restore(kind: str, tensors: dict[str, Tensor], facts: dict[str, Any]) -> FlatPicture:
    """A flat picture from its state."""
    assert kind == "flat"
    return FlatPicture(tensors["colour"], **facts)


@dataclass(frozen=True, eq=False)
class WalkStep(Step):
    """A step of `walk`."""

    handles: Tensor
    targets: Tensor
    distances: Tensor
    loss: float
    arrived: bool


def walk(length: int, steps: int, closed: list[bool] | None = None) -> Iterator[WalkStep]:
    """An edit that moves one handle a pixel to the right and brightens by a level each step, for at most `steps`."""
    try:
        for index in range(steps):
            handles, targets = torch.tensor([[4.0 + index, 16.0]]), torch.tensor([[4.0 + length, 16.0]])
            apart = (targets - handles).norm(dim=1)
            yield WalkStep(
                index, flat(100 + index), handles, targets, apart, 1 / (index + 1), index == length
            )
            if index == length:
                return
    finally:
        if closed is not None:
            closed.append(True)
