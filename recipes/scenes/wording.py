"""Scenes in words: "a red car left of a tree on grass under a blue sky", with parts left out now and then."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from planning import Placed, Scene
from sprites import Thing

LEFT, RIGHT = ("left of", "to the left of"), ("right of", "to the right of")
MANY = {"pair of ": "pairs of ", "piece of ": "pieces of ", "bowl of ": "bowls of ", "box of ": "boxes of "}


def caption(scene: Scene, things: Sequence[Thing], random: Random | None = None) -> str:
    """What a scene shows.

    Args:
        scene: the scene.
        things: the sprites' names.
        random: leaves parts out and picks among words; without it everything is said, in the first words that there are.
    """
    drop = (lambda share: random.random() < share) if random else (lambda _: False)
    said = [] if drop(0.03) else _things(scene, things, random)
    ground = "" if drop(0.22) and said else scene.ground_words
    sky = "" if drop(0.25) and (said or ground) else scene.sky_words
    return " ".join(part for part in (*said, ground, sky) if part)


def name_of(placed: Placed, things: Sequence[Thing], *, coloured: bool = True) -> str:
    """A thing with its article and, where it has one that is told, its colour."""
    name = things[placed.item].name
    colour = placed.colour if coloured and _takes_colour(name) else ""
    return with_article(f"{colour} {name}".strip())


def with_article(name: str) -> str:
    """Puts "a" or "an" before a name, nothing before many."""
    first = name.split(maxsplit=1)[0].lower()
    if (
        name.rsplit(maxsplit=1)[-1] in {"grapes", "cherries", "blueberries"}
        or name.endswith(" leaves")
        or name == "sushi"
    ):
        return name
    return f"{'an' if first[0] in 'aeiou' and not first.startswith(('uni', 'eu')) else 'a'} {name}"


def counted(name: str, count: int) -> str:
    """Two, three or four of a name."""
    number = ("", "one", "two", "three", "four")[count]
    for one, many in MANY.items():
        if name.startswith(one):
            return f"{number} {many}{name.removeprefix(one)}"
    head, joint, rest = name, "", ""
    for word in (" with ", " of ", " and "):
        if word in name:
            head, joint, rest = name.partition(word)
            break
    return f"{number} {_plural(head)}{joint}{rest}"


def relation(one: Placed, other: Placed, random: Random | None = None) -> str:
    """Where the first is, seen from the other."""
    across, down = one.x - other.x, one.y - other.y
    reach = 0.5 * (one.size + other.size)
    pick = random.choice if random else (lambda words: words[0])
    if abs(across) > 0.45 * reach and abs(across) > 0.6 * abs(down):
        return pick(RIGHT if across > 0 else LEFT)
    if one.stands != other.stands or not one.stands:
        if abs(down) > 0.3 * reach:
            return pick(("under", "below")) if down > 0 else pick(("above", "over"))
    elif abs(down) > 0.16:
        return "in front of" if down > 0 else "behind"
    return pick(("next to", "beside"))


def _things(scene: Scene, things: Sequence[Thing], random: Random | None) -> list[str]:
    shown = list(scene.things)
    if random and len(shown) > 1:
        random.shuffle(shown)
        if random.random() < 0.08:
            shown.pop()
    coloured = [not random or random.random() < (0.9 if thing.hue else 0.35) for thing in shown]
    if not shown:
        return []
    names = [name_of(thing, things, coloured=say) for thing, say in zip(shown, coloured, strict=True)]
    if len({thing.item for thing in shown}) == 1 and len(shown) > 1:
        return [counted(things[shown[0].item].name, len(shown))]
    if len(shown) == 1:
        return names
    if len(shown) == 2 and (not random or random.random() < 0.75):
        return [f"{names[0]} {relation(shown[0], shown[1], random)} {names[1]}"]
    if len(shown) == 3 and random and random.random() < 0.4:
        return [f"{names[0]} {relation(shown[0], shown[1], random)} {names[1]} and {names[2]}"]
    return [f"{', '.join(names[:-1])} and {names[-1]}"]


def _takes_colour(name: str) -> bool:
    return not {"red", "black", "polar"} & set(name.split())


def _plural(word: str) -> str:
    if word.endswith(
        ("grapes", "cherries", "blueberries", "leaves", "fish", "sushi", "sheep", "bread", "meat")
    ):
        return word
    if word.endswith("mouse"):
        return word.removesuffix("mouse") + "mice"
    if word.endswith(("s", "sh", "ch", "x")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"
