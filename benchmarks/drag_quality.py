"""How well drags land, how much else they change, and whether they can be undone.

    python benchmarks/drag_quality.py                         # the embedded model; hours on a CPU
    python benchmarks/drag_quality.py --device cuda --batch 100
    python benchmarks/drag_quality.py --quick                 # 4 pairs, few steps: does everything run?

Protocols, rules and measures are in `quality/protocols.py`; what the columns mean is printed above the
tables. Figures go to `drag_quality.json` and `drag_quality.md`, plots and contact sheets beside them, final
codes to `runs/`. A run that was stopped goes on where it was: rows that are there for the same model and
protocol are kept. `--rows` takes names and variations of the settings:

    --rows no-edit published default flow l1:tracking=l1 "short:published,step_size=2e-3"
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from pliant.gan.drag import drag
from pliant.gan.latent import load_generator
from pliant.perception.frechet import FEATURES
from pliant.perception.landmarks import load_landmarks
from quality import perceptual, report
from quality.protocols import (
    POINT_COUNTS,
    Bench,
    chosen,
    face_protocol,
    faces,
    perturbed_pairs,
    reconstruction_protocol,
    task,
    there_and_back_protocol,
)
from quality.rows import DEFAULT_ROWS, Row, make_row

Question = Callable[[Row], tuple[dict[str, Any], dict[str, Tensor]]]
RESULTS = Path(__file__).parent / "results"
PROTOCOLS = ("faces-1", "faces-5", "faces-68", "reconstruction", "there-and-back")


class Store:
    """Figures and tensors of a run, written after every row."""

    def __init__(self, folder: Path, setup: dict[str, Any]) -> None:
        self.folder = folder
        self.json = folder / "drag_quality.json"
        self.tensors_file = folder / "runs" / "drag_quality.safetensors"
        self.tensors_file.parent.mkdir(parents=True, exist_ok=True)
        self.setup = setup
        self.figures: dict[str, Any] = {"setup": setup, "rows": {}, "results": {}}
        self.tensors: dict[str, Tensor] = {}
        if self.json.exists():
            stored = json.loads(self.json.read_text())
            if stored["setup"]["protocol"] == setup["protocol"]:
                self.figures = stored
                if self.tensors_file.exists():
                    self.tensors = load_file(self.tensors_file)

    def has(self, protocol: str, row: Row) -> bool:
        """This row has been run with the same settings."""
        done = row.name in self.figures["results"].get(protocol, {})
        return done and self.figures["rows"].get(row.name) == settings_of(row)

    def add(self, protocol: str, row: Row, figures: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Keep a row and write everything."""
        self.figures["rows"][row.name] = settings_of(row)
        self.figures["results"].setdefault(protocol, {})[row.name] = figures | {
            "machine": self.setup["machine"]
        }
        for name, value in tensors.items():
            self.tensors[f"{protocol}/{row.name}/{name}"] = value.contiguous()
        self.json.write_text(json.dumps(self.figures, indent=1) + "\n")
        save_file(self.tensors, self.tensors_file)


def settings_of(row: Row) -> dict[str, Any] | None:
    """JSON-ready settings of a row."""
    return None if row.settings is None else asdict(row.settings) | {"flow": row.flow}


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", default="portraits-256", help="name, folder or file of a generator of faces"
    )
    parser.add_argument("--landmarks", type=Path, default=None, help="folder of another landmark network")
    parser.add_argument("--stlpips", default=None, help="file of ST-LPIPS weights, or 'none' to leave it out")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--batch", type=int, default=50, help="pictures dragged together")
    parser.add_argument(
        "--steps", type=int, default=300, help="most nudges; the reconstruction takes a third"
    )
    parser.add_argument("--rows", nargs="+", default=list(DEFAULT_ROWS))
    parser.add_argument("--protocols", nargs="+", default=list(PROTOCOLS), choices=PROTOCOLS)
    parser.add_argument("--single", type=int, default=5, help="edits timed one at a time")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no row after this time")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--quick", action="store_true", help="4 pairs, 6 steps")
    args = parser.parse_args()
    if args.quick:
        args.pairs, args.steps, args.batch, args.single = 4, 6, 4, 1
    return args


