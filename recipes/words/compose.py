"""Plans to pictures, many at a time, on the device where the library of things lies."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from captions import COLOURS, Plan
from effects import EFFECTS, luminance
from PIL import Image
from sources import SIDE, Item
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Library:
    """Things that pictures are made of."""

    items: list[Item]
    pictures: Tensor
    """[N, 4, 144, 144] uint8: red, green, blue, multiplied by the last, opacity; each in the middle."""


def read_library(folder: Path, device: torch.device) -> Library:
    """items.jsonl and pictures-*.zip of an unpacked pack."""
    records = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    stored: dict[str, bytes] = {}
    for path in sorted(folder.glob("pictures-*.zip")):
        with zipfile.ZipFile(path) as shard:
            stored |= {name: shard.read(name) for name in shard.namelist()}
    pictures = torch.zeros(len(records), 4, SIDE, SIDE, dtype=torch.uint8)
    items: list[Item] = []
    for row, record in enumerate(records):
        picture = Image.open(io.BytesIO(stored[record.pop("file")])).convert("RGBA")
        if record["kind"] == "portrait":
            picture = picture.resize((SIDE, SIDE))
        values = torch.from_numpy(np.array(picture.convert("RGBa"))).permute(2, 0, 1)
        top, left = (SIDE - values.shape[1]) // 2, (SIDE - values.shape[2]) // 2
        pictures[row, :, top : top + values.shape[1], left : left + values.shape[2]] = values
        items.append(Item(**record))
    return Library(items, pictures.to(device))


class Composer:
    """Draws plans.

    Args:
        library: whose device it uses.
        side: of the pictures, in pixels.
        seed: of noise and of how colours vary.
    """

    def __init__(self, library: Library, side: int, seed: int) -> None:
        self.library, self.side = library, side
        self.device = library.pictures.device
        self.random = torch.Generator().manual_seed(seed)

    def draw(self, plans: Sequence[Plan]) -> Tensor:
        """[N, 3, side, side] in [-1, 1]."""
        picture = self._backgrounds(plans)
        for place in range(max(len(plan.layers) for plan in plans)):
            rows = [row for row, plan in enumerate(plans) if len(plan.layers) > place]
            thing = self._layer([plans[row] for row in rows], place)
            where = torch.tensor(rows, device=self.device)
            picture[where] = thing[:, :3] + (1 - thing[:, 3:]) * picture[where]
        return self._with_effects(picture, plans) * 2 - 1

    def _varied(self, names: Sequence[str]) -> Tensor:
        """[N, 3] colours that go by these names: each the furthest of a few draws around it to which no other name is nearer.

        An empty name is any colour.
        """
        palette = torch.tensor([*COLOURS.values(), (0.5, 0.5, 0.5)])
        own = torch.tensor([[*COLOURS, ""].index(name) for name in names])
        found = palette[own]
        for spread in (0.05, 0.1, 0.18, 0.3):
            drawn = found.new_empty(len(names), 3).normal_(generator=self.random) * spread + palette[own]
            drawn = drawn.clamp(0, 1)
            nearest = torch.cdist(drawn, palette[:-1]).argmin(1)
            found = torch.where(((nearest == own) | (own == len(COLOURS)))[:, None], drawn, found)
        return found.to(self.device)

    def _backgrounds(self, plans: Sequence[Plan]) -> Tensor:
        side = self.side
        top = self._varied([plan.background[0] for plan in plans])
        same = torch.tensor(
            [plan.background[0] == plan.background[1] != "" for plan in plans], device=self.device
        )
        bottom = torch.where(same[:, None], top, self._varied([plan.background[1] for plan in plans]))
        down = torch.linspace(0, 1, side, device=self.device)[:, None]
        picture = torch.lerp(top[..., None, None], bottom[..., None, None], down).expand(-1, -1, side, side)
        noise = torch.randn(len(plans), 3, 6, 6, generator=self.random).to(self.device)
        noise = functional.interpolate(noise, (side, side), mode="bicubic", align_corners=False)
        rough = torch.tensor([0.0 if plan.background[0] else 0.2 for plan in plans], device=self.device)
        return (picture + rough[:, None, None, None] * noise).clamp(0, 1)

    def _layer(self, plans: Sequence[Plan], place: int) -> Tensor:
        """One thing of each plan where it lies, [N, 4, side, side], multiplied by its opacity."""
        layers = [plan.layers[place] for plan in plans]
        x, y, size, turn = torch.tensor(
            [(layer.x, layer.y, layer.size, layer.turn) for layer in layers], device=self.device
        ).unbind(1)
        cos, sin = turn.cos() / size, turn.sin() / size
        linear = torch.stack([torch.stack([cos, sin], 1), torch.stack([-sin, cos], 1)], 1)
        offset = -(linear @ torch.stack([x, y], 1)[..., None])
        numbers = torch.tensor([layer.item for layer in layers], device=self.device)
        things = self.library.pictures[numbers].float() / 255
        small = torch.tensor([layer.size < 0.6 for layer in layers], device=self.device)
        softer = functional.interpolate(functional.avg_pool2d(things, 2), scale_factor=2.0, mode="nearest")
        things = torch.where(small[:, None, None, None], softer, things)
        grid = functional.affine_grid(
            torch.cat([linear, offset], 2), [len(layers), 4, self.side, self.side], align_corners=False
        )
        things = functional.grid_sample(things, grid, align_corners=False)
        return self._dyed(things, [layer.colour for layer in layers])

    def _dyed(self, things: Tensor, colours: Sequence[str]) -> Tensor:
        """Things in a colour: its dark parts stay dark, its light parts take the colour."""
        dye = self._varied(colours)[..., None, None]
        opacity = things[:, 3:]
        bright = luminance(things[:, :3]) / opacity.clamp_min(1e-3)
        dyed = dye * (0.3 + 0.8 * bright) * opacity
        chosen = torch.tensor([bool(colour) for colour in colours], device=self.device)[:, None, None, None]
        return torch.cat([torch.where(chosen, dyed.clamp(0, 1), things[:, :3]), opacity], 1)

    def _with_effects(self, picture: Tensor, plans: Sequence[Plan]) -> Tensor:
        amount = torch.rand(len(plans), 1, 1, 1, generator=self.random).to(self.device)
        for name, effect in EFFECTS.items():
            rows = [row for row, plan in enumerate(plans) if plan.effect == name]
            if rows:
                where = torch.tensor(rows, device=self.device)
                picture[where] = effect(picture[where], amount[where]).clamp(0, 1).to(picture)
        return picture


def vary(pictures: Tensor, random: torch.Generator) -> Tensor:
    """Look at pictures as CLIPVG does: through random windows, from the side, white beyond the edge, a little noisy.

    Args:
        pictures: [N, 3, S, S] in [-1, 1].
        random: on the CPU.
    """
    count, _, side, _ = pictures.shape
    square = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])

    def between(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=random) * (high - low) + low

    zoom = torch.where(between(0, 1, 1, 1) < 0.7, between(0.75, 1.1, 1, 1), 1.0)
    corners = square * zoom + between(-0.15, 0.15, 1, 2) * (between(0, 1, 1, 1) < 0.7)
    corners = corners + between(-0.25, 0.25, 4, 2) * (between(0, 1, 1, 1) < 0.6)
    maps = homographies(square.expand(count, -1, -1), corners).to(pictures.device)
    place = (torch.arange(side, device=pictures.device) + 0.5) * 2 / side - 1
    y, x = torch.meshgrid(place, place, indexing="ij")
    seen = torch.stack([x, y, torch.ones_like(x)], 2) @ maps.transpose(1, 2)[:, None]
    grid = seen[..., :2] / seen[..., 2:].clamp_min(0.1)
    pictures = functional.grid_sample(pictures - 1, grid, align_corners=False) + 1
    sigma = (0.04 * between(0, 1, 1, 1, 1) * (between(0, 1, 1, 1, 1) < 0.3)).to(pictures.device)
    light = between(0.9, 1.1, 1, 1, 1).to(pictures.device)
    return ((pictures + 1) * light - 1 + sigma * torch.randn_like(pictures)).clamp(-1, 1)


def homographies(source: Tensor, target: Tensor) -> Tensor:
    """Perspective maps [N, 3, 3] that take four points [N, 4, 2] to four others."""
    x, y = source.unbind(2)
    u, v = target.unbind(2)
    one, nothing = torch.ones_like(x), torch.zeros_like(x)
    for_u = torch.stack([x, y, one, nothing, nothing, nothing, -u * x, -u * y], 2)
    for_v = torch.stack([nothing, nothing, nothing, x, y, one, -v * x, -v * y], 2)
    solved = torch.linalg.solve(torch.cat([for_u, for_v], 1), torch.cat([u, v], 1))
    return torch.cat([solved, torch.ones_like(solved[:, :1])], 1).unflatten(1, (3, 3))
