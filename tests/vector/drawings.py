"""Drawings for tests, and what resvg makes of them."""

import io

import numpy as np
import resvg_py
import torch
from PIL import Image

from pliant.vector.outline import Path, Subpath, assemble, polygon
from pliant.vector.scene import Scene


def blob(rng, centre, radius, joints):
    """A smooth closed outline of some joints around a centre."""
    turn = np.arange(joints) * 2 * np.pi / joints
    away = radius * rng.uniform(0.6, 1.3, joints)
    at = np.stack([centre[0] + away * np.cos(turn), centre[1] + away * np.sin(turn)], axis=1)
    slope = (np.roll(at, -1, 0) - np.roll(at, 1, 0)) / 6
    after = np.roll(at, -1, 0)
    return Subpath(np.stack([at, at + slope, after - np.roll(slope, -1, 0)], axis=1).reshape(-1, 2))


def circle(centre, radius, *, clockwise=True):
    """Four cubics."""
    handle = 0.5522847498
    quarter = np.array([[1, 0], [1, handle], [handle, 1]])
    turns = [np.array([[c, s], [-s, c]]) for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))]
    points = np.concatenate([quarter @ turn for turn in turns]) * radius
    points = points if clockwise else points * (1, -1)
    return Subpath(points + np.asarray(centre))


def star(centre, radius, corners=5):
    """A star drawn in one go, whose middle is wound twice."""
    turn = np.arange(corners) * 4 * np.pi / corners - np.pi / 2
    corner = np.stack([np.cos(turn), np.sin(turn)], axis=1) * radius + centre
    return polygon(corner)


def colour(rng):
    """Any colour."""
    return tuple(float(v) for v in rng.uniform(0, 1, 3))


def blobs(count, side, seed=0, radius=(4, 16), joints=6, opacity=(0.3, 1.0)):
    """Overlapping blobs, every second one opaque."""
    rng = np.random.default_rng(seed)
    paths = [
        Path(
            [blob(rng, rng.uniform(0, side, 2), rng.uniform(*radius), joints)],
            colour(rng),
            opacity=float(rng.uniform(*opacity)) if index % 2 else 1.0,
        )
        for index in range(count)
    ]
    return assemble(paths, (side, side), background=(1, 1, 1))


def scribbles(count, side, widths, seed=0, cubics=2):
    """Open strokes that wander."""
    rng = np.random.default_rng(seed)
    paths = []
    for _ in range(count):
        walk = rng.uniform(0, side, 2) + np.cumsum(rng.normal(0, side / 8, (3 * cubics + 1, 2)), axis=0)
        line = Subpath(walk, closed=False)
        paths.append(Path([line], stroke=colour(rng), stroke_width=float(rng.uniform(*widths))))
    return assemble(paths, (side, side), background=(1, 1, 1))


def svg(scene: Scene) -> str:
    """The drawing as SVG with all its digits."""
    width, height = scene.size
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">']
    red, green, blue = (round(255 * v) for v in scene.background or (1, 1, 1))
    out.append(f'<rect width="100%" height="100%" fill="rgb({red},{green},{blue})"/>')
    for index in range(len(scene)):
        part = scene.subset(torch.tensor([index]))
        if scene.hidden[index]:
            continue
        rule = "evenodd" if part.even_odd[0] else "nonzero"
        out.append(
            f'<path d="{_data(part)}" fill="{_paint(part, part.colour_of)}" stroke="{_paint(part, part.stroke_of)}" '
            f'fill-rule="{rule}" stroke-width="{float(part.stroke_width[0])}" stroke-linecap="round" '
            f'stroke-linejoin="round" fill-opacity="{float(part.opacity[0])}" stroke-opacity="{float(part.opacity[0])}"/>'
        )
    return "\n".join([*out, "</svg>"])


def _paint(part, row):
    if row[0] < 0:
        return "none"
    return "rgb(" + ",".join(f"{100 * v}%" for v in part.colours[row[0]].tolist()) + ")"


def _data(part):
    out, before = [], -1
    for segment, subpath in zip(part.segments.tolist(), part.subpath_of.tolist(), strict=True):
        points = part.points[segment].flatten().tolist()
        if subpath != before:
            out.append(("Z " if before >= 0 and part.closed[before] else "") + "M{} {}".format(*points[:2]))
        out.append("C" + " ".join(map(str, points[2:])))
        before = subpath
    return " ".join(out) + (" Z" if part.closed[before] else "")


def resvg(scene: Scene, zoom: int = 1) -> torch.Tensor:
    """What resvg paints, [3, H, W] in 0 to 1; with a zoom, averaged over zoom x zoom samples a pixel."""
    return painted(svg(scene), zoom)


def painted(text: str, zoom: int = 1) -> torch.Tensor:
    """What resvg makes of an SVG on white, [3, H, W] in 0 to 1, from zoom x zoom samples a pixel."""
    png = bytes(resvg_py.svg_to_bytes(svg_string=text, zoom=zoom, background="white"))
    pixels = np.array(Image.open(io.BytesIO(png)).convert("RGB"))
    picture = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    return torch.nn.functional.avg_pool2d(picture, zoom)


def psnr(first, second):
    """Decibels between two pictures in 0 to 1."""
    return float(-10 * torch.log10((first - second).square().mean()))
