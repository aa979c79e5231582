"""What the edits of portraits-256 are learnt from: lessons that paint parts of a face, pull its points or retouch its pixels.

`vectors.py` learns them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.gan.head import PartHead
from pliant.gan.latent import LatentPicture
from pliant.gan.parts import segment
from pliant.perception.landmarks import interocular, load_landmarks

LEARNT_ON = (2, 5, 9, 10, 12, 18, 20, 24, 28, 29, 31, 39, 42, 44, 63, 66)
"""Seeds of pictures whose faces look ahead, more or less."""
LIPS = ("upper lip", "lower lip", "mouth")
EYES = ("left eye", "right eye")
BROWS = ("left brow", "right brow")
HEAD = ("skin", "nose", *EYES, *BROWS, *LIPS, "ear", "hair", "neck", "beard", "glasses")


class Face:
    """A picture with what the painters and the measures look at."""

    def __init__(self, picture: LatentPicture, head: PartHead) -> None:
        self.picture, self.head = picture, head

    @cached_property
    def pixels(self) -> Tensor:
        """[3, H, W]."""
        return self.picture.pixels()

    @cached_property
    def ids(self) -> Tensor:
        """[H, W], the parts."""
        return segment(self.picture, self.head).ids.long()

    @cached_property
    def points(self) -> Tensor:
        """[68, 2] pixels."""
        return load_landmarks().detect(self.pixels[None]).points[0]

    @property
    def unit(self) -> float:
        """Distance between the outer corners of the eyes."""
        return float(interocular(self.points))

    def of(self, *names: str) -> Tensor:
        """Where some parts are, bool [H, W]."""
        return torch.isin(self.ids, torch.tensor([self.head.id_of(name) for name in names]))

    def share(self, *names: str) -> float:
        """Share of the picture that some parts have, in percent."""
        return 100 * float(self.of(*names).float().mean())

    def middle(self, *indices: int) -> Tensor:
        """Mean of some landmarks, [2]."""
        return self.points[list(indices)].mean(0)


def grid(ids: Tensor) -> tuple[Tensor, Tensor]:
    """The x and y of every pixel, [H, W] each."""
    y, x = torch.meshgrid(
        torch.arange(ids.shape[0]).float(), torch.arange(ids.shape[1]).float(), indexing="ij"
    )
    return x, y


def read(ids: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """A map read at places, to the nearest pixel."""
    return ids[y.round().long().clamp(0, len(ids) - 1), x.round().long().clamp(0, ids.shape[1] - 1)]


def put(face: Face, names: Sequence[str], x: Tensor, y: Tensor, *, over: Sequence[str] = ()) -> Tensor:
    """The map with parts taken off the skin and painted again as they are found at other places.

    Args:
        face: whose map.
        names: the parts that move.
        x: [H, W], where each pixel's value comes from.
        y: the same.
        over: if given, only pixels of these parts are painted over (and of those that move).
    """
    moving = torch.tensor([face.head.id_of(name) for name in names])
    own = torch.isin(face.ids, moving)
    painted = torch.where(own, face.head.id_of("skin"), face.ids)
    found = read(face.ids, x, y)
    there = torch.isin(found, moving)
    if over:
        there &= face.of(*over) | own
    return torch.where(there, found, painted)


def scaled(face: Face, names: Sequence[str], about: Tensor, by: tuple[float, float], **more: Any) -> Tensor:
    """Parts made larger about a place."""
    x, y = grid(face.ids)
    return put(face, names, about[0] + (x - about[0]) / by[0], about[1] + (y - about[1]) / by[1], **more)


def smile(face: Face) -> Tensor:
    """A wider mouth whose corners rise."""
    x, y = grid(face.ids)
    middle, half = face.middle(48, 54), float((face.points[54] - face.points[48])[0]) / 2
    from_x = middle[0] + (x - middle[0]) / 1.3
    bow = ((from_x - middle[0]) / half).square().clamp(max=1.5)
    return put(face, LIPS, from_x, y + face.unit * (0.13 * bow - 0.03))


def open_mouth(face: Face) -> Tensor:
    """The lower lip further down, and the mouth's inside between the lips."""
    x, y = grid(face.ids)
    drop = 0.22 * face.unit
    middle, half = face.middle(48, 54), float((face.points[54] - face.points[48])[0]) / 2
    sag = drop * (1 - ((x - middle[0]) / half).square()).clamp(min=0)
    ids = put(face, ("lower lip",), x, y - sag)
    upper, lower, inside = (face.head.id_of(name) for name in ("upper lip", "lower lip", "mouth"))
    top = (ids == upper).long().cumsum(0) > 0
    bottom = (ids == lower).flip(0).long().cumsum(0).flip(0) > 0
    gap = top & bottom & (ids != upper) & (ids != lower)
    return torch.where(gap, inside, ids)


