"""Several edits on one picture: repaint a part, add a learnt edit, drag a point. On a generated picture or on your photo.

python examples/02_parts_and_photo.py [--out out] [--photo me.jpg] [--edit smile] [--steps 30]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import torch

import pliant
from pliant.gan.align import crop_face, cut
from pliant.gan.inversions import invert_kept
from pliant.gan.invert import InvertSettings
from pliant.gan.latent import LatentPicture, load_generator
from pliant.gan.part_edit import RepaintSettings, repaint
from pliant.gan.parts import PartMap, segment
from pliant.gan.vectors import find_vector
from pliant.images import contact_sheet, load_image, to_tensor
from pliant.perception.landmarks import NOSE_TIP, load_landmarks


def opened(photo: Path, steps: int) -> LatentPicture:
    """The picture that the model makes of a photo; kept, so that the second time is fast."""
    generator = load_generator("portraits-256")
    whole = load_image(photo)
    face = to_tensor(cut(whole, crop_face(whole, generator.config.size)))
    settings = InvertSettings(w_steps=steps, wplus_steps=4 * steps, tune_steps=4 * steps)
    return last(invert_kept(generator, face, settings=settings)).picture


def fringe(parts: PartMap) -> torch.Tensor:
    """The part map with hair over the forehead, down to just above the brows."""
    ids, id_of = parts.ids.clone(), parts.head.id_of
    brows = (ids == id_of("left brow")) | (ids == id_of("right brow"))
    lowest = int(brows.any(1).nonzero()[0]) - 3
    forehead = ids[:lowest]
    forehead[forehead == id_of("skin")] = id_of("hair")
    return ids


def edited(picture: LatentPicture, name: str, steps: int) -> list[LatentPicture]:
    """The picture before, and after each of three edits on top of one another."""
    painted = repaint(picture, fringe(segment(picture)), settings=RepaintSettings(max_steps=steps))
    hair = last(painted).picture
    learnt = find_vector(hair.generator, name).apply(hair, 0.8)
    nose = load_landmarks().detect(learnt.pixels()[None]).points[0, NOSE_TIP]
    settings = pliant.DragSettings(max_steps=2 * steps, hold_back=1.0)
    dragged = last(
        pliant.drag(learnt, [nose.tolist()], [(nose + torch.tensor([14.0, 0.0])).tolist()], settings=settings)
    )
    return [picture, hair, learnt, dragged.picture]


def last(steps: Iterable):
    """Run an edit to its end."""
    *_, step = steps
    return step


def main() -> None:
    """Edit, and write a sheet of what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--photo", type=Path, help="a portrait; a generated one if not given")
    parser.add_argument("--seed", type=int, default=24)
    parser.add_argument("--edit", default="smile", help="a learnt edit; pliant vector list names them all")
    parser.add_argument("--steps", type=int, default=30)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    picture = opened(args.photo, args.steps) if args.photo else pliant.sample("portraits-256", args.seed)
    pictures = edited(picture, args.edit, args.steps)
    sheet = args.out / "parts_and_photo.png"
    labels = ["before", "hair painted", f"+ {args.edit}", "+ dragged"]
    contact_sheet([each.image() for each in pictures], 4, labels).save(sheet)
    print(f"See {sheet}.")


if __name__ == "__main__":
    main()
