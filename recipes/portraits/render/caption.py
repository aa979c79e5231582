"""One English sentence about a portrait, from its attributes."""

from __future__ import annotations

from sample import Expression, Portrait
from tables import CLOTHES_WORDS, EYE_COLOURS, HAIR_STYLES, OVER_THE_EYE, PATTERNS, SKIN_TONE_WORDS

MOOD = {
    "laugh": "laughing",
    "open": "with an open mouth",
    "surprise": "looking surprised",
    "frown": "frowning",
    "sad": "looking sad",
    "kiss": "pursing the lips",
    "smirk": "smirking",
    "neutral": "with a neutral expression",
}


def caption(portrait: Portrait) -> str:
    """One English sentence."""
    person = portrait.person
    age = _age(person.years)
    article = "an" if age[0] in "aeiou" else "a"
    tone = SKIN_TONE_WORDS[min(4, int(person.tone * 5))]
    who = f"a portrait of {article} {age} {'woman' if person.female else 'man'} with {tone} skin"
    features = _features(portrait)
    listed = features[0]
    if len(features) > 1:
        listed = f"{', '.join(features[:-1])} and {features[-1]}"
    return (
        f"{who}, {listed}, {', '.join(_expression(portrait))}, "
        f"wearing {_clothes(portrait)}, {_background(portrait)}"
    )


def _age(years: int) -> str:
    if years < 32:
        return "young"
    if years < 54:
        return "middle-aged"
    return "elderly" if years > 64 else "older"


def _features(portrait: Portrait) -> list[str]:
    hair, face, expression = portrait.hair, portrait.face, portrait.expression
    features = [_hair(portrait)]
    if hair.beard != "none":
        features.append({"stubble": "stubble", "moustache": "a moustache"}.get(hair.beard, f"a {hair.beard}"))
    if expression.left_eye_open > 0.5 or expression.right_eye_open > 0.5:
        features.append(f"{EYE_COLOURS[face.eye_colour]} eyes")
    if face.glasses != "none":
        features.append(f"{face.glasses} glasses")
    if face.freckles:
        features.append("freckles")
    if face.lipstick:
        features.append(f"{face.lipstick} lipstick")
    return features


def _hair(portrait: Portrait) -> str:
    hair = portrait.hair
    if hair.style == "bald":
        return "a bald head"
    words = HAIR_STYLES[hair.style].words
    counted = words.startswith(("a ", "an "))
    if counted:
        words = words.split(" ", 1)[1]
    if hair.fringe:
        words += " with a fringe"
    elif hair.style in OVER_THE_EYE:
        words += " falling over one eye"
    article = ("an " if hair.colour[0] in "ao" else "a ") if counted else ""
    return f"{article}{hair.colour} {words}"


def _expression(portrait: Portrait) -> list[str]:
    expression: Expression = portrait.expression
    if expression.theme == "smile":
        words = ["smiling" if expression.smile > 0.3 else "with a slight smile"]
    else:
        words = [MOOD[expression.theme]]
    if expression.wink:
        words.append("winking")
    elif max(expression.left_eye_open, expression.right_eye_open) < 0.3:
        words.append("eyes closed")
    yaw = -portrait.pose.yaw if portrait.mirror else portrait.pose.yaw
    if abs(yaw) > 18:
        words.append(f"head turned to the {'right' if yaw > 0 else 'left'} of the picture")
    return words


def _clothes(portrait: Portrait) -> str:
    clothes = portrait.clothes
    garment = CLOTHES_WORDS.get(clothes.name, "a top")
    if not clothes.pattern:
        return garment.replace("a top", "a patterned top")
    colours = clothes.colour
    if clothes.colour2 and clothes.colour2 != clothes.colour:
        colours += f" and {clothes.colour2}"
    counted = garment.startswith(("a ", "an "))
    noun = garment.split(" ", 1)[1] if counted else garment
    pattern = PATTERNS[clothes.pattern]
    words = f"{colours} {noun}" if pattern == "plain" else f"{pattern} {colours} {noun}"
    article = ("an " if words[0] in "aeiou" else "a ") if counted else ""
    return article + words


def _background(portrait: Portrait) -> str:
    background = portrait.background
    if background.kind == "photo":
        return "in front of a blurred background"
    article = "an" if background.colour == "orange" else "a"
    return f"in front of {article} {background.colour} {'wall' if background.kind == 'plain' else 'backdrop'}"
