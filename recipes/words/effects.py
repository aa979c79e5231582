"""What words like "at night" or "made of gold" do to a picture: rough, but told apart by colour and texture.

Pictures are [N, 3, S, S] in [0, 1]; `amount` [N, 1, 1, 1] in [0, 1] varies each effect.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

Effect = Callable[[Tensor, Tensor], Tensor]


def luminance(x: Tensor) -> Tensor:
    """[N, 1, S, S] in [0, 1]."""
    return (x * x.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)


def tint(
    x: Tensor, amount: Tensor, by: tuple[float, ...], towards: tuple[float, ...], share: float
) -> Tensor:
    """Multiply by a colour, then mix some of another in."""
    colour, other = (x.new_tensor(values)[:, None, None] for values in (by, towards))
    strength = 0.7 + 0.3 * amount
    return torch.lerp(x, torch.lerp(x * colour, other.expand_as(x), share), strength)


def ramp(x: Tensor, amount: Tensor, *colours: tuple[float, ...], grain: float = 0.0) -> Tensor:
    """Brightness becomes a place on a row of colours, rough by `grain`."""
    bright = luminance(x)
    low, high = bright.amin((2, 3), keepdim=True), bright.amax((2, 3), keepdim=True)
    bright = (bright - low) / (high - low).clamp_min(0.1)
    bright = (bright + grain * streaks(bright, amount)).clamp(0, 1) * (len(colours) - 1)
    row = x.new_tensor(colours)
    return sum(
        (
            (1 - (bright - place).abs()).clamp_min(0) * row[place][:, None, None]
            for place in range(len(colours))
        ),
        torch.zeros_like(x),
    )


def streaks(like: Tensor, amount: Tensor) -> Tensor:
    """Smooth noise, drawn out along one direction, about -1 to 1."""
    count, _, side, _ = like.shape
    coarse = torch.randn(count, 1, max(side // 20, 2), max(side // 3, 2), device=like.device)
    noise = functional.interpolate(coarse, (side, side), mode="bilinear", align_corners=False)
    return noise * (0.5 + 0.5 * amount)


def edges(x: Tensor) -> Tensor:
    """How much neighbouring pixels differ, [N, 1, S, S], about 0 to 1."""
    bright = functional.avg_pool2d(functional.pad(luminance(x), (1, 1, 1, 1), mode="replicate"), 3, 1)
    across = functional.pad(bright[..., 1:] - bright[..., :-1], (0, 1))
    down = functional.pad(bright[..., 1:, :] - bright[..., :-1, :], (0, 0, 0, 1))
    return (6 * (across.square() + down.square() + 1e-8).sqrt()).clamp(0, 1)


def sketch(x: Tensor, amount: Tensor) -> Tensor:
    """Dark lines on paper."""
    return (1 - edges(x) * (0.8 + 0.4 * amount)).clamp(0, 1).expand_as(x)


def neon(x: Tensor, amount: Tensor) -> Tensor:
    """Glowing lines on black."""
    lines = edges(x)
    glow = functional.avg_pool2d(functional.pad(lines, (4, 4, 4, 4)), 9, 1)
    return ((lines + glow) * rainbow_of(x, amount)).clamp(0, 1)


def rainbow_of(x: Tensor, amount: Tensor) -> Tensor:
    """All hues from side to side."""
    side = x.shape[-1]
    place = torch.linspace(0, 1, side, device=x.device)
    phase = 2 * math.pi * (place + amount)
    return torch.cat([0.5 + 0.5 * torch.cos(phase - 2.1 * channel) for channel in range(3)], 1).expand_as(x)


def rainbow(x: Tensor, amount: Tensor) -> Tensor:
    """Brightness in all hues."""
    return (rainbow_of(x, amount) * (0.3 + 0.9 * luminance(x))).clamp(0, 1)


def snow(x: Tensor, amount: Tensor) -> Tensor:
    """Paler and bluish, with flakes."""
    flakes = (torch.rand_like(x[:, :1]) > 0.985 - 0.01 * amount).float()
    flakes = functional.max_pool2d(flakes, 3, 1, 1)
    return torch.maximum(tint(x, amount, (0.95, 1.0, 1.05), (0.93, 0.96, 1.0), 0.5), flakes)


def blocks(x: Tensor, amount: Tensor) -> Tensor:
    """Large square pixels."""
    side = x.shape[-1]
    size = side // (14 + int(8 * float(amount.mean())))
    small = functional.interpolate(x, (side // size, side // size), mode="area")
    return functional.interpolate(small, (side, side), mode="nearest")


def blurred(x: Tensor, amount: Tensor) -> Tensor:
    """Out of focus."""
    side = x.shape[-1]
    small = functional.interpolate(x, (side // (7 + int(5 * float(amount.mean()))),) * 2, mode="area")
    return functional.interpolate(small, (side, side), mode="bicubic", align_corners=False).clamp(0, 1)


def flat_colours(x: Tensor, amount: Tensor) -> Tensor:
    """Three levels of each channel."""
    return torch.lerp((x * 2).round() / 2, x, 0.1 * amount)


def inverted(x: Tensor, amount: Tensor) -> Tensor:
    """The negative."""
    return torch.lerp(1 - x, x, 0.1 * amount)


def pattern(x: Tensor, amount: Tensor, kind: str) -> Tensor:
    """Stripes, dots or squares laid over the picture."""
    side = x.shape[-1]
    place = torch.linspace(0, 1, side, device=x.device) * (2 * math.pi) * (6 + 5 * amount)
    across, down = torch.sin(place), torch.sin(place.transpose(2, 3))
    wave = {
        "striped": across.expand(-1, -1, side, -1),
        "chequered": across * down,
        "dotted": across * down - 0.5,
    }[kind]
    return torch.where(wave > 0, 1 - 0.8 * (1 - x.flip(1)), x)


def _tinted(by: tuple[float, ...], towards: tuple[float, ...], share: float) -> Effect:
    return partial(tint, by=by, towards=towards, share=share)


def _ramped(*colours: tuple[float, ...], grain: float = 0.0) -> Effect:
    return lambda x, amount: ramp(x, amount, *colours, grain=grain)


EFFECTS: dict[str, Effect] = {
    "night": _tinted((0.25, 0.32, 0.6), (0.02, 0.04, 0.2), 0.3),
    "sunset": _tinted((1.1, 0.72, 0.5), (1.0, 0.45, 0.1), 0.25),
    "day": _tinted((1.05, 1.08, 1.12), (0.85, 0.95, 1.0), 0.2),
    "fog": _tinted((0.9, 0.9, 0.9), (0.75, 0.77, 0.8), 0.65),
    "water": _tinted((0.35, 0.85, 0.95), (0.0, 0.4, 0.55), 0.3),
    "snow": snow,
    "gold": _ramped((0.2, 0.1, 0.0), (0.75, 0.5, 0.05), (1.0, 0.84, 0.2), (1.0, 0.97, 0.75)),
    "silver": _ramped((0.1, 0.1, 0.12), (0.55, 0.57, 0.6), (0.3, 0.31, 0.34), (0.95, 0.96, 1.0)),
    "copper": _ramped((0.15, 0.05, 0.02), (0.6, 0.27, 0.12), (0.9, 0.5, 0.3), (1.0, 0.85, 0.75)),
    "fire": _ramped((0.05, 0.0, 0.0), (0.7, 0.05, 0.0), (1.0, 0.5, 0.0), (1.0, 1.0, 0.6), grain=0.15),
    "ice": _ramped((0.05, 0.2, 0.4), (0.3, 0.65, 0.9), (0.75, 0.93, 1.0), (1.0, 1.0, 1.0)),
    "wood": _ramped((0.2, 0.1, 0.04), (0.5, 0.3, 0.14), (0.75, 0.52, 0.3), grain=0.2),
    "stone": _ramped((0.25, 0.25, 0.24), (0.55, 0.54, 0.52), (0.82, 0.81, 0.78), grain=0.12),
    "grass": _ramped((0.04, 0.15, 0.02), (0.2, 0.45, 0.1), (0.55, 0.75, 0.3), grain=0.3),
    "grey": _ramped((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "sepia": _ramped((0.15, 0.08, 0.03), (0.6, 0.45, 0.3), (0.98, 0.92, 0.78)),
    "sketch": sketch,
    "neon": neon,
    "rainbow": rainbow,
    "pixels": blocks,
    "blurred": blurred,
    "poster": flat_colours,
    "negative": inverted,
    "striped": partial(pattern, kind="striped"),
    "dotted": partial(pattern, kind="dotted"),
    "chequered": partial(pattern, kind="chequered"),
}
