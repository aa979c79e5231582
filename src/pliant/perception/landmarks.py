"""The 68 face landmarks of a picture, found by a small heatmap network.

A convolutional encoder looks at the face at 128 x 128, a top-down path brings the view back to 64 x 64, and
every landmark is the expectation of its own heatmap (soft-argmax; "integral regression", arXiv 1711.08229),
which is finer than a cell. The embedded weights were trained on rendered portraits with exact labels
(`recipes/landmarks`); they serve the drag benchmark and suggestions in an editor, not the recognition of
people.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file  # pyright: ignore[reportUnknownVariableType]
from torch import Tensor, nn
from torch.nn import functional

from pliant.errors import CheckpointError

POINTS = 68
"""Number of landmarks, in the usual order of the 68-point scheme (jaw, brows, nose, eyes, lips)."""

MIRROR = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *(27, 28, 29, 30, 35, 34, 33, 32, 31),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
)
"""Where each landmark is found after a left-right flip: `flipped[i] = points[MIRROR[i]]`."""

NOSE_TIP = 30
LEFT_EYE, RIGHT_EYE = tuple(range(36, 42)), tuple(range(42, 48))
"""Indices of the eye outlines; left and right as seen in the picture."""
MOUTH_CORNERS = (48, 54)

EMBEDDED = Path(__file__).parent.parent / "_weights" / "landmarks-68"


class Landmarks(NamedTuple):
    """What the net found: where, and how sure it is."""

    points: Tensor
    """[N, 68, 2] (x, y) pixels; the centre of the top-left pixel is (0, 0)."""
    confidence: Tensor
    """[N, 68] in 0..1: share of each heatmap that lies within a cell and a half of the point."""


@dataclass(frozen=True)
class LandmarkConfig:
    """Shape of the network."""

    input_size: int = 128
    """Side in pixels at which the network sees the picture."""
    widths: tuple[int, int, int, int] = (32, 64, 96, 128)
    """Channels at a half, a quarter, an eighth and a sixteenth of the input size."""


class _Residual(nn.Module):
    """Two 3 x 3 convolutions around a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv0 = _convolution(channels, channels)
        self.conv1 = _convolution(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.conv1(functional.relu(self.conv0(x))))


def _convolution(inputs: int, outputs: int, stride: int = 1, size: int = 3) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


