"""Speed, memory and accuracy of the rasteriser: 512 x 512, forward and backward, against its plain twins.

    python benchmarks/raster.py                  # this machine's CPU, one thread
    python benchmarks/raster.py --device cuda
    python benchmarks/raster.py --quick --json   # a few seconds; prints one object last

CPU times are what one thread computed, not what a clock on the wall says, so that other work on the machine does not
count; GPU times are on the wall, the device done. Gradients go to points, colours and opacities.
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plain_raster import one_by_one, sampled
from pliant.vector.outline import Path as Outline
from pliant.vector.outline import Subpath, assemble
from pliant.vector.raster import rasterise
from pliant.vector.scene import Scene

RESULTS = Path(__file__).parent / "results"
SIDE = 512
SIZES = {350: (4, 26.0), 1000: (9, 16.0), 3000: (12, 9.5)}
"""By number of paths: cubics of each and mean radius. The boxes add up to three or four pictures, as in CLIPVG's drawings."""


def drawing(paths: int, side: int = SIDE) -> Scene:
    """Blobs in random colours, every second one translucent; as many pixels are under them at any side."""
    joints, radius = SIZES[paths]
    rng = np.random.default_rng(paths)
    outlines = [
        Outline(
            [blob(rng, rng.uniform(0, side, 2), radius * side / SIDE * rng.uniform(0.3, 1.7), joints)],
            (float(rng.uniform()), float(rng.uniform()), float(rng.uniform())),
            opacity=float(rng.uniform(0.3, 1)) if index % 2 else 1.0,
        )
        for index in range(paths)
    ]
    return assemble(outlines, (side, side), background=(1.0, 1.0, 1.0))


def blob(rng: np.random.Generator, centre: np.ndarray, radius: float, joints: int) -> Subpath:
    """A smooth closed outline through joints around a centre."""
    turn = np.arange(joints) * 2 * np.pi / joints
    away = radius * rng.uniform(0.6, 1.3, joints)
    at = centre + away[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    slope = (np.roll(at, -1, 0) - np.roll(at, 1, 0)) / 6
    after = np.roll(at, -1, 0)
    return Subpath(np.stack([at, at + slope, after - np.roll(slope, -1, 0)], axis=1).reshape(-1, 2))


def wanting(scene: Scene) -> Scene:
    """The same with gradients asked for."""
    names = ("points", "colours", "opacity")
    return scene.with_(**{name: getattr(scene, name).clone().requires_grad_() for name in names})


def timed(draw: Callable[[Scene], Tensor], scene: Scene, repeats: int) -> tuple[float, float, float | None]:
    """Median seconds forward and backward, and on a GPU the MiB that were held at most."""
    cuda = scene.points.is_cuda

    def now() -> float:
        if cuda:
            torch.cuda.synchronize()
            return time.perf_counter()
        return time.thread_time()

    forward, backward = [], []
    for index in range(repeats + 1 + 2 * cuda):
        if cuda:
            torch.cuda.reset_peak_memory_stats()
        wanted = wanting(scene)
        begin = now()
        picture = draw(wanted)
        drawn = now()
        picture.square().mean().backward()
        done = now()
        if index > 2 * cuda:
            forward.append(drawn - begin)
            backward.append(done - drawn)
    mib = torch.cuda.max_memory_allocated() / 2**20 if cuda else None
    return statistics.median(forward), statistics.median(backward), mib


def psnr(first: Tensor, second: Tensor) -> float:
    """Decibels between two pictures in [-1, 1]."""
    return float(10 * torch.log10(4 / (first - second).square().mean()))


def measure(args: argparse.Namespace) -> list[dict[str, Any]]:
    """A line for each number of paths."""
    rows: list[dict[str, Any]] = []
    for count in args.paths:
        scene = drawing(count)
        on = scene.to(args.device)
        forward, backward, mib = timed(rasterise, on, args.repeats)
        row: dict[str, Any] = {"paths": count, "cubics": len(scene.segments)}
        row |= {"forward": forward, "backward": backward, "mib": mib}
        if count <= args.twin_paths:
            loop = sum(timed(one_by_one, on, 1)[:2])
            row |= {"twin": loop, "speedup": loop / (forward + backward)}
            row["difference"] = float((rasterise(on) - one_by_one(on)).abs().max())
        whole = sampled(scene)
        row["psnr"] = psnr(rasterise(on).cpu(), whole)
        rows.append(row)
        print(row, file=sys.stderr)
    return rows


def machine(device: str) -> str:
    """What it ran on."""
    where = torch.cuda.get_device_name() if device == "cuda" else f"1 CPU thread ({platform.machine()})"
    return f"{where}, torch {torch.__version__}"


def report(summary: dict[str, Any]) -> str:
    """The page that `benchmarks/results/` keeps."""
    head = "| paths | cubics | forward ms | backward ms | peak MiB | path by path ms | times faster | dB to 8 x 8 samples |"
    lines = [head, "| --- " * 8 + "|"]
    for row in summary["rows"]:
        cells = [row["paths"], row["cubics"], f"{1e3 * row['forward']:.1f}", f"{1e3 * row['backward']:.1f}"]
        cells += ["" if row["mib"] is None else f"{row['mib']:.0f}"]
        cells += [f"{1e3 * row['twin']:.0f}", f"{row['speedup']:.0f}"] if "twin" in row else ["", ""]
        lines.append("| " + " | ".join(map(str, [*cells, f"{row['psnr']:.1f}"])) + " |")
    table = "\n".join(lines)
    return f"""# Speed and accuracy of the rasteriser

{summary["machine"]}. 512 x 512 pixels, gradients to points, colours and opacities.

Command: `{summary["command"]}`

CPU times are the computing time of one thread, GPU times those of the clock with the device done. *Path by path*: the same
coverage and blending, one path at a time under autograd. *dB*: against a picture of 64 samples a pixel, each in or out.

{table}
"""


def main(argv: list[str] | None = None) -> int:
    """Run, print the table, write it to `benchmarks/results/` unless --quick."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--paths", type=int, nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--twin-paths", type=int, default=1000, help="most paths that are drawn one by one")
    parser.add_argument("--quick", action="store_true", help="350 paths, twice")
    parser.add_argument("--json", action="store_true", help="print one object last")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the results")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    if args.quick:
        args.paths, args.repeats, args.twin_paths = [350], 2, 0
    rows = measure(args)
    summary = {
        "benchmark": "raster",
        "command": shlex.join(["python", "benchmarks/raster.py", *(sys.argv[1:] if argv is None else argv)]),
        "machine": machine(args.device),
        "rows": rows,
        "seconds": rows[-1]["forward"] + rows[-1]["backward"],
        "psnr": min(row["psnr"] for row in rows),
    }
    page = report(summary)
    print(page)
    if not args.quick:
        args.out.mkdir(parents=True, exist_ok=True)
        stem = args.out / f"raster_{args.device}"
        stem.with_suffix(".json").write_text(json.dumps(summary, indent=1) + "\n")
        stem.with_suffix(".md").write_text(page)
    if args.json:
        print(json.dumps(summary))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
