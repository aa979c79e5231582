"""Scenes made from words, in which things are moved, resized, removed, pasted, repainted and dragged: offline, in two minutes.

python examples/04_things.py [--out out/things] [--only move remove …] [--steps 16] [--preset fast]

Each function is one edit. For each there is NAME.png, the picture with what was selected and the picture afterwards; things.png
shows them all.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image

import pliant
from pliant.images import contact_sheet
from pliant.marks import draw_marks
from pliant.selecting import grow, in_box

Mask = NDArray[np.bool_]
Edit = tuple[Image.Image, Iterator[pliant.DiffusionStep]]
"""The picture with what is asked drawn onto it, and the steps that do it."""
YELLOW = (255, 222, 60)


STEPS = 16
"""Of making a scene; more make it a little finer."""
ROOM = 24
"""Pixels around what is selected that may change too; a thing's shadow needs them."""


@dataclass(frozen=True)
class Kit:
    """What all edits have in common."""

    model: pliant.DiffusionModel
    settings: pliant.ThingSettings
    steps: int = STEPS

    def scene(self, words: str, seed: int = 0) -> pliant.DiffusionPicture:
        """A picture that words describe."""
        return made(self.model, words, self.steps, seed)


def move(kit: Kit) -> Edit:
    """A mushroom moves to the other side of the meadow."""
    words = "a mushroom on grass at dawn"
    scene = kit.scene(words, seed=2)
    mushroom = in_box(pixels(scene), box(scene))
    shift = (room_beside(scene), 0)
    thing = pliant.Thing(mushroom, shift)
    steps = pliant.move(scene, thing, prompt=words, model=kit.model, settings=kit.settings)
    return marked(scene, mushroom, shift), steps


def resize(kit: Kit) -> Edit:
    """A strawberry becomes larger, and leans to the right."""
    words = "a strawberry on a white table in front of a pink wall"
    scene = kit.scene(words, seed=7)
    strawberry = in_box(pixels(scene), box(scene))
    thing = pliant.Thing(strawberry, scale=1.4, turn=25)
    steps = pliant.move(scene, thing, prompt=words, model=kit.model, settings=kit.settings)
    return marked(scene, strawberry), steps


def remove(kit: Kit) -> Edit:
    """A cactus goes, and its shadow; what remains is the desert."""
    scene = kit.scene("a cactus on sand under a blue sky", seed=2)
    cactus = in_box(pixels(scene), box(scene))
    words = "sand under a blue sky"
    steps = pliant.remove(scene, cactus, prompt=words, model=kit.model, settings=kit.settings)
    return marked(scene, cactus), steps


def paste(kit: Kit) -> Edit:
    """A fir tree of another scene comes to stand beside the mushroom."""
    scene = kit.scene("a mushroom on grass at dawn", seed=2)
    other = kit.scene("a fir tree on grass under a grey sky")
    tree = in_box(pixels(other), box(other))
    foot, goal = foot_of(other), foot_of(scene)
    shift = (goal[0] + room_beside(scene) - foot[0], goal[1] - foot[1])
    thing = pliant.Thing(tree, shift, scale=0.8, pivot=foot)
    words = "a fir tree and a mushroom on grass at dawn"
    steps = pliant.paste(scene, other, thing, prompt=words, model=kit.model, settings=kit.settings)
    return beside(marked(scene), marked(other, tree)), steps


def swap(kit: Kit) -> Edit:
    """A tangerine looks like a strawberry, in its own shape; it is selected by a click."""
    scene = kit.scene("a tangerine on a blue table in front of a white wall", seed=1)
    other = kit.scene("a strawberry on a white table in front of a pink wall", seed=7)
    left, top, width, height = box(scene)
    tangerine = grow(pixels(scene), (left + width / 2, top + height / 2))
    strawberry = in_box(pixels(other), box(other))
    words = "a strawberry on a blue table in front of a white wall"
    steps = pliant.swap(
        scene, tangerine, other, strawberry, prompt=words, model=kit.model, settings=kit.settings
    )
    return beside(marked(scene, tangerine), marked(other, strawberry)), steps


def drag(kit: Kit) -> Edit:
    """The tip of a fir tree is pulled to the side, and the tree bends."""
    words = "a fir tree on grass under a grey sky"
    scene = kit.scene(words)
    left, top, width, height = box(scene)
    ys, xs = np.nonzero(in_box(pixels(scene), box(scene)))  # its uppermost pixel is the first
    tip, target = (xs[0], ys[0] + 10), (xs[0] + 0.35 * width, ys[0] + 0.1 * height)
    region = np.zeros(scene.size[::-1], np.bool_)  # as painted with a wide brush
    region[: top + round(0.7 * height), left : left + round(1.3 * width)] = True
    steps = pliant.drag_content(
        scene, [tip], [target], region, prompt=words, model=kit.model, settings=kit.settings
    )
    return draw_marks(marked(scene, region), [tip], [target]), steps


