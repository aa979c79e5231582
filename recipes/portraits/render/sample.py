"""All random choices of one portrait, from a seed; and of several views of one person.

The order of the draws is part of the data set: changing it changes every picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from tables import (
    BACKGROUNDS,
    BEARDS,
    CLOTHES,
    CLOTHES_COLOURS,
    COLOURS,
    GLASSES_FREQUENCY,
    HAIR_COLOURS,
    HAIR_STYLES,
    KEEP_TEXTURE,
    LIPSTICK_FREQUENCY,
    OVER_THE_EYE,
    PATTERN_FREQUENCY,
    THEMES,
    WAVY,
)

FACE_TARGETS = ("head", "nose", "mouth", "chin", "forehead", "eyebrows")
PAIRED_TARGETS = ("eyes", "cheek", "ears")
UNWANTED = (
    *("trans-in", "trans-out", "trans-left", "trans-right", "trans-forward", "trans-backward"),
    *("asym", "angle", "head-back", "head-trans", "mouth-trans", "nose-trans"),
)
"""Parts of names of morph targets that move or distort the face more than a person's shape does."""
OTHER_GLASSES, OTHER_MAKE_UP = 0.5, 0.5
"""Chance that a view of a person is drawn with glasses, or make-up and sheen of the skin, of its own."""


@dataclass(frozen=True)
class Catalogue:
    """Names in the asset pack that a portrait chooses from, in the pack's order."""

    targets: Sequence[str]
    skins: Sequence[str]
    environments: Sequence[str]


@dataclass(frozen=True)
class Person:
    """Who is shown: body type, skin tone and shape of the face."""

    female: bool
    gender: float
    """0 female .. 1 male."""
    age: float
    """0 (about 25) .. 1 (about 80), for the morph targets."""
    years: int
    heritage: dict[str, float]
    """Weights of the base mesh's three families of body types; they add up to 1."""
    tone: float
    """Skin tone, 0 light .. 1 dark."""
    weight: float
    muscle: float
    shape: dict[str, float]
    """Weights of face-shape morph targets."""


@dataclass(frozen=True)
class Expression:
    """What the face does."""

    theme: str
    smile: float
    mouth_open: float
    brow: float
    """-1 down .. 1 up."""
    left_eye_open: float
    right_eye_open: float
    wink: str
    """"", "left" or "right"."""
    units: dict[str, float]
    """Weights of expression morph targets."""


@dataclass(frozen=True)
class Pose:
    """Where head and eyes point, in degrees, and the camera."""

    yaw: float
    pitch: float
    roll: float
    gaze_yaw: float
    gaze_pitch: float
    camera_x: float
    camera_y: float
    zoom: float
    distance: float


@dataclass(frozen=True)
class Hair:
    """Hair on the head and in the face."""

    style: str
    colour: str
    """"none" for a bald head, whose beard still has a colour."""
    root: np.ndarray
    tip: np.ndarray
    length: float
    """Factor on the length below the eyes."""
    volume: float
    wave: tuple[float, float, float]
    """Amplitude, frequency and phase."""
    fringe: float
    """Height at which hair in front of the face is cut, on the base mesh; 0 for none."""
    beard: str

    @property
    def mesh(self) -> str:
        """The fitted mesh to draw; empty for shells and bald heads."""
        return self.style if HAIR_STYLES[self.style].kind == "mesh" else ""


@dataclass(frozen=True)
class Face:
    """Skin, eyes, make-up and glasses."""

    eye_colour: str
    iris: list[float]
    freckles: float
    blush: float
    lipstick: str
    eye_shadow: float
    lashes: int
    brows: int
    wrinkles: float
    oil: float
    glasses: str
    glasses_form: tuple[float, float, float, float, float]
    """Half width, half height, roundness, drop below the eyes and tube radius."""
    skin: str
    skin_variation: np.ndarray


@dataclass(frozen=True)
class Clothes:
    """The garment."""

    name: str
    pattern: int
    colour: str
    colour2: str
    frequency: float
    rgb: np.ndarray
    rgb2: np.ndarray
    detail: float


@dataclass(frozen=True)
class Light:
    """Environment, key light and exposure."""

    environment: str
    turn: float
    key_azimuth: float
    key_elevation: float
    key_power: float
    warmth: float
    exposure: float
    seed: int


