"""What a text-image model says should change in a picture so that it shows what the prompts say.

Each prompt has a region. The model looks at the whole of it, made square with white, and at random crops, slanted at random,
as CLIPVG (arXiv 2212.02122) and CLIPstyler (arXiv 2112.00374) do: what looks right from everywhere is right, what only
fools the model from one place is not. Restyling drawings, drawing strokes and stylising pixels share this file.

The published program compares each crop with the whole region at the start. That difference is mostly the difference between a
crop and a whole; here a crop is compared with the same crop of the start, which needs one more look without a gradient.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from pliant.perception.clip import TEMPLATES, TextImageModel
from pliant.prompts import Prompt

__all__ = ["Comparison", "Crops", "Guidance", "Pull", "painted_size", "slants", "views"]

Comparison = Literal["crop", "region", "none"]
"""With what a view is compared: the same view of the start, the whole region at the start, or nothing."""

AT_ONCE = 32
"""Views that the model looks at in one call; more need more memory and are no faster on a CPU."""
AT_ONCE_GPU = 64
SMALLEST_CHANGE = 0.1
"""Changes of a view's vector shorter than this count less, so that the first step, where nothing has changed, is no division by
zero."""


@dataclass(frozen=True)
class Crops:
    """How the random crops of a region are taken."""

    count: int
    """Of each region in each step."""
    side: tuple[float, float]
    """Least and most side, as a share of the region's longer side."""
    margin: float
    """How far they may reach beyond the region, where all is white, as a share of their own side."""
    distortion: float
    """By which share of half a side each corner moves inward at most, 0 to 0.6."""


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
    weight: float
    """The prompt's strength."""

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
        self.weights, self.comparison, self.rejected = weights, comparison, rejected
        zoom = start.shape[2] / size[0], start.shape[1] / size[1]
        self.regions = [_region(prompt, zoom, (start.shape[2], start.shape[1])) for prompt in prompts]
        toward = words.encode_text([prompt.text for prompt in prompts], templates)
        if reference is not None:
            toward = functional.normalize(toward - words.encode_text([reference], templates), dim=1)
        self.toward = toward
        """[prompts, D] of length one."""
        with torch.no_grad():
            wholes = torch.cat([self._whole(start, region) for region in self.regions])
            self.wholes = self._encode(wholes)
            """[prompts, D], the regions at the start."""

    def __call__(self, picture: Tensor, number: int) -> Pull:
        """What should change.

        Args:
            picture: [3, H, W] in [-1, 1].
            number: of the step; it chooses the crops.
        """
        picture = picture.detach().requires_grad_()
        slanted = list(self._slants(number))
        with torch.enable_grad():
            looked = self._looks(picture, slanted)
        compared = self._compared(slanted)
        prompt = torch.arange(len(self.regions)).repeat_interleave(1 + self.crops.count)
        whole = torch.arange(len(prompt)) % (1 + self.crops.count) == 0
        strength = torch.tensor([region.weight for region in self.regions])[prompt]
        share = torch.where(whole, self.weights[0], self.weights[1] / max(1, self.crops.count))
        weight = (strength * share).to(picture)
        toward = self.toward[prompt]

        total, gradients, agreements = 0.0, [], []
        calls = math.ceil(len(prompt) / self._at_once)
        for part in torch.arange(len(prompt)).chunk(calls):
            seen = looked.detach()[part].requires_grad_()
            with torch.enable_grad():
                vectors = self.words.encode_images(seen)
                change = vectors if compared is None else vectors - compared[part]
                loss = 1 - _cosine(change, toward[part], exact=compared is None)
                if self.rejected:
                    loss = torch.where((loss < self.rejected) & ~whole[part].to(loss.device), 0, loss)
                loss = (loss * weight[part]).sum()
            gradients.append(torch.autograd.grad(loss, seen)[0])
            total += float(loss.detach())
            agreements.append((vectors.detach() * toward[part]).sum(1))
        agreement = torch.cat(agreements)[whole.to(picture.device)]
        gradient = torch.autograd.grad(looked, picture, torch.cat(gradients))[0]
        return Pull(gradient, total, tuple(agreement.tolist()))

    @property
    def _at_once(self) -> int:
        return AT_ONCE if self.words.device.type == "cpu" else AT_ONCE_GPU

    def _slants(self, number: int) -> Iterator[Tensor]:
        """For each region the places of its crops, [count, 3, 3]."""
        generator = torch.Generator().manual_seed(self.seed * 2**24 + number)
        for region in self.regions:
            yield slants(region.size, self.crops, generator)

    def _looks(self, picture: Tensor, slanted: Sequence[Tensor]) -> Tensor:
        """For each region its whole and its crops, [prompts * (1 + count), 3, S, S]."""
        found: list[Tensor] = []
        for region, places in zip(self.regions, slanted, strict=True):
            found.append(self._whole(picture, region))
            if len(places):
                found.append(views(region.of(picture), places, self.words.input_size))
        return torch.cat(found)

    def _whole(self, picture: Tensor, region: _Region) -> Tensor:
        """The region in the middle of a white square, [1, 3, S, S]."""
        width, height = region.size
        side = max(width, height)
        place = torch.tensor([[side, 0, (width - side) / 2], [0, side, (height - side) / 2], [0, 0, 1]])
        return views(region.of(picture), place.double()[None], self.words.input_size)

    @torch.no_grad()
    def _compared(self, slanted: Sequence[Tensor]) -> Tensor | None:
        """Vectors of the start that views are compared with, [prompts * (1 + count), D]."""
        if self.comparison == "none":
            return None
        count = 1 + self.crops.count
        wholes = self.wholes.repeat_interleave(count, dim=0)
        if self.comparison == "region" or not self.crops.count:
            return wholes
        regions = zip(self.regions, slanted, strict=True)
        looked = [views(region.of(self.start), places, self.words.input_size) for region, places in regions]
        crops = self._encode(torch.cat(looked)).unflatten(0, (-1, self.crops.count))
        return torch.cat([self.wholes[:, None], crops], dim=1).flatten(0, 1)

    def _encode(self, looked: Tensor) -> Tensor:
        return torch.cat([self.words.encode_images(part) for part in looked.split(2 * self._at_once)])


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