def _down(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(_convolution(inputs, outputs, stride=2), nn.ReLU())


class LandmarkNet(nn.Module):
    """Finds 68 landmarks in portraits: `detect` gives pixels, `embed` features of whole pictures."""

    def __init__(self, config: LandmarkConfig | None = None) -> None:
        super().__init__()
        self.config = config or LandmarkConfig()
        half, quarter, eighth, sixteenth = self.config.widths
        self.stem = _convolution(3, half, stride=2)
        self.encoder = nn.ModuleList(
            [
                _Residual(half),
                nn.Sequential(_down(half, quarter), _Residual(quarter), _Residual(quarter)),
                nn.Sequential(_down(quarter, eighth), _Residual(eighth), _Residual(eighth)),
                nn.Sequential(_down(eighth, sixteenth), _Residual(sixteenth)),
            ]
        )
        self.lateral = nn.ModuleList(
            [
                _convolution(sixteenth, eighth, size=1),
                _convolution(eighth, quarter, size=1),
                _convolution(quarter, half, size=1),
            ]
        )
        self.decoder = nn.ModuleList([_Residual(eighth), _Residual(quarter), _Residual(half)])
        self.head = nn.Conv2d(half, POINTS, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Heatmap logits.

        Args:
            images: [N, 3, H, W] in [-1, 1], a portrait filling the square.

        Returns:
            [N, 68, S/2, S/2] with S the input size of the network; unnormalised log-probabilities over cells.
        """
        scales = self.encode(images)
        x = scales[-1]
        for lateral, block, finer in zip(self.lateral, self.decoder, reversed(scales[:-1]), strict=True):
            up = functional.interpolate(lateral(x), scale_factor=2.0, mode="bilinear", align_corners=False)
            x = block(functional.relu(up + finer))
        return self.head(x)

    def encode(self, images: Tensor) -> list[Tensor]:
        """Features [N, C, h, w] of every scale, finest first: 1/2, 1/4, 1/8 and 1/16 of the input size."""
        x = functional.relu(self.stem(resize_for(images, self.config.input_size)))
        scales: list[Tensor] = []
        for stage in self.encoder:
            x = stage(x)
            scales.append(x)
        return scales

    @torch.no_grad()
    def detect(self, images: Tensor, batch_size: int = 64) -> Landmarks:
        """Find the landmarks.

        Args:
            images: [N, 3, H, W] in [-1, 1], a portrait filling the square.
            batch_size: how many pictures to look at together.

        Returns:
            Points in pixels of the given pictures and their confidence, on the pictures' device, float32.
        """
        height, width = images.shape[-2:]
        found = [expectation(self(part).float()) for part in _batches(images, batch_size)]
        share = torch.cat([points for points, _ in found])
        confidence = torch.cat([sure for _, sure in found])
        return Landmarks(share * share.new_tensor([width, height]) - 0.5, confidence)

    @torch.no_grad()
    def embed(self, images: Tensor, batch_size: int = 64) -> Tensor:
        """Features of whole pictures: the deepest map of the encoder, averaged over the picture.

        They tell pose, shape and expression apart and little of colour; a Fréchet distance on them must be
        named after this network and never be called FID.

        Returns:
            [N, 128] float32.
        """
        deepest = [self.encode(part)[-1] for part in _batches(images, batch_size)]
        return torch.cat([features.float().mean((2, 3)) for features in deepest])


def _batches(images: Tensor, size: int) -> list[Tensor]:
    return [images[start : start + size] for start in range(0, len(images), size)]


def resize_for(images: Tensor, side: int) -> Tensor:
    """Bring pictures to the network's input size, averaging where they shrink."""
    if images.shape[-2:] == (side, side):
        return images
    if images.shape[-1] == images.shape[-2] and images.shape[-1] % side == 0:
        return functional.avg_pool2d(images, images.shape[-1] // side)
    return functional.interpolate(images, (side, side), mode="bilinear", antialias=True, align_corners=False)


def expectation(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Soft-argmax of heatmaps.

    Args:
        logits: [N, K, h, w] unnormalised log-probabilities.

    Returns:
        Expected place [N, K, 2] as (x, y) shares of width and height (0 is the left or top edge, 1 the
        right or bottom one), and the probability [N, K] that lies within a cell and a half of it in x and
        in y.
    """
    height, width = logits.shape[-2:]
    mass = logits.flatten(2).softmax(2).reshape(logits.shape)
    column = torch.arange(width, device=logits.device, dtype=logits.dtype) + 0.5
    row = torch.arange(height, device=logits.device, dtype=logits.dtype) + 0.5
    x = (mass.sum(2) * column).sum(2)
    y = (mass.sum(3) * row).sum(2)
    near_x = (column - x[..., None]).abs() <= 1.5
    near_y = (row - y[..., None]).abs() <= 1.5
    near = (mass * near_x[:, :, None, :] * near_y[:, :, :, None]).sum((2, 3))
    return torch.stack([x / width, y / height], 2), near


def five_points(points: Tensor) -> Tensor:
    """Eye centres, nose tip and mouth corners of 68 landmarks.

    Args:
        points: [..., 68, 2].

    Returns:
        [..., 5, 2]: eye on the picture's left, eye on its right, nose tip, left and right mouth corner.
    """
    return torch.stack(
        [
            points[..., LEFT_EYE, :].mean(-2),
            points[..., RIGHT_EYE, :].mean(-2),
            points[..., NOSE_TIP, :],
            points[..., MOUTH_CORNERS[0], :],
            points[..., MOUTH_CORNERS[1], :],
        ],
        dim=-2,
    )


def interocular(points: Tensor) -> Tensor:
    """Distance between the outer eye corners, a usual yardstick of landmark errors: [..., 68, 2] to [...]."""
    return (points[..., 36, :] - points[..., 45, :]).square().sum(-1).sqrt()


def config_json(config: LandmarkConfig) -> str:
    """The text of `config.json` beside the weights."""
    head = {"format": "pliant-landmarks", "version": 1, "points": POINTS}
    return json.dumps({**head, **asdict(config)}, indent=2) + "\n"


def _config_from(text: str) -> LandmarkConfig:
    stored = json.loads(text)
    head = (stored["format"], stored["version"], stored["points"])
    if head != ("pliant-landmarks", 1, POINTS):
        raise ValueError(f"its format is {head}")
    half, quarter, eighth, sixteenth = (int(width) for width in stored["widths"])
    return LandmarkConfig(int(stored["input_size"]), (half, quarter, eighth, sixteenth))


@lru_cache(maxsize=4)
def load_landmarks(folder: str | Path = EMBEDDED, device: str | torch.device = "cpu") -> LandmarkNet:
    """Read a landmark network, by default the embedded one; asked again, the same network comes back.

    Raises:
        CheckpointError: the folder does not hold a readable landmark network.
    """
    folder = Path(folder)
    try:
        net = LandmarkNet(_config_from((folder / "config.json").read_text()))
        net.load_state_dict(load_file(folder / "model.safetensors"))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(
            f"{folder} does not hold a Pliant landmark network (config.json and model.safetensors): {error}"
        ) from error
    return net.eval().requires_grad_(requires_grad=False).to(device)
