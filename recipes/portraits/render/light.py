"""Lights, background and the curve from light to pixels."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from body import Pack
from PIL import Image
from sample import Background, Light, Portrait

FROM_ENVIRONMENT = 16
FROM_KEY = 8
BRIGHTEST = 12
"""Radiance (mean 1) above which the environment's sun is not followed when lights are placed."""


class Lighting(NamedTuple):
    """Directional lights and ambient light."""

    directions: np.ndarray
    """[24, 3] unit vectors towards the lights."""
    colours: np.ndarray
    """[24, 3] linear RGB."""
    from_above: np.ndarray
    """[3] ambient radiance of the upper half of the environment."""
    from_below: np.ndarray


def lighting(light: Light, pack: Pack) -> Lighting:
    """Sixteen lights sampled from the environment by importance, eight of a soft key light, and the ambient.

    The shader gives every sample of a pixel a quarter of the lights (number modulo 4), so each quarter
    holds four of the environment and two of the key.
    """
    random = np.random.default_rng(light.seed)
    environment = np.roll(pack.environment(light.environment), int(light.turn * 256), 1)
    height, width = environment.shape[0] // 2, environment.shape[1] // 2
    environment = environment.reshape(height, 2, width, 2, 3).mean((1, 3))
    polar = (np.arange(height) + 0.5) / height * math.pi
    clipped = np.minimum(
        environment, BRIGHTEST * environment / np.maximum(environment.mean(2, keepdims=True), 1e-6)
    )
    total = (clipped * np.sin(polar)[:, None, None]).mean((0, 1)) / np.sin(polar).mean()

    importance = (np.sin(polar)[:, None] * np.minimum(environment.mean(2), BRIGHTEST)).ravel()
    importance /= importance.sum()
    strata = (np.arange(FROM_ENVIRONMENT) + random.random(FROM_ENVIRONMENT)) / FROM_ENVIRONMENT
    cells = np.searchsorted(np.cumsum(importance), strata).clip(0, height * width - 1)
    lights = []
    for cell in cells:
        y, x = divmod(int(cell), width)
        theta, phi = polar[y], (x + random.random()) / width * 2 * math.pi
        direction = np.array(
            [math.sin(theta) * math.sin(phi), math.cos(theta), math.sin(theta) * math.cos(phi)]
        )
        colour = 0.5 * environment[y, x] / max(environment[y, x].mean(), 1e-6) + 0.5 * total / total.mean()
        lights.append((direction, colour * total.mean() * 3.2 / FROM_ENVIRONMENT))

    tint = np.array([1 + 0.09 * light.warmth, 1, 1 - 0.12 * light.warmth])
    for _ in range(FROM_KEY):
        azimuth = light.key_azimuth + random.normal(0, 0.16)
        elevation = light.key_elevation + random.normal(0, 0.16)
        direction = np.array(
            [
                math.sin(azimuth) * math.cos(elevation),
                math.sin(elevation),
                math.cos(azimuth) * math.cos(elevation),
            ]
        )
        lights.append((direction, tint * light.key_power * total.mean() * 2.6 / FROM_KEY))

    balance = _white_balance(lights)
    mean = total.mean()

    def ambient(half: np.ndarray) -> np.ndarray:
        radiance = half.mean((0, 1))
        strength = np.clip(radiance.mean() / mean, 0.4, 1.5)
        return 0.34 * (0.5 * radiance / max(radiance.mean(), 1e-6) + 0.5) * mean * strength * balance

    return Lighting(
        np.stack([direction for direction, _ in lights]),
        np.stack([colour * balance for _, colour in lights]),
        ambient(clipped[: height // 2]),
        ambient(clipped[height // 2 :]),
    )


def _white_balance(lights: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Partly take out the colour of the light that reaches a face."""
    face = np.array([0, 0.25, 0.97])
    irradiance = sum(colour * max(float(direction @ face), 0) for direction, colour in lights)
    return (irradiance / irradiance.mean()) ** -0.65


def background(choice: Background, pack: Pack, size: int) -> np.ndarray:
    """Linear background picture, [size, size, 3]."""
    y, x = np.mgrid[0:size, 0:size] / (size - 1.0) - 0.5
    if choice.kind == "photo":
        return _photo(choice, pack, size)
    if choice.kind == "gradient":
        if choice.angle > 3.6:
            blend = np.clip(np.hypot(x, y * 0.9 + 0.1) * 1.5, 0, 1)
        else:
            blend = np.clip(0.5 + x * math.cos(choice.angle) + y * math.sin(choice.angle), 0, 1)
        blend = (blend * blend * (3 - 2 * blend))[..., None]
        return choice.rgb * (1 - blend) + choice.rgb2 * blend
    vignette = 1 - 0.35 * (x**2 + y**2)[..., None]
    return choice.rgb * vignette


def _photo(choice: Background, pack: Pack, size: int) -> np.ndarray:
    """A blurred piece of an environment map."""
    environment = np.roll(pack.environment(choice.environment), int(choice.turn * 256), 1)
    side = max(12, int(choice.field_of_view * 256))
    top = int(np.clip(64 - side / 2 - choice.elevation * 64, 0, 128 - side))
    piece = environment[top : top + side, 128 - side // 2 : 128 - side // 2 + side]
    piece = np.minimum(piece * (choice.level / max(float(np.median(piece.mean(2))), 1e-3)), 1.25)
    for _ in range(int(1 + choice.blur * 3)):
        piece = np.pad(piece, ((1, 1), (1, 1), (0, 0)), "edge")
        piece = (piece[:-2] + 2 * piece[1:-1] + piece[2:]) / 4
        piece = (piece[:, :-2] + 2 * piece[:, 1:-1] + piece[:, 2:]) / 4
    planes = [Image.fromarray(np.ascontiguousarray(piece[..., k])) for k in range(3)]
    enlarged = [np.asarray(plane.resize((size, size), Image.Resampling.BICUBIC)) for plane in planes]
    return np.clip(np.stack(enlarged, 2), 0.004, 1.3)


def exposure(portrait: Portrait, face_luminance: float, albedo: float) -> float:
    """Factor that brings a face to the brightness a photographer would choose for its skin."""
    return 0.36 * (albedo / 0.45) ** 0.50 / max(face_luminance, 1e-4) * 2**portrait.light.exposure


def tonemap(linear: np.ndarray) -> np.ndarray:
    """Soft-shoulder curve to 8 bit: straight up to about 0.4, then rolling off, with a little contrast."""
    x = np.maximum(linear, 0)
    y = np.where(x < 0.42, x, 0.42 + 0.58 * (1 - np.exp(-(x - 0.42) / 0.58)))
    luminance = y.mean(2, keepdims=True)
    y = luminance + (y - luminance) * (1 - 0.25 * np.clip((luminance - 0.6) / 0.4, 0, 1))
    y = np.clip(y, 0, 1) ** (1 / 2.2)
    y = y - 0.035 * np.sin((y - 0.5) * 2 * np.pi) * -2 * (y - y * y)
    return (np.clip(y, 0, 1) * 255 + 0.5).astype(np.uint8)
