"""What a portrait may be made of: styles, colours and how often they occur.

Colours are linear RGB, 0..1, unless they say sRGB.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Colour = tuple[float, float, float]


class HairColour(NamedTuple):
    """A colour of hair and how frequent it is with light, medium and dark skin."""

    root: Colour
    tip: Colour
    frequency: tuple[float, float, float]


class HairStyle(NamedTuple):
    """A hairstyle: words of the caption, frequency among women and men, how it is drawn."""

    words: str
    women: float
    men: float
    kind: str
    """mesh (a fitted mesh), shell (short fur on the scalp) or none."""


class Frame(NamedTuple):
    """Material of a pair of glasses."""

    colour: Colour
    roughness: float
    specular: float


HAIR_COLOURS = {
    "black": HairColour((0.010, 0.008, 0.007), (0.014, 0.011, 0.010), (0.10, 0.50, 0.62)),
    "dark brown": HairColour((0.022, 0.013, 0.009), (0.040, 0.022, 0.013), (0.22, 0.28, 0.22)),
    "brown": HairColour((0.050, 0.026, 0.014), (0.085, 0.043, 0.020), (0.20, 0.10, 0.05)),
    "light brown": HairColour((0.095, 0.052, 0.026), (0.17, 0.095, 0.045), (0.12, 0.03, 0.01)),
    "blond": HairColour((0.20, 0.125, 0.060), (0.42, 0.29, 0.145), (0.15, 0.02, 0.01)),
    "platinum blond": HairColour((0.40, 0.32, 0.21), (0.62, 0.53, 0.38), (0.04, 0.01, 0.01)),
    "red": HairColour((0.14, 0.036, 0.010), (0.27, 0.075, 0.022), (0.08, 0.01, 0.005)),
    "auburn": HairColour((0.060, 0.018, 0.008), (0.125, 0.034, 0.013), (0.06, 0.03, 0.02)),
    "grey": HairColour((0.16, 0.155, 0.15), (0.26, 0.25, 0.245), (0, 0, 0)),
    "white": HairColour((0.46, 0.45, 0.43), (0.60, 0.59, 0.57), (0, 0, 0)),
    "pink": HairColour((0.12, 0.03, 0.06), (0.60, 0.16, 0.30), (0.01, 0.01, 0.01)),
    "blue": HairColour((0.02, 0.03, 0.08), (0.06, 0.16, 0.45), (0.01, 0.01, 0.01)),
}

HAIR_STYLES = {
    "short01": HairStyle("short swept hair", 0.05, 0.16, "mesh"),
    "short02": HairStyle("short hair", 0.03, 0.20, "mesh"),
    "short03": HairStyle("chin-length hair", 0.06, 0.04, "mesh"),
    "short04": HairStyle("short neat hair", 0.03, 0.18, "mesh"),
    "bob01": HairStyle("a bob", 0.08, 0, "mesh"),
    "bob02": HairStyle("a bob haircut", 0.12, 0.02, "mesh"),
    "long01": HairStyle("long hair", 0.24, 0.03, "mesh"),
    "ponytail01": HairStyle("a ponytail", 0.17, 0.015, "mesh"),
    "braid01": HairStyle("braided hair", 0.13, 0.01, "mesh"),
    "afro01": HairStyle("an afro", 0.05, 0.045, "mesh"),
    "curls": HairStyle("very short curls", 0.02, 0.08, "shell"),
    "buzz": HairStyle("a buzz cut", 0.015, 0.12, "shell"),
    "bald": HairStyle("a bald head", 0.005, 0.09, "none"),
}
OVER_THE_EYE = ("bob01", "bob02", "short03")
"""Styles that fall over an eye; they mostly get a fringe cut above the eyes."""
WAVY = ("long01", "bob02", "ponytail01")
"""Styles long enough for waves."""

THEMES = {
    "neutral": 0.20,
    "smile": 0.34,
    "laugh": 0.13,
    "open": 0.08,
    "surprise": 0.07,
    "frown": 0.06,
    "sad": 0.04,
    "kiss": 0.04,
    "smirk": 0.04,
}

EYE_COLOURS = {
    "blue": "blue",
    "bluegreen": "blue-green",
    "brown": "brown",
    "brownlight": "light brown",
    "green": "green",
    "grey": "grey",
    "ice": "pale blue",
    "lightblue": "light blue",
}
"""Texture name to the caption's words."""

BEARDS = {
    "none": 0.46,
    "stubble": 0.24,
    "short beard": 0.11,
    "full beard": 0.06,
    "moustache": 0.04,
    "chinstrap beard": 0.05,
}

