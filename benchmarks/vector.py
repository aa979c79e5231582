"""Words on drawings: how much comes true, what else changes, and in what time.

    python benchmarks/vector.py quality --device cuda --workers 8          # all GPUs that there are
    python benchmarks/vector.py quality --steps 30 --crops 6 --every 4     # on a CPU: every fourth pair, few steps
    python benchmarks/vector.py speed --device cpu

`quality`: the pairs of `quality/pairs.py`, each by every row. Rows:

* nothing: the photo traced in two rounds, which is what the first row of CLIPVG starts from;
* CLIPVG (`pliant.vector.restyle`) from 2 rounds of tracing (10, then 30 colours), and from 1 round (30 colours: the paper's
  ablation); as published: what `RestyleSettings.published` chooses, from 2 rounds;
* pixels and CLIPstyler (`pliant.vector.stylise`).

Figures, all against the photo:

* gain: how much further the region lies where the words point from "photo", by the held-out judge (`judge/words-judge`, the
  other seed of `recipes/words`: a model of the same kind and data, but of other numbers) and by the model that was optimised,
  which a picture can fool; along: cosine of the judge's change with that way; named: in how many pairs the judge finds that
  these words fit best among the words of all pairs;
* what was not asked for: PSNR (at most 60 dB) and ST-LPIPS outside of the box, of pairs with a box; ST-LPIPS of the whole
  picture of the others;
* of drawings: paths, kilobytes of SVG, percent of paths with an opacity below 0.05, percent of subpaths that cross themselves.

What is finished lies in `--kept`; a run that is stopped goes on there. `speed`: seconds of one update by its parts, and
memory, of the astronaut traced in 2 rounds, painted at the size that words-small can see (200 pixels), at 512 and at 1024; "one
by one" is the plain twin (`plain_guidance.py`). CPU times are what one thread computed, so that other work on the machine does
not count.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import shlex
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import cache
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from plain_guidance import pull_one_by_one
from pliant.images import contact_sheet, to_tensor, to_uint8
from pliant.perception.clip import TextImageModel, load_words
from pliant.picture import Picture, PixelPicture
from pliant.vector.crops import Crops, slants
from pliant.vector.guidance import Guidance
from pliant.vector.raster import rasterise
from pliant.vector.restyle import MARGIN, RestyleSettings, restyle
from pliant.vector.scene import Scene, VectorPicture
from pliant.vector.stylise import StyliseSettings, stylise
from pliant.vector.svg_writer import save_svg
from pliant.vector.trace import TraceSettings, trace
from quality import pairs, perceptual, words, words_report
from quality.workers import processes

HERE = Path(__file__).parent
RESULTS = HERE / "results"
JUDGE = HERE / "judge" / "words-judge"
NOTHING = "nothing (traced)"
ROWS = (NOTHING, "CLIPVG, 2 rounds", "CLIPVG, 1 round", "CLIPVG as published", "pixels", "CLIPstyler")
SIDE = 256
"""Pixels of the longer side of the pictures."""
Figures = dict[str, float]


def done(args: argparse.Namespace, number: int, row: str) -> Figures:
    """Work on one pair by one method, keep the picture, and measure it."""
    pair = pairs.PAIRS[number]
    photo = pairs.photo(pair.picture, SIDE)
    began = time.perf_counter()
    picture = edited(args, pair, row, photo)
    _settle(args.device)
    seconds = time.perf_counter() - began
    before, after = to_tensor(photo).to(args.device), picture.pixels().to(args.device)
    prompt, texts = pair.prompt(photo.size), [each.text for each in pairs.PAIRS]
    found = {"seconds": seconds}
    for name, model in (
        ("own", _model(args.words, args.device)),
        ("judge", _model(str(args.judge), args.device)),
    ):
        figures = words.gained(model, before, after, prompt, texts)
        found |= {f"{name}_{figure}": value for figure, value in figures.items()}
    found |= words.kept(_distance(args.stlpips, args.device), before, after, prompt)
    if isinstance(picture, VectorPicture):
        scene = picture.scene.to("cpu")
        found |= words.fitness(scene)
        save_svg(scene, _file(args, number, row, ".svg"))
    Image.fromarray(to_uint8(after).cpu().numpy()).save(_file(args, number, row, ".png"))
    return found


def edited(args: argparse.Namespace, pair: pairs.Pair, row: str, photo: Image.Image) -> Picture:
    """What a row makes of a photo."""
    model, prompt = _model(args.words, args.device), pair.prompt(photo.size)
    chosen = {"max_steps": args.steps, "crops": args.crops}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if row in {"pixels", "CLIPstyler"}:
        settings = StyliseSettings(method="pixels" if row == "pixels" else "network", **chosen)
        pixels = PixelPicture(to_uint8(to_tensor(photo)))
        return _last(stylise(pixels, prompt, words=model, settings=settings)).picture
    drawing = trace(photo, settings=TraceSettings(colours=(30,) if row == "CLIPVG, 1 round" else (10, 30)))
    drawing = drawing.with_scene(drawing.scene.to(args.device))
    if row == NOTHING:
        return drawing
    settings = RestyleSettings.published(**chosen) if "published" in row else RestyleSettings(**chosen)
    return _last(restyle(drawing, prompt, words=model, settings=settings)).picture


@cache
def _model(source: str, device: str) -> TextImageModel:
    return load_words(source, device)


@cache
def _distance(weights: Path | None, device: str) -> perceptual.PerceptualDistance:
    return perceptual.PerceptualDistance(weights or perceptual.weights_path()).to(device)


def _last(steps: Iterator[Any]) -> Any:
    *_, last = steps
    return last


def _settle(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def _file(args: argparse.Namespace, number: int, row: str, ending: str) -> Path:
    return args.kept / f"{number:02d}-{ROWS.index(row)}{ending}"


def quality(args: argparse.Namespace) -> None:
    """Every chosen pair by every chosen row; then the tables and a sheet."""
    args.kept.mkdir(parents=True, exist_ok=True)
    numbers = range(len(pairs.PAIRS))[:: args.every][: args.count]
    setup = {"words": args.words, "steps": args.steps, "crops": args.crops, "side": SIDE}
    found = kept_figures(args.kept / "figures.jsonl", setup)
    wanted = [(number, row) for number in numbers for row in args.rows if (number, row) not in found]
    with (args.kept / "figures.jsonl").open("a") as file:
        for number, row, figures in worked(args, wanted):
            found[number, row] = figures
            file.write(json.dumps({"number": number, "row": row, "figures": figures}) + "\n")
            file.flush()
            print(f"{pairs.PAIRS[number].name}: {row}: gain {figures['judge_gain']:+.3f}", flush=True)
    rows = {row: {pairs.PAIRS[n].name: found[n, row] for n in numbers} for row in args.rows}
    facts = {"setup": {**setup, **_machine(args), "pairs": len(numbers)}, "rows": rows}
    args.out.mkdir(parents=True, exist_ok=True)
    name = f"vector_quality_{args.device.partition(':')[0]}"
    (args.out / f"{name}.json").write_text(json.dumps(facts, indent=1) + "\n")
    (args.out / f"{name}.md").write_text(words_report.quality_table(facts))
    sheet(args, numbers).save(args.out / f"{name}.jpg", quality=82)
    print(words_report.quality_table(facts))


def kept_figures(path: Path, setup: dict[str, Any]) -> dict[tuple[int, str], Figures]:
    """What an earlier run with the same settings has found; a file of others is a mistake."""
    if not path.exists():
        path.write_text(json.dumps(setup) + "\n")
    first, *lines = path.read_text().splitlines()
    if json.loads(first) != setup:
        raise SystemExit(f"{path} is of another run, {first}; give another folder as --kept.")
    found = [json.loads(line) for line in lines if line.endswith("}}")]
    return {(each["number"], each["row"]): each["figures"] for each in found}


def worked(args: argparse.Namespace, wanted: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str, Figures]]:
    """Figures of each as they come, by as many processes as asked for."""
    if args.workers == 1:
        for number, row in wanted:
            yield number, row, done(args, number, row)
        return
    with processes(args.workers, args.device) as pool:
        jobs = {pool.submit(done, args, number, row): (number, row) for number, row in wanted}
        for job in as_completed(jobs):
            yield *jobs[job], job.result()


def sheet(args: argparse.Namespace, numbers: Sequence[int], most: int = 14, side: int = 144) -> Image.Image:
    """The photo and what each row made of it, for some pairs."""
    shown: list[Image.Image] = []
    for number in numbers[:: -(-len(numbers) // most)]:
        files = [_file(args, number, row, ".png") for row in args.rows]
        photo = pairs.photo(pairs.PAIRS[number].picture, side)
        shown += [_square(each, side) for each in (photo, *map(Image.open, files))]
    return contact_sheet(
        shown, 1 + len(args.rows), ["photo", *args.rows] * (len(shown) // (1 + len(args.rows)))
    )


def _square(image: Image.Image, side: int) -> Image.Image:
    white = Image.new("RGB", (side, side), "white")
    image = image.convert("RGB")
    image.thumbnail((side, side))
    white.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return white


def speed(args: argparse.Namespace) -> None:
    """Seconds by parts and memory, each size in a process of its own."""
    sizes = (None, 512, 1024)
    rows: dict[str, Figures] = {}
    for size in sizes:
        for plain in (False, True):
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                name = f"{size or 'as seen'}{', one by one' if plain else ''}"
                rows[name] = pool.submit(timed, args, size, plain=plain).result()
                print(name, json.dumps(rows[name]), flush=True)
    facts = {"setup": {**_machine(args), "crops": args.crops or RestyleSettings().crops}, "rows": rows}
    args.out.mkdir(parents=True, exist_ok=True)
    name = f"vector_speed_{args.device.partition(':')[0]}"
    (args.out / f"{name}.json").write_text(json.dumps(facts, indent=1) + "\n")
    (args.out / f"{name}.md").write_text(words_report.speed_table(facts))
    print(words_report.speed_table(facts))


def timed(args: argparse.Namespace, size: int | None, *, plain: bool) -> Figures:
    """Seconds of an update's parts: medians after a first one that does not count."""
    if args.device == "cpu":
        torch.set_num_threads(1)
    settings = RestyleSettings()
    crops = Crops(
        args.crops or settings.crops, (settings.crop_size, settings.crop_size), MARGIN, settings.distortion
    )
    model = _model(args.words, args.device)
    drawing = trace(pairs.photo("astronaut", 512))
    scene = drawing.scene.to(args.device)
    side = size or round(model.input_size / settings.crop_size)
    prompts = [pairs.Pair("astronaut", "an astronaut in the snow").prompt((side, side))]
    with torch.no_grad():
        before = rasterise(scene, (side, side))
    guidance = Guidance(model, prompts, scene.size, before, crops, comparison="none")
    whole = torch.eye(3, dtype=torch.float64)[None] * torch.tensor([side, side, 1.0], dtype=torch.float64)
    places = torch.cat([whole, slants((side, side), crops, torch.Generator().manual_seed(0))])
    weights = [30.0, *[80.0 / crops.count] * crops.count]
    if args.device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()

    def look(painted: Tensor, number: int) -> Tensor:
        if plain:
            return pull_one_by_one(model, painted, places, guidance.toward[0], weights)[0]
        return guidance(painted, number).gradient

    parts = [_update(scene, side, look, number, args.device) for number in range(args.repeats + 1)][1:]
    medians = {name: statistics.median(each[name] for each in parts) for name in parts[0]}
    return {"paths": float(len(scene)), "side": float(side), **medians, "memory_mb": _memory(args.device)}


