"""How far drags of photos land from where they should, and how much else they change, on DragBench.

    python benchmarks/dragbench.py drag_bench_data --model stable-diffusion-v1-5 --features stable-diffusion-2-1 --device cuda
    python benchmarks/dragbench.py drag_bench_data --model MODEL --features MODEL --samples 4      # does everything run?

DragBench (205 pictures, 349 points) comes with release v0.1.1 of DragDiffusion. MD is the mean distance of two protocols
(`quality/matching.py`): `MD classic` in pixels, found anywhere, and `MD near` in hundredths of the picture, found near handle
or target; figures of one say nothing of the other. As published, they are of features of Stable Diffusion 2.1, so those of any
other `--features` compare only with themselves. IF is 1 - LPIPS (AlexNet) of both pictures at 224 x 224 pixels, with the
weights of `--lpips`; without them ST-LPIPS stands there under its own name, and is no IF. An image that did not
change has the best of all, so read it beside MD.

The first row does nothing. Others are methods: dragdiffusion, or drag_content by a preset (fast, warp, copy, dragondiffusion,
diffeditor), or one with changes, as in `plain:dragdiffusion,lora_steps=0`. PSNR is of the pixels outside the mask. Calls are
forward equivalents of the UNet, those of looking at the picture included; seconds likewise. A picture that a method refuses
is left as it is and counted.
"""

from __future__ import annotations

import argparse
import ast
import json
import platform
import shlex
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pliant.diffusion.drag_diffusion import DragDiffusionSettings, drag_diffusion
from pliant.diffusion.edits import ThingSettings, drag_content
from pliant.diffusion.loading import load_diffusion
from pliant.diffusion.pipeline import DiffusionModel
from pliant.errors import InputError, PliantError
from pliant.images import to_uint8
from pliant.settings import make_settings
from quality import lpips, perceptual
from quality.matching import ENSEMBLE, NEAR_SIDE, Comparison, Dift, classic, near
from quality.samples import Sample, samples

RESULTS = Path(__file__).parent / "results"
PRESETS = ("fast", "warp", "copy", "dragondiffusion", "diffeditor")
NOTHING = "do nothing"
SEED = 42


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    settings: DragDiffusionSettings | ThingSettings | None
    """None: nothing is done."""


@dataclass(frozen=True)
class Bench:
    """What measures."""

    dift: Dift
    distance: perceptual.PerceptualDistance | None
    distance_name: str


