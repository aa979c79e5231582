"""Where in a photo a face is, and the crop of it that is framed as a portrait model's pictures are.

The landmark network looks through windows of several sizes, and at four turns of the photo if no upright face is found.
Where it is sure of its landmarks, the crop is turned, scaled and shifted so that eyes and mouth come to lie where renders have
them on average, and it looks again; after a few rounds both agree. For other models, and where no face is found, a box says
what to crop.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pliant.errors import InputError
from pliant.gan.lean import fast_dtype
from pliant.images import to_tensor
from pliant.perception.landmarks import LandmarkNet, five_points, load_landmarks

EYE_LEFT, EYE_RIGHT, MOUTH = (99.8, 117.0), (155.4, 117.0), (127.6, 178.1)
"""Mean of the eyes' and the mouth corners' centres over 3,066 renders (`recipes/portraits`), in a 256-pixel picture."""
FRAME = 256
SURE, HINT = 0.55, 0.2
"""Mean confidence of the landmarks of a face, and of a window that is worth a second look. Renders have 0.74, textures 0.05."""
SMALLEST = 64
"""Side in pixels of the smallest crop that is worth inverting."""
WINDOWS, SMALL_WINDOWS = (1.0, 0.71, 0.5, 0.35), (0.25,)
"""Sides of the windows, in the photo's shorter side; small ones are tried where the others show nothing."""
LEAST_WINDOW = 16
"""Side in pixels below which a window shows no face; narrow photos would take a great many of such."""
FLAT = 0.02
"""Standard deviation below which a window, in [-1, 1], shows nothing."""
LOOK = 640
"""The photo is searched at this size of its longer side at most."""


