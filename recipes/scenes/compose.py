"""Scenes to pictures with masks, many at a time, on the sprites' device; the same scene is always the same picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from planning import GROUNDS, SKIES, Placed, Scene
from sprites import SIDE, Sprites, turned_hue
from torch import Tensor
from torch.nn import functional

FIELDS = {
    **dict.fromkeys(("near", "far", "top", "low"), 3),
    **dict.fromkeys(("horizon", "light", "hills"), 1),
    "places": 6,
    **dict.fromkeys(("soft", "fine", "streaks", "tiles", "boards", "clouds", "glow"), 1),
    "tint": 3,
    **dict.fromkeys(("plain", "wall", "water", "sun", "table", "night"), 1),
}
"""What a backdrop is made of, and of how many numbers each is."""
NOISE = 256
"""Side of the noise that grounds and clouds are taken from; it repeats."""


@dataclass(frozen=True)
class Drawn:
    """Pictures and what is where in them."""

    pictures: Tensor
    """[N, 3, S, S] in [-1, 1]."""
    masks: Tensor
    """[N, K, S, S] in [0, 1]: how much of each pixel shows the K-th thing of the scene; 0 for things that are not there."""

    def boxes(self) -> Tensor:
        """[N, K, 4] left, top, right, bottom in pixels of what is visible (right and bottom are outside); 0 for what is not."""
        seen = self.masks > 0.5
        columns, rows = seen.any(2), seen.any(3)
        side = seen.shape[-1]
        first = torch.stack([columns.int().argmax(2), rows.int().argmax(2)], 2)
        last = side - torch.stack([columns.flip(2).int().argmax(2), rows.flip(2).int().argmax(2)], 2)
        return torch.cat([first, last], 2) * seen.any(3).any(2)[..., None]


@dataclass(frozen=True)
class Batch:
    """Scenes as tensors on the CPU: what a worker hands over."""

    places: Tensor
    """[N, 37] numbers of the backdrops, those of `FIELDS`."""
    things: Tensor
    """[N, K, 11] numbers of the things: item (-1 for none), x, y, size, turn, flip, hue, stands, width, height, order."""


def batched(scenes: Sequence[Scene], sprites: Sprites, slots: int = 0) -> Batch:
    """Numbers of scenes, with room for `slots` things or as many as there are."""
    slots = max([slots, 1, *(len(scene.things) for scene in scenes)])
    places, things = [], []
    extents = sprites.extents.tolist()
    for scene in scenes:
        places.append(_numbers_of(scene))
        feet = [_foot(thing, extents) for thing in scene.things]
        order = sorted(range(len(feet)), key=feet.__getitem__)
        rows = [
            (
                *(t.item, t.x, t.y, t.size, t.turn, t.flip, t.hue, t.stands),
                *(t.size * share for share in extents[t.item]),
                order.index(k),
            )
            for k, t in enumerate(scene.things)
        ]
        things.append(rows + [(-1.0,) + (0.0,) * 10] * (slots - len(rows)))
    return Batch(torch.tensor(places), torch.tensor(things, dtype=torch.float32))


def _foot(thing: Placed, extents: list[list[float]]) -> float:
    """By which things are drawn over one another: what flies is behind what stands."""
    return (thing.y + 0.5 * thing.size * extents[thing.item][1]) - (0 if thing.stands else 10)


def _numbers_of(scene: Scene) -> list[float]:
    ground, sky = GROUNDS.get(scene.ground), SKIES.get(scene.sky)
    return [
        *scene.near,
        *scene.far,
        *scene.top,
        *scene.low,
        scene.horizon,
        scene.light,
        scene.hills,
        *scene.places,
        *(ground.texture if ground else (0.012, 0.0, 0.0)),
        *(ground.pattern if ground else (0.0, 0.0)),
        sky.clouds if sky else 0.0,
        sky.glow if sky else 0.0,
        *(sky.tint if sky else (1.0, 1.0, 1.0)),
        float(scene.sky == "plain"),
        float(scene.sky == "wall"),
        float(scene.ground == "water"),
        0.5 if scene.sky in {"night", "grey"} else 0.75 if scene.sky in {"wall", "cloudy"} else 1.0,
        float(scene.ground == "table"),
        float(scene.sky == "night"),
    ]


class Backdrops:
    """Numbers [N, 37] by their names, [N, 1, 1] each, colours [N, 3, 1, 1]."""

    def __init__(self, numbers: Tensor) -> None:
        parts = numbers[..., None, None].split(list(FIELDS.values()), 1)
        self._parts = dict(zip(FIELDS, parts, strict=True))

    def __getattr__(self, name: str) -> Tensor:
        part = self._parts[name]
        return part[:, 0] if FIELDS[name] == 1 else part


class Composer:
    """Draws scenes.

    Args:
        sprites: whose device it uses.
        side: of the pictures, in pixels.
    """

    def __init__(self, sprites: Sprites, side: int = 256) -> None:
        self.sprites, self.side, self.device = sprites, side, sprites.device
        self.noise = noise_maps().to(self.device)
        middles = (torch.arange(side, device=self.device) + 0.5) / side
        self.x, self.y = middles[None, None, :], middles[None, :, None]

    def draw(self, scenes: Sequence[Scene]) -> Drawn:
        """Pictures and masks."""
        return self.draw_batch(batched(scenes, self.sprites))

    def draw_batch(self, batch: Batch) -> Drawn:
        """Pictures and masks of what `batched` gave."""
        place = batch.places.to(self.device)
        picture = self._backdrop(place) * (1 - self._shadows(place, batch.things))[:, None]
        count, slots = batch.things.shape[:2]
        masks = picture.new_zeros(count, slots, self.side, self.side)
        for order in range(slots):
            rows, columns = ((batch.things[..., 0] >= 0) & (batch.things[..., 10] == order)).nonzero(
                as_tuple=True
            )
            if not len(rows):
                continue
            layer = self._layer(batch.things[rows, columns], place[rows.to(self.device)])
            rows, columns = rows.to(self.device), columns.to(self.device)
            opacity = layer[:, 3:]
            picture[rows] = layer[:, :3] + (1 - opacity) * picture[rows]
            masks[rows] = masks[rows] * (1 - opacity)
            masks[rows, columns] = opacity[:, 0]
        light = 1 + 0.1 * Backdrops(place).light * (self.x - 0.5)
        corner = 1 - 0.16 * ((self.x - 0.5) ** 2 + (self.y - 0.5) ** 2)
        picture = (picture * (light * corner)[:, None]).clamp(0, 1) * 2 - 1
        return Drawn(picture, masks)

    def _noise(self, kind: int, x: Tensor, y: Tensor) -> Tensor:
        """[N, S, S] noise of one kind at places [N, S, S] in repeats of it, about -1 to 1."""
        grid = (
            torch.stack(torch.broadcast_tensors(x, y), 3).remainder(1) * (2 * NOISE / (NOISE + 1))
            - 1
            + 1 / (NOISE + 1)
        )
        noise = self.noise[kind].expand(len(grid), 1, -1, -1)
        return functional.grid_sample(noise, grid, align_corners=False, padding_mode="border")[:, 0]

    def _backdrop(self, place: Tensor) -> Tensor:
        """[N, 3, S, S] in [0, 1]: ground, sky, hills."""
        p = Backdrops(place)
        at, horizon, low, x, y = p.places.unbind(1), p.horizon, p.low, self.x, self.y
        depth = ((y - horizon) / (1 - horizon)).clamp(0, 1)
        away = 1 / (0.12 + 0.88 * depth)
        across, along = (x - 0.5) * away, away
        clear = (1.35 / away).clamp(0, 1)
        ground = torch.lerp(p.far, p.near, depth[:, None] ** 0.6)
        rough = p.soft * self._noise(0, 0.35 * across + at[0], 0.5 * along + at[1])
        rough = rough + p.fine * clear * self._noise(1, 0.6 * across + at[1], 1.1 * along + at[0])
        rough = rough + p.streaks * self._noise(2, 0.5 * across + at[0], 1.4 * along + at[1])
        rough = rough + self._patterns(across, along, clear, p)
        ground = ground * (1 + rough[:, None]) + 0.25 * p.water[:, None] * rough[:, None]
        edge = p.table * (1 - (depth * 28).clamp(0, 1))
        ground = ground * (1 - 0.22 * edge[:, None])
        height = (y / horizon.clamp_min(0.05)).clamp(0, 1)
        sky = torch.lerp(p.top, low, height[:, None] ** 1.4)
        over = 1 / (0.16 + (horizon - y).clamp_min(0) * 1.6)
        white = self._noise(0, 0.16 * (x - 0.5) * over + at[2], 0.3 * over + at[3])
        cover = ((white - 0.05 + 0.35 * (p.clouds - 0.5)) * 2.2).clamp(0, 1) * p.clouds * (1 - p.wall)
        cover = cover * (1.15 - height).clamp(0, 1)
        sky = torch.lerp(
            sky, (0.35 * low + 0.65).clamp(0, 1) * (1 - 0.5 * (low.mean(1, True) < 0.5)), cover[:, None]
        )
        apart = ((x - at[4]) ** 2 + (1.5 * (y - horizon + 0.04)) ** 2) / 0.09
        warm = torch.tensor([1.0, 0.86, 0.55], device=self.device)[:, None, None]
        sky = torch.lerp(sky, warm, (p.glow * (-apart).exp())[:, None])
        sky = self._with_stars(sky, p.night, height, at)
        skirting = p.wall * ((y > horizon - 0.022) & (y < horizon))
        sky = torch.lerp(sky, (sky * 0.55 + 0.42).clamp(0, 1), skirting[:, None])
        for part, (distance, kind) in enumerate(((0.62, 0.9), (0.42, 0.5))):
            line = self._noise(3, 0.42 * x + at[5] + 0.37 * part, at[5])
            ridge = horizon - p.hills * (kind + 0.8 * line * kind).clamp_min(0.05)
            there = ((y - ridge) * self.side + 0.5).clamp(0, 1) * (p.hills > 0)
            sky = torch.lerp(sky, torch.lerp(p.far * 0.72, low, distance), there[:, None])
        sharp = ((y - horizon) * self.side + 0.5).clamp(0, 1)
        blended = ((y - horizon) * 3.2 + 0.5).clamp(0, 1)
        below = torch.where(p.plain > 0, blended, sharp)
        ground = torch.where(p.plain[:, None] > 0, ground * (0.9 + 0.12 * depth[:, None]), ground)
        return torch.lerp(sky, ground * p.tint, below[:, None]).clamp(0, 1)

    def _with_stars(self, sky: Tensor, night: Tensor, height: Tensor, at: Sequence[Tensor]) -> Tensor:
        dots = self._noise(4, 0.8 * self.x + at[2], 0.8 * self.y + at[3])
        return sky + (0.75 * night * dots * (1 - height))[:, None]

    def _patterns(
        self,
        across: Tensor,
        along: Tensor,
        clear: Tensor,
        p: Backdrops,
    ) -> Tensor:
        """[N, S, S] tiles and boards, fading where they get too small."""
        at = p.places.unbind(1)
        wave = torch.sin(math.pi * (4 * across + at[0])) * torch.sin(math.pi * (4 * along + at[1]))
        checks = torch.tanh(wave * 14 * clear**2) * clear
        board = 5 * across + at[0]
        gap = (1 - ((board - board.round()).abs() * 16 * clear)).clamp(0, 1) * clear
        tone = self._noise(0, (board + 0.5).floor() * 0.1373 + at[1], torch.full_like(board, 0.3))
        grain = self._noise(2, 0.3 * along, 0.9 * board)
        return p.tiles * checks + p.boards * (0.9 * tone + 0.25 * grain * clear - 1.4 * gap)

    def _shadows(self, place: Tensor, things: Tensor) -> Tensor:
        """[N, S, S]: how much light the things that stand take from the ground."""
        backdrops = Backdrops(place)
        dark = place.new_zeros(len(place), self.side, self.side)
        for slot in range(things.shape[1]):
            rows = ((things[:, slot, 0] >= 0) & (things[:, slot, 7] > 0)).nonzero()[:, 0]
            if not len(rows):
                continue
            numbers = things[rows, slot].to(self.device)
            rows = rows.to(self.device)
            x, y, size, wide, high = numbers[:, (1, 2, 3, 8, 9), None, None].unbind(1)
            foot, light, strength = y + 0.5 * high, backdrops.light[rows], backdrops.sun[rows]
            touch = ((self.x - x) / (0.46 * wide)) ** 2 + (
                (self.y - foot + 0.012) / (0.05 * size + 0.016)
            ) ** 2
            contact = 0.5 * (-touch).exp()
            back = (foot - 0.01 - self.y) / (0.42 * high)
            local_x = (self.x - x + light * 0.5 * high * back) / size * 2
            local_y = (0.5 * high - back * high) / size * 2
            local_x = torch.where(numbers[:, 5, None, None] > 0, -local_x, local_x)
            grid = torch.stack([local_x, local_y.expand_as(local_x)], 3)
            alpha = self.sprites.levels[3][numbers[:, 0].long(), 3:]
            cast = functional.grid_sample(alpha, grid, align_corners=False)[:, 0] * 0.38 * strength
            cast = cast * (1.1 - 0.6 * back).clamp(0, 1) * (back > -0.1)
            dark[rows] = 1 - (1 - dark[rows]) * (1 - contact * (0.6 + 0.4 * strength)) * (1 - cast)
        below = ((self.y - backdrops.horizon) * 24).clamp(0, 1)
        return dark * torch.where(backdrops.plain > 0, 1.0, below)

    def _layer(self, things: Tensor, place: Tensor) -> Tensor:
        """[M, 4, S, S] of things [M, 11] where they lie, colours multiplied by opacity."""
        layer = place.new_zeros(len(things), 4, self.side, self.side)
        needed = (SIDE / (things[:, 3] * self.side).clamp_min(1)).log2().add(0.4).floor().clamp(0, 3)
        for level, pictures in enumerate(self.sprites.levels):
            rows = (needed == level).nonzero()[:, 0]
            if len(rows):
                numbers, turned = things[rows].to(self.device), (things[rows, 6] != 0).nonzero()[:, 0]
                sprites = pictures[numbers[:, 0].long()]
                if len(turned):
                    sprites = _with_hues(sprites, turned.to(self.device), numbers[:, 6])
                layer[rows.to(self.device)] = self._warped(sprites, numbers)
        x, y, size = things[:, 1:4, None, None].to(self.device).unbind(1)
        backdrops = Backdrops(place)
        lit = 1 + 0.16 * (y - self.y) / size + 0.16 * backdrops.light * (self.x - x) / size
        return torch.cat(
            [
                torch.minimum(layer[:, :3] * (lit[:, None] * backdrops.tint.sqrt()), layer[:, 3:]),
                layer[:, 3:],
            ],
            1,
        )

    def _warped(self, sprites: Tensor, numbers: Tensor) -> Tensor:
        x, y, size, turn, flip = numbers[:, 1:6].unbind(1)
        cos, sin = turn.cos() / size, turn.sin() / size
        sign = 1 - 2 * flip
        linear = torch.stack([torch.stack([sign * cos, sign * sin], 1), torch.stack([-sin, cos], 1)], 1)
        middle = torch.stack([2 * x - 1, 2 * y - 1], 1)
        offset = -(linear @ middle[..., None])
        shape = [len(numbers), 4, self.side, self.side]
        grid = functional.affine_grid(torch.cat([linear, offset], 2), shape, align_corners=False)
        return functional.grid_sample(sprites, grid, align_corners=False)


def _with_hues(sprites: Tensor, rows: Tensor, turns: Tensor) -> Tensor:
    opacity = sprites[rows, 3:]
    rgb = (sprites[rows, :3] / opacity.clamp_min(1e-3)).clamp(0, 1)
    sprites = sprites.clone()
    sprites[rows, :3] = turned_hue(rgb, turns[rows]) * opacity
    return sprites


def noise_maps() -> Tensor:
    """[5, 1, 257, 257] noise that repeats, its first row and column again at the end: soft, fine, streaked, hilly; stars."""
    random = torch.Generator().manual_seed(12)
    frequency = torch.fft.fftfreq(NOISE) * NOISE
    fy, fx = frequency[:, None], frequency[None, :]
    far = torch.hypot(fx, fy).clamp_min(1)
    spectra = (
        far**-1.7 * (far < 60),
        ((far > 14) & (far < 50)).float() * far**-0.5,
        (fx.abs() < 9).float() * (fy.abs() > 6) * (fy.abs() < 44) * far**-0.3,
        far**-1.9 * (far < 14),
    )
    maps = []
    for spectrum in spectra:
        white = torch.fft.fft2(torch.randn(NOISE, NOISE, generator=random))
        field = torch.fft.ifft2(white * spectrum * (far > 0.5)).real
        field = field - field.mean()
        maps.append((field / field.std() / 2).clamp(-1.5, 1.5))
    stars = (torch.rand(NOISE, NOISE, generator=random) ** 600)[None, None]
    maps.append((functional.avg_pool2d(stars, 3, 1, 1) * 4 + 0.6 * stars)[0, 0].clamp(0, 1))
    return functional.pad(torch.stack(maps)[:, None], (0, 1, 0, 1), mode="circular")
