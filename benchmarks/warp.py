"""Copies of what is wanted and selections by hand, all without a network: how good, how fast.

    python benchmarks/warp.py --data .carry/scenes            # two minutes
    python benchmarks/warp.py --data .carry/scenes --json     # prints one object last

* Copies: PSNR to the right answer where it differs from the source (`recipes/scenes/pairs.py`), beside doing nothing and a copy
  over a hole of the mean colour.
* Selections: mean overlap (intersection over union) with the true mask of a thing, for one click in its middle and for the box
  around it with 4 pixels to spare; beside the box itself as the mask.
* Time: median milliseconds of the clock at 512 x 512 and 1024 x 1024, with as many threads as the machine has cores.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.diffusion.things import PlacedThing, Thing, as_things
from pliant.diffusion.warp import drag_pixels, move_pixels, paste_pixels, remove_pixels
from pliant.images import to_uint8
from pliant.selecting import grow, in_box

sys.path.append(str(Path(__file__).parents[1] / "recipes" / "scenes"))
from compose import Composer
from pairs import Pair, draw_pairs, plan_pair
from planning import Planner
from sprites import read_sprites

RESULTS = Path(__file__).parent / "results"
TASKS = ("move", "resize", "turn", "remove", "paste")
ROWS = ("nothing", "mean colour", "copy")
SPARE = 4


def pairs(data: Path, count: int) -> Iterator[Pair]:
    """So many pairs of each task."""
    composer = Composer(sprites := read_sprites(data))
    planner = Planner(sprites)
    yield from draw_pairs(
        composer, [plan_pair(planner, task, seed) for task in TASKS for seed in range(count)]
    )


def placed(pair: Pair) -> tuple[PlacedThing, ...]:
    """The thing of a pair and where it goes."""
    mask = pair.other_mask if pair.task == "paste" else pair.source_mask
    side = pair.source.shape[-1]
    thing = Thing(mask, pair.arrow, pair.scale, math.degrees(pair.turn), pair.pivot)  # type: ignore[arg-type]
    return as_things(thing, (side, side))


def copied(pair: Pair) -> Tensor:
    """The copy of what is wanted."""
    if pair.task == "remove":
        return remove_pixels(pair.source, pair.source_mask).pixels
    if pair.task == "paste" and pair.other is not None:
        return paste_pixels(pair.source, pair.other, placed(pair)).pixels
    return move_pixels(pair.source, placed(pair)).pixels


def over_mean_colour(pair: Pair) -> Tensor:
    """A plain copy over a hole of the picture's mean colour."""
    hole = pair.source_mask
    behind = hole * pair.source.mean((1, 2))[:, None, None] + (1 - hole) * pair.source
    if pair.task == "remove":
        return behind
    (thing,) = placed(pair)
    shown = pair.other if pair.task == "paste" else pair.source
    places = thing.origins(*pair.source.shape[1:]) + 0.5
    grid = places / pair.source.shape[-1] * 2 - 1
    moved = F.grid_sample(shown[None], grid[None], align_corners=False)[0]  # type: ignore[index]
    return thing.placed * moved + (1 - thing.placed) * behind


def decibels(made: Tensor, pair: Pair) -> float:
    """PSNR where the answer differs from the source."""
    error = (((made - pair.target).square() * pair.touched).sum() / (3 * pair.touched.sum())).item()
    return 10 * math.log10(4 / error)


def copies(data: Path, count: int) -> dict[str, dict[str, float]]:
    """Mean decibels by task and row."""
    found: dict[str, dict[str, list[float]]] = {task: {row: [] for row in ROWS} for task in TASKS}
    for pair in pairs(data, count):
        for row, made in zip(ROWS, (pair.source, over_mean_colour(pair), copied(pair)), strict=True):
            found[pair.task][row].append(decibels(made, pair))
    return {
        task: {row: statistics.fmean(values) for row, values in rows.items()} for task, rows in found.items()
    }


