"""Learns the library of edits of portraits-256: editing vectors (EditGAN, arXiv 2111.03186, section 3.4).

    python recipes/portraits/vectors.py                       # the library, its card, figures and sheets
    python recipes/portraits/vectors.py --only smile,beard --out runs/vectors

Each edit is learnt on a few pictures of the model. A program repaints their part maps (or, where masks cannot say it, pulls
points of the face or retouches pixels) and an offset of the codes is optimised until the pictures comply.

EditGAN learns a vector on one picture. A mean of three such, tried first, changed colours, clothes and beards of other faces
too. Here sixteen pictures take turns in the steps of one optimisation of one offset, which is added
to all their codes: only what works on all of them is learnt. Vectors from drags are means over sixteen pictures. Where the edit
is one of shape, rows of the last layers are zero. Then each vector is tried on pictures that it was not learnt on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.gan.drag import DragSettings, drag
from pliant.gan.head import PartHead, look
from pliant.gan.latent import LatentPicture, fingerprint, load_generator, sample
from pliant.gan.part_edit import dilated
from pliant.gan.parts import load_head, segment
from pliant.gan.region import KnownRegion
from pliant.gan.stylegan2 import Generator
from pliant.gan.vectors import EditVector
from pliant.images import contact_sheet, to_pil
from pliant.perception.landmarks import interocular, load_landmarks

LEARNT_ON = (2, 5, 9, 10, 12, 18, 20, 24, 28, 29, 31, 39, 42, 44, 63, 66)
"""Seeds of pictures whose faces look ahead, more or less."""
TRIED_ON = (1002, 1014, 1020, 1027, 1030, 1041, 1003, 1033)
"""Seeds of pictures that no vector was learnt on; the first six are shown."""
STEPS, STEP, APART, PULL = 64, 0.06, 0.3, 0.1
DRAG = DragSettings(max_steps=80, hold_back=1.0)
MARGIN = 4
HELD = ("b16.conv1", "b32.conv1", "b64.conv1", "b128.conv1")
SAMPLES = {"changed": 400, "inside": 200, "outside": 200}
"""Pixels whose parts are looked at in a step."""
SHOWN = 6
MOST_STRAIN = 1.5
FINE = 0.25
"""Steps of strength in which the safe range is found."""
LIPS = ("upper lip", "lower lip", "mouth")
EYES = ("left eye", "right eye")
BROWS = ("left brow", "right brow")
HEAD = ("skin", "nose", *EYES, *BROWS, *LIPS, "ear", "hair", "neck", "beard", "glasses")


LIBRARY = Path(__file__).parents[2] / "src/pliant/_weights/portraits-256/vectors"
SHEETS = Path(__file__).parents[2] / "docs/images/vectors"
CARD = """---
license: apache-2.0
---

# Edits of portraits-256

{count} editing vectors (EditGAN, arXiv 2111.03186): codes [14, 256] to add to the code of any picture of `portraits-256`.
`recipes/portraits/vectors.py` learnt them on 16 pictures that the model makes itself, from part maps, pixels or points that a
program changed; no picture of a person was seen. Licence: Apache-2.0. Each file says which parts it concerns.

At strength 1, means over {tried} pictures that no vector was learnt on: distances in percent of that between the outer corners
of the eyes, shares in percent of the picture. Outside: mean change of the pixels outside the vector's parts, of 255. At
strength 0 nothing changes. Safe: strengths at which mean strain stays at 1.5 or less and eyes found the faces whole.
"""


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


class Painted:
    """A face with the parts that it should have.

    Args:
        face: before.
        after: [H, W] ids as painted.
        retouched: [3, H, W] pixels as retouched.
    """

    def __init__(self, face: Face, after: Tensor, retouched: Tensor | None) -> None:
        self.face, self.after, self.retouched = face, after, retouched
        changed = face.ids != after if retouched is None else (face.pixels != retouched).any(0)
        near = dilated(changed, MARGIN)
        self.outside = (~near).float()
        self.places = {"changed": changed, "inside": near & ~changed, "outside": ~near}
        with torch.no_grad():
            self.image, features = look(face.picture.generator, face.picture.ws[None])
        self.held = {name: unit(values) for name, values in features.items() if name in HELD}
        self.cells = {
            name: (F.adaptive_avg_pool2d(self.outside[None], values.shape[2:]) > 1 - 1e-6).float()
            for name, values in self.held.items()
        }

    def loss(self, ws: Tensor, rng: torch.Generator, part_weight: float) -> tuple[Tensor, float]:
        """What `pliant.gan.part_edit` minimises, on some pixels; and the share of repainted pixels that comply."""
        image, features = look(self.face.picture.generator, ws[None])
        parts, right = torch.zeros(()), 0.0
        for kind, count in SAMPLES.items():
            y, x = torch.nonzero(self.places[kind], as_tuple=True)
            chosen = torch.randint(len(y), (count,), generator=rng)
            y, x = y[chosen], x[chosen]
            logits = self.face.head.logits_at(features, torch.stack([x, y], 1))[0]
            parts = parts + F.cross_entropy(logits.T, self.after[y, x]) * (1 if kind == "changed" else 0.5)
            if kind == "changed":
                right = float((logits.argmax(0) == self.after[y, x]).float().mean())
        pixels = ((image - self.image).square().mean((0, 1)) * self.outside).mean()
        kept = torch.stack(
            [((unit(features[n]) - v).square().sum(1) * self.cells[n]).mean() for n, v in self.held.items()]
        ).mean()
        wanted = torch.zeros(())
        if self.retouched is not None:
            changed = self.places["changed"]
            wanted = (image[0] - self.retouched)[:, changed].square().mean()
            right = -float(wanted.detach())
        return part_weight * (parts + 5 * wanted) + 150 * pixels + 20 * kept, right


def unit(values: Tensor) -> Tensor:
    """Each place's features [N, C, h, w] scaled to length one."""
    return values / (values.square().sum(1, keepdim=True) + 1e-8).sqrt()


