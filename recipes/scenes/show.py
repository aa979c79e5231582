"""Sheets of what training sees, and of pairs with a right answer: source, target, what was touched, masks, second picture.

python recipes/scenes/show.py --data .carry/scenes --out recipes/scenes
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from compose import Composer
from pairs import TASKS, Pair, draw_pairs, plan_pair
from PIL import Image
from planning import Planner
from sample import sheet
from sprites import Sprites, read_sprites
from torch import Tensor


def scenes_sheet(sprites: Sprites, count: int, seed: int, side: int = 256) -> Image.Image:
    """So many scenes, eight in a row."""
    planner, composer = Planner(sprites), Composer(sprites, side)
    return sheet(composer.draw([planner.scene(seed + k) for k in range(count)]).pictures, 8)


def pairs_sheet(sprites: Sprites, seed: int, side: int = 256) -> Image.Image:
    """A row for each task; masks before in red, after in green."""
    planner, composer = Planner(sprites), Composer(sprites, side)
    pairs = draw_pairs(composer, [plan_pair(planner, task, seed) for task in TASKS])
    return sheet(torch.stack([picture for pair in pairs for picture in _row(pair)]), 6)


def _row(pair: Pair) -> list[Tensor]:
    nothing = torch.ones_like(pair.source)
    masks = torch.stack([pair.source_mask, pair.target_mask, 0 * pair.source_mask]) * 2 - 1
    second = nothing if pair.other is None else pair.other
    where = nothing if pair.other_mask is None else pair.other_mask.expand_as(nothing) * 2 - 1
    return [pair.source, pair.target, pair.touched.expand_as(nothing) * 2 - 1, masks, second, where]


def main(arguments: list[str] | None = None) -> None:
    """Draw both sheets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the parts that pack.py wrote")
    parser.add_argument("--out", type=Path, default=Path("runs/scenes"))
    parser.add_argument("--count", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=160)
    args = parser.parse_args(arguments)
    sprites = read_sprites(args.data)
    args.out.mkdir(parents=True, exist_ok=True)
    scenes_sheet(sprites, args.count, args.seed, args.side).save(args.out / "scenes.jpg", quality=86)
    pairs_sheet(sprites, args.seed, args.side).save(args.out / "pairs.jpg", quality=86)


if __name__ == "__main__":
    main()
