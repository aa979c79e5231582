"""What a scene holds before it is drawn: which things where, on which ground, under which sky, in which light.

Everything is a number or a name, and all of it comes from a seed; `compose.py` draws it and chooses nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from sprites import HUES, Sprites, colour_name

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Placed:
    """A thing in a scene; lengths are shares of the picture's side, x to the right and y down."""

    item: int
    """Its row in the sprites."""
    x: float
    y: float
    """The middle of its box before it is turned."""
    size: float
    """Its longer side."""
    turn: float = 0.0
    """Radians, clockwise as seen."""
    flip: bool = False
    hue: float = 0.0
    """Turns by which its colours are moved around the colour circle."""
    colour: str = ""
    """What captions call it then, if anything."""
    stands: bool = True
    """Whether it stands on the ground: it has a shadow then."""


@dataclass(frozen=True)
class Ground:
    """What things stand on."""

    words: tuple[str, ...]
    near: Colour
    far: Colour
    texture: tuple[float, float, float]
    """How much of soft, fine and streaked noise."""
    pattern: tuple[float, float] = (0.0, 0.0)
    """How much of tiles and of boards."""
    indoors: bool = False


@dataclass(frozen=True)
class Sky:
    """What is above the horizon."""

    words: tuple[str, ...]
    top: Colour
    low: Colour
    clouds: float = 0.0
    glow: float = 0.0
    """Of a sun near the horizon."""
    tint: Colour = (1.0, 1.0, 1.0)
    """What its light makes of white."""
    indoors: bool = False


GROUNDS = {
    "grass": Ground(("on grass", "on a meadow"), (0.36, 0.62, 0.2), (0.56, 0.74, 0.36), (0.10, 0.09, 0.0)),
    "sand": Ground(("on sand", "on a beach"), (0.88, 0.74, 0.5), (0.94, 0.85, 0.66), (0.06, 0.05, 0.03)),
    "snow": Ground(("on snow", "in the snow"), (0.9, 0.94, 0.99), (0.8, 0.87, 0.96), (0.06, 0.0, 0.0)),
    "road": Ground(("on a road",), (0.4, 0.41, 0.44), (0.56, 0.57, 0.6), (0.04, 0.06, 0.0)),
    "earth": Ground(("on earth",), (0.5, 0.35, 0.23), (0.64, 0.5, 0.37), (0.1, 0.08, 0.0)),
    "water": Ground(("on water", "in the sea"), (0.12, 0.42, 0.62), (0.45, 0.7, 0.82), (0.05, 0.0, 0.1)),
    "boards": Ground(
        ("on a wooden floor",),
        (0.66, 0.44, 0.26),
        (0.74, 0.55, 0.38),
        (0.0, 0.0, 0.03),
        (0, 0.16),
        indoors=True,
    ),
    "tiles": Ground(
        ("on a tiled floor",), (0.8, 0.8, 0.82), (0.86, 0.86, 0.88), (0.02, 0.0, 0.0), (0.16, 0), indoors=True
    ),
    "carpet": Ground(("on a {} carpet",), (0, 0, 0), (0, 0, 0), (0.05, 0.06, 0.0), indoors=True),
    "table": Ground(("on a {} table",), (0, 0, 0), (0, 0, 0), (0.03, 0.0, 0.0), indoors=True),
}
SKIES = {
    "blue": Sky(("under a blue sky",), (0.25, 0.52, 0.88), (0.76, 0.89, 0.98), 0.0),
    "cloudy": Sky(
        ("under a cloudy sky", "under clouds"),
        (0.36, 0.58, 0.86),
        (0.8, 0.88, 0.95),
        0.95,
        tint=(0.98, 0.98, 1.0),
    ),
    "grey": Sky(("under a grey sky",), (0.58, 0.62, 0.68), (0.82, 0.84, 0.86), 0.35, tint=(0.93, 0.94, 0.97)),
    "sunset": Sky(
        ("at sunset",), (0.42, 0.32, 0.6), (1.0, 0.66, 0.38), 0.3, glow=0.8, tint=(1.0, 0.86, 0.74)
    ),
    "night": Sky(("at night",), (0.03, 0.05, 0.16), (0.16, 0.2, 0.4), 0.12, tint=(0.52, 0.58, 0.82)),
    "dawn": Sky(("at dawn",), (0.55, 0.66, 0.9), (1.0, 0.84, 0.82), 0.3, glow=0.45, tint=(1.0, 0.93, 0.92)),
    "wall": Sky(("in front of a {} wall",), (0, 0, 0), (0, 0, 0), indoors=True),
}
PAINTS: dict[str, Colour] = {
    "red": (0.76, 0.25, 0.24),
    "orange": (0.93, 0.62, 0.34),
    "yellow": (0.96, 0.85, 0.5),
    "green": (0.5, 0.7, 0.5),
    "turquoise": (0.45, 0.74, 0.74),
    "blue": (0.4, 0.56, 0.8),
    "purple": (0.6, 0.48, 0.74),
    "pink": (0.94, 0.7, 0.76),
    "white": (0.93, 0.93, 0.92),
    "grey": (0.62, 0.63, 0.65),
    "brown": (0.52, 0.38, 0.28),
}