@dataclass(frozen=True)
class Crop:
    """A turned rectangle of a photo, as large as a model's picture when it is cut out."""

    centre: tuple[float, float]
    """(x, y) in the photo; the centre of its top-left pixel is (0, 0)."""
    scale: float
    """Pixels of the photo that one pixel of the picture takes."""
    angle: float
    """Degrees by which the rectangle is turned clockwise in the photo."""
    size: tuple[int, int]
    """Width and height of the picture."""

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of what it would be if it were not turned, in pixels of the photo."""
        width, height = (side * self.scale for side in self.size)
        left, top = self.centre[0] + 0.5 - width / 2, self.centre[1] + 0.5 - height / 2
        return round(left), round(top), round(width), round(height)

    def facts(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "centre": list(self.centre),
            "scale": self.scale,
            "angle": self.angle,
            "size": list(self.size),
        }

    @staticmethod
    def from_facts(facts: dict[str, Any]) -> Crop:
        """Inverse of `facts`, which may come from anyone.

        Raises:
            InputError: they describe no crop.
        """
        try:
            (x, y), (width, height) = facts["centre"], facts["size"]
            crop = Crop(
                (float(x), float(y)), float(facts["scale"]), float(facts["angle"]), (int(width), int(height))
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"What was saved of the crop is damaged: {error}.") from error
        numbers = (*crop.centre, crop.scale, crop.angle)
        if not all(abs(each) < 1e6 for each in numbers) or crop.scale < 1e-4 or min(crop.size) < 1:
            raise InputError("What was saved of the crop is damaged: it is no part of a photo.")
        return crop

    def to_photo(self) -> np.ndarray:
        """[2, 3] affine map from the picture to the photo, both measured from their top-left corners."""
        turn = math.radians(self.angle)
        across = np.array([math.cos(turn), math.sin(turn)]) * self.scale
        down = np.array([-math.sin(turn), math.cos(turn)]) * self.scale
        middle = np.array(self.centre) + 0.5 - across * self.size[0] / 2 - down * self.size[1] / 2
        return np.stack([across, down, middle], 1)


@dataclass(frozen=True)
class Face:
    """A face in a photo."""

    points: np.ndarray
    """[68, 2] (x, y) pixels of the photo."""
    confidence: float
    crop: Crop


def crop_face(photo: Image.Image, size: tuple[int, int]) -> Crop:
    """The crop of the one face in a photo.

    Args:
        photo: RGB.
        size: width and height of the model's pictures.

    Raises:
        InputError: no face, several, or one that is too small.
    """
    faces = find_faces(photo, size)
    if not faces:
        raise InputError(
            "No face was found in the photo; say which part to take: x,y,width,height in pixels, a face upright in the "
            "middle with its eyes a little above it."
        )
    if len(faces) > 1:
        boxes = " or ".join(",".join(str(each) for each in face.crop.box) for face in faces)
        raise InputError(
            f"There are {len(faces)} faces in the photo; say which to take by its crop x,y,width,height: {boxes}."
        )
    crop = faces[0].crop
    if crop.box[3] < SMALLEST:
        raise InputError(
            f"The face is too small: its crop would be {crop.box[3]} pixels high, and {SMALLEST} are needed; "
            "take a larger photo."
        )
    return crop


def crop_box(box: Sequence[float], photo: tuple[int, int], size: tuple[int, int]) -> Crop:
    """The crop that a person gave, made larger where its proportions are not those of the model's pictures.

    Args:
        box: left, top, width and height in pixels of the photo.
        photo: width and height of the photo.
        size: width and height of the model's pictures.

    Raises:
        InputError: not four numbers, a box without pixels, or one that is mostly outside the photo.
    """
    if len(box) != 4 or not all(math.isfinite(each) for each in box):
        raise InputError("A crop is four numbers: x, y, width and height in pixels of the photo.")
    left, top, width, height = box
    if width < 1 or height < 1:
        raise InputError(f"A crop is at least one pixel wide and high; this one is {width:g} x {height:g}.")
    inside = max(0.0, min(left + width, photo[0]) - max(left, 0)) * max(
        0.0, min(top + height, photo[1]) - max(top, 0)
    )
    if inside < 0.5 * width * height:
        raise InputError(
            f"More than half of the crop {left:g},{top:g},{width:g},{height:g} is outside the photo of {photo[0]} x {photo[1]}."
        )
    scale = max(width / size[0], height / size[1])
    return Crop((left + width / 2 - 0.5, top + height / 2 - 0.5), scale, 0.0, size)


def cut(photo: Image.Image, crop: Crop) -> Image.Image:
    """The part of a photo as a picture of the crop's size; what lies beyond the photo's edge is mirrored."""
    fine = max(1, math.ceil(crop.scale))  # samples for each pixel in each direction, averaged below
    width, height = crop.size[0] * fine, crop.size[1] * fine
    across, down, middle = crop.to_photo().T
    corners = np.array(
        [middle + a * across * crop.size[0] + b * down * crop.size[1] for a in (0, 1) for b in (0, 1)]
    )
    low = np.floor(corners.min(0)).astype(int) - 4
    high = np.ceil(corners.max(0)).astype(int) + 4
    part = _mirrored(photo, low, high)
    start = middle - low
    matrix = (across[0] / fine, down[0] / fine, start[0], across[1] / fine, down[1] / fine, start[1])
    cut_out = part.transform((width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    return cut_out.reduce(fine) if fine > 1 else cut_out


def _mirrored(photo: Image.Image, low: np.ndarray, high: np.ndarray) -> Image.Image:
    """The photo from pixel `low` to `high` (x, y), mirrored at its edges."""
    width, height = photo.size
    columns, rows = (_reflect(np.arange(low[k], high[k]), side) for k, side in enumerate((width, height)))
    return Image.fromarray(
        np.ascontiguousarray(np.asarray(photo.convert("RGB"))[rows[:, None], columns[None]])
    )


def _reflect(index: np.ndarray, side: int) -> np.ndarray:
    folded = np.mod(index, 2 * side)
    return np.where(folded < side, folded, 2 * side - 1 - folded)


def find_faces(photo: Image.Image, size: tuple[int, int], net: LandmarkNet | None = None) -> list[Face]:
    """The faces in a photo, the surest first.

    Args:
        photo: RGB.
        size: of the crops.
        net: by default the embedded landmark network.
    """
    net = net or load_landmarks()
    shrink = min(1.0, LOOK / max(photo.size))
    small = photo.convert("RGB")
    if shrink < 1:
        small = small.resize((max(1, round(photo.width * shrink)), max(1, round(photo.height * shrink))))
    passes = [(turn, WINDOWS) for turn in (0, 1, 2, 3)]
    for turn, windows in [passes[0], (0, SMALL_WINDOWS), *passes[1:]]:
        found = _search(small, turn, windows, net)
        if found:
            return [_enlarged(face, photo.width / small.width, size) for face in found]
    return []


def _search(photo: Image.Image, turn: int, windows: Sequence[float], net: LandmarkNet) -> list[Face]:
    """Faces of a small photo that are upright after so many quarter turns counterclockwise."""
    found: list[Face] = []
    for face in sorted(_scan(photo, turn, windows, net), key=lambda face: -face.confidence):
        if face.confidence < HINT or any(_same(face, other) for other in found):
            continue
        better = _refined(photo, face, net)
        if better.confidence >= SURE and not any(_same(better, other) for other in found):
            found.append(better)
    return found


def _scan(photo: Image.Image, turn: int, windows: Sequence[float], net: LandmarkNet) -> list[Face]:
    """What the network sees in square windows of several sizes, 0.4 of their side apart, that are not of one colour."""
    side, found = net.config.input_size, list[Face]()
    dtype = fast_dtype(torch.device("cpu"))
    net = _cast(net, dtype)
    for share in windows:
        if share * min(photo.size) < LEAST_WINDOW:
            continue
        scale = share * min(photo.size) / side
        size = (max(side, round(photo.width / scale)), max(side, round(photo.height / scale)))
        pixels = torch.rot90(to_tensor(photo.resize(size, Image.Resampling.BILINEAR)), turn, (1, 2))
        rows, columns = (_places(length, side) for length in pixels.shape[1:])
        spots = [(x, y) for y in rows for x in columns]
        every = torch.stack([pixels[:, y : y + side, x : x + side] for x, y in spots])
        busy = every.std((2, 3)).amax(1) > FLAT
        spots = [spot for spot, keep in zip(spots, busy.tolist(), strict=True) if keep]
        if not spots:
            continue
        seen = net.detect(every[busy].to(dtype).contiguous(memory_format=torch.channels_last), 16)
        for (x, y), points, sure in zip(spots, seen.points, seen.confidence, strict=True):
            centre = _turned((x + side / 2, y + side / 2), size, turn)
            crop = Crop((centre[0] * scale - 0.5, centre[1] * scale - 0.5), scale, 90.0 * turn, (side, side))
            wide = Crop(crop.centre, scale * side / FRAME, crop.angle, (FRAME, FRAME))
            found.append(Face(_placed(points, crop), float(sure.mean()), wide))
    return found


@lru_cache(maxsize=2)
def _cast(net: LandmarkNet, dtype: torch.dtype) -> LandmarkNet:
    """A copy that computes faster; precise enough to say where to look twice."""
    made = copy.deepcopy(net).to(dtype)
    return made.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def _places(length: int, side: int) -> list[int]:
    """Where windows begin along an axis."""
    count = 1 + math.ceil((length - side) / (0.4 * side) - 1e-6)
    return [round(each) for each in np.linspace(0, length - side, count)]


def _turned(place: tuple[float, float], size: tuple[int, int], turn: int) -> tuple[float, float]:
    """A place (x, y), measured from the corner, of a picture that was turned counterclockwise, in the picture before."""
    x, y = place
    width, height = size
    return [(x, y), (width - y, x), (width - x, height - y), (y, height - x)][turn]


def _look(photo: Image.Image, crops: list[Crop], net: LandmarkNet) -> list[Face]:
    """What the network sees in crops."""
    found: list[Face] = []
    side = net.config.input_size
    for start in range(0, len(crops), 32):
        part = crops[start : start + 32]
        # the network looks at half of FRAME, so nothing is lost by cutting at its own size
        small = [Crop(c.centre, c.scale * FRAME / side, c.angle, (side, side)) for c in part]
        seen = net.detect(torch.stack([to_tensor(cut(photo, each)) for each in small]))
        for crop, points, sure in zip(small, seen.points, seen.confidence, strict=True):
            wide = Crop(crop.centre, crop.scale * side / FRAME, crop.angle, (FRAME, FRAME))
            found.append(Face(_placed(points, crop), float(sure.mean()), wide))
    return found


def _placed(points: Tensor, crop: Crop) -> np.ndarray:
    """Points of a crop in the photo."""
    matrix = crop.to_photo()
    return (points.double().numpy() + 0.5) @ matrix[:, :2].T + matrix[:, 2] - 0.5


def _refined(photo: Image.Image, face: Face, net: LandmarkNet, rounds: int = 4) -> Face:
    """The face in the crop that its landmarks ask for, again and again; the surest one."""
    best = face
    for _ in range(rounds):
        face = _look(photo, [framed(face.points)], net)[0]
        if face.confidence > best.confidence:
            best = face
    return Face(best.points, best.confidence, framed(best.points))


def framed(points: np.ndarray) -> Crop:
    """The crop [256 x 256] in which eyes and mouth lie where renders have them, as nearly as a similarity allows.

    Args:
        points: [68, 2] landmarks in the photo.
    """
    five = five_points(torch.from_numpy(points)).numpy()
    here = np.array([five[0], five[1], (five[3] + five[4]) / 2])
    there = np.array([EYE_LEFT, EYE_RIGHT, MOUTH])
    # As complex numbers a similarity is z -> a z + b; least squares has a closed form.
    source, goal = (each[:, 0] + 1j * each[:, 1] for each in (there, here))
    centred = source - source.mean()
    a = (np.conj(centred) * (goal - goal.mean())).sum() / (np.abs(centred) ** 2).sum()
    middle = a * ((FRAME - 1) / 2 * (1 + 1j) - source.mean()) + goal.mean()
    scale = max(abs(a), 1e-3)
    return Crop(
        (float(middle.real), float(middle.imag)), float(scale), math.degrees(np.angle(a)), (FRAME, FRAME)
    )


def _same(one: Face, other: Face) -> bool:
    """Whether the crops of two findings are of one face."""
    apart = math.dist(one.crop.centre, other.crop.centre)
    return apart < 0.35 * FRAME * max(one.crop.scale, other.crop.scale)


def _enlarged(face: Face, factor: float, size: tuple[int, int]) -> Face:
    """A face of a small photo in the full one, its crop as large as the model's pictures are."""
    x, y = ((each + 0.5) * factor - 0.5 for each in face.crop.centre)
    scale = face.crop.scale * factor * FRAME / min(size)
    return Face(
        (face.points + 0.5) * factor - 0.5, face.confidence, Crop((x, y), scale, face.crop.angle, size)
    )