@dataclass(frozen=True)
class Background:
    """What is behind."""

    kind: str
    colour: str
    rgb: np.ndarray
    rgb2: np.ndarray
    environment: str
    turn: float
    elevation: float
    field_of_view: float
    blur: float
    level: float
    angle: float


@dataclass(frozen=True)
class Portrait:
    """Everything that decides one picture."""

    seed: int
    """Of the person; all views of a person have the same."""
    person: Person
    expression: Expression
    pose: Pose
    hair: Hair
    face: Face
    clothes: Clothes
    light: Light
    background: Background
    mirror: bool


class Draw:
    """Random draws in the forms the sampling below uses."""

    def __init__(self, seed: int | Sequence[int]) -> None:
        self.random = np.random.default_rng(seed)

    def between(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        return float(self.random.uniform(low, high))

    def chance(self, share: float) -> bool:
        """True in this share of draws."""
        return bool(self.random.random() < share)

    def normal(self, mean: float, deviation: float, low: float = -math.inf, high: float = math.inf) -> float:
        """Normal, clipped to [low, high]."""
        return float(np.clip(self.random.normal(mean, deviation), low, high))

    def pick(self, frequency: Mapping[str, float]) -> str:
        """One of the keys, as often as its value says."""
        weights = np.array(list(frequency.values()), float)
        return list(frequency)[int(self.random.choice(len(weights), p=weights / weights.sum()))]

    def one_of(self, names: Sequence[str]) -> str:
        """One of the names, all equally often."""
        return names[int(self.random.integers(len(names)))]


def sample(seed: int, catalogue: Catalogue) -> Portrait:
    """All random choices for one picture."""
    draw = Draw(seed)
    person = _person(draw, catalogue)
    expression = _expression(draw)
    pose = _pose(draw)
    hair = _hair(draw, person)
    face = _face(draw, person, catalogue)
    clothes = _clothes(draw, person)
    light = _light(draw, catalogue)
    background = _background(draw, catalogue)
    mirror = draw.chance(0.5)
    return Portrait(seed, person, expression, pose, hair, face, clothes, light, background, mirror)


def sample_view(seed: int, views: int, catalogue: Catalogue) -> Portrait:
    """All random choices for one of several pictures of a person.

    Shape, age, skin, eyes, brows, hair, beard and mirroring are those of `sample(seed // views)`; expression, pose, clothes,
    light and background are drawn anew, glasses and make-up sometimes.

    Args:
        seed: of the picture; seeds k * views to (k + 1) * views - 1 show person k.
        views: how many pictures each person has.
        catalogue: names in the asset pack.
    """
    known = sample(seed // views, catalogue)
    draw = Draw((known.seed, 1 + seed % views))
    return replace(
        known,
        expression=_expression(draw),
        pose=_pose(draw),
        face=_other_look(draw, known, catalogue),
        clothes=_clothes(draw, known.person),
        light=_light(draw, catalogue),
        background=_background(draw, catalogue),
    )


def _other_look(draw: Draw, known: Portrait, catalogue: Catalogue) -> Face:
    """The face of a person, perhaps with other glasses and make-up."""
    other, face = _face(draw, known.person, catalogue), known.face
    if draw.chance(OTHER_GLASSES):
        face = replace(face, glasses=other.glasses, glasses_form=other.glasses_form)
    if draw.chance(OTHER_MAKE_UP):
        face = replace(
            face, blush=other.blush, lipstick=other.lipstick, eye_shadow=other.eye_shadow, oil=other.oil
        )
    return face


def _person(draw: Draw, catalogue: Catalogue) -> Person:
    female = draw.chance(0.5)
    gender = draw.between(0, 0.15) if female else draw.between(0.85, 1)
    age = float(draw.random.beta(1.0, 2.0)) * 0.95
    mix = draw.random.dirichlet([0.45] * 3)
    tone = 0.16 * mix[0] + 0.30 * mix[1] + 0.82 * mix[2]
    return Person(
        female=female,
        gender=gender,
        age=age,
        years=round(19 + 58 * age),
        heritage={k: float(x) for k, x in zip(("caucasian", "asian", "african"), mix, strict=True)},
        tone=float(np.clip(tone + draw.random.normal(0, 0.08), 0, 1)),
        weight=draw.normal(0.48, 0.17, 0.05, 0.95),
        muscle=draw.normal(0.5, 0.15, 0.1, 0.9),
        shape=_shape(draw, catalogue.targets),
    )


def _shape(draw: Draw, targets: Sequence[str]) -> dict[str, float]:
    """Twenty single and ten paired face-shape targets."""
    wanted = [n for n in targets if not any(part in n for part in UNWANTED)]
    single = [n for n in wanted if n.split("/")[0] in FACE_TARGETS]
    left = [n for n in wanted if n.split("/")[0] in PAIRED_TARGETS and "/l-" in n]
    shape: dict[str, float] = {}
    for k in draw.random.choice(len(single), 20, replace=False):
        shape[single[k]] = min(0.6, abs(draw.normal(0, 0.20)))
    for k in draw.random.choice(len(left), 10, replace=False):
        weight = min(0.55, abs(draw.normal(0, 0.20)))
        shape[left[k]] = shape[left[k].replace("/l-", "/r-")] = weight
    return shape


def _expression(draw: Draw) -> Expression:
    """Independent continuous strengths around a theme."""
    theme = draw.pick(THEMES)
    smile, mouth, slit, brow, units = _theme(draw, theme)
    if theme in {"neutral", "smile"}:
        brow += draw.normal(0.12, 0.22, -0.4, 0.6)
    closed = {"left": draw.normal(0.02, 0.06, 0, 0.3)}
    closed["right"] = closed["left"]
    wide = draw.normal(0.28, 0.12, 0, 0.6) * (1 - slit)
    wink = ""
    lids = draw.random.random()
    if lids < 0.07:
        closed["left"] = closed["right"] = draw.between(0.85, 1)
    elif lids < 0.10:
        wink = "left" if draw.chance(0.5) else "right"
        closed[wink] = draw.between(0.9, 1)
    elif lids < 0.20:
        closed["left"] = closed["right"] = draw.between(0.2, 0.6)

    units |= {"mouth-corner-puller": smile, "mouth-open": mouth}
    for side, shut in closed.items():
        units[f"eye-{side}-closure"] = shut
        units[f"eye-{side}-slit"] = slit * (1 - shut)
        units[f"eye-{side}-opened-up"] = max(units.get(f"eye-{side}-opened-up", 0.0), wide) * (1 - shut)
        if brow > 0 and f"eyebrows-{side}-up" not in units:
            units[f"eyebrows-{side}-up"] = 0.8 * brow
            inner = f"eyebrows-{side}-inner-up"
            units[inner] = max(0.45 * brow, units.get(inner, 0.0))
        elif brow < 0:
            units[f"eyebrows-{side}-down"] = -brow
    return Expression(
        theme=theme,
        smile=round(smile, 3),
        mouth_open=round(mouth, 3),
        brow=round(brow, 3),
        left_eye_open=round(1 - closed["left"], 3),
        right_eye_open=round(1 - closed["right"], 3),
        wink=wink,
        units=units,
    )


def _theme(draw: Draw, theme: str) -> tuple[float, float, float, float, dict[str, float]]:
    """Strengths of smile, open mouth, narrowed eyes and raised brows, and further expression targets."""
    strength = draw.between(0.15, 1)
    smile = mouth = slit = brow = 0.0
    units: dict[str, float] = {}
    match theme:
        case "smile":
            smile, slit = strength * 0.80, 0.28 * strength
            if draw.chance(0.5):
                teeth = draw.between(0.3, 1) * (0.35 + 0.65 * strength)
                smile *= 0.85
                units["mouth-upward-retraction"], units["mouth-parling"] = 0.55 * teeth, 0.25 * teeth
        case "laugh":
            smile, mouth = 0.35 + 0.40 * strength, 0.08 + 0.27 * strength
            slit, brow = 0.25 + 0.3 * strength, draw.between(0, 0.4)
            units["mouth-upward-retraction"] = 0.25 + 0.35 * strength
            units["mouth-parling"] = 0.2 * strength
        case "open":
            mouth = 0.08 + 0.40 * strength
            units["mouth-parling"] = 0.35 * strength
        case "surprise":
            mouth, brow = 0.10 + 0.36 * strength, 0.4 + 0.6 * strength
            units["mouth-parling"] = 0.3 * strength
            units["eye-left-opened-up"] = units["eye-right-opened-up"] = 0.7 * strength
        case "frown":
            brow = -(0.3 + 0.7 * strength)
            units["mouth-depression"] = 0.5 * strength
            slit = 0.2 * strength
        case "sad":
            units["mouth-depression"] = 0.3 + 0.4 * strength
            raised = 0.4 + 0.5 * strength
            units["eyebrows-left-inner-up"] = units["eyebrows-right-inner-up"] = raised
        case "kiss":
            units["mouth-pursing"] = 0.3 + 0.6 * strength
        case "smirk":
            smile, slit = 0.2 + 0.25 * strength, 0.15
            units["eyebrows-left-up"] = 0.8 * strength
        case _:
            pass
    return smile, mouth, slit, brow, units


def _pose(draw: Draw) -> Pose:
    """Head mostly towards the camera, eyes mostly turned back to it."""
    yaw = draw.normal(0, 15, -40, 40) if draw.chance(0.75) else draw.between(-40, 40)
    pitch = draw.normal(1, 5.5, -15, 15)
    roll = draw.normal(0, 3.5, -10, 10)
    towards_camera = draw.chance(0.8)
    gaze_yaw = -yaw * draw.between(0, 0.55) + draw.normal(0, 5) if towards_camera else draw.between(-24, 24)
    gaze_pitch = float(np.clip(-pitch * 0.5 + draw.random.normal(0, 3), -14, 14))
    return Pose(
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        gaze_yaw=float(np.clip(gaze_yaw, -26, 26)),
        gaze_pitch=gaze_pitch,
        camera_x=draw.normal(0, 0.03),
        camera_y=draw.normal(0, 0.03),
        zoom=draw.between(0.94, 1.07),
        distance=draw.between(11, 18),
    )


def _hair(draw: Draw, person: Person) -> Hair:
    def frequency(name: str) -> float:
        usual = HAIR_STYLES[name].women if person.female else HAIR_STYLES[name].men
        if name not in {"afro01", "curls"}:
            return usual
        return usual * (2.5 if person.heritage["african"] > 0.5 else 0.22)

    style = draw.pick({name: frequency(name) for name in HAIR_STYLES})
    group = 0 if person.tone < 0.33 else 1 if person.tone < 0.6 else 2
    colours = {name: colour.frequency[group] for name, colour in HAIR_COLOURS.items()}
    if person.age > 0.45:
        colours["grey"], colours["white"] = 2.2 * (person.age - 0.4), 1.8 * max(0, person.age - 0.55)
    colour = draw.pick(colours)
    root = np.array(HAIR_COLOURS[colour].root) * draw.between(0.85, 1.2)
    tip = np.array(HAIR_COLOURS[colour].tip) * draw.between(0.85, 1.2)
    root = root * draw.between(0.6, 1)
    length = draw.between(0.75, 1.35)
    volume = draw.between(0, 0.05) if draw.chance(0.7) else draw.between(0.03, 0.09)
    wave = (0.0, 0.0, 0.0)
    if draw.chance(0.4) and style in WAVY:
        wave = (draw.between(0.01, 0.035), draw.between(5, 12), draw.between(0, 6))
    fringe = draw.between(7.50, 7.68) if style in OVER_THE_EYE and draw.chance(0.85) else 0.0
    beard = "none" if person.female else draw.pick(BEARDS)
    shown = "none" if HAIR_STYLES[style].kind == "none" else colour
    return Hair(style, shown, root, tip, length, volume, wave, fringe, beard)


def _face(draw: Draw, person: Person, catalogue: Catalogue) -> Face:
    eye_colour = draw.pick(_eye_colours(person))
    iris = (np.clip(draw.random.normal(1, 0.04, 3), 0.85, 1.15) * draw.between(0.75, 1.05)).tolist()
    freckles = draw.between(0.3, 1) if person.tone < 0.4 and draw.chance(0.18) else 0.0
    blush = draw.between(0, 0.8) if draw.chance(0.6) else 0.0
    lipstick = draw.pick(LIPSTICK_FREQUENCY) if person.female else ""
    eye_shadow = draw.between(0.15, 0.6) if person.female and draw.chance(0.35) else 0.0
    lashes = int(draw.random.integers(1, 5))
    brows = int(draw.random.integers(1, 13))
    wrinkles = draw.between(0.6, 1.1)
    oil = draw.between(0.32, 0.72)
    glasses = draw.pick(GLASSES_FREQUENCY)
    thick = glasses in {"black", "brown", "red"}
    form = (
        draw.between(0.235, 0.29),
        draw.between(0.16, 0.245),
        draw.between(0.55, 1.0),
        draw.between(0, 0.05),
        draw.between(0.010, 0.022) if thick else draw.between(0.008, 0.011),
    )
    if eye_colour == "brown":
        iris = [x * y for x, y in zip(iris, (0.80, 1.05, 1.0), strict=True)]
    skins = _skins(person, catalogue.skins)
    return Face(
        eye_colour=eye_colour,
        iris=iris,
        freckles=freckles,
        blush=blush,
        lipstick=lipstick,
        eye_shadow=eye_shadow,
        lashes=lashes,
        brows=brows,
        wrinkles=wrinkles,
        oil=oil,
        glasses=glasses,
        glasses_form=form,
        skin=draw.one_of(skins),
        skin_variation=draw.random.normal(1, 0.03, 3),
    )


def _eye_colours(person: Person) -> dict[str, float]:
    if person.tone > 0.6:
        return {"brown": 1}
    if person.tone > 0.38 or person.heritage["asian"] > 0.5:
        return {"brown": 0.6, "brownlight": 0.3, "green": 0.1}
    return {
        "brown": 0.22,
        "brownlight": 0.18,
        "blue": 0.14,
        "bluegreen": 0.09,
        "green": 0.12,
        "grey": 0.1,
        "ice": 0.05,
        "lightblue": 0.1,
    }


def _skins(person: Person, names: Sequence[str]) -> list[str]:
    """Painted skins that suit a person."""
    tone = "dark" if person.tone > 0.62 else "light"
    age = "young" if person.age < 0.33 else "middleage" if person.age < 0.62 else "old"
    start = f"skin_{age}_{tone}_{'female' if person.female else 'male'}"
    return [name for name in names if name.startswith(start)]


def _clothes(draw: Draw, person: Person) -> Clothes:
    pool = {k: v * (1.6 if k.startswith("female") == person.female else 0.55) for k, v in CLOTHES.items()}
    if not person.female:
        pool = {k: v for k, v in pool.items() if not k.startswith("female")}
    name = draw.pick(pool)
    pattern = 0
    if not draw.chance(KEEP_TEXTURE.get(name, 0.12)):
        pattern = int(draw.random.choice([1, 2, 3, 4, 5, 6, 7, 8], p=PATTERN_FREQUENCY))
    colour, colour2 = draw.pick(CLOTHES_COLOURS), draw.pick(CLOTHES_COLOURS)
    frequency = draw.between(2.2, 7)
    scale = draw.random.uniform(0.85, 1.12, 3) if pattern else draw.random.uniform(0.7, 1.15, 3)
    return Clothes(
        name=name,
        pattern=pattern,
        colour=colour if pattern else "patterned",
        colour2=colour2 if pattern > 1 else "",
        frequency=frequency,
        rgb=np.array(COLOURS[colour]) * scale if pattern else scale,
        rgb2=np.array(COLOURS[colour2]) * draw.random.uniform(0.85, 1.12, 3),
        detail=draw.between(0.25, 0.6),
    )


def _light(draw: Draw, catalogue: Catalogue) -> Light:
    by_day = [name for name in catalogue.environments if "night" not in name]
    return Light(
        environment=draw.one_of(by_day),
        turn=draw.between(0, 1),
        key_azimuth=draw.between(-1.15, 1.15),
        key_elevation=draw.between(0.1, 0.9),
        key_power=draw.between(0.25, 1.5),
        warmth=draw.between(-1, 1),
        exposure=draw.between(-0.22, 0.22),
        seed=int(draw.random.integers(1 << 31)),
    )


def _background(draw: Draw, catalogue: Catalogue) -> Background:
    kind = draw.pick(BACKGROUNDS)
    evenly = dict.fromkeys(COLOURS, 1.0)
    first, second = draw.pick(evenly), draw.pick(evenly)
    other = first if draw.chance(0.5) else second
    return Background(
        kind=kind,
        colour=first if kind != "photo" else "",
        rgb=np.array(COLOURS[first]) * 0.8 + 0.02,
        rgb2=np.array(COLOURS[other]) * 0.8 + 0.03,
        environment=draw.one_of(catalogue.environments),
        turn=draw.between(0, 1),
        elevation=draw.between(-0.15, 0.2),
        field_of_view=draw.between(0.10, 0.22),
        blur=draw.between(0, 1),
        level=draw.between(0.07, 0.5),
        angle=draw.between(0, 6.283),
    )
