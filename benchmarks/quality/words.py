"""How much of what words say came true in a picture, what else changed, and how fit a drawing is to be edited on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pliant.perception.clip import TextImageModel
from pliant.prompts import Prompt
from pliant.vector.compare import psnr
from pliant.vector.crops import views
from pliant.vector.scene import Scene
from pliant.vector.svg_writer import svg_text
from quality.perceptual import PerceptualDistance

MOST = 60.0
"""Decibels of two pictures that are as good as the same; without it one such pair would make every mean infinite."""
LINES = 7
"""Straight lines that a cubic is counted as; odd, so that shapes of some symmetry do not cross where lines meet."""
FAINT = 0.05
AT_ONCE = 256
"""Lines that are held against all others of a subpath at once."""


@torch.no_grad()
def gained(
    model: TextImageModel, before: Tensor, after: Tensor, prompt: Prompt, texts: Sequence[str]
) -> dict[str, float]:
    """What a model sees of a prompt's whole region.

    Args:
        model: that judges.
        before: [3, H, W] in [-1, 1], the photo.
        after: [3, H, W], what became of it.
        prompt: with a box in pixels, or none.
        texts: of all pairs, this prompt's among them.

    Returns:
        gain: how much further the region lies where the words point from "photo", a cosine; along: cosine of the change of
        its vector with that way; named: 1 if of all texts this one fits best, else 0.
    """
    ways = functional.normalize(model.encode_text(texts) - model.encode_text(["photo"]), dim=1)
    wanted = texts.index(prompt.text)
    first, second = (
        model.encode_images(whole_view(each, prompt, model.input_size))[0] for each in (before, after)
    )
    change = second - first
    return {
        "gain": float(change @ ways[wanted]),
        "along": float(functional.cosine_similarity(change, ways[wanted], dim=0)),
        "named": float(int((ways @ second).argmax()) == wanted),
    }


def whole_view(picture: Tensor, prompt: Prompt, side: int) -> Tensor:
    """A prompt's region in the middle of a white square, [1, 3, side, side]."""
    left, top, right, bottom = _corners(picture, prompt)
    region = picture[:, top:bottom, left:right]
    width, height = right - left, bottom - top
    longest = max(width, height)
    middle = [[longest, 0, (width - longest) / 2], [0, longest, (height - longest) / 2], [0, 0, 1]]
    return views(region, torch.tensor([middle], dtype=torch.float64), side)


@torch.no_grad()
def kept(judge: PerceptualDistance, before: Tensor, after: Tensor, prompt: Prompt) -> dict[str, float]:
    """What became of what nobody asked to change: all outside the box, or for a prompt without one the whole picture.

    Returns:
        ST-LPIPS, and for a prompt with a box decibels, at most 60.
    """
    mended = after.clone()
    if prompt.box is None:
        return {"stlpips": float(judge(mended[None], before[None])[0])}
    left, top, right, bottom = _corners(before, prompt)
    mended[:, top:bottom, left:right] = before[:, top:bottom, left:right]
    outside = torch.ones_like(before[0], dtype=torch.bool)
    outside[top:bottom, left:right] = False
    decibels = min(MOST, psnr(after[:, outside], before[:, outside]))
    return {"outside_db": decibels, "outside_stlpips": float(judge(mended[None], before[None])[0])}


def fitness(scene: Scene) -> dict[str, float]:
    """Paths, bytes of the SVG, percent of paths that can hardly be seen, subpaths that cross themselves."""
    return {
        "paths": float(len(scene)),
        "bytes": float(len(svg_text(scene).encode())),
        "faint": 100 * float((scene.opacity < FAINT).float().mean()),
        "crossed": 100 * float(np.mean([crosses(each) for each in outlines(scene)])),
    }


def outlines(scene: Scene) -> list[np.ndarray]:
    """Subpaths as corners of closed polygons [n, 2], without repeats."""
    cubics = scene.points[scene.segments].detach().double().cpu()
    t = (torch.arange(LINES, dtype=torch.float64) / LINES)[:, None]
    weights = torch.cat([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], dim=1)
    corners = torch.einsum("lk,skd->sld", weights, cubics)
    return [part.flatten(0, 1).numpy() for part in corners.split(scene.lengths.tolist())]


def crosses(corners: np.ndarray) -> bool:
    """Whether a closed polygon [n, 2] crosses itself; lines that only touch do not count."""
    corners = corners[(np.roll(corners, -1, 0) != corners).any(1)]
    starts, ends = corners, np.roll(corners, -1, 0)
    return any(
        bool(
            _met(
                starts[first : first + AT_ONCE, None], ends[first : first + AT_ONCE, None], starts, ends
            ).any()
        )
        for first in range(0, len(corners), AT_ONCE)
    )


def _met(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Whether lines a-b [m, 1, 2] properly cross lines c-d [n, 2]: [m, n]."""
    first = _turn(a, b, c) * _turn(a, b, d)
    second = _turn(c, d, a) * _turn(c, d, b)
    return (first < -1e-9) & (second < -1e-9)


def _turn(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Twice the signed area of triangles."""
    u, v = b - a, c - a
    return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]


def _corners(picture: Tensor, prompt: Prompt) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a prompt's region in whole pixels."""
    height, width = picture.shape[1:]
    x, y, across, down = prompt.box or (0.0, 0.0, width, height)
    return int(x), int(y), min(width, round(x + across)), min(height, round(y + down))
