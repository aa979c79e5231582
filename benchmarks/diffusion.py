"""How near edits of things come to a right answer that is known, and what they cost.

    python benchmarks/diffusion.py --data .carry/scenes                       # this machine's CPU: hours
    python benchmarks/diffusion.py --data .carry/scenes --device cuda --workers 12    # all GPUs that there are
    python benchmarks/diffusion.py --data .carry/scenes --device cuda --count 1 --drags 1 --name alone

Pairs are scenes that were never trained on, drawn twice (`recipes/scenes/pairs.py`): with one thing moved, resized, turned,
removed, pasted or given other colours, its shadow with it. The edit is told the thing's mask, where it goes and the caption
of the scene. Rows: doing nothing; copy and paste, with a smooth fill; that copy finished in eight calls; and each preset.
Point drags take the moves: three points of the thing, and the region that the answer touches.

* PSNR and ST-LPIPS (AlexNet) to the right answer, inside of what it touches and outside; for the distance inside, the rest
  is the answer's, and the other way round.
* Place: pixels between where the thing is and where it should be, found by sliding the answer's thing over the picture.
* Calls: forward equivalents of the UNet, in an edit that has to look at the picture first. A second edit of the same picture,
  seconds and memory are measured with one worker only: several wait for one another.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import resource
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from pliant.diffusion.edits import DiffusionStep, ThingSettings, drag_content, move, paste, remove, swap
from pliant.diffusion.loading import EMBEDDED, load_diffusion
from pliant.diffusion.pipeline import DiffusionModel
from pliant.diffusion.things import Thing
from pliant.images import contact_sheet, to_pil, to_uint8
from pliant.picture import PixelPicture
from quality import perceptual
from quality.workers import processes

sys.path.append(str(Path(__file__).parents[1] / "recipes" / "scenes"))
from compose import Composer
from pairs import Pair, draw_pairs, plan_pair
from planning import Planner
from sprites import read_sprites

RESULTS = Path(__file__).parent / "results"
TASKS = ("move", "resize", "turn", "remove", "paste", "looks")
PRESETS = ("copy", "warp", "fast", "dragondiffusion", "diffeditor")
NOTHING, DRAG = "nothing", "dragdiffusion"
COLUMNS = {
    "psnr_inside": "PSNR inside",
    "psnr_outside": "outside",
    "stlpips_inside": "ST-LPIPS inside",
    "stlpips_outside": "outside",
    "place": "place px",
    "calls": "calls",
    "calls_again": "second edit",
    "seconds": "seconds",
    "seconds_again": "second edit",
    "mib": "MiB",
}
DIGITS = (2, 2, 4, 4, 1, 0, 0, 2, 2, 0)
SEARCH = 24
"""Pixels aside that a thing is looked for."""
TITLES = {NOTHING: "do nothing", "copy": "copy and paste", "warp": "warp + fill", DRAG: "DragDiffusion"}


@dataclass(frozen=True)
class Judge:
    """What pictures are compared with."""

    perceptual: Callable[[Tensor, Tensor], Tensor]
    device: str

    def figures(self, pair: Pair, made: Tensor) -> dict[str, float]:
        """How near a picture [3, S, S] is to the pair's right answer."""
        inside, truth = pair.touched, pair.target
        whole = torch.where(inside > 0, made, truth), torch.where(inside > 0, truth, made)
        found = {"psnr_inside": _psnr(made, truth, inside), "psnr_outside": _psnr(made, truth, 1 - inside)}
        for name, mixed in zip(("stlpips_inside", "stlpips_outside"), whole, strict=True):
            found[name] = float(self.perceptual(mixed[None].to(self.device), truth[None].to(self.device))[0])
        if pair.target_mask.any():
            found["place"] = misplaced(made, truth, pair.target_mask)
        return found


