"""The things that scenes are made of: their names, and their pictures as sprites on the device.

`things.txt` names them; `pack.py` puts their pictures beside it.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

SIDE = 176
"""Longer side of the sprites, in pixels."""
HUES = {
    "red": 0.0,
    "orange": 0.075,
    "yellow": 0.14,
    "green": 0.34,
    "turquoise": 0.49,
    "blue": 0.61,
    "purple": 0.77,
    "pink": 0.9,
}
"""Colours that captions tell, as turns of the colour circle."""


@dataclass(frozen=True)
class Thing:
    """What can stand in a scene."""

    sign: str
    name: str
    """As captions call it, without an article."""
    place: str
    """`ground`, `air` or `water`."""
    size: float
    """Usual longer side, as a share of the picture's side."""

    @property
    def held_out(self) -> bool:
        """Kept out of all training, to see how what is trained does with things that it never saw: one of twenty."""
        return zlib.crc32(self.name.encode()) % 20 == 0


def read_things() -> list[Thing]:
    """All things of the list, in its order."""
    path = Path(__file__).with_name("things.txt")
    things: list[Thing] = []
    place, size = "ground", 0.4
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("@"):
            _, place, share = line.split()
            size = float(share)
        elif line and not line.startswith("#"):
            for entry in line.split(";"):
                sign, name = entry.strip().split(" ", 1)
                things.append(Thing(sign, name, place, size))
    return things


@dataclass(frozen=True)
class Sprites:
    """Things with their pictures."""

    things: list[Thing]
    levels: tuple[Tensor, ...]
    """[N, 4, S, S] float, S = 176, 88, 44, 22: red, green, blue, multiplied by the last, opacity; each in the middle."""
    extents: Tensor
    """[N, 2] on the CPU: width and height as shares of the longer."""
    hues: Tensor
    """[N] on the CPU: of most of what is coloured, as turns; -1 for things of no colour or of many."""

    @property
    def device(self) -> torch.device:
        """Where the pictures lie."""
        return self.levels[0].device

    def to(self, device: torch.device | str) -> Sprites:
        """The same with pictures on a device."""
        return replace(self, levels=tuple(level.to(device) for level in self.levels))


def sprites_of(things: list[Thing], pictures: Tensor, device: torch.device | str = "cpu") -> Sprites:
    """Sprites of pictures [N, 4, 176, 176] uint8, colours multiplied by opacity."""
    levels = [pictures.float() / 255]
    while len(levels) < 4:
        levels.append(functional.avg_pool2d(levels[-1], 2))
    opaque = pictures[:, 3] > 20
    extents = torch.stack([opaque.any(1).sum(1), opaque.any(2).sum(1)], 1) / SIDE
    return Sprites(
        things,
        tuple(level.to(device) for level in levels),
        extents.clamp_min(0.02),
        main_hues(levels[2]),
    )


def main_hues(sprites: Tensor) -> Tensor:
    """[N] hue of most of what is coloured in sprites [N, 4, S, S], or -1."""
    rgb = sprites[:, :3] / sprites[:, 3:].clamp_min(1e-3)
    hue, saturation, value = hsv(rgb.clamp(0, 1))
    weight = saturation * value * sprites[:, 3]
    angle = 2 * torch.pi * hue
    x, y = (weight * angle.cos()).sum((1, 2)), (weight * angle.sin()).sum((1, 2))
    total = weight.sum((1, 2))
    agreed = torch.hypot(x, y) / total.clamp_min(1e-6)
    coloured = total / sprites[:, 3].sum((1, 2)).clamp_min(1e-6)
    found = torch.atan2(y, x) / (2 * torch.pi) % 1
    return torch.where((agreed > 0.8) & (coloured > 0.3), found, -1.0)


def hsv(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue in turns, saturation and value of [N, 3, ...] in [0, 1]."""
    value, which = rgb.max(1)
    spread = value - rgb.amin(1)
    red, green, blue = rgb.unbind(1)
    safe = spread.clamp_min(1e-6)
    sixth = torch.where(
        which == 0,
        (green - blue) / safe,
        torch.where(which == 1, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    return sixth / 6 % 1, spread / value.clamp_min(1e-6), value


def turned_hue(rgb: Tensor, turns: Tensor) -> Tensor:
    """[N, 3, H, W] in [0, 1] with hues turned by [N]; greys stay, so does the greatest of the three."""
    hue, saturation, value = hsv(rgb)
    hue = (hue + turns[:, None, None]) % 1
    corners = torch.tensor([5.0, 3.0, 1.0], device=rgb.device)[None, :, None, None]
    k = (corners + 6 * hue[:, None]) % 6
    return value[:, None] * (1 - saturation[:, None] * torch.minimum(k, 4 - k).clamp(0, 1))


def colour_name(hue: float) -> str:
    """The colour that is nearest to a hue."""
    return min(HUES, key=lambda name: abs((HUES[name] - hue + 0.5) % 1 - 0.5))


def read_sprites(folder: Path, device: torch.device | str = "cpu") -> Sprites:
    """What `pack.py` left under a folder: any number of sprites-*.zip."""
    rows: list[tuple[int, Thing, np.ndarray]] = []
    for path in sorted(folder.rglob("sprites-*.zip")):
        with zipfile.ZipFile(path) as shard:
            for record in json.loads(shard.read("things.json")):
                number, file = record.pop("number"), record.pop("file")
                picture = Image.open(io.BytesIO(shard.read(file))).convert("RGBA").convert("RGBa")
                rows.append((number, Thing(**record), np.asarray(picture)))
    if not rows:
        raise FileNotFoundError(f"no sprites-*.zip below {folder}: make them with recipes/scenes/pack.py")
    rows.sort(key=lambda row: row[0])
    pictures = torch.zeros(len(rows), 4, SIDE, SIDE, dtype=torch.uint8)
    for row, (_, _, values) in enumerate(rows):
        height, width = values.shape[:2]
        top, left = (SIDE - height) // 2, (SIDE - width) // 2
        pictures[row, :, top : top + height, left : left + width] = torch.from_numpy(values.copy()).permute(
            2, 0, 1
        )
    return sprites_of([thing for _, thing, _ in rows], pictures, device)