def spread(generator: Generator) -> Tensor:
    """[w_dim, w_dim]: takes numbers of unit variance to differences of codes w."""
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        w = generator.mapping.w(torch.randn(4096, generator.config.z_dim, generator=rng), None)
    variance, basis = torch.linalg.eigh(torch.cov(w.T))
    return (basis * variance.clamp_min(float(variance.max()) * 1e-4).sqrt()).T


def from_masks(lesson: Lesson, faces: Sequence[Face]) -> Tensor:
    """One offset [num_ws, w_dim] that makes all faces as painted: they take turns in Adam's steps."""
    goals = []
    for face in faces:
        after = lesson.paint(face) if lesson.paint else face.ids
        retouched = lesson.retouch(face) if lesson.retouch else None
        if retouched is not None or int((face.ids != after).sum()) >= 30:
            goals.append(Painted(face, after, retouched))
    generator = faces[0].picture.generator
    colour, known = spread(generator), KnownRegion.of(generator)
    num_ws = generator.config.num_ws
    rows = torch.zeros(num_ws, 1)
    rows[slice(*lesson.rows)] = 1
    together = torch.zeros(1, generator.config.w_dim, requires_grad=True)
    apart = torch.zeros(num_ws, generator.config.w_dim, requires_grad=True)
    adam = torch.optim.Adam(
        [{"params": [together]}, {"params": [apart], "lr": STEP * APART}], STEP, betas=(0.9, 0.98)
    )
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(adam, STEPS)
    rng = torch.Generator().manual_seed(0)
    shares = []
    for step in range(STEPS):
        if step % len(goals) == 0:
            order = torch.randperm(len(goals), generator=rng).tolist()
        goal = goals[order[step % len(goals)]]
        code = (together + apart) * rows
        before = goal.face.picture.ws
        ws = before + code @ colour
        loss, share = goal.loss(ws, rng, lesson.part_weight)
        reach = max(1.0, float(known.strain(before)))
        loss = loss + F.relu(known.strain(ws) - reach).square() + PULL * code.square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        decay.step()
        shares.append(share)
    print(
        f"   {lesson.name}: {len(goals)} faces, {sum(shares[-16:]) / 16:.2f} of the painted pixels comply",
        flush=True,
    )
    return ((together + apart) * rows @ colour).detach()


def from_points(lesson: Lesson, faces: Sequence[Face]) -> Tensor:
    """The mean of what drags add, [num_ws, w_dim]."""
    assert lesson.pull is not None
    found = []
    for face in faces:
        handles, targets, mask = lesson.pull(face)
        *_, step = drag(face.picture, handles, targets, movable=mask, settings=DRAG)
        print(
            f"   {lesson.name}: {step.index} steps, {step.distances.mean():.1f} pixels to go, strain {step.strain:.2f}",
            flush=True,
        )
        found.append(step.picture.ws - face.picture.ws)
    return torch.stack(found).mean(0)


def finished(lesson: Lesson, offset: Tensor) -> Tensor:
    """The vector of an offset that was learnt."""
    rows = torch.zeros(len(offset), 1)
    rows[slice(*lesson.kept)] = lesson.scale
    return offset * rows


def safe_range(lesson: Lesson, offset: Tensor, faces: Sequence[Face]) -> tuple[float, float]:
    """Strengths at which unseen pictures strain at most 1.5 on average, within the limit that people set."""
    known = KnownRegion.of(faces[0].picture.generator)
    codes = torch.stack([face.picture.ws for face in faces])
    ends = []
    for limit in lesson.limit:
        steps = int(abs(limit) / FINE)
        strengths = [FINE * step * (1 if limit > 0 else -1) + 0.0 for step in range(steps + 1)]
        held = [s for s in strengths if float(known.strain(codes + s * offset).mean()) <= MOST_STRAIN]
        ends.append(max(held, key=abs, default=0.0))
    return ends[0], ends[1]