def slants(size: tuple[int, int], crops: Crops, generator: torch.Generator) -> Tensor:
    """Random crops as maps from the unit square, in which a crop is seen, to pixels of the region: [count, 3, 3] float64.

    A square of random side and place is seen with each of its corners moved inward by a random amount.
    """
    random = torch.rand(crops.count, 11, generator=generator, dtype=torch.float64)
    side = max(size) * (crops.side[0] + (crops.side[1] - crops.side[0]) * random[:, 0])
    lowest = -crops.margin * side[:, None]
    room = torch.tensor(size) - side[:, None] - 2 * lowest
    corner = lowest + room * random[:, 1:3]
    corners = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    inward = random[:, 3:].unflatten(1, (4, 2)) * crops.distortion / 2
    seen = torch.linalg.inv(_from_square(corners + (1 - 2 * corners) * inward))
    place = torch.eye(3, dtype=torch.float64).repeat(crops.count, 1, 1)
    place[:, 0, 0] = place[:, 1, 1] = side
    place[:, :2, 2] = corner
    return place @ seen


def views(region: Tensor, places: Tensor, side: int) -> Tensor:
    """Crops of a region, white where there is nothing of it; one sampling for all of them, smoothed where they shrink.

    Args:
        region: [3, h, w] in [-1, 1].
        places: [N, 3, 3] maps from the unit square to pixels of the region, as `slants` makes them.
        side: of the crops in pixels.

    Returns:
        [N, 3, side, side], differentiable in the region.
    """
    height, width = region.shape[1:]
    corners = places.new_tensor([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    ends = _divided(places @ corners)
    zoom = side / float((ends.amax(2) - ends.amin(2)).mean())
    if zoom < 1:
        small = max(1, round(height * zoom)), max(1, round(width * zoom))
        region = functional.interpolate(region[None], small, mode="bilinear", antialias=True)[0]
    middles = (torch.arange(side, dtype=torch.float64, device=places.device) + 0.5) / side
    y, x = torch.meshgrid(middles, middles, indexing="ij")
    at = _divided(places @ torch.stack([x, y, torch.ones_like(x)]).flatten(1))
    grid = (2 * at / places.new_tensor([[width], [height]]) - 1).mT.reshape(1, len(places) * side, side, 2)
    sampled = functional.grid_sample(
        region[None] - 1, grid.to(region), mode="bilinear", padding_mode="zeros", align_corners=False
    )
    return sampled.reshape(3, len(places), side, side).transpose(0, 1) + 1


def _cosine(change: Tensor, toward: Tensor, *, exact: bool) -> Tensor:
    """Cosine [V] of changes [V, D] with directions; exact for those of length one, else less where nearly nothing changed."""
    along = (change * toward).sum(1)
    return along if exact else along / (change.square().sum(1) + SMALLEST_CHANGE**2).sqrt()


def _from_square(corners: Tensor) -> Tensor:
    """Perspective maps [N, 3, 3] of the unit square to quadrangles [N, 4, 2], clockwise from the origin's corner."""
    a, b, c, d = corners.unbind(1)
    first, second, rest = b - c, d - c, a - b + c - d

    def crossed(p: Tensor, q: Tensor) -> Tensor:
        return p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]

    area = crossed(first, second)
    g, h = crossed(rest, second) / area, crossed(first, rest) / area
    columns = torch.stack([b - a + g[:, None] * b, d - a + h[:, None] * d, a], dim=2)
    return torch.cat([columns, torch.stack([g, h, torch.ones_like(g)], dim=1)[:, None]], dim=1)


def _divided(points: Tensor) -> Tensor:
    """Places [N, 2, K] of homogeneous ones [N, 3, K]."""
    return points[:, :2] / points[:, 2:].clamp(min=1e-3)


def _region(prompt: Prompt, zoom: tuple[float, float], size: tuple[int, int]) -> _Region:
    """A prompt's box in whole pixels, at least one."""
    x, y, width, height = prompt.box or (0.0, 0.0, size[0] / zoom[0], size[1] / zoom[1])
    left, top = min(int(x * zoom[0]), size[0] - 1), min(int(y * zoom[1]), size[1] - 1)
    right = min(max(math.ceil((x + width) * zoom[0] - 1e-6), left + 1), size[0])
    bottom = min(max(math.ceil((y + height) * zoom[1] - 1e-6), top + 1), size[1])
    return _Region(left, top, right, bottom, prompt.strength)
