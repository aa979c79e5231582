"""What a text-image model says should change in a picture so that it shows what the prompts say.

Each prompt has a region. The model looks at the whole of it, made square with white, and at random crops, slanted at random,
as CLIPVG (arXiv 2212.02122) and CLIPstyler (arXiv 2112.00374) do: what looks right from everywhere is right, what only
fools the model from one place is not. Restyling drawings, drawing strokes and stylising pixels share this file.

The published program compares each crop with the whole region at the start, and asks that the change points where the words
do. Most of that difference is the difference between a crop and a whole. The same crop of the start is the fairer
comparison, but the cosine of a change of vectors of length one is best where hardly anything has changed, so once its
direction is right nothing pulls on. A view that is compared with nothing is pulled until it lies where the words point: with
words-small that goes further, for the same change of pixels, in the eyes of other models, too. So that the start need not be
looked at in every step, the crops of some hundred places come round again and again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from pliant.errors import InputError
from pliant.perception.clip import TEMPLATES, TextImageModel
from pliant.prompts import Prompt
from pliant.vector.crops import Crops, slants, views

__all__ = ["Comparison", "Guidance", "Pull", "check_views", "painted_size"]

Comparison = Literal["crop", "region", "none"]
"""With what a view is compared: the same view of the start, the whole region at the start, or nothing."""

PLACES = 512
"""Different crops of a region that there are at least in a run, and at least 16 steps' worth of them."""
AT_ONCE = 16
"""Views that the model looks at in one call at most; more need more memory and are slower on one core."""
AT_ONCE_GPU = 64
SMALLEST_CHANGE = 0.1
"""Changes of a view's vector shorter than this count less, so that the first step, where nothing has changed, is no division by
zero."""


@dataclass(frozen=True, eq=False)
class Pull:
    """What the model says of one picture."""

    gradient: Tensor = field(repr=False)
    """[3, H, W] of the loss in the picture."""
    loss: float
    agreement: tuple[float, ...]
    """For each prompt the cosine between the view of its whole region and where its words point."""