def _update(
    scene: Scene, side: int, look: Callable[[Tensor, int], Tensor], number: int, device: str
) -> Figures:
    points, colours = scene.points.clone().requires_grad_(), scene.colours.clone().requires_grad_()
    clock = [_now(device)]
    painted = rasterise(replace(scene, points=points, colours=colours), (side, side))
    clock.append(_now(device))
    gradient = look(painted, number)
    clock.append(_now(device))
    painted.backward(gradient)
    clock.append(_now(device))
    return dict(zip(("paint", "model", "paint_back"), (b - a for a, b in pairwise(clock)), strict=True))


def _now(device: str) -> float:
    """Seconds on the clock once a GPU is done; on a CPU those that this one thread has computed."""
    if device == "cpu":
        return time.process_time()
    _settle(device)
    return time.perf_counter()


def _memory(device: str) -> float:
    """Most megabytes that the process (on a GPU: its tensors there) has held."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def _machine(args: argparse.Namespace) -> dict[str, str]:
    name = torch.cuda.get_device_name() if args.device.startswith("cuda") else platform.machine()
    given = ["python", "benchmarks/vector.py", args.table, "--device", args.device]
    for option in ("steps", "crops", "count", "every", "workers"):
        value = getattr(args, option)
        if value is not None and (option, value) not in {("every", 1), ("workers", 1)}:
            given += [f"--{option}", str(value)]
    if args.table == "quality" and tuple(args.rows) != ROWS:
        given += ["--rows", *args.rows]
    return {
        "command": shlex.join(given),
        "machine": f"{name}, {torch.get_num_threads()} CPU threads, torch {torch.__version__}",
    }


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=("quality", "speed"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=1, help="processes that share the pairs")
    parser.add_argument("--count", type=int, help="how many pairs; all if not given")
    parser.add_argument("--every", type=int, default=1, help="every so manieth pair")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--steps", type=int, help="updates; each method's own if not given")
    parser.add_argument("--crops", type=int, help="crops; each method's own if not given")
    parser.add_argument("--repeats", type=int, default=5, help="updates that are timed")
    parser.add_argument("--words", default="words-small", help="the model that is optimised")
    parser.add_argument("--judge", type=Path, default=JUDGE)
    parser.add_argument("--stlpips", type=Path, help="file of ST-LPIPS weights")
    parser.add_argument("--kept", type=Path, default=Path("out/vector"), help="folder of what is finished")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


def main() -> None:
    """Make one of the two tables."""
    args = parse()
    (quality if args.table == "quality" else speed)(args)


if __name__ == "__main__":
    main()
