"""Speed and memory of a drag: our engine against the plain twin of the published step, in the same run.

    python benchmarks/drag.py                  # the embedded model on this machine
    python benchmarks/drag.py --device cuda    # config-f widths with random weights at 256, 512 and 1024
    python benchmarks/drag.py --quick --json   # a minute; prints one object last

Absolute times are reported for GPUs only; on a CPU the ratio is what carries over. "step" is one nudge without looking at the
picture, except for the twin, which always paints (as the published program does); "shown" adds the painting of each picture.
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from plain_drag import plain_drag
from pliant.gan.drag import DragSettings, drag
from pliant.gan.latent import LatentPicture, load_generator, sample
from pliant.gan.stylegan2 import Generator, StyleGAN2Config, channel_table

RESULTS = Path(__file__).parent / "results"
NEVER = 10**6
"""Stop distances and steps that no run here reaches."""


def config_f(resolution: int, device: str) -> Generator:
    """A generator of NVIDIA's config-f widths with random weights."""
    torch.manual_seed(0)
    config = StyleGAN2Config(resolution, channel_table(resolution))
    return Generator(config, f"config-f-{resolution}").eval().requires_grad_(requires_grad=False).to(device)


def far_points(count: int, size: int) -> tuple[list[list[float]], list[list[float]]]:
    """Handles spread over the middle of the picture, each with a target a quarter of the picture away."""
    rng = torch.Generator().manual_seed(count)
    side = max(2, round(count**0.5 + 0.5))
    cells = torch.randperm(side * side, generator=rng)[:count]
    step = size * 0.5 / side
    handles = [
        [round(size * 0.15 + (int(c) % side) * step), round(size * 0.15 + (int(c) // side) * step)]
        for c in cells
    ]
    return handles, [[x + size * 0.25, y + size * 0.25] for x, y in handles]


def timed(steps: Iterator[Any], count: int, look: Callable[[Any], object] | None = None) -> list[float]:
    """Seconds of each of `count` steps after three of warm-up; `look` is what is done with each.

    Every step hands its handles and loss to the host, so that none is counted before the device has finished it.
    """
    seconds: list[float] = []
    for index in range(count + 3):
        begin = time.perf_counter()
        step = next(steps)
        if look:
            look(step)
        if index >= 3:
            seconds.append(time.perf_counter() - begin)
    return seconds


def peak(device: str, job: Callable[[], list[float]]) -> tuple[float, float | None]:
    """Median seconds of a job's steps, and the MiB that it held at most beyond what was there (GPU only)."""
    if device != "cuda":
        return statistics.median(job()), None
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    seconds = statistics.median(job())
    return seconds, (torch.cuda.max_memory_allocated() - before) / 2**20


def row(
    generator: Generator, picture: LatentPicture, points: int, steps: int, *, twin: bool = True
) -> dict[str, Any]:
    """One line of the table: engine, twin and their ratio, same points."""
    device = generator.device.type
    handles, targets = far_points(points, generator.config.resolution)
    settings = DragSettings(max_steps=NEVER)
    run = lambda: drag(picture, handles, targets, settings=settings)  # noqa: E731
    line: dict[str, Any] = {"model": generator.name, "size": generator.config.resolution, "points": points}
    line["step"], line["mib"] = peak(device, lambda: timed(run(), steps))
    line["shown"], _ = peak(
        device, lambda: timed(run(), max(3, steps // 2), lambda step: step.picture.pixels().cpu())
    )
    if twin:
        pairs = [[(round(y), round(x)) for x, y in side] for side in (handles, targets)]
        plain = lambda: plain_drag(generator, picture.ws[None], pairs[0], pairs[1])  # noqa: E731
        line["twin"], line["twin_mib"] = peak(device, lambda: timed(plain(), max(5, steps // 3)))
        generator.requires_grad_(requires_grad=False).zero_grad(set_to_none=True)
        line["speedup"] = line["twin"] / line["step"]
        line["speedup_shown"] = line["twin"] / line["shown"]
        if line["mib"]:
            line["memory_ratio"] = line["twin_mib"] / line["mib"]
    return line


def measure(args: argparse.Namespace) -> list[dict[str, Any]]:
    """All lines that were asked for."""
    lines: list[dict[str, Any]] = []
    if args.device == "cuda":
        for size in (256,) if args.quick else (256, 512, 1024):
            generator = config_f(size, "cuda")
            picture = LatentPicture(generator, generator.mapping(torch.randn(1, 512, device="cuda"))[0])
            lines += [
                row(generator, picture, n, args.steps, twin=n == 2)
                for n in ([2] if args.quick else args.points)
            ]
            print(json.dumps(lines[-1]), flush=True)
            del generator, picture
    else:
        generator = load_generator(args.model)
        picture = sample(generator, seed=0)
        lines = [
            row(generator, picture, n, args.steps, twin=n == 2) for n in ([2] if args.quick else args.points)
        ]
    return lines


def machine(device: str) -> str:
    """The machine in words."""
    if device == "cuda":
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    return f"{torch.get_num_threads()} CPU threads ({platform.machine()}), torch {torch.__version__}"


def table(lines: list[dict[str, Any]], device: str) -> str:
    """The lines as Markdown: milliseconds on a GPU, ratios on a CPU."""
    head = ["model", "points", "step", "shown", "twin", "speed-up", "peak MiB", "twin MiB"]
    base = next(line for line in lines if line["points"] == 2)
    rows = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for line in lines:
        unit = (
            (lambda s: "" if s is None else f"{s * 1e3:.2f} ms")
            if device == "cuda"
            else (lambda s, b=base["step"]: "" if s is None else f"{s / b:.2f} x")
        )
        cells = [
            line["model"],
            line["points"],
            unit(line["step"]),
            unit(line["shown"]),
            unit(line.get("twin")),
        ]
        cells += [f"{line[k]:.1f}" if line.get(k) else "" for k in ("speedup", "mib", "twin_mib")]
        rows.append("| " + " | ".join(str(c) for c in cells) + " |")
    return "\n".join(rows)


def report(summary: dict[str, Any], device: str) -> str:
    """The page that `benchmarks/results/` keeps."""
    return f"""# Speed of a drag

{summary["machine"]}. {summary.get("note", "")}

Command: `{summary["command"]}`

*step*: one nudge, nobody looking. *shown*: with each picture painted and fetched. *twin*: the published step,
faithful and unoptimised (`plain_drag.py`), which always paints. Same points, same run.
{"" if device == "cuda" else "Times are relative to a step with 2 points."}

{table(summary["rows"], device)}
"""


def main(argv: list[str] | None = None) -> int:
    """Run, print the table, write it to `benchmarks/results/` unless --quick."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--model", default="portraits-256", help="model for the CPU rows")
    parser.add_argument("--points", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--quick", action="store_true", help="2 points, few steps")
    parser.add_argument("--json", action="store_true", help="print one object last")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the results")
    args = parser.parse_args(argv)
    if args.quick:
        args.steps = min(args.steps, 10)
    lines = measure(args)
    first = next(line for line in lines if line["points"] == 2)
    summary = {
        "benchmark": "drag",
        "command": shlex.join(["python", "benchmarks/drag.py", *(sys.argv[1:] if argv is None else argv)]),
        "machine": machine(args.device),
        "rows": lines,
        "speedup": first["speedup"],
        "steps_per_second": 1 / first["step"],
    }
    page = report(summary, args.device)
    print(page)
    if not args.quick:
        args.out.mkdir(parents=True, exist_ok=True)
        stem = args.out / f"drag_{args.device}"
        stem.with_suffix(".json").write_text(json.dumps(summary, indent=1) + "\n")
        stem.with_suffix(".md").write_text(page)
    if args.json:
        print(json.dumps(summary))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