EDITS: dict[str, Callable[[Kit], Edit]] = {
    "move": move,
    "resize": resize,
    "remove": remove,
    "paste": paste,
    "swap": swap,
    "drag": drag,
}


@cache
def made(model: pliant.DiffusionModel, words: str, steps: int, seed: int) -> pliant.DiffusionPicture:
    """A scene, made once."""
    settings = pliant.GenerateSettings(num_inference_steps=steps, seed=seed)
    *_, last = pliant.generate(words, model=model, settings=settings)
    return last.picture


def pixels(picture: pliant.Picture) -> NDArray[np.uint8]:
    """[H, W, 3], to select in."""
    return np.array(picture.image())


def box(picture: pliant.Picture) -> tuple[int, int, int, int]:
    """Where a person would draw a box around the thing: x, y, width, height.

    Grounds, skies and walls look much the same from left to right, so the thing is what is unlike the usual colour of its row.
    """
    rgb = torch.from_numpy(pixels(picture)).movedim(2, 0).float()
    unlike = (rgb - rgb.median(2, keepdim=True).values).abs().amax(0)
    unlike = F.avg_pool2d(unlike[None], 9, 1, 4)[0]
    rows, columns = torch.nonzero(unlike > 0.4 * unlike.max(), as_tuple=True)
    left, top = max(0, int(columns.min()) - 6), max(0, int(rows.min()) - 6)
    return left, top, int(columns.max()) + 7 - left, int(rows.max()) + 7 - top


def room_beside(picture: pliant.Picture) -> float:
    """How far the thing can go to the side that has more room; less than 0 is to the left."""
    left, _, width, _ = box(picture)
    right = picture.size[0] - left - width
    return 0.85 * right if right > left else -0.85 * left


def foot_of(picture: pliant.Picture) -> tuple[float, float]:
    """Where the thing stands."""
    left, top, width, height = box(picture)
    return left + width / 2, top + height


def marked(
    picture: pliant.Picture, mask: Mask | None = None, shift: tuple[float, float] | None = None
) -> Image.Image:
    """The picture with an outline of what is selected, and an arrow to where it goes."""
    image = picture.image()
    if mask is None:
        return image
    inside = torch.from_numpy(mask)[None].float()
    edge = (F.max_pool2d(inside, 3, 1, 1) > F.avg_pool2d(inside, 3, 1, 1) + 1e-3)[0]
    image.paste(YELLOW, mask=Image.fromarray(edge.numpy()))
    if shift is None:
        return image
    ys, xs = np.nonzero(mask)
    middle = float(xs.mean()), float(ys.mean())
    return draw_marks(image, [middle], [(middle[0] + shift[0], middle[1] + shift[1])])


def beside(image: Image.Image, other: Image.Image) -> Image.Image:
    """A picture with a second one in a corner of it."""
    small = other.resize((image.width // 3, image.height // 3), Image.Resampling.LANCZOS)
    image.paste("white", (0, 0, small.width + 3, small.height + 3))
    image.paste(small, (0, 0))
    return image


def main() -> None:
    """Make each, and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("out/things"))
    parser.add_argument("--only", nargs="+", choices=EDITS, default=list(EDITS))
    parser.add_argument("--steps", type=int, default=STEPS, help="of making a scene")
    parser.add_argument(
        "--preset", choices=["fast", "dragondiffusion", "diffeditor", "warp", "copy"], default="fast"
    )
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    kit = Kit(pliant.load_diffusion(), pliant.ThingSettings(preset=args.preset, feather=ROOM), args.steps)
    pictures: list[Image.Image] = []
    for name in args.only:
        before, steps = EDITS[name](kit)
        begun = time.perf_counter()
        *_, last = steps
        pair = [before, last.image]
        seconds = time.perf_counter() - begun
        contact_sheet(pair, 2, ["before", "after"]).save(args.out / f"{name}.png")
        pictures += pair
        print(
            f"{name}: {last.network_calls:.0f} calls of the network, {seconds:.1f} s. See {args.out / name}.png."
        )
    labels = [label for name in args.only for label in (name, "")]
    contact_sheet(pictures, 4, labels).save(args.out / "things.png")


if __name__ == "__main__":
    main()