def make_row(text: str) -> Row:
    """A row from METHOD or NAME:METHOD,SETTING=VALUE,...

    Raises:
        SystemExit: no such method or setting.
    """
    name, _, changes = text.partition(":")
    method, *parts = (changes or name).split(",")
    values: dict[str, Any] = {}
    for part in parts:
        key, _, value = part.partition("=")
        try:
            values[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            values[key] = value
    if method in PRESETS:
        kind, values = ThingSettings, {"preset": method, **values}
    elif method == "dragdiffusion":
        kind = DragDiffusionSettings
    else:
        raise SystemExit(f"There is no method '{method}'; there are dragdiffusion, {', '.join(PRESETS)}.")
    try:
        return Row(name, make_settings(kind, values))
    except InputError as error:
        raise SystemExit(f"{text}: {error}") from error


def dragged(row: Row, sample: Sample, model: DiffusionModel) -> tuple[Tensor, float]:
    """What a row makes of a picture, uint8 [H, W, 3], and what it computed."""
    if row.settings is None:
        return sample.picture.rgb, 0.0
    edit: Callable[..., Any] = (
        drag_diffusion if isinstance(row.settings, DragDiffusionSettings) else drag_content
    )
    model.banks.clear()
    asked = sample.picture, sample.handles, sample.targets, sample.mask
    (last,) = deque(edit(*asked, prompt=sample.prompt, model=model, settings=row.settings), maxlen=1)
    return to_uint8(last.picture.pixels()).cpu(), last.network_calls


def measured(bench: Bench, sample: Sample, made: Tensor) -> dict[str, Any]:
    """How far a picture's points are from their targets, and how much else of it changed."""
    before, after = (
        rgb.permute(2, 0, 1).float().to(bench.dift.model.device) / 127.5 - 1
        for rgb in (sample.picture.rgb, made)
    )
    figures: dict[str, Any] = {}
    for name, protocol, side in (("classic", classic, None), ("near", near, NEAR_SIDE)):
        shown = [_square(each, side) for each in (before, after)]
        seen = [
            bench.dift(each, sample.prompt, SEED + number) for number, each in enumerate(shown)
        ]  # each with noise of its own, as published
        asked = Comparison(seen[0], seen[1], sample.handles, sample.targets, sample.picture.size)
        figures[name] = protocol(asked).tolist()
    if bench.distance is not None:
        small = [
            torch.nn.functional.interpolate(each[None], (224, 224), mode="bilinear")
            for each in (before, after)
        ]
        figures["likeness"] = 1 - float(bench.distance(*small))
    outside = sample.mask == 0
    if outside.any():
        error = (before - after).cpu()[:, outside].square().mean() / 4
        figures["psnr"] = None if error == 0 else float(-10 * error.log10())
    return figures


def _square(pixels: Tensor, side: int | None) -> Tensor:
    """A picture [3, H, W] made so many pixels a side, by repetition as published; or as it is."""
    return pixels if side is None else torch.nn.functional.interpolate(pixels[None], (side, side))[0]


def run(row: Row, chosen: Sequence[Sample], model: DiffusionModel, bench: Bench) -> dict[str, Any]:
    """All figures of a row."""
    found: list[dict[str, Any]] = []
    for sample in chosen:
        begin = time.perf_counter()
        try:
            made, calls = dragged(row, sample, model)
            refused = ""
        except PliantError as error:
            made, calls, refused = sample.picture.rgb, 0.0, str(error)
        seconds = time.perf_counter() - begin
        figures = measured(bench, sample, made)
        found.append(
            {"sample": sample.name, **figures, "calls": calls, "seconds": seconds, "refused": refused}
        )
    return {"mean": means(found), "samples": found}


def means(found: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Of all pictures, each figure as its protocol has it."""
    points = [far for each in found for far in each["classic"]]
    by_picture = [sum(each["near"]) / len(each["near"]) for each in found]
    kept = [each["psnr"] for each in found if each.get("psnr") is not None]
    mean = {
        "classic": sum(points) / len(points),
        "near": sum(by_picture) / len(by_picture),
        "likeness": None,
        "psnr": sum(kept) / len(kept) if kept else None,
        "untouched": float(sum("psnr" in each and each["psnr"] is None for each in found)),
        "refused": float(sum(bool(each["refused"]) for each in found)),
    }
    if "likeness" in found[0]:
        mean["likeness"] = sum(each["likeness"] for each in found) / len(found)
    for name in ("calls", "seconds"):
        mean[name] = sum(each[name] for each in found) / len(found)
    return mean


def table(figures: dict[str, Any]) -> str:
    """The table as Markdown, with how it was made."""
    setup, likeness = figures["setup"], figures["setup"]["likeness"]
    heads = {
        "classic": "MD classic (px)",
        "near": "MD near (x100)",
        "likeness": likeness,
        "psnr": "PSNR outside (dB)",
        "untouched": "outside untouched",
        "calls": "calls",
        "seconds": "s",
        "refused": "refused",
    }
    about = (
        f"{setup['machine']}; {setup['samples']} pictures, {setup['points']} points. Drags by {setup['model']}; MD by the "
        f"features of {setup['features']}, {setup['ensemble']} noises. {setup['note']}"
    )
    lines = [
        "# DragBench",
        "",
        f"`{setup['command']}`",
        "",
        about,
        "",
        "| row | " + " | ".join(heads.values()) + " |",
        "| --- |" + " ---: |" * len(heads),
    ]
    for name, row in figures["rows"].items():
        cells = ["" if row["mean"][key] is None else f"{row['mean'][key]:.4g}" for key in heads]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="DragBench, unpacked")
    parser.add_argument("--model", required=True, help="name, folder or file of the model that drags")
    parser.add_argument("--features", required=True, help="that of the model that measures")
    parser.add_argument("--ensemble", type=int, default=ENSEMBLE, help="noises for each measurement")
    parser.add_argument("--lpips", type=Path, help="weights of LPIPS on AlexNet")
    parser.add_argument("--stlpips", help="file of ST-LPIPS weights, or 'none' to leave it out")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--samples", type=int, help="only the first so many")
    parser.add_argument(
        "--rows", nargs="*", default=["dragdiffusion", "dragondiffusion", "fast", "warp", "copy"]
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


def open_bench(args: argparse.Namespace) -> tuple[Bench, str]:
    """What measures, and a sentence on it."""
    dift = Dift(load_diffusion(args.features, args.device), args.ensemble)
    if args.lpips is not None:
        return Bench(dift, lpips.Lpips(args.lpips).to(args.device), "IF"), f"IF is 1 - {lpips.NAME}."
    if args.stlpips == "none":
        return Bench(dift, None, "no distance"), "No perceptual distance was measured."
    weights = Path(args.stlpips) if args.stlpips else perceptual.weights_path()
    distance = perceptual.PerceptualDistance(weights).to(args.device)
    name = f"1 - {perceptual.NAME}"
    return Bench(dift, distance, name), f"There were no weights of LPIPS, so {name} is given, which is no IF."


def command(args: argparse.Namespace) -> str:
    """What to type to get the same figures; places of files are left out."""
    words = ["python", "benchmarks/dragbench.py", "DRAGBENCH", "--model", Path(args.model).name]
    words += [
        "--features",
        Path(args.features).name,
        "--ensemble",
        str(args.ensemble),
        "--device",
        args.device,
    ]
    words += [] if args.lpips is None else ["--lpips", args.lpips.name]
    words += [] if args.samples is None else ["--samples", str(args.samples)]
    return shlex.join([*words, "--rows", *args.rows])


def main() -> None:
    """Run all rows, and write the table after each."""
    args = parse()
    rows = [Row(NOTHING, None), *map(make_row, args.rows)]
    chosen = list(samples(args.folder))[: args.samples]
    model = load_diffusion(args.model, args.device)
    bench, note = open_bench(args)
    on_gpu = args.device.startswith("cuda")
    machine = torch.cuda.get_device_name() if on_gpu else platform.machine()
    setup = {
        "command": command(args),
        "machine": f"{machine}, {torch.get_num_threads()} CPU threads, torch {torch.__version__}",
        "model": model.name,
        "features": bench.dift.model.name,
        "ensemble": args.ensemble,
        "likeness": bench.distance_name,
        "note": note,
        "samples": len(chosen),
        "points": sum(len(each.handles) for each in chosen),
    }
    figures: dict[str, Any] = {"setup": setup, "rows": {}}
    args.out.mkdir(parents=True, exist_ok=True)
    print(note, flush=True)
    for row in rows:
        figures["rows"][row.name] = run(row, chosen, model, bench)
        (args.out / "dragbench.json").write_text(json.dumps(figures, indent=1) + "\n")
        (args.out / "dragbench.md").write_text(table(figures))
        print(row.name, figures["rows"][row.name]["mean"], flush=True)
    print(table(figures))


if __name__ == "__main__":
    main()