def tried(lesson: Lesson, vector: EditVector, faces: Sequence[Face]) -> tuple[dict[str, Any], list[Face]]:
    """Figures of a vector at strength 1 on unseen pictures, and those pictures."""
    known = KnownRegion.of(faces[0].picture.generator)
    edited = [Face(vector.apply(face.picture), face.head) for face in faces]
    before = torch.tensor([lesson.measure(face) for face in faces])
    after = torch.tensor([lesson.measure(face) for face in edited])
    moved = []
    for old, new in zip(faces, edited, strict=True):
        outside = ~dilated(old.of(*lesson.parts) | new.of(*lesson.parts), MARGIN)
        moved.append(float((old.pixels - new.pixels).abs().mean(0)[outside].mean()) * 127.5)
    figures = {
        "measure": lesson.unit,
        "before": round(float(before.mean()), 2),
        "after": round(float(after.mean()), 2),
        "as wanted": f"{int((after > before).sum())} of {len(faces)}",
        "change outside the parts, of 255": round(sum(moved) / len(moved), 1),
        "strain before": round(sum(float(known.strain(f.picture.ws)) for f in faces) / len(faces), 2),
        "strain after": round(sum(float(known.strain(f.picture.ws)) for f in edited) / len(faces), 2),
    }
    return figures, edited


def sheet(faces: Sequence[Face], edited: Sequence[Face], path: Path) -> None:
    """The first pictures before and after, one above the other."""
    shown = [to_pil(each.pixels).resize((192, 192)) for each in (*faces[:SHOWN], *edited[:SHOWN])]
    contact_sheet(shown, SHOWN).save(path, quality=82, optimize=True)


def main(arguments: list[str] | None = None) -> None:
    """Learn, try and write every vector."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=LIBRARY, help="folder of the vectors and their card")
    parser.add_argument("--sheets", type=Path, default=SHEETS, help="folder of the pictures before and after")
    parser.add_argument("--only", help="names, with commas between")
    parser.add_argument("--again", action="store_true", help="try the vectors in --out again; learn nothing")
    args = parser.parse_args(arguments)
    chosen = [each for each in LESSONS if not args.only or each.name in args.only.split(",")]
    generator = load_generator("portraits-256")
    head = load_head(generator)
    pool = {seed: Face(sample(generator, seed), head) for seed in {*LEARNT_ON, *TRIED_ON}}
    unseen = [pool[seed] for seed in TRIED_ON]
    args.out.mkdir(parents=True, exist_ok=True)
    args.sheets.mkdir(parents=True, exist_ok=True)
    for lesson in chosen:
        path = args.out / f"{lesson.name.replace(' ', '-')}.safetensors"
        if args.again:
            offset = EditVector.open(path).offset
        else:
            faces = [pool[seed] for seed in lesson.seeds]
            offset = finished(lesson, (from_points if lesson.pull else from_masks)(lesson, faces))
        safe = safe_range(lesson, offset, unseen)
        vector = EditVector(lesson.name, offset, lesson.parts, fingerprint(generator), safe)
        figures, edited = tried(lesson, vector, unseen)
        way = "drags" if lesson.pull else "retouched pixels" if lesson.retouch else "painted parts"
        facts = {"learnt by": way, "learnt on seeds": list(lesson.seeds), **figures}
        replace(vector, facts=facts).save(path)
        sheet(unseen, edited, args.sheets / f"{lesson.name.replace(' ', '-')}.jpg")
        print(lesson.name, safe, figures, flush=True)
    (args.out / "README.md").write_text(card(args.out), encoding="utf-8")


def table(folder: Path) -> str:
    """What is known of the vectors in a folder, as Markdown."""
    lines = [
        "| vector | learnt by | measure | before | after | as wanted | change outside | strain | safe |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for lesson in LESSONS:
        path = folder / f"{lesson.name.replace(' ', '-')}.safetensors"
        if not path.is_file():
            continue
        vector = EditVector.open(path)
        f = vector.facts
        lines.append(
            f"| {vector.name} | {f['learnt by']} | {f['measure']} | {f['before']} | {f['after']} | {f['as wanted']} "
            f"| {f['change outside the parts, of 255']} | {f['strain before']} to {f['strain after']} "
            f"| {vector.safe[0]:g} to {vector.safe[1]:g} |"
        )
    return "\n".join(lines) + "\n"


def card(folder: Path) -> str:
    """The README of the library."""
    return CARD.format(count=len(LESSONS), tried=len(TRIED_ON)) + "\n" + table(folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