@dataclass(frozen=True)
class Scene:
    """All that a picture shows."""

    things: tuple[Placed, ...]
    ground: str
    sky: str
    """`plain` where ground and sky are one backdrop."""
    ground_words: str
    sky_words: str
    near: Colour
    far: Colour
    top: Colour
    low: Colour
    horizon: float
    """Its y."""
    light: float
    """Where it comes from, -1 left to 1 right."""
    hills: float
    """Their height, 0 for none."""
    places: tuple[float, ...]
    """Six numbers in [0, 1): where in the noise grounds, clouds and hills are taken from."""

    def with_thing(self, index: int, **changes: object) -> Scene:
        """The same with one thing changed."""
        things = list(self.things)
        things[index] = replace(things[index], **changes)  # type: ignore[arg-type]
        return replace(self, things=tuple(things))

    def without(self, index: int) -> Scene:
        """The same with one thing taken away."""
        return replace(self, things=self.things[:index] + self.things[index + 1 :])


class Planner:
    """Scenes from seeds.

    Args:
        sprites: what there is; only what is on the CPU is used.
        held_out: which things: False those to train on, True the others, None all.
    """

    def __init__(self, sprites: Sprites, *, held_out: bool | None = False) -> None:
        self.things, self.extents, self.hues = sprites.things, sprites.extents.tolist(), sprites.hues.tolist()
        chosen = [n for n, thing in enumerate(self.things) if held_out in {None, thing.held_out}]
        self.by_place = {
            place: [n for n in chosen if self.things[n].place == place]
            for place in ("ground", "air", "water")
        }
        if not self.by_place["ground"]:
            raise ValueError("There is nothing to stand on the ground among the sprites.")

    def scene(self, seed: int, count: int | None = None) -> Scene:
        """The scene of a seed, of one to four things (or of `count`); fewer where there is no room."""
        random = Random(seed)  # noqa: S311 - no secrets
        backdrop = self._backdrop(random)
        count = count or random.choices((1, 2, 3, 4), (0.38, 0.36, 0.17, 0.09))[0]
        zoom = {1: 1.5, 2: 1.16, 3: 0.96, 4: 0.84}[count]
        placed: list[Placed] = []
        for _ in range(count):
            again = placed and random.random() < 0.08
            number = placed[-1].item if again else self.choose(random, backdrop)
            found = self.place(random, backdrop, number, placed, zoom)
            if found:
                placed.append(found)
        return replace(backdrop, things=tuple(placed))

    def choose(self, random: Random, scene: Scene) -> int:
        """A thing that may be in such a scene."""
        weights = {"ground": 1.0, "air": 0.0 if scene.sky == "wall" else 0.14, "water": 0.0}
        if scene.ground == "water":
            weights = {"ground": 0.12, "air": 0.2, "water": 1.0}
        elif scene.sky == "plain":
            weights = {"ground": 1.0, "air": 0.08, "water": 0.06}
        kinds = [kind for kind, weight in weights.items() if weight and self.by_place[kind]]
        kind = random.choices(kinds, [weights[kind] for kind in kinds])[0]
        return random.choice(self.by_place[kind])

    def place(
        self, random: Random, scene: Scene, number: int, others: list[Placed], zoom: float = 1.0
    ) -> Placed | None:
        """A place for a thing beside others, or None where none was found in a dozen tries."""
        thing, hue = self.things[number], self.hues[number]
        flies = thing.place == "air" and scene.sky != "wall"
        turned = random.random() * (hue >= 0) > 0.5
        wanted = random.choice(list(HUES))
        move = (HUES[wanted] + random.uniform(-0.02, 0.02) - hue) % 1 if turned else 0.0
        for _ in range(12):
            size = min(0.68, thing.size * zoom * random.uniform(0.78, 1.22))
            wide, high = (size * share for share in self.extents[number])
            x = random.uniform(0.5 * wide - 0.03, 1.03 - 0.5 * wide)
            if flies:
                foot = random.uniform(high, max(high + 0.02, scene.horizon + 0.1))
            else:
                near = random.random()
                foot = min(0.97, scene.horizon + 0.1 + near * (0.87 - scene.horizon))
                size *= 0.72 + 0.28 * near
                wide, high = (size * share for share in self.extents[number])
                foot = max(foot, high + 0.02)
            found = Placed(
                number,
                round(x, 4),
                round(foot - 0.5 * high, 4),
                round(size, 4),
                round(random.gauss(0, 0.05) if thing.place == "ground" else random.gauss(0, 0.12), 4),
                random.random() < 0.5,
                round(move, 4),
                wanted if turned else colour_name(hue) if hue >= 0 else "",
                not flies,
            )
            if all(self.overlap(found, other) < 0.22 for other in others):
                return found
        return None

    def box(self, thing: Placed) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, as shares of the side, before it is turned."""
        wide, high = (0.5 * thing.size * share for share in self.extents[thing.item])
        return thing.x - wide, thing.y - high, thing.x + wide, thing.y + high

    def overlap(self, one: Placed, other: Placed) -> float:
        """Which share of the smaller box the other covers."""
        a, b = self.box(one), self.box(other)
        wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        area = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
        return max(wide, 0) * max(high, 0) / area

    def _backdrop(self, random: Random) -> Scene:
        """A scene without things."""
        kind = random.choices(("outdoors", "indoors", "plain"), (0.6, 0.24, 0.16))[0]
        paint, wall = random.sample(list(PAINTS), 2)
        if kind == "plain":
            ground, sky, horizon = "plain", "plain", random.uniform(0.3, 0.5)
            words = (f"on a {paint} background", "")
            near, far = PAINTS[paint], PAINTS[paint]
            top, low = near, far
        else:
            indoors = kind == "indoors"
            ground = random.choice([name for name, each in GROUNDS.items() if each.indoors == indoors])
            sky = random.choice([name for name, each in SKIES.items() if each.indoors == indoors])
            below, above = GROUNDS[ground], SKIES[sky]
            painted, horizon = ground in {"carpet", "table"}, random.uniform(0.36, 0.62)
            words = (random.choice(below.words).format(paint), random.choice(above.words).format(wall))
            near, far = (PAINTS[paint],) * 2 if painted else (below.near, below.far)
            top, low = (PAINTS[wall],) * 2 if indoors else (above.top, above.low)
        shift = [random.gauss(0, 0.025) for _ in range(6)]
        level = random.gauss(0, 0.02)

        def near_to(colour: Colour, shifts: list[float]) -> Colour:
            moved = [min(1.0, max(0.0, c + s + level)) for c, s in zip(colour, shifts, strict=True)]
            return (moved[0], moved[1], moved[2])

        return Scene(
            (),
            ground,
            sky,
            *words,
            near_to(near, shift[:3]),
            near_to(far, shift[:3]),
            near_to(top, shift[:3] if kind == "plain" else shift[3:]),
            near_to(low, shift[:3] if kind == "plain" else shift[3:]),
            round(horizon, 4),
            random.uniform(-1, 1),
            random.uniform(0.03, 0.12)
            if kind == "outdoors" and ground != "water" and random.random() < 0.45
            else 0.0,
            tuple(random.random() for _ in range(6)),
        )