def selections(data: Path, count: int) -> dict[str, Any]:
    """Overlaps of selections with the true masks of things."""
    composer = Composer(sprites := read_sprites(data))
    planner = Planner(sprites)
    overlaps: dict[str, list[float]] = {"the box itself": [], "box": [], "click": []}
    seed = 0
    while len(overlaps["box"]) < count:
        scene = planner.scene(10_000 + seed)
        seed += 1
        if not scene.things:
            continue
        drawn = composer.draw([scene])
        image, mask = to_uint8(drawn.pictures[0]).numpy(), drawn.masks[0, 0].numpy() > 0.5
        if mask.sum() < 200:
            continue
        ys, xs = np.nonzero(mask)
        left, top = max(0, int(xs.min()) - SPARE), max(0, int(ys.min()) - SPARE)
        box = left, top, int(xs.max()) + 1 + SPARE - left, int(ys.max()) + 1 + SPARE - top
        boxed = np.zeros_like(mask)
        boxed[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = True
        nearest = ((xs - xs.mean()) ** 2 + (ys - ys.mean()) ** 2).argmin()
        for name, selected in (
            ("the box itself", boxed),
            ("box", in_box(image, box)),
            ("click", grow(image, (float(xs[nearest]), float(ys[nearest])))),
        ):
            overlaps[name].append(float((selected & mask).sum() / (selected | mask).sum()))
    return {
        name: {"mean": statistics.fmean(values), "quantiles": np.quantile(values, (0.1, 0.25, 0.5)).tolist()}
        for name, values in overlaps.items()
    }


def times(data: Path) -> dict[str, dict[str, float]]:
    """Median milliseconds by size and what is done."""
    some = {pair.task: pair for pair in pairs(data, 1)}
    found: dict[str, dict[str, float]] = {}
    for side in (512, 1024):
        zoom = side / 256
        larger = {task: _larger(pair, side) for task, pair in some.items()}
        source, mask = larger["move"]
        image = to_uint8(source).numpy()
        ys, xs = torch.nonzero(mask > 0.5, as_tuple=True)
        box = (int(xs.min()), int(ys.min()), int(xs.max() - xs.min()), int(ys.max() - ys.min()))
        middle = torch.stack([xs, ys], 1).float().mean(0)
        handles = torch.stack([middle, middle + torch.tensor([box[2] / 4.0, 0.0])])
        targets = handles + torch.tensor([[box[2] / 5.0, 0.0], [0.0, box[3] / 6.0]])
        area = F.max_pool2d(mask[None, None], 33, 1, 16)[0, 0]
        pair = some["move"]
        shift = tuple(zoom * each for each in pair.arrow)
        (thing,) = as_things(Thing(mask, shift), (side, side))  # type: ignore[arg-type]
        doing: dict[str, Callable[[], Any]] = {
            "move": partial(move_pixels, source, [thing]),
            "remove": partial(remove_pixels, source, mask),
            "drag, two arrows": partial(drag_pixels, source, handles, targets, area),
            "box": partial(in_box, image, box),
            "click": partial(grow, image, (float(middle[0]), float(middle[1]))),
        }
        found[str(side)] = {name: _milliseconds(do) for name, do in doing.items()}
    return found


def _larger(pair: Pair, side: int) -> tuple[Tensor, Tensor]:
    def resized(values: Tensor) -> Tensor:
        return F.interpolate(values[None], (side, side), mode="bilinear")[0]

    return resized(pair.source), resized(pair.source_mask[None])[0]


def _milliseconds(do: Callable[[], Any], repeats: int = 9) -> float:
    do()
    spent = []
    for _ in range(repeats):
        began = time.perf_counter()
        do()
        spent.append(1e3 * (time.perf_counter() - began))
    return statistics.median(spent)


def page(summary: dict[str, Any]) -> str:
    """What `benchmarks/results/` keeps."""
    lines = ["| | " + " | ".join((*TASKS, "mean")) + " |", "| --- " * 7 + "|"]
    for row in ROWS:
        values = [summary["copies"][task][row] for task in TASKS]
        lines.append(
            f"| {row} | " + " | ".join(f"{each:.2f}" for each in (*values, statistics.fmean(values))) + " |"
        )
    lines += ["", "| selected by | mean overlap | 10 % | 25 % | 50 % |", "| --- " * 5 + "|"]
    for name, each in summary["selections"].items():
        cells = [f"{each['mean']:.3f}", *(f"{value:.2f}" for value in each["quantiles"])]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    sizes = list(summary["milliseconds"])
    lines += [
        "",
        "| ms | " + " | ".join(f"{side} x {side}" for side in sizes) + " |",
        "| --- " * (1 + len(sizes)) + "|",
    ]
    for name in summary["milliseconds"][sizes[0]]:
        cells = [f"{summary['milliseconds'][side][name]:.0f}" for side in sizes]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return f"""# Copies and selections without a network

{summary["machine"]}. {summary["pairs"]} pairs of each task, {summary["things"]} things.

Command: `{summary["command"]}`

Decibels to the right answer where it differs from the source; overlap of selections with true masks; milliseconds.
`benchmarks/warp.py` says more.

{chr(10).join(lines)}
"""


def main(argv: list[str] | None = None) -> int:
    """Run, print the tables, write them to `benchmarks/results/`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the packed things")
    parser.add_argument("--pairs", type=int, default=40, help="of each task")
    parser.add_argument("--things", type=int, default=200, help="to select")
    parser.add_argument("--json", action="store_true", help="print one object last")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the results")
    args = parser.parse_args(argv)
    summary = {
        "benchmark": "warp",
        "command": shlex.join(["python", "benchmarks/warp.py", *(sys.argv[1:] if argv is None else argv)]),
        "machine": f"{os.cpu_count()} CPU cores ({platform.machine()}), torch {torch.__version__}",
        "pairs": args.pairs,
        "things": args.things,
        "copies": copies(args.data, args.pairs),
        "selections": selections(args.data, args.things),
        "milliseconds": times(args.data),
    }
    told = page(summary)
    print(told)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "warp.md").write_text(told)
    (args.out / "warp.json").write_text(json.dumps(summary, indent=1) + "\n")
    if args.json:
        print(json.dumps(summary))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
