"""Sentences about pictures that do not exist yet: what lies where, in which colours, in which light, and the words for it.

A `Plan` is drawn by `compose.py`. Every other plan is a sibling of the one before: the same things in other colours, another
light, another order or number, so that a batch always holds captions that differ in just such a word.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from effects import EFFECTS
from sources import Item, looks_of

from pliant.perception.wordpieces import words_of

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.85, 0.08, 0.08),
    "orange": (1.0, 0.52, 0.05),
    "yellow": (1.0, 0.88, 0.1),
    "green": (0.12, 0.62, 0.18),
    "blue": (0.1, 0.25, 0.85),
    "purple": (0.5, 0.12, 0.65),
    "pink": (1.0, 0.5, 0.72),
    "brown": (0.45, 0.26, 0.11),
    "black": (0.05, 0.05, 0.05),
    "white": (0.97, 0.97, 0.97),
    "grey": (0.5, 0.5, 0.5),
    "turquoise": (0.15, 0.8, 0.78),
}
OTHER_NAMES = {
    "red": ("crimson", "scarlet"),
    "purple": ("violet",),
    "grey": ("gray",),
    "turquoise": ("cyan", "teal"),
    "pink": ("rose",),
}
EFFECT_WORDS: dict[str, tuple[str, ...]] = {
    "night": (
        "{} at night",
        "{} under the moon light",
        "{} in moonlight",
        "{} on a dark night",
        "{} at midnight",
    ),
    "sunset": ("{} at sunset", "{} in the evening sun", "{} at dusk", "{} in warm light", "{} at sunrise"),
    "day": ("{} in bright daylight", "{} on a sunny day", "{} in the morning", "{} at noon"),
    "fog": ("{} in fog", "{} in the mist", "{} on a foggy day"),
    "water": ("{} under water", "{} in the deep sea", "{} in the ocean"),
    "snow": ("{} in the snow", "{} in winter", "{} covered in snow", "a snowy {}"),
    "gold": ("{} made of gold", "a golden {}", "{} in gold", "a golden statue of {}"),
    "silver": ("{} made of silver", "{} made of metal", "a silver {}", "{} made of steel", "a metallic {}"),
    "copper": ("{} made of copper", "{} made of bronze", "a bronze statue of {}"),
    "fire": ("{} on fire", "a burning {}", "{} made of fire", "{} in flames"),
    "ice": ("{} made of ice", "a frozen {}", "an ice sculpture of {}", "{} made of crystal"),
    "wood": ("{} made of wood", "a wooden {}", "{} carved in wood"),
    "stone": ("{} made of stone", "a marble statue of {}", "{} made of rock", "{} carved in stone"),
    "grass": ("{} made of grass", "{} covered in moss", "{} made of leaves"),
    "grey": ("{} in black and white", "a black and white photo of {}", "{} without colours"),
    "sepia": ("{} in sepia", "an old photo of {}", "a vintage photo of {}"),
    "sketch": ("a pencil sketch of {}", "a line drawing of {}", "{} drawn with a pen"),
    "neon": ("a neon sign of {}", "{} in neon lights", "a glowing {}"),
    "rainbow": ("{} in rainbow colours", "a rainbow coloured {}", "a colourful {}"),
    "pixels": ("{} as pixel art", "a pixelated {}", "{} in a video game"),
    "blurred": ("a blurred {}", "{} out of focus", "a blurry photo of {}"),
    "poster": ("{} as a poster", "{} in flat colours", "pop art of {}"),
    "negative": ("a negative of {}", "{} with inverted colours"),
    "striped": ("a striped {}", "{} with stripes"),
    "dotted": ("a dotted {}", "{} with dots", "{} with polka dots"),
    "chequered": ("a chequered {}", "{} with a checked pattern"),
}
FRAMES = (
    "{}",
    "{}",
    "a photo of {}",
    "a picture of {}",
    "a drawing of {}",
    "clip art of {}",
    "an image of {}",
    "a sticker of {}",
)
COUNTS = {2: "two", 3: "three", 4: "four"}
PLACES = {
    "left": "{} to the left of {}",
    "right": "{} to the right of {}",
    "above": "{} above {}",
    "below": "{} below {}",
}
FLAT = ("{}", "the colour {}", "a {} background", "a plain {} picture", "something {}", "a {} sky")
BLENDS = ("{} above {}", "a gradient from {} to {}", "{} and {}")
BESIDE = ("{} and {}", "{} next to {}", "{} with {}")
ALWAYS_SAID = frozenset(
    word
    for sentence in (
        *COLOURS,
        *(name for names in OTHER_NAMES.values() for name in names),
        *(sentence for sentences in EFFECT_WORDS.values() for sentence in sentences),
        *(*FRAMES, *COUNTS.values(), *PLACES.values(), *FLAT, *BLENDS, *BESIDE),
    )
    for word in words_of(sentence)
)
"""What sentences say whatever the things are."""
HELD_OUT = 12
"""One word of so many is kept out of all captions."""
HELD_OUT_PEOPLE = {"portrait": 20, "avatar": 10}
"""One person of so many is kept out of all pictures."""
NEVER_HELD_OUT = {
    *ALWAYS_SAID,
    *("face", "man", "woman", "person", "flag", "button", "hand", "animal", "food", "symbol", "sign"),
    *("long", "headscarf"),  # as people's hair is, and what they wear
}


@dataclass(frozen=True)
class Layer:
    """A thing in a picture."""

    item: int
    """Number in the library; -1 for nothing."""
    x: float
    """Of its middle, -1 (left) to 1."""
    y: float
    size: float
    """Of its box, in sides of the picture."""
    turn: float = 0.0
    """Radians."""
    colour: str = ""
    """In which it is dyed; empty: as it is."""


@dataclass(frozen=True)
class Plan:
    """A picture to be drawn, and its caption."""

    caption: str
    layers: tuple[Layer, ...] = ()
    background: tuple[str, str] = ("white", "white")
    """Colours at the top and at the bottom; empty: any noise."""
    effect: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    """What it shows, for evaluation and for a sibling to differ in: `place`, `count`."""
    meaning: tuple[str, ...] = ()
    """What the caption says apart from names. Captions of other meaning are never taken for equal, however alike they read."""


def is_held_out_word(word: str) -> bool:
    """Whether captions must not have this word."""
    return len(word) > 3 and word not in NEVER_HELD_OUT and zlib.crc32(word.encode()) % HELD_OUT == 0


def is_held_out(item: Item) -> bool:
    """Whether a picture is kept for evaluation: its name has a held-out word, or it is one person of so many."""
    if item.is_person:
        return zlib.crc32(item.names[0].encode()) % HELD_OUT_PEOPLE[item.kind] == 0
    return any(is_held_out_word(word) for name in item.names for word in words_of(name))


class Writer:
    """Plans from the items that it may use.

    Args:
        items: the library.
        usable: numbers of items to draw from.
        random: source of all choices.
    """

    def __init__(self, items: Sequence[Item], usable: Sequence[int], random: Random) -> None:
        self.items, self.random = items, random
        self.people = [number for number in usable if items[number].is_person]
        self.things = [number for number in usable if not items[number].is_person]

    def pair(self) -> tuple[Plan, Plan]:
        """Two siblings."""
        chance = self.random.random()
        if chance < 0.08 or not self.things:
            return self.flat(), self.flat()
        if chance < 0.25 and self.people:
            return self.person(self.random.choice(self.people)), self.person(self.random.choice(self.people))
        if chance < 0.42:
            one, two = self.random.choice(self.things), self.random.choice(self.things)
            first = self.scene(one, two)
            return first, self.scene(two, one, avoid=first.facts["place"])
        if chance < 0.52:
            number = self.random.choice(self.things)
            first = self.counted(number)
            return first, self.counted(number, avoid=first.facts["count"])
        number = self.random.choice(self.things)
        return self.single(number), self.single(number)

    def name(self, number: int) -> str:
        """A name of an item, at times with a keyword."""
        item, random = self.items[number], self.random
        name = item.names[0]
        keywords = [
            word for word in item.keywords if not any(is_held_out_word(part) for part in words_of(word))
        ]
        if keywords and random.random() < 0.25:
            return random.choice(keywords)
        if keywords and random.random() < 0.1:
            return f"{name}, {random.choice(keywords)}"
        return name

    def colour_word(self, colour: str) -> str:
        """One of its names."""
        return self.random.choice((colour, colour, *OTHER_NAMES.get(colour, ())))

    def single(self, number: int) -> Plan:
        """One thing, as it is, dyed, or in another light or material (most of which leave no colour)."""
        random = self.random
        effect = random.choice(list(EFFECTS)) if random.random() < 0.3 else ""
        colour = random.choice(list(COLOURS)) if not effect and random.random() < 0.45 else ""
        name = self.name(number)
        if colour:
            name = f"{self.colour_word(colour)} {name}"
        article = random.choice(("", "a ", "the "))
        background, behind = self.behind()
        if effect:
            sentence = random.choice(EFFECT_WORDS[effect])
            caption = sentence.format(name if sentence.startswith(("a ", "an ")) else article + name)
            behind = ""
        else:
            caption = random.choice(FRAMES).format(article + name) + behind
        layer = Layer(
            number, random.uniform(-0.15, 0.15), random.uniform(-0.15, 0.15), random.uniform(0.6, 1.0),
            random.gauss(0, 0.1), colour,
        )  # fmt: skip
        return Plan(caption, (layer,), background, effect, meaning=(colour, effect, behind))

    def behind(self) -> tuple[tuple[str, str], str]:
        """A background, and at times the words for it."""
        random = self.random
        chance = random.random()
        if chance < 0.35:
            return ("white", "white"), ""
        colour = random.choice(list(COLOURS))
        if chance < 0.6:
            return (colour, colour), f" on a {self.colour_word(colour)} background"
        if chance < 0.8:
            return (colour, random.choice(list(COLOURS))), ""
        return ("", ""), ""

    def scene(self, one: int, two: int, avoid: str = "") -> Plan:
        """Two things, each where the caption says."""
        random = self.random
        place = random.choice([key for key in PLACES if key != avoid])
        first, second = random.choice((("", ""), tuple(random.sample(list(COLOURS), 2))))
        names = [f"{colour} {self.items[k].names[0]}".strip() for colour, k in ((first, one), (second, two))]
        sentence = random.choice((PLACES[place],) * 3 + BESIDE)
        caption = sentence.format(f"a {names[0]}", f"a {names[1]}")
        shift = random.uniform(0.42, 0.55) * (-1 if place in {"left", "above"} else 1)
        along = (shift, 0.0) if place in {"left", "right"} else (0.0, shift)
        sizes = [random.uniform(0.38, 0.52) for _ in range(2)]
        layers = (
            Layer(one, along[0], along[1], sizes[0], 0.0, first),
            Layer(two, -along[0], -along[1], sizes[1], 0.0, second),
        )
        things = tuple(names) if sentence == PLACES[place] else tuple(sorted(names))
        meaning = (sentence if sentence == PLACES[place] else "", *things)
        return Plan(caption, layers, self.behind()[0], "", {"place": place}, meaning)

    def counted(self, number: int, avoid: str = "") -> Plan:
        """The same thing several times."""
        random = self.random
        count = random.choice([count for count in COUNTS if str(count) != avoid])
        corners = random.sample([(-0.45, -0.45), (0.45, -0.45), (-0.45, 0.45), (0.45, 0.45)], count)
        layers = tuple(
            Layer(number, x + random.gauss(0, 0.04), y + random.gauss(0, 0.04), random.uniform(0.36, 0.48))
            for x, y in corners
        )
        caption = f"{COUNTS[count]} {self.items[number].names[0]}s"
        return Plan(
            random.choice(FRAMES).format(caption), layers, self.behind()[0], "", {"count": str(count)}
        )

    def person(self, number: int) -> Plan:
        """A portrait or an avatar, with some of the parts of its sentence or some of its facts."""
        random, item = self.random, self.items[number]
        head, *parts = item.names[0].split(", ")
        looks = looks_of(item.facts)
        if looks and random.random() < 0.4:
            first, *parts = random.sample(looks, len(looks))
            head = f"{head.partition(' with ')[0]} {first}"
        kept = [part for part in parts if random.random() < 0.5]
        who = head.partition(" of ")[2]
        caption = ", ".join((random.choice((head, f"a portrait of {who}", who)), *kept))
        background, behind = self.behind() if item.kind == "avatar" else (("white", "white"), "")
        effect = random.choice(list(EFFECTS)) if random.random() < 0.2 else ""
        if effect:
            words, behind = random.choice(EFFECT_WORDS[effect]), ""
            bare = caption.removeprefix("a ").removeprefix("an ")
            caption = words.format(bare if words.startswith(("a ", "an ")) else caption)
        meaning = (effect, behind, who, *sorted(kept))
        return Plan(caption + behind, (Layer(number, 0.0, 0.0, 1.0),), background, effect, meaning=meaning)

    def flat(self) -> Plan:
        """Nothing but colours."""
        random = self.random
        one, two = (random.choice(list(COLOURS)) for _ in range(2))
        if random.random() < 0.6:
            word = self.colour_word(one)
            return Plan(random.choice(FLAT).format(word), (), (one, one), meaning=(one,))
        return Plan(random.choice(BLENDS).format(one, two), (), (one, two), meaning=(one, two))


def seen_words(items: Sequence[Item], usable: Sequence[int]) -> list[str]:
    """All words that captions of these items can have."""
    texts = [text for number in usable for text in (*items[number].names, *items[number].keywords)]
    words = {word for text in texts for word in words_of(text) if word.isalpha() and len(word) > 1}
    return sorted(ALWAYS_SAID | {word for word in words if not is_held_out_word(word)})
