"""How alike two portraits are as persons, whatever the pose, expression and light.

The landmark network's eyes and mouth say where the face is; the crop is turned, scaled and shifted so that they come to lie at
fixed places; a small convolutional network gives it a vector of length one. It learnt to bring pictures of one person together
and to keep persons apart, by a margin (CosFace, arXiv 1801.09414), on several renders of each of some thousand people who do
not exist (`recipes/identity`). So it measures whether an edit kept the person that a portrait shows. It is not ArcFace, its
values compare only with its own, and it is not for recognising real people, on whose photographs it was never tested.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file  # pyright: ignore[reportUnknownVariableType]
from torch import Tensor, nn
from torch.nn import functional

from pliant.errors import CheckpointError, InputError
from pliant.perception.landmarks import five_points, load_landmarks

EMBEDDED = Path(__file__).parent.parent / "_weights" / "identity-128"
FORMAT = ("pliant-identity", 1)
IN_THE_CROP = ((0.32, 0.36), (0.68, 0.36), (0.5, 0.755))
"""Where eyes and mouth come to lie, (x, y) in sides of the crop, which reaches from the forehead to the chin: little hair."""
IN_A_PORTRAIT = ((0.392, 0.459), (0.609, 0.459), (0.500, 0.698))
"""Where renders have them on average, in widths and heights of the picture."""
SURE = 0.4
"""Mean confidence of the landmarks from which they are believed. Renders have 0.74, textures 0.05."""
LOOK = 256
"""Longer side, in pixels, to which larger pictures are brought before the crop is cut."""


class Faces(NamedTuple):
    """Where the faces of pictures are."""

    frames: Tensor
    """[N, 2, 3] affine maps from the crop, in sides from its top left corner, to pixels of the picture."""
    found: Tensor
    """[N] bool; where False, the frame is that of an average portrait."""


@dataclass(frozen=True)
class IdentityConfig:
    """Shape of the network."""

    input_size: int = 112
    """Side of the crop in pixels, a multiple of 16."""
    widths: tuple[int, ...] = (32, 64, 96, 128)
    """Channels at a half, a quarter, an eighth and a sixteenth of the input size."""
    depths: tuple[int, ...] = (2, 2, 3, 2)
    """Blocks at each."""
    dimensions: int = 128
    """Of the vector."""


class _Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            *_convolution(inputs, outputs, stride), nn.PReLU(outputs), *_convolution(outputs, outputs)
        )
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(*_convolution(inputs, outputs, stride, 1))
        self.activation = nn.PReLU(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.shortcut(x) + self.path(x))


def _convolution(inputs: int, outputs: int, stride: int = 1, size: int = 3) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs)


class IdentityNet(nn.Module):
    """Vectors of persons: `embed` of whole pictures, `similarity` of two; called on crops, it is the network alone."""

    def __init__(self, config: IdentityConfig | None = None) -> None:
        super().__init__()
        self.config = config or IdentityConfig()
        first, last = self.config.widths[0], self.config.widths[-1]
        self.stem = nn.Sequential(*_convolution(3, first, stride=2), nn.PReLU(first))
        blocks: list[nn.Module] = []
        for stage, depth in enumerate(self.config.depths):
            width, before = self.config.widths[stage], self.config.widths[max(stage - 1, 0)]
            blocks.append(_Block(before, width, stride=2 if stage else 1))
            blocks += [_Block(width, width, stride=1) for _ in range(depth - 1)]
        self.blocks = nn.Sequential(*blocks)
        # A weight for every place and channel, as in MobileFaceNet: what is seen matters by where it is seen.
        cells = self.config.input_size // 16
        self.where = nn.Parameter(torch.randn(last, cells, cells) / cells)
        self.head = nn.Sequential(
            nn.BatchNorm1d(last),
            nn.Linear(last, self.config.dimensions, bias=False),
            nn.BatchNorm1d(self.config.dimensions),
        )

    def forward(self, crops: Tensor) -> Tensor:
        """Vectors [N, 128] of length one, float32, of crops [N, 3, 112, 112] in [-1, 1]."""
        seen = (self.blocks(self.stem(crops)) * self.where).sum((2, 3))
        return functional.normalize(self.head(seen).float(), dim=1)

    def embed(self, pictures: Tensor, batch_size: int = 64) -> Tensor:
        """Vectors of the persons that pictures show.

        Gradients reach the pictures, not the place of the crop. A picture in which no face is found is cropped like an average
        portrait, and its vector says little; `sees_face` tells.

        Args:
            pictures: [N, 3, H, W] in [-1, 1], each a portrait filling the picture.
            batch_size: how many pictures to look at together.

        Returns:
            [N, 128] float32, of length one.

        Raises:
            InputError: no pictures of this form, or values that are not finite.
        """
        check(pictures)
        size = self.config.input_size
        parts = [crop(part, find_faces(part).frames, size) for part in pictures.split(batch_size)]
        return torch.cat([self(part) for part in parts])

    def similarity(self, a: Tensor, b: Tensor) -> Tensor:
        """Cosine of the vectors of two persons, -1 to 1; 1 for the same picture.

        Args:
            a: [N, 3, H, W] in [-1, 1].
            b: as many pictures, of any size, or one.

        Returns:
            [N]; the model's card says which values are usual for one person and for two.

        Raises:
            InputError: no pictures of this form, not as many, or values that are not finite.
        """
        if len(b) not in {1, len(a)}:
            raise InputError(f"Pictures are compared pair by pair; there are {len(a)} and {len(b)}.")
        return (self.embed(a) * self.embed(b)).sum(1)

    def sees_face(self, pictures: Tensor) -> Tensor:
        """Whether a face was found in each picture, [N] bool.

        Raises:
            InputError: no pictures of this form, or values that are not finite.
        """
        check(pictures)
        return torch.cat([find_faces(part).found for part in pictures.split(64)])


def check(pictures: Tensor) -> None:
    """Refuse what cannot be looked at.

    Raises:
        InputError: not [N, 3, H, W] with at least one picture of 16 pixels, or values that are not finite.
    """
    if pictures.ndim != 4 or pictures.shape[1] != 3 or not len(pictures) or min(pictures.shape[2:]) < 16:
        raise InputError(
            "Expected pictures [N, 3, H, W], at least one, of at least 16 pixels a side; "
            f"the shape is {list(pictures.shape)}."
        )
    if not torch.isfinite(pictures).all():
        raise InputError("The pictures hold NaN or infinite values; nothing can be seen in them.")


@torch.no_grad()
def find_faces(pictures: Tensor) -> Faces:
    """Frames of the faces in portraits [N, 3, H, W] in [-1, 1], by the embedded landmark network."""
    height, width = pictures.shape[-2:]
    seen = load_landmarks(device=pictures.device).detect(pictures)
    five = five_points(seen.points)
    points = torch.stack([five[:, 0], five[:, 1], five[:, 3:].mean(1)], 1)
    found = seen.confidence.mean(1) >= SURE
    usual = points.new_tensor(IN_A_PORTRAIT) * points.new_tensor([width, height]) - 0.5
    return Faces(frames_of(torch.where(found[:, None, None], points, usual)), found)


def frames_of(points: Tensor) -> Tensor:
    """The turn, scale and shift that bring the crop's eyes and mouth closest to those of a face (least squares).

    Args:
        points: [N, 3, 2] eye on the picture's left, eye on its right, middle of the mouth, in pixels.

    Returns:
        [N, 2, 3], see `Faces`.
    """
    wanted = points.new_tensor(IN_THE_CROP)
    from_middle, to_middle = wanted.mean(0), points.mean(1)
    source, target = wanted - from_middle, points - to_middle[:, None]
    # As complex numbers, target = factor * source: along is the factor's real part, across its imaginary one.
    along = (target * source).sum((1, 2))
    across = (target[..., 1] * source[:, 0] - target[..., 0] * source[:, 1]).sum(1)
    along, across = along / source.square().sum(), across / source.square().sum()
    turn = torch.stack([torch.stack([along, -across], 1), torch.stack([across, along], 1)], 1)
    return torch.cat([turn, (to_middle - turn @ from_middle)[..., None]], 2)


def crop(pictures: Tensor, frames: Tensor, side: int) -> Tensor:
    """Cut faces out, differentiable in pictures and frames.

    Args:
        pictures: [N, 3, H, W].
        frames: [N, 2, 3], see `Faces`.
        side: of the crops, in pixels.

    Returns:
        [N, 3, side, side]; beyond the picture its edge goes on.
    """
    height, width = pictures.shape[-2:]
    fine = 2 * side  # four samples a pixel, so that nothing finer than the crop's pixels is left in it
    place = (torch.arange(fine, device=frames.device, dtype=frames.dtype) + 0.5) / fine
    y, x = torch.meshgrid(place, place, indexing="ij")
    pixels = torch.stack([x, y, torch.ones_like(x)], 2) @ frames.transpose(1, 2)[:, None]
    grid = (2 * pixels + 1) / pixels.new_tensor([width, height]) - 1
    longer = max(height, width)
    if longer > LOOK:
        size = [max(1, round(length * LOOK / longer)) for length in (height, width)]
        pictures = functional.interpolate(
            pictures, size, mode="bilinear", antialias=True, align_corners=False
        )
    cut = functional.grid_sample(pictures, grid.to(pictures), padding_mode="border", align_corners=False)
    return functional.avg_pool2d(cut, 2)


@lru_cache(maxsize=4)
def load_identity(source: str | Path | None = None, device: str | torch.device = "cpu") -> IdentityNet:
    """Read an identity network; asked again, the same network comes back.

    Args:
        source: folder that `save_identity` wrote; by default the embedded one.
        device: where it shall run.

    Raises:
        CheckpointError: the folder does not hold a readable identity network.
    """
    folder = EMBEDDED if source is None else Path(source)
    try:
        stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        net = IdentityNet(_config_from(stored))
        net.load_state_dict(load_file(folder / "model.safetensors"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(
            f"{folder} does not hold a Pliant identity network (config.json and model.safetensors): {error}"
        ) from error
    return net.eval().requires_grad_(requires_grad=False).to(device)


def save_identity(net: IdentityNet, folder: Path) -> None:
    """Write config.json and model.safetensors (fp16)."""
    folder.mkdir(parents=True, exist_ok=True)
    head = {"format": FORMAT[0], "version": FORMAT[1]}
    text = json.dumps({**head, **asdict(net.config)}, indent=2) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8")
    weights = {
        name: (value.half() if value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in net.state_dict().items()
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": FORMAT[0]})


def _config_from(stored: dict[str, Any]) -> IdentityConfig:
    kind = (stored.pop("format"), stored.pop("version"))
    if kind != FORMAT:
        raise ValueError(f"its format is {kind}")
    values: dict[str, Any] = stored | {name: tuple(map(int, stored[name])) for name in ("widths", "depths")}
    return IdentityConfig(**values)