def close_eyes(face: Face) -> Tensor:
    """Lids where the eyes were."""
    return torch.where(face.of(*EYES), face.head.id_of("skin"), face.ids)


def brows(face: Face, rise: float, inner: float = 0.0) -> Tensor:
    """Brows moved up, in units of the distance of the eyes, and their inner ends by so much more."""
    x, y = grid(face.ids)
    middle = face.middle(21, 22)[0]
    near = (1 - (x - middle).abs() / (0.5 * face.unit)).clamp(0, 1)
    return put(face, BROWS, x, y + face.unit * (rise + inner * near), over=("skin", "hair", *EYES))


def larger_eyes(face: Face) -> Tensor:
    """Each eye about its own middle."""
    first = scaled(face, ("right eye",), face.middle(*range(36, 42)), (1.25, 1.5))
    other = scaled(face, ("left eye",), face.middle(*range(42, 48)), (1.25, 1.5))
    left = face.head.id_of("left eye")
    both = torch.where(other == left, left, first)
    return torch.where((first == left) & (other != left), face.head.id_of("skin"), both)


def bigger_nose(face: Face) -> Tensor:
    """Wider and longer, from the bridge."""
    return scaled(face, ("nose",), face.middle(28), (1.35, 1.15), over=("skin", "upper lip", "beard"))


def fuller_face(face: Face) -> Tensor:
    """Cheeks and jaw wider."""
    x, y = grid(face.ids)
    middle, level = face.middle(27, 33)[0], face.middle(36, 45)[1]
    chin = face.points[8, 1]
    down = ((y - level) / (chin - level)).clamp(0, 1)
    by = 1 + 0.2 * (down * 1.6).clamp(max=1)
    found = read(face.ids, middle + (x - middle) / by, y)
    solid = torch.tensor([face.head.id_of(name) for name in ("skin", "beard")])
    grown = (
        torch.isin(found, solid)
        & face.of("background", "hair", "ear", "neck")
        & (y > level)
        & (y < chin + 0.02 * face.unit)
    )
    return torch.where(grown, found, face.ids)


def longer_hair(face: Face) -> Tensor:
    """Hair down both sides of the face to the shoulders."""
    x, y = grid(face.ids)
    top, bottom = face.middle(36, 45)[1] - 0.3 * face.unit, face.points[8, 1] + 0.75 * face.unit
    half = float((face.points[14] - face.points[2])[0].abs()) / 2
    aside = (x - face.middle(27, 8)[0]).abs()
    curtain = (aside > half * 0.92) & (aside < half * 1.5) & (y > top) & (y < bottom)
    behind = face.of("background", "neck", "clothes", "ear", "skin")
    return torch.where(curtain & behind, face.head.id_of("hair"), face.ids)


def fringe(face: Face) -> Tensor:
    """Hair over the forehead, down to just above the brows."""
    _, y = grid(face.ids)
    lowest = float(face.points[17:27, 1].min()) - 2
    return torch.where(face.of("skin") & (y < lowest), face.head.id_of("hair"), face.ids)


def beard(face: Face) -> Tensor:
    """Beard along the jaw, on the chin and above the lip."""
    x, y = grid(face.ids)
    places = torch.stack([x, y], -1)
    jaw = face.points[3:14]
    dense = F.interpolate(jaw.T[None], 101, mode="linear", align_corners=True)[0].T
    near = torch.cdist(places.reshape(-1, 2), dense).min(1).values.reshape(x.shape)
    nose, mouth = face.points[33], face.middle(48, 54)
    below = y > mouth[1] - 0.12 * face.unit
    hull = near < 0.2 * face.unit
    chin = (y > face.points[57, 1] + 0.04 * face.unit) & ((x - face.points[8, 0]).abs() < 0.3 * face.unit)
    lip = (
        (y > nose[1] + 0.04 * face.unit)
        & (y < face.points[54, 1])
        & ((x - mouth[0]).abs() < 0.36 * face.unit)
    )
    return torch.where(face.of("skin") & ((hull & below) | chin | lip), face.head.id_of("beard"), face.ids)