GLASSES = {
    "black": Frame((0.012, 0.012, 0.013), 0.25, 0.6),
    "brown": Frame((0.10, 0.042, 0.018), 0.25, 0.6),
    "gold": Frame((0.55, 0.38, 0.14), 0.3, 2.2),
    "silver": Frame((0.5, 0.5, 0.52), 0.3, 2.2),
    "red": Frame((0.35, 0.02, 0.03), 0.25, 0.6),
}
GLASSES_FREQUENCY = {"none": 0.86, "black": 0.06, "brown": 0.03, "gold": 0.02, "silver": 0.02, "red": 0.01}

LIPSTICKS = {
    "red": (0.42, 0.02, 0.03),
    "pink": (0.55, 0.13, 0.20),
    "plum": (0.17, 0.02, 0.07),
    "coral": (0.58, 0.13, 0.08),
}
LIPSTICK_FREQUENCY = {"": 0.6, "red": 0.12, "pink": 0.14, "plum": 0.06, "coral": 0.08}

COLOURS = {
    "white": (0.78, 0.78, 0.77),
    "black": (0.018, 0.018, 0.020),
    "grey": (0.22, 0.22, 0.23),
    "red": (0.50, 0.035, 0.035),
    "dark red": (0.19, 0.016, 0.022),
    "orange": (0.70, 0.22, 0.035),
    "yellow": (0.75, 0.52, 0.07),
    "green": (0.06, 0.28, 0.07),
    "dark green": (0.018, 0.085, 0.035),
    "teal": (0.02, 0.25, 0.24),
    "light blue": (0.26, 0.47, 0.68),
    "blue": (0.04, 0.12, 0.45),
    "navy": (0.012, 0.022, 0.085),
    "purple": (0.16, 0.045, 0.30),
    "pink": (0.72, 0.28, 0.38),
    "beige": (0.56, 0.44, 0.30),
    "brown": (0.13, 0.062, 0.028),
}
"""Colours of clothes and backdrops."""

CLOTHES = {
    "female_casualsuit01": 1.0,
    "female_casualsuit02": 1.0,
    "female_elegantsuit01": 1.0,
    "female_sportsuit01": 0.7,
    "male_casualsuit01": 1.0,
    "male_casualsuit02": 1.0,
    "male_casualsuit03": 1.0,
    "male_casualsuit04": 1.0,
    "male_casualsuit05": 0.8,
    "male_casualsuit06": 1.0,
    "male_elegantsuit01": 1.0,
    "male_worksuit01": 0.8,
}
CLOTHES_WORDS = {
    "male_elegantsuit01": "a suit",
    "male_worksuit01": "work clothes",
    "female_elegantsuit01": "an elegant top",
    "female_sportsuit01": "a sports top",
}
KEEP_TEXTURE = {"male_elegantsuit01": 0.9}
"""Chance that a garment keeps its painted texture (a suit with shirt and tie); 0.12 for the others."""
CLOTHES_COLOURS = {
    "white": 1.2,
    "black": 1.1,
    "grey": 1,
    "red": 0.9,
    "dark red": 0.6,
    "orange": 0.4,
    "yellow": 0.4,
    "green": 0.5,
    "dark green": 0.6,
    "teal": 0.6,
    "light blue": 0.9,
    "blue": 1,
    "navy": 1,
    "purple": 0.5,
    "pink": 0.6,
    "beige": 0.9,
    "brown": 0.7,
}
PATTERNS = (
    "",
    "plain",
    "horizontally striped",
    "vertically striped",
    "chequered",
    "dotted",
    "camouflage",
    "two-tone",
    "banded",
)
"""Words of each `cloth_pattern`; the numbers are the shader's."""
PATTERN_FREQUENCY = (0.56, 0.12, 0.06, 0.07, 0.05, 0.04, 0.06, 0.04)
"""Of the patterns 1 to 8."""

BACKGROUNDS = {"photo": 0.55, "gradient": 0.25, "plain": 0.20}

SKIN_TONES = ((236, 206, 188), (226, 186, 161), (194, 149, 120), (139, 100, 78), (88, 62, 51))
"""sRGB bytes, light to dark."""
SKIN_TONE_WORDS = ("very light", "light", "medium", "brown", "dark")


def skin_albedo(tone: float) -> np.ndarray:
    """Linear diffuse albedo of skin for tone 0 (light) .. 1 (dark)."""
    linear = (np.array([np.asarray(colour, float) / 255.0 for colour in SKIN_TONES]) ** 2.2) * 0.80
    place = tone * (len(SKIN_TONES) - 1)
    return np.array([np.interp(place, range(len(SKIN_TONES)), linear[:, channel]) for channel in range(3)])