@dataclass(frozen=True)
class _Region:
    """A box in pixels of the picture that is looked at."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        return self.right - self.left, self.bottom - self.top

    def of(self, picture: Tensor) -> Tensor:
        """Its part [3, h, w] of a picture [3, H, W]."""
        return picture[:, self.top : self.bottom, self.left : self.right]


class Guidance:
    """A text-image model that looks at pictures of one size.

    Args:
        words: the model.
        prompts: checked, with boxes in the units of `size`.
        size: width and height of the drawing in those units.
        start: [3, H, W] in [-1, 1], the picture before any change, of the size of all that follow.
        crops: how they are taken.
        weights: of the whole region and of the mean of its crops.
        comparison: what a view is compared with.
        reference: what the picture is in words before any change; None takes the prompts' own directions.
        templates: sentences that texts are put into.
        rejected: crops whose loss is less count no more (CLIPstyler's threshold); 0 for none.
        seed: of the crops.
    """

    def __init__(
        self,
        words: TextImageModel,
        prompts: Sequence[Prompt],
        size: tuple[float, float],
        start: Tensor,
        crops: Crops,
        *,
        weights: tuple[float, float] = (30.0, 80.0),
        comparison: Comparison = "crop",
        reference: str | None = "photo",
        templates: Sequence[str] = TEMPLATES,
        rejected: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.words, self.start, self.crops, self.seed = words, start, crops, seed
        self.comparison, self.rejected = comparison, rejected
        zoom = start.shape[2] / size[0], start.shape[1] / size[1]
        self.regions = [_region(prompt, zoom, (start.shape[2], start.shape[1])) for prompt in prompts]
        toward = words.encode_text([prompt.text for prompt in prompts], templates)
        if reference is not None:
            toward = functional.normalize(toward - words.encode_text([reference], templates), dim=1)
        self.toward = toward
        """[prompts, D] of length one."""
        self._prompt = torch.arange(len(prompts)).repeat_interleave(1 + crops.count)
        self._whole = torch.arange(len(self._prompt)) % (1 + crops.count) == 0
        strength = torch.tensor([prompt.strength for prompt in prompts])[self._prompt]
        share = torch.where(self._whole, weights[0], weights[1] / max(1, crops.count))
        self._weight = (strength * share).to(toward)
        self._turns = max(16, math.ceil(PLACES / max(1, crops.count)))
        self._starts: dict[int, Tensor] = {}
        self._wholes = self._encode([self._view(start, region) for region in self.regions])

    def __call__(self, picture: Tensor, number: int) -> Pull:
        """What should change.

        Args:
            picture: [3, H, W] in [-1, 1].
            number: of the step; it chooses the crops.
        """
        turn = number % self._turns
        places = list(self._places(turn))
        compared = self._compared(turn, places)
        picture = picture.detach().requires_grad_()
        with torch.enable_grad():
            looked = self._looks(picture, places)
        total, agreement, gradients = 0.0, torch.empty(0), list[Tensor]()
        for part in torch.arange(len(looked)).chunk(math.ceil(len(looked) / self._at_once)):
            seen = looked.detach()[part].requires_grad_()
            with torch.enable_grad():
                vectors = self.words.encode_images(seen)
                loss = self._loss(vectors, None if compared is None else compared[part], part)
            gradients.append(torch.autograd.grad(loss, seen)[0])
            total += float(loss.detach())
            along = (vectors.detach() * self.toward[self._prompt[part]]).sum(1)
            agreement = torch.cat([agreement, along.cpu()[self._whole[part]]])
        gradient = torch.autograd.grad(looked, picture, torch.cat(gradients))[0]
        return Pull(gradient, total, tuple(agreement.tolist()))

    def _loss(self, vectors: Tensor, compared: Tensor | None, part: Tensor) -> Tensor:
        """The weighted sum over some of the views.

        Args:
            vectors: [V, D] of these views.
            compared: [V, D] of the start.
            part: [V] numbers of these views among all.
        """
        toward = self.toward[self._prompt[part]]
        along = (vectors * toward).sum(1)
        if compared is not None:
            change = vectors - compared
            along = (change * toward).sum(1) / (change.square().sum(1) + SMALLEST_CHANGE**2).sqrt()
        loss = 1 - along
        if self.rejected:
            loss = torch.where((loss < self.rejected) & ~self._whole[part].to(loss.device), 0, loss)
        return (loss * self._weight[part]).sum()

    @property
    def _at_once(self) -> int:
        return AT_ONCE if self.words.device.type == "cpu" else AT_ONCE_GPU

    def _places(self, turn: int) -> Iterator[Tensor]:
        """For each region where its crops are, [count, 3, 3]."""
        generator = torch.Generator().manual_seed(self.seed * 2**16 + turn)
        for region in self.regions:
            yield slants(region.size, self.crops, generator)

    def _looks(self, picture: Tensor, places: Sequence[Tensor]) -> Tensor:
        """For each region its whole and its crops, [prompts * (1 + count), 3, S, S]."""
        found: list[Tensor] = []
        for region, crops in zip(self.regions, places, strict=True):
            found.append(self._view(picture, region))
            if len(crops):
                found.append(self._view(picture, region, crops))
        return torch.cat(found)

    def _view(self, picture: Tensor, region: _Region, places: Tensor | None = None) -> Tensor:
        """Crops of a region, or the whole of it in the middle of a white square, [N, 3, S, S]."""
        if places is None:
            (width, height), side = region.size, max(region.size)
            middle = [[side, 0, (width - side) / 2], [0, side, (height - side) / 2], [0, 0, 1]]
            places = torch.tensor([middle], dtype=torch.float64)
        return views(region.of(picture), places, self.words.input_size)

    def _compared(self, turn: int, places: Sequence[Tensor]) -> Tensor | None:
        """Vectors of the start that views are compared with, [prompts * (1 + count), D]; None for nothing."""
        if self.comparison == "none":
            return None
        if self.comparison == "region" or not self.crops.count:
            return self._wholes[self._prompt]
        if turn not in self._starts:
            regions = zip(self.regions, places, strict=True)
            crops = self._encode([self._view(self.start, region, each) for region, each in regions])
            both = torch.cat([self._wholes[:, None], crops.unflatten(0, (-1, self.crops.count))], dim=1)
            self._starts[turn] = both.flatten(0, 1)
        return self._starts[turn]

    @torch.no_grad()
    def _encode(self, looked: Sequence[Tensor]) -> Tensor:
        """Vectors of views, without a gradient."""
        parts = torch.cat(list(looked)).split(2 * self._at_once)
        return torch.cat([self.words.encode_images(part) for part in parts])


def check_views(region_weight: float, crop_weight: float, crops: int) -> None:
    """Refuse weights with which the model looks at neither regions nor crops.

    Raises:
        InputError: they are such.
    """
    if not (region_weight or (crop_weight and crops)):
        raise InputError("Nothing would be looked at; give region_weight, or crop_weight and crops, above 0.")


def painted_size(
    size: tuple[float, float], prompts: Sequence[Prompt], looked: int, side: float, most: int
) -> tuple[int, int]:
    """Width and height in pixels at which a drawing shows all that the model can see of its crops, and no more.

    Args:
        size: of the drawing, in the units of the prompts' boxes.
        prompts: checked.
        looked: side of the squares that the model looks at, in pixels.
        side: of the crops, as a share of their region's longer side.
        most: pixels of the longer side, at most.
    """
    longest = min(max(prompt.box[2:]) if prompt.box else max(size) for prompt in prompts)
    zoom = min(most / max(size), looked / (side * longest))
    return max(1, round(size[0] * zoom)), max(1, round(size[1] * zoom))


def _region(prompt: Prompt, zoom: tuple[float, float], size: tuple[int, int]) -> _Region:
    """A prompt's box in whole pixels, at least one."""
    x, y, width, height = prompt.box or (0.0, 0.0, size[0] / zoom[0], size[1] / zoom[1])
    left, top = min(int(x * zoom[0]), size[0] - 1), min(int(y * zoom[1]), size[1] - 1)
    right = min(max(math.ceil((x + width) * zoom[0] - 1e-6), left + 1), size[0])
    bottom = min(max(math.ceil((y + height) * zoom[1] - 1e-6), top + 1), size[1])
    return _Region(left, top, right, bottom)