def _psnr(one: Tensor, other: Tensor, where: Tensor) -> float:
    """Decibels within a mask, 60 at most."""
    error = float(((one - other).square() * where).sum() / (3 * where.sum()).clamp(min=1))
    return min(60.0, 10 * math.log10(4 / error)) if error > 0 else 60.0


def misplaced(made: Tensor, truth: Tensor, mask: Tensor) -> float:
    """How far (pixels) the thing of the right answer is from where the picture shows what is most like it.

    Args:
        made: [3, S, S].
        truth: [3, S, S], the right answer.
        mask: [S, S] of the thing in it.
    """
    ys, xs = torch.nonzero(mask > 0.5, as_tuple=True)
    top, bottom, left, right = int(ys.min()), int(ys.max()) + 1, int(xs.min()), int(xs.max()) + 1
    weights = mask[top:bottom, left:right]
    thing = truth[:, top:bottom, left:right]
    around = F.pad(made[None], (SEARCH,) * 4, value=9.0)[
        0, :, top : bottom + 2 * SEARCH, left : right + 2 * SEARCH
    ]
    # sum of w (p - t)^2 over all places: three correlations
    kernel = weights.expand(3, -1, -1)[None]
    squared = F.conv2d(around[None].square(), kernel) - 2 * F.conv2d(around[None], kernel * thing[None])
    best = int(squared.argmin())
    side = 2 * SEARCH + 1
    return math.hypot(best // side - SEARCH, best % side - SEARCH)


def edited(pair: Pair, preset: str, model: DiffusionModel, seed: int) -> Iterator[DiffusionStep]:
    """The edit of a pair by a preset."""
    settings = ThingSettings(preset=preset, feather=16, seed=seed)  # type: ignore[arg-type]
    source = PixelPicture(to_uint8(pair.source))
    other = None if pair.other is None else PixelPicture(to_uint8(pair.other))
    common: dict[str, Any] = {"prompt": pair.target_caption, "model": model, "settings": settings}
    mask = pair.other_mask if pair.task == "paste" else pair.source_mask
    thing = Thing(mask, pair.arrow, pair.scale, math.degrees(pair.turn), pair.pivot)  # type: ignore[arg-type]
    if pair.task == "remove":
        return remove(source, pair.source_mask, **common)
    if pair.task == "paste" and other is not None:
        return paste(source, other, thing, **common)
    if pair.task == "looks" and other is not None:
        return swap(source, pair.source_mask, other, pair.other_mask, **common)  # type: ignore[arg-type]
    return move(source, thing, **common)


def dragged(pair: Pair, method: str, model: DiffusionModel) -> Iterator[Any]:
    """A move as a drag of three points of the thing."""
    source = PixelPicture(to_uint8(pair.source))
    ys, xs = torch.nonzero(pair.source_mask > 0.9, as_tuple=True)
    order = torch.tensor([0, len(ys) // 2, len(ys) - 1])
    handles = torch.stack([xs, ys], 1)[order].float()
    targets = (handles + torch.tensor(pair.arrow)).clamp(0, pair.source.shape[-1] - 1)
    region = F.max_pool2d(pair.touched[None, None], 9, 1, 4)[0, 0]
    common: dict[str, Any] = {"prompt": pair.target_caption, "model": model}
    if method == DRAG:
        from pliant.diffusion.drag_diffusion import drag_diffusion

        return drag_diffusion(source, handles, targets, region, **common)
    return drag_content(source, handles, targets, region, settings=ThingSettings(preset=method), **common)  # type: ignore[arg-type]


def timed(steps: Iterator[Any]) -> tuple[Any, Tensor, float]:
    """The last step, its picture [3, S, S] and the seconds of both."""
    _wait()
    began = time.perf_counter()
    *_, last = steps
    made = last.picture.pixels()
    _wait()
    return last, made, time.perf_counter() - began


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


@dataclass(frozen=True)
class Bench:
    """What a process works with."""

    model: DiffusionModel
    judge: Judge
    planner: Planner
    composer: Composer


@cache
def bench(model: str, device: str, data: Path, stlpips: Path | None) -> Bench:
    """Read once in a process."""
    judge = perceptual.PerceptualDistance(stlpips or perceptual.weights_path()).to(device)
    sprites = read_sprites(data)
    return Bench(load_diffusion(model, device), Judge(judge, device), Planner(sprites), Composer(sprites))


def work(args: argparse.Namespace, task: str, seed: int) -> list[dict[str, Any]]:
    """Figures of each method on a pair; none after the deadline."""
    if time.time() > args.until:
        return []
    kit = bench(args.model, args.device, args.data, args.stlpips)
    (pair,) = draw_pairs(kit.composer, [plan_pair(kit.planner, task, seed)])
    return [
        {"task": task, "seed": seed, "method": method, **one(args, kit.model, kit.judge, pair, method)}
        for method in methods(args, task, seed)
    ]


def worked(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Figures of all pairs, by as many processes as are asked for."""
    wanted = [(task, seed) for seed in range(args.count) for task in args.tasks]
    if args.workers == 1:
        kit = bench(args.model, args.device, args.data, args.stlpips)
        (first,) = draw_pairs(kit.composer, [plan_pair(kit.planner, *wanted[0])])
        timed(edited(first, "fast", kit.model, 0))  # the first of all is slower
        for each in wanted:
            yield from work(args, *each)
        return
    with processes(args.workers, args.device) as pool:
        for rows in pool.map(partial(work, args), *zip(*wanted, strict=True)):
            yield from rows


def methods(args: argparse.Namespace, task: str, seed: int) -> list[str]:
    """What is tried on a pair; drags on some of the moves."""
    found = [NOTHING, *args.presets]
    if task == "move" and seed < args.drags:
        found += [f"drag {name}" for name in ("copy", "fast", "dragondiffusion", DRAG)]
    return found


def one(
    args: argparse.Namespace, model: DiffusionModel, judge: Judge, pair: Pair, method: str
) -> dict[str, Any]:
    """Figures of one method on one pair; the picture too where a sheet is wanted."""
    if method == NOTHING:
        return judge.figures(pair, pair.source)
    is_drag = method.startswith("drag ")

    def begin() -> Iterator[Any]:
        return (
            dragged(pair, method.removeprefix("drag "), model) if is_drag else edited(pair, method, model, 0)
        )

    model.banks.clear()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    last, made, seconds = timed(begin())
    found: dict[str, Any] = {"calls": last.network_calls}
    if args.workers == 1:
        found["seconds"] = seconds
        if args.device == "cuda":
            found["mib"] = torch.cuda.max_memory_allocated() / 2**20
        if method not in {"copy", "warp", "drag copy"}:
            again, _, found["seconds_again"] = timed(begin())
            found["calls_again"] = again.network_calls
    if args.sheet:
        found["picture"] = to_uint8(made).numpy().tobytes()
    return found | judge.figures(pair, made)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Means by task and method."""
    columns = [
        (key, name, places)
        for (key, name), places in zip(COLUMNS.items(), DIGITS, strict=True)
        if any(key in row for row in rows)
    ]
    names = ["task", "method", *(name for _, name, _ in columns)]
    lines = ["| " + " | ".join(names) + " |", "| --- " * len(names) + "|"]
    for task, method in dict.fromkeys((row["task"], row["method"]) for row in rows):
        chosen = [row for row in rows if (row["task"], row["method"]) == (task, method)]
        cells = [task, TITLES.get(method, method)]
        for key, _, places in columns:
            values = [row[key] for row in chosen if key in row]
            cells.append(f"{statistics.fmean(values):.{places}f}" if values else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def sheet(args: argparse.Namespace, rows: Sequence[dict[str, Any]], path: Path) -> None:
    """A line for the first pair of each task: source, right answer, every method's."""
    composer = Composer(sprites := read_sprites(args.data))
    planner = Planner(sprites)
    pictures: list[Image.Image] = []
    labels: list[str] = []
    shown = list(args.presets)
    for task in args.tasks:
        for pair in draw_pairs(composer, [plan_pair(planner, task, seed) for seed in range(args.sheet)]):
            seed = len(pictures) // (2 + len(shown)) % args.sheet
            pictures += [to_pil(pair.source), to_pil(pair.target)]
            labels += [task, "right answer"]
            side = pair.source.shape[-1]
            for method in shown:
                row = next(
                    (r for r in rows if (r["task"], r["seed"], r["method"]) == (task, seed, method)), None
                )
                data = bytes(3 * side * side) if row is None else row["picture"]
                pictures.append(Image.frombytes("RGB", (side, side), data))
                labels.append(TITLES.get(method, method))
    contact_sheet(pictures, 2 + len(shown), labels).save(path, quality=88)


def _memory(args: argparse.Namespace) -> str:
    """A sentence on the memory that was measured, after another one, if it was."""
    if args.workers > 1:
        return ""
    if args.device == "cuda":
        return " *MiB*: the most that was in use on the GPU, the weights among it."
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f" The most memory that the process had: {most:.0f} MiB."


def page(summary: dict[str, Any], rows: Sequence[dict[str, Any]]) -> str:
    """What `benchmarks/results/` keeps."""
    return f"""# Edits of things against right answers

{summary["machine"]}. {summary["pairs"]} pairs at 256 x 256, model {summary["model"]}.

Command: `{summary["command"]}`

What the columns mean is told by `benchmarks/diffusion.py`. *Outside* is beyond what the right answer touches; a thing's shadow
is inside. *Calls* are forward equivalents of the UNet; *second edit* is another edit of the same picture.{summary["memory"]}

{table(rows)}
"""


def main(argv: list[str] | None = None) -> int:
    """Run, print the table, write it to `benchmarks/results/`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the packed things")
    parser.add_argument("--model", default=EMBEDDED)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument("--presets", nargs="+", default=list(PRESETS), choices=PRESETS)
    parser.add_argument("--count", type=int, default=34, help="pairs of each task")
    parser.add_argument("--drags", type=int, default=12, help="moves that are made by drags, too")
    parser.add_argument("--workers", type=int, default=1, help="processes that share the pairs")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no pair after so long")
    parser.add_argument("--sheet", type=int, default=0, help="pairs of each task to show on a sheet")
    parser.add_argument(
        "--stlpips", type=Path, help="weights of ST-LPIPS, if stlpips-pytorch is not installed"
    )
    parser.add_argument("--name", default="", help="of the results, after the device's")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the results")
    args = parser.parse_args(argv)
    args.until = time.time() + args.seconds
    rows = list(worked(args))
    order = [NOTHING, *PRESETS]
    rows.sort(
        key=lambda row: (
            TASKS.index(row["task"]),
            order.index(row["method"]) if row["method"] in order else 9,
        )
    )
    where = torch.cuda.get_device_name() if args.device == "cuda" else f"CPU ({platform.machine()})"
    summary = {
        "benchmark": "diffusion",
        "command": shlex.join(
            ["python", "benchmarks/diffusion.py", *(sys.argv[1:] if argv is None else argv)]
        ),
        "machine": f"{where}, torch {torch.__version__}"
        + (f", {args.workers} processes" if args.workers > 1 else ""),
        "model": Path(args.model).name,
        "pairs": len({(row["task"], row["seed"]) for row in rows}),
        "memory": _memory(args),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    stem = args.out / f"diffusion_{args.device}{args.name and '_' + args.name}"
    if args.sheet:
        sheet(args, rows, stem.with_suffix(".jpg"))
    told = page(summary, rows)
    print(told)
    stem.with_suffix(".md").write_text(told)
    plain = [{key: value for key, value in row.items() if key != "picture"} for row in rows]
    stem.with_suffix(".json").write_text(json.dumps({**summary, "rows": plain}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