Pull = Callable[[Face], tuple[Tensor, Tensor, Tensor | None]]
"""Handles, targets and where the picture may change."""


def pull(indices: Sequence[int], by: tuple[float, float]) -> Pull:
    """Landmarks drawn to one side, in units of the distance of the eyes."""

    def points(face: Face) -> tuple[Tensor, Tensor, Tensor | None]:
        handles = face.points[list(indices)]
        return handles, handles + face.unit * torch.tensor(by), None

    return points


def sideways(face: Face) -> tuple[Tensor, Tensor, Tensor | None]:
    """The eye on the picture's left drawn up, the other one down."""
    handles = face.points[[36, 45]]
    return handles, handles + face.unit * torch.tensor([[0.03, -0.12], [-0.03, 0.12]]), None


def gaze(across: float, down: float) -> Callable[[Face], Tensor]:
    """What lies between the lids moved to one side; the white of the eye where it came from."""

    def retouched(face: Face) -> Tensor:
        x, y = grid(face.ids)
        image = face.pixels.clone()
        for name in EYES:
            eye = face.of(name)
            from_x, from_y = x - across * face.unit, y - down * face.unit
            white = face.pixels[:, eye][:, face.pixels[:, eye].mean(0).argsort(descending=True)[:8]].mean(1)
            moved = torch.stack([read(each, from_x, from_y) for each in face.pixels])
            from_eye = read(eye.long(), from_x, from_y) > 0
            new = torch.where(from_eye, moved, white[:, None, None])
            image = torch.where(eye, new, image)
        return image

    return retouched


@dataclass(frozen=True)
class Lesson:
    """How one edit is learnt."""

    name: str
    parts: tuple[str, ...]
    """Where the picture may differ."""
    measure: Callable[[Face], float]
    """How much of the edit a face has."""
    unit: str
    """Of what."""
    paint: Callable[[Face], Tensor] | None = None
    """The part map that it should have."""
    retouch: Callable[[Face], Tensor] | None = None
    """Or the pixels [3, H, W] that it should have."""
    pull: Pull | None = None
    """Or points to draw."""
    rows: tuple[int, int] = (1, 9)
    """First and last (exclusive) row of the code that moves while it is learnt."""
    kept: tuple[int, int] = (1, 7)
    """The rows that stay in the vector; the last rows change colours more than shapes."""
    part_weight: float = 2.5
    """Of the painted parts against all that should stay."""
    scale: float = 1.0
    """Of what was learnt, so that strength 1 is the edit that was asked for."""
    limit: tuple[float, float] = (-1.0, 1.5)
    """Strengths beyond which people see the pictures break."""
    seeds: tuple[int, ...] = LEARNT_ON


def height(face: Face, upper: Sequence[int], lower: Sequence[int]) -> float:
    """From some landmarks down to others, in percent of the distance of the eyes."""
    return 100 * float((face.middle(*lower) - face.middle(*upper))[1]) / face.unit


def width(face: Face, first: int, last: int) -> float:
    """Between two landmarks, in percent of the distance of the eyes."""
    return 100 * float((face.points[last] - face.points[first]).norm()) / face.unit


def eye_height(face: Face) -> float:
    """How far the eyes are open."""
    return (height(face, (37, 38), (40, 41)) + height(face, (43, 44), (46, 47))) / 2


def pupil(face: Face, axis: int) -> float:
    """Where the dark of the eyes is, from their middles, in percent of the distance of the eyes."""
    found = []
    for eye in (range(36, 42), range(42, 48)):
        middle = face.middle(*eye)
        x, y = grid(face.ids)
        near = ((x - middle[0]).abs() < 0.16 * face.unit) & ((y - middle[1]).abs() < 0.07 * face.unit)
        dark = (-4 * face.pixels.mean(0)).exp() * near
        place = torch.stack([(dark * x).sum(), (dark * y).sum()]) / dark.sum()
        found.append(float((place - middle)[axis]))
    return 100 * sum(found) / 2 / face.unit


