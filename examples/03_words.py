"""Drawings that become what words say: the showcase of CLIPVG (arXiv 2212.02122) with the embedded text-image model.

python examples/03_words.py [--out out/words] [--only face glyph …] [--steps 80]

Each function is one of them. For each there is NAME.svg, to be opened in any drawing program, and NAME.png, before and after.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image

import pliant
from pliant import Prompt, RestyleSettings, VectorPicture
from pliant.images import contact_sheet

DRAWINGS = Path(__file__).parent / "drawings"
WIDE = 512
Made = Iterator[pliant.RestyleStep]


def face(steps: int) -> Made:
    """A face restyled: a generated portrait is traced, then shapes and colours move."""
    portrait = pliant.sample("portraits-256", seed=24).image()
    settings = RestyleSettings(max_steps=steps, shape_rate=0.1, crops=8)
    return pliant.restyle(pliant.trace(portrait), "a bronze statue of a person", settings=settings)


def vehicle(steps: int) -> Made:
    """A vehicle changed: the bus of a colouring book is painted and glazed."""
    settings = RestyleSettings(max_steps=steps, change="colours", colour_rate=0.03, crops=8)
    return pliant.restyle(drawing("bus"), "a blue bus", settings=settings)


def building(steps: int) -> Made:
    """A building and all around it recoloured; every shape stays as it was."""
    settings = RestyleSettings(max_steps=steps, change="colours", colour_rate=0.02, crops=8)
    return pliant.restyle(drawing("house"), "a house under the moon light", settings=settings)


def pattern(steps: int) -> Made:
    """A pattern changed: discs and squares become petals."""
    settings = RestyleSettings(max_steps=steps, colour_rate=0.02, shape_rate=0.4, crops=8)
    return pliant.restyle(drawing("pattern"), "a pattern of red flowers", settings=settings)


def glyph(steps: int) -> Made:
    """A letter that becomes a snake with its shape only: its colour stays, and one can still read it."""
    settings = RestyleSettings(max_steps=steps, change="shapes", shape_rate=1.0, crops=8)
    return pliant.restyle(drawing("glyph"), "a snake", settings=settings)


def colouring(steps: int) -> Made:
    """A line drawing coloured: colours only; words for the apple, then, with that locked, words for its leaf."""
    picture = drawing("apple")
    width, height = picture.scene.size
    settings = RestyleSettings(max_steps=steps // 2, change="colours", colour_rate=0.1, crops=8)
    apple = Prompt("a red apple", (0, 0.22 * height, width, 0.78 * height))
    for step in pliant.restyle(picture, apple, settings=settings):
        yield step
        picture = step.picture
    locked = torch.arange(len(picture.scene)) < 2  # the outline and the body
    picture = picture.with_scene(replace(picture.scene, locked_colour=locked))
    leaf = Prompt("a green leaf", (0, 0, 0.56 * width, 0.3 * height))
    yield from pliant.restyle(picture, leaf, settings=replace(settings, colour_rate=0.05))


def group(steps: int) -> Made:
    """A group picture with a prompt for each person."""
    side, seeds = 192, (12, 24, 31)
    photo = Image.new("RGB", (side * len(seeds), side))
    for place, seed in enumerate(seeds):
        photo.paste(pliant.sample("portraits-256", seed).image().resize((side, side)), (side * place, 0))
    texts = ("a person with red hair", "a person in moonlight", "a person made of ice")
    prompts = [Prompt(text, (side * place, 0, side, side)) for place, text in enumerate(texts)]
    settings = RestyleSettings(max_steps=steps, shape_rate=0.1, crops=6)
    return pliant.restyle(pliant.trace(photo), prompts, settings=settings)


EXAMPLES: dict[str, tuple[Callable[[int], Made], int]] = {
    "face": (face, 30),
    "vehicle": (vehicle, 40),
    "building": (building, 50),
    "pattern": (pattern, 40),
    "glyph": (glyph, 50),
    "colouring": (colouring, 80),
    "group": (group, 30),
}
"""What each is made by, and with how many updates."""


def drawing(name: str) -> VectorPicture:
    """One of the drawings that lie beside the examples."""
    return VectorPicture(pliant.read_svg(DRAWINGS / f"{name}.svg").scene)


def shown(picture: VectorPicture) -> Image.Image:
    """The drawing, wide enough for a screen; it has no pixels of its own."""
    return VectorPicture(picture.scene, WIDE / max(picture.scene.size)).image()


def main() -> None:
    """Make each, and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("out/words"))
    parser.add_argument("--only", nargs="+", choices=EXAMPLES, default=list(EXAMPLES))
    parser.add_argument("--steps", type=int, help="updates of each; its own number if not given")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    for name in args.only:
        make, usual = EXAMPLES[name]
        first, *_, last = make(args.steps or usual)
        pliant.save_svg(last.picture.scene, args.out / f"{name}.svg", title=name)
        pictures = [shown(first.picture), shown(last.picture)]
        columns = 1 if pictures[0].width > 2 * pictures[0].height else 2
        contact_sheet(pictures, columns, ["before", "after"]).save(args.out / f"{name}.png")
        agreement = ", ".join(f"{each:.2f}" for each in last.agreement)
        print(f"{name}: agreement {agreement}. See {args.out / name}.svg and .png.")


if __name__ == "__main__":
    main()