def command(args: argparse.Namespace) -> str:
    """What to type to get the same figures; places of files are left out."""
    words = ["python", "benchmarks/drag_quality.py", "--device", args.device, "--pairs", str(args.pairs)]
    words += ["--steps", str(args.steps), "--batch", str(args.batch), "--rows", *args.rows]
    if tuple(args.protocols) != PROTOCOLS:
        words += ["--protocols", *args.protocols]
    return shlex.join(words)


def machine(device: str) -> str:
    """What the figures were measured on."""
    name = torch.cuda.get_device_name() if device.startswith("cuda") else platform.machine()
    return f"{name}, {torch.get_num_threads()} CPU threads, torch {torch.__version__}"


def open_bench(args: argparse.Namespace) -> tuple[Bench, dict[str, Any]]:
    """Load the models; describe the run."""
    generator = load_generator(args.model, args.device)
    net = (
        load_landmarks(args.landmarks, args.device) if args.landmarks else load_landmarks(device=args.device)
    )
    distance = None
    if args.stlpips != "none":
        weights = Path(args.stlpips) if args.stlpips else perceptual.weights_path()
        distance = perceptual.PerceptualDistance(weights).to(args.device)
    bench = Bench(generator, net, distance, args.pairs, args.batch, args.steps)
    setup = {
        "protocol": {"model": generator.name, "pairs": args.pairs, "steps": args.steps},
        "command": command(args),
        "machine": machine(args.device),
        "batch": args.batch,
        "frechet_features": [FEATURES, perceptual.FEATURES],
        "perceptual": perceptual.NAME if distance else "none",
    }
    return bench, setup


def time_alone(bench: Bench, row: Row, count: int) -> dict[str, float]:
    """Seconds of one-point edits one at a time, as a person makes them; the first, which warms up, is left out."""
    pairs = faces(Bench(**{**vars(bench), "pairs": count + 1}))
    what = task(chosen(pairs.start_points, 1), chosen(pairs.goal_points, 1), bench.generator.config.size)
    seconds, steps = [], []
    for picture, handles, targets in zip(pairs.start, what.handles, what.targets, strict=True):
        begin = time.perf_counter()
        last = None
        for last in drag(picture, handles, targets, settings=row.settings):  # noqa: B007
            pass
        picture.with_ws(last.picture.ws).pixels().cpu()
        seconds.append(time.perf_counter() - begin)
        steps.append(last.index)
    return {
        "seconds_alone": sum(seconds[1:]) / count,
        "seconds_per_step_alone": sum(seconds[1:]) / max(1, sum(steps[1:])),
    }


def main() -> None:
    """Run the rows that are missing, then write tables, plots and sheets."""
    args = parse()
    begin = time.perf_counter()
    bench, setup = open_bench(args)
    store = Store(args.out, setup)
    pairs, perturbed = faces(bench), perturbed_pairs(bench)

    ask: dict[str, Question] = {
        f"faces-{count}": lambda row, count=count: face_protocol(bench, row, pairs, count)
        for count in POINT_COUNTS
    }
    ask["reconstruction"] = lambda row: reconstruction_protocol(bench, row, perturbed)
    ask["there-and-back"] = lambda row: there_and_back_protocol(bench, row, pairs)
    for protocol in args.protocols:
        for row in map(make_row, args.rows):
            if store.has(protocol, row):
                continue
            if time.perf_counter() - begin > args.seconds:
                print(f"no time for {protocol} {row.name}", flush=True)
                continue
            figures, tensors = ask[protocol](row)
            if protocol == "faces-1" and row.settings and not row.flow and args.single:
                figures |= time_alone(bench, row, args.single)
            store.add(protocol, row, figures, tensors)
            shown = {k: round(v, 4) for k, v in figures.items() if isinstance(v, float)}
            print(f"{time.perf_counter() - begin:7.1f} s  {protocol:15} {row.name:12} {shown}", flush=True)
    report.write(args.out, store.figures, store.tensors, bench=bench, pairs=pairs, perturbed=perturbed)
    print((args.out / "drag_quality.md").read_text())


if __name__ == "__main__":
    main()