def turn(face: Face) -> float:
    """Where the nose's tip is between the outer corners of the eyes, in percent from the middle."""
    return 100 * float((face.points[30] - face.middle(36, 45))[0]) / face.unit


def share(*names: str) -> Callable[[Face], float]:
    """Measures how much of the picture some parts take."""
    return lambda face: face.share(*names)


def less(measure: Callable[[Face], float]) -> Callable[[Face], float]:
    """Measures the opposite."""
    return lambda face: -measure(face)


def corners(face: Face) -> float:
    """Width of the mouth and twice the lift of its corners."""
    return width(face, 48, 54) + 2 * height(face, (48, 54), (62, 66))


def roll(face: Face) -> float:
    """How much lower the eye on the picture's right is, in percent of the distance of the eyes."""
    return 100 * float((face.points[45] - face.points[36])[1]) / face.unit


LESSONS = (
    Lesson("smile", LIPS, corners, "mouth wide, corners high", smile, scale=1.2, limit=(-0.5, 1.25)),
    Lesson(
        "open mouth",
        LIPS,
        lambda f: height(f, (62,), (66,)),
        "gap of the lips",
        open_mouth,
        part_weight=1.0,
        limit=(0, 1.5),
    ),
    Lesson("close eyes", EYES, less(eye_height), "eyes less high", close_eyes, limit=(-0.5, 1)),
    Lesson(
        "raise brows",
        BROWS,
        lambda f: height(f, range(17, 27), range(36, 48)),
        "brows over eyes",
        lambda f: brows(f, 0.09),
        limit=(-0.5, 1.25),
    ),
    Lesson(
        "frown",
        BROWS,
        lambda f: -height(f, (20, 21, 22, 23), range(36, 48)),
        "inner brows low",
        lambda f: brows(f, -0.03, -0.06),
        scale=1.3,
    ),
    Lesson("larger eyes", EYES, eye_height, "eyes high", larger_eyes),
    Lesson("bigger nose", ("nose",), share("nose"), "share of nose", bigger_nose, limit=(-1, 1.25)),
    Lesson(
        "fuller face",
        ("skin", "neck", "ear"),
        lambda f: width(f, 4, 12),
        "jaw wide",
        fuller_face,
        limit=(-0.5, 1.25),
    ),
    Lesson(
        "longer hair",
        ("hair",),
        share("hair"),
        "share of hair",
        longer_hair,
        part_weight=8.0,
        scale=1.4,
        limit=(0, 1),
        rows=(0, 9),
        kept=(0, 9),
    ),
    Lesson(
        "fringe",
        ("hair",),
        share("hair"),
        "share of hair",
        fringe,
        part_weight=4.0,
        scale=0.75,
        limit=(-0.5, 1.25),
        rows=(0, 9),
        kept=(0, 9),
    ),
    Lesson(
        "beard",
        ("beard",),
        share("beard"),
        "share of beard",
        beard,
        part_weight=8.0,
        rows=(0, 9),
        kept=(0, 9),
        limit=(0, 1.25),
    ),
    Lesson(
        "look right",
        EYES,
        lambda f: pupil(f, 0),
        "pupils aside",
        retouch=gaze(0.05, 0.0),
        part_weight=6.0,
        kept=(1, 9),
        scale=1.8,
        limit=(-1, 1),
    ),
    Lesson(
        "turn head", HEAD, turn, "nose aside", pull=pull((30,), (0.28, 0.0)), kept=(0, 6), limit=(-1.5, 1.5)
    ),
    Lesson(
        "tilt up",
        HEAD,
        lambda f: -height(f, (36, 45), (30,)),
        "nose high",
        pull=pull((30,), (0.0, -0.2)),
        kept=(0, 6),
        limit=(0, 1.25),
    ),
    Lesson("tilt sideways", HEAD, roll, "eye line aslant", pull=sideways, kept=(0, 6)),
    Lesson(
        "longer face",
        HEAD,
        lambda f: height(f, (36, 45), (8,)),
        "chin low",
        pull=pull((8,), (0.0, 0.16)),
        kept=(0, 6),
        scale=1.5,
        limit=(-0.5, 1.25),
    ),
)
