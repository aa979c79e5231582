"""Makes the pictures of docs/things.md: pictures from words, every edit with every preset, a thing on its way. Seven minutes.

.venv/bin/python docs/things_pictures.py [--only words edits moving]
"""

from __future__ import annotations

import argparse
import runpy
import textwrap
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import pliant
from pliant.animation import save_animation
from pliant.images import contact_sheet, load_image
from pliant.picture import PixelPicture
from pliant.selecting import in_box

IMAGES = Path(__file__).parent / "images" / "things"
PHOTO = IMAGES.parent / "astronaut.jpg"
"""Eileen Collins, by NASA; in the public domain."""
PATCH = (130, 340, 84, 90)
"""Around the patch on her suit: x, y, width, height."""
EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "04_things.py"))
TITLES = {
    "move": "move",
    "resize": "resize, turn",
    "remove": "remove",
    "paste": "paste",
    "swap": "swap looks",
    "drag": "drag content",
}
PRESETS = ("copy", "warp", "fast", "dragondiffusion")
WORDS = (
    ("a mushroom on grass at dawn", 2),
    ("a strawberry on a white table in front of a pink wall", 7),
    ("a cactus on sand under a blue sky", 2),
    ("a fir tree on grass under a grey sky", 0),
    ("a tangerine on a blue table in front of a white wall", 1),
    ("a red car on grass under a blue sky", 1),
    ("a castle on sand at sunset", 1),
    ("a sailboat on water under a blue sky", 1),
    ("a volcano on earth at sunset", 1),
    ("two gems on a purple background", 1),
    ("a yellow taxi on a road under a cloudy sky", 1),
    ("a smiling face on a turquoise background", 0),
)
"""With seeds; the first five are those that are edited."""
SHOWN = 176
"""Pixels a side of a picture in a sheet."""


def words(kit: Any) -> None:
    """Twelve pictures with what was said."""
    made = [captioned(kit.scene(text, seed).image(), text, lines=2) for text, seed in WORDS]
    save(made, 4, "words")


def edits(kit: Any) -> None:
    """A row for each edit: what is asked, and what each preset makes of it; the last row is a photo, by `copy` alone."""
    shown: list[Image.Image] = []
    for name, title in TITLES.items():
        for preset in PRESETS:
            settings = replace(kit.settings, preset=preset)
            asked, steps = EXAMPLE["EDITS"][name](replace(kit, settings=settings))
            if preset == PRESETS[0]:
                shown.append(captioned(asked, title))
            shown.append(captioned(last(steps), preset))
    shown += [captioned(image, text) for text, image in copies().items()]
    save(shown, 1 + len(PRESETS), "edits")


def copies() -> dict[str, Image.Image]:
    """Edits of a photo that need no model."""
    photo = PixelPicture.of(load_image(PHOTO))
    patch = in_box(np.array(photo.image()), PATCH)
    shift, middle = (137, -92), (PATCH[0] + PATCH[2] / 2, PATCH[1] + PATCH[3] / 2)
    pulled = (middle[0] + 40, middle[1] - 40)
    around = np.zeros(photo.size[::-1], np.bool_)
    around[300:470, 60:290] = True
    how = pliant.ThingSettings(preset="copy")
    return {
        "a photo": EXAMPLE["marked"](photo, patch, shift),
        "copy: move": last(pliant.move(photo, pliant.Thing(patch, shift), settings=how)),
        "copy: resize, turn": last(
            pliant.move(photo, pliant.Thing(patch, scale=1.5, turn=-30), settings=how)
        ),
        "copy: remove": last(pliant.remove(photo, patch, settings=how)),
        "copy: drag content": last(pliant.drag_content(photo, [middle], [pulled], around, settings=how)),
    }


def moving(kit: Any) -> None:
    """A thing is pulled, as a copy; then `fast` makes it, and each of its steps is seen."""
    scene = kit.scene(*WORDS[0])
    thing = in_box(EXAMPLE["pixels"](scene), EXAMPLE["box"](scene))
    shift = (EXAMPLE["room_beside"](scene), 0)
    copy = replace(kit.settings, preset="copy")
    frames = [EXAMPLE["marked"](scene, thing, shift)] * 10
    for part in range(1, 13):
        way = pliant.Thing(thing, (shift[0] * part / 12, 0))
        frames.append(last(pliant.move(scene, way, settings=copy)))
    steps = pliant.move(
        scene, pliant.Thing(thing, shift), prompt=WORDS[0][0], model=kit.model, settings=kit.settings
    )
    *live, end = (step for step in steps if step.phase == "edit")
    frames += [frame for step in live for frame in [step.picture.preview()] * 2] + [end.image] * 20
    save_animation(frames, IMAGES / "moving.webp", fps=12)


def last(steps: Iterable[pliant.DiffusionStep]) -> Image.Image:
    """The picture at the end."""
    *_, step = steps
    return step.image


def captioned(image: Image.Image, text: str, lines: int = 1) -> Image.Image:
    """The picture with words below it."""
    size = SHOWN // 15
    tile = Image.new("RGB", (SHOWN, SHOWN + round(1.45 * size * lines)), "white")
    tile.paste(image.resize((SHOWN, SHOWN), Image.Resampling.LANCZOS))
    pen, font = ImageDraw.Draw(tile), ImageFont.load_default(size)
    for number, line in enumerate(textwrap.wrap(text, 30)):
        pen.text((SHOWN / 2, SHOWN + size * (0.8 + 1.3 * number)), line, "black", font, anchor="mm")
    return tile


def save(tiles: list[Image.Image], columns: int, name: str) -> None:
    """As one JPEG."""
    contact_sheet(tiles, columns).save(IMAGES / f"{name}.jpg", quality=72, optimize=True)


def main() -> None:
    """Make them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = {"words": words, "edits": edits, "moving": moving}
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    args = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    kit = EXAMPLE["Kit"](pliant.load_diffusion(), pliant.ThingSettings(feather=EXAMPLE["ROOM"]))
    for name in args.only:
        parts[name](kit)
    for path in sorted(IMAGES.iterdir()):
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
