"""How like a photo an inversion is after each stage, in what time, and how well the result can be dragged.

    python benchmarks/inversion.py --pictures held_out/img --count 50 --device cuda
    python benchmarks/inversion.py --pictures held_out/img --count 8          # minutes on a CPU

`--pictures` holds portraits that are framed as the model's are, such as renders of the held-out seeds 5000 to 7999
(`recipes/portraits/render`). `--photos` are any photos with one face; the face is found and framed first, and the
documentation's astronaut is added. Rows are stages, each with the ones before it; "mean" is the model's mean picture, the row
of doing nothing.

* PSNR in decibels; ST-LPIPS (AlexNet), which the inversion never sees; identity: cosine of the persons' vectors
  (`pliant.perception.identity`, not ArcFace; 1 is the same); landmarks: mean distance in pixels between the 68 landmarks of
  reconstruction and picture; strain of the code; seconds since the beginning.
* Editability: the tip of the nose is dragged 16 pixels aside, in the picture before tuning, in the tuned one, and in generated
  pictures. Ratio: how far the detected tip is from where it should be, to how far it was (1: nothing happened, 0: arrived).
* Sliders: learnt edits at strength 1 in the same pictures, and what they do to the landmarks, in percent of the distance
  between the outer corners of the eyes: how much wider the mouth is (smile), how far the nose moves aside (turn head).
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from pliant.gan.align import crop_face, cut
from pliant.gan.drag import DragSettings, drag
from pliant.gan.encoder import encoder_of
from pliant.gan.invert import InvertSettings, InvertStep, invert, shown
from pliant.gan.latent import LatentPicture, load_generator, sample
from pliant.gan.stylegan2 import Generator
from pliant.gan.vectors import vectors_for
from pliant.images import center_crop_resize, contact_sheet, load_image, to_tensor
from pliant.perception.identity import IdentityNet, load_identity
from pliant.perception.landmarks import (
    LEFT_EYE,
    MOUTH_CORNERS,
    NOSE_TIP,
    RIGHT_EYE,
    LandmarkNet,
    load_landmarks,
)
from quality import perceptual

RESULTS = Path(__file__).parent / "results"
ASTRONAUT = Path(__file__).parents[1] / "docs" / "images" / "astronaut.jpg"
NAMES = {"w": "+ W", "w+": "+ W+", "tune": "+ tuned generator (PTI)"}
ASIDE = 16.0
"""Pixels of a 256-pixel picture that the nose is dragged."""
FIRST_SEED = 2000
SLIDERS = ("smile", "turn head")


Rows = dict[str, dict[str, list[dict[str, float]]]]
"""Figures of each picture, by kind of picture, then by stage."""


@dataclass
class Bench:
    """What everything needs, and what was found."""

    generator: Generator
    net: LandmarkNet
    judge: perceptual.PerceptualDistance
    identity: IdentityNet
    settings: InvertSettings
    drag_steps: int
    rows: Rows = field(default_factory=dict)
    """By kind of picture, then by row: figures of each picture."""
    drags: dict[str, list[float]] = field(default_factory=dict)
    slides: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    """By kind of picture: what each slider does to each picture."""

    def measure(self, picture: LatentPicture, photo: Tensor, seconds: float) -> dict[str, float]:
        """Figures of a reconstruction."""
        made = picture.pixels()[None]
        step = shown(picture, photo)
        found, wanted = (self.net.detect(each).points for each in (made, photo[None]))
        return {
            "psnr": step.psnr,
            "stlpips": float(self.judge(made, photo[None])[0]),
            "identity": float(self.identity.similarity(made, photo[None])[0]),
            "landmarks": float((found - wanted).norm(dim=2).mean()),
            "strain": step.strain,
            "seconds": seconds,
        }

    def invert(self, kind: str, photo: Tensor) -> list[LatentPicture]:
        """Invert a photo, measure after every stage, drag; mean picture, then the end of each stage."""
        generator = self.generator
        mean = LatentPicture(generator, generator.mapping.w_avg.expand(generator.config.num_ws, -1).clone())
        ends: dict[str, tuple[InvertStep, float]] = {}
        _settle(generator)
        began = time.perf_counter()
        for step in invert(generator, photo, settings=self.settings):
            _settle(generator)
            ends[step.stage] = (step, time.perf_counter() - began)
        first = (
            "encoder" if encoder_of(generator) and self.settings.start == "auto" else "best of random codes"
        )
        rows = self.rows.setdefault(kind, {})
        rows.setdefault("mean", []).append(self.measure(mean, photo, 0.0))
        for stage, (step, seconds) in ends.items():
            rows.setdefault(NAMES.get(stage, first), []).append(self.measure(step.picture, photo, seconds))
        for stage, name in (("w+", f"{kind}, before tuning"), ("tune", f"{kind}, tuned")):
            if self.drag_steps and stage in ends:
                self.edit(name, ends[stage][0].picture)
        return [mean, *(step.picture for step, _ in ends.values())]

    def edit(self, name: str, picture: LatentPicture) -> None:
        """Drag and slide a picture of that kind."""
        self.drags.setdefault(name, []).append(self.dragged(picture))
        self.slides.setdefault(name, []).append(self.slid(picture))

    def slid(self, picture: LatentPicture) -> dict[str, float]:
        """What each slider does at strength 1, in percent of the distance between the eyes' outer corners."""
        vectors = vectors_for(picture.generator)
        before = self.shape(picture)
        after = {name: self.shape(vectors[name].apply(picture)) for name in SLIDERS if name in vectors}
        return {name: 100 * (shape[name] - before[name]) for name, shape in after.items()}

    def shape(self, picture: LatentPicture) -> dict[str, float]:
        """What the sliders are measured by: width of the mouth, place of the nose between the eyes."""
        points = self.net.detect(picture.pixels()[None]).points[0].cpu()
        left, right = points[LEFT_EYE[0]], points[RIGHT_EYE[3]]
        across = right - left
        corners = points[MOUTH_CORNERS[1]] - points[MOUTH_CORNERS[0]]
        nose = (points[NOSE_TIP] - (left + right) / 2) @ across / across.square().sum()
        return {"smile": float(corners.norm() / across.norm()), "turn head": float(nose)}

    def dragged(self, picture: LatentPicture) -> float:
        """Drag the nose aside; distance that is left, to the distance at the start."""
        start = self.net.detect(picture.pixels()[None]).points[0, NOSE_TIP].cpu()
        aside = torch.tensor([ASIDE * picture.size[1] / 256, 0.0])
        settings = DragSettings(max_steps=self.drag_steps)
        *_, last = drag(picture, start[None], (start + aside)[None], settings=settings)
        end = self.net.detect(last.picture.pixels()[None]).points[0, NOSE_TIP].cpu()
        return float((start + aside - end).norm() / aside.norm())


def _settle(generator: Generator) -> None:
    if generator.device.type == "cuda":
        torch.cuda.synchronize()


def portraits(folder: Path, count: int, size: tuple[int, int]) -> list[Image.Image]:
    """The first pictures of a folder, by name."""
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in {".png", ".jpg", ".webp"})[:count]
    if not paths:
        raise SystemExit(f"There are no pictures in {folder}.")
    return [center_crop_resize(load_image(path), size) for path in paths]


def faces(paths: Sequence[Path], size: tuple[int, int]) -> list[Image.Image]:
    """Framed faces of photos, and of the documentation's."""
    photos = [load_image(path) for path in (*paths, ASTRONAUT)]
    return [cut(photo, crop_face(photo, size)) for photo in photos]


def means(found: list[dict[str, float]]) -> dict[str, float]:
    """Mean of every figure."""
    return {name: sum(each[name] for each in found) / len(found) for name in found[0]}


def markdown(setup: dict[str, Any], found: Share) -> str:
    """Tables for people."""
    lines = ["# Inversion", "", f"`{setup['command']}`", "", f"{setup['machine']}; model {setup['model']}."]
    lines += ["", *(f"- {name}: {value}" for name, value in setup["settings"].items())]
    for kind, rows in found.rows.items():
        count = len(next(iter(rows.values())))
        lines += ["", f"## {kind} ({count})", ""]
        lines += [
            "| | PSNR dB | ST-LPIPS | identity | landmarks px | strain | seconds |",
            f"|{' --- |' * 7}",
        ]
        for name, figures in rows.items():
            mean = means(figures)
            lines.append(
                f"| {name} | {mean['psnr']:.2f} | {mean['stlpips']:.4f} | {mean['identity']:.3f} | "
                f"{mean['landmarks']:.2f} | {mean['strain']:.2f} | {mean['seconds']:.1f} |"
            )
    if found.drags:
        lines += ["", f"## Drags of the nose by {ASIDE:g} pixels, at most {setup['drag_steps']} steps", ""]
        lines += ["| | ratio to no edit | within a quarter | pictures |", "| --- | --- | --- | --- |"]
        for name, ratios in found.drags.items():
            share = sum(each <= 0.25 for each in ratios) / len(ratios)
            lines.append(
                f"| {name} | {sum(ratios) / len(ratios):.3f} | {100 * share:.0f} % | {len(ratios)} |"
            )
    if any(each_of[0] for each_of in found.slides.values()):
        names = list(next(iter(found.slides.values()))[0])
        lines += ["", "## Sliders at strength 1, percent of the distance between the eyes", ""]
        lines += [f"| | {' | '.join(names)} | pictures |", f"| --- |{' --- |' * (len(names) + 1)}"]
        for name, each_of in found.slides.items():
            effects = means(each_of)
            lines.append(
                f"| {name} | {' | '.join(f'{effects[each]:+.1f}' for each in names)} | {len(each_of)} |"
            )
    return "\n".join(lines) + "\n"


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="portraits-256")
    parser.add_argument("--pictures", type=Path, help="folder of portraits, framed")
    parser.add_argument("--named", default="held-out renders", help="what the portraits are, for the table")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="photos with one face each")
    parser.add_argument(
        "--set", nargs="*", default=[], help="settings of the inversion, such as tune_steps=200"
    )
    parser.add_argument("--drag-steps", type=int, default=100, help="0 leaves the drags out")
    parser.add_argument("--stlpips", type=Path, help="file of ST-LPIPS weights")
    parser.add_argument(
        "--identity", type=Path, help="folder of an identity network; the embedded one if not given"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that share the pictures")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


def settings_from(words: Sequence[str]) -> InvertSettings:
    """Settings from "name=value"."""
    values = {}
    for word in words:
        name, _, text = word.partition("=")
        default = getattr(InvertSettings(), name)
        kind = type(default)
        values[name] = text == "True" if kind is bool else kind(text)
    return InvertSettings(**values)


@dataclass
class Share:
    """What one process found."""

    rows: Rows
    drags: dict[str, list[float]]
    slides: dict[str, list[dict[str, float]]]
    sheets: dict[tuple[str, int], list[Image.Image]]
    """Photo and stages of the first pictures, by kind and number."""


def work(args: argparse.Namespace, share: int) -> Share:
    """Every `args.workers`-th picture, from number `share` on: inverted, measured, edited."""
    if args.workers > 1:
        torch.set_num_threads(1)
    generator = load_generator(args.model, args.device)
    judge = perceptual.PerceptualDistance(args.stlpips or perceptual.weights_path()).to(args.device)
    identity = load_identity(args.identity, args.device)
    net = load_landmarks(device=args.device)
    bench = Bench(generator, net, judge, identity, settings_from(args.set), args.drag_steps)
    size = generator.config.size
    kinds = {args.named: portraits(args.pictures, args.count, size) if args.pictures else []}
    kinds["photos"] = faces(args.photos, size)
    images = [(kind, number, image) for kind, found in kinds.items() for number, image in enumerate(found)]
    sheets: dict[tuple[str, int], list[Image.Image]] = {}
    for kind, number, image in images[share :: args.workers]:
        pictures = bench.invert(kind, to_tensor(image).to(args.device))
        if number < 4:
            sheets[kind, number] = [image, *(picture.image() for picture in pictures)]
        last = {name: round(found[-1]["psnr"], 2) for name, found in bench.rows[kind].items()}
        print(json.dumps({"kind": kind, "number": number} | last), flush=True)
    generated = range(FIRST_SEED, FIRST_SEED + min(args.count, 8) * bool(args.drag_steps))
    for seed in generated[share :: args.workers]:
        bench.edit("generated, psi 0.7", sample(generator, seed, 0.7))
    return Share(bench.rows, bench.drags, bench.slides, sheets)


def together(shares: Sequence[Share]) -> Share:
    """What all processes found."""
    whole = Share({}, {}, {}, {})
    for share in shares:
        for kind, rows in share.rows.items():
            for row, found in rows.items():
                whole.rows.setdefault(kind, {}).setdefault(row, []).extend(found)
        for name, ratios in share.drags.items():
            whole.drags.setdefault(name, []).extend(ratios)
        for name, found in share.slides.items():
            whole.slides.setdefault(name, []).extend(found)
        whole.sheets |= share.sheets
    return whole


def main() -> None:
    """Run everything and write it."""
    args = parse()
    if args.workers == 1:
        found = work(args, 0)
    else:
        with ProcessPoolExecutor(args.workers, get_context("spawn")) as pool:
            found = together(list(pool.map(partial(work, args), range(args.workers))))
    settings = settings_from(args.set)
    name = torch.cuda.get_device_name() if args.device.startswith("cuda") else platform.machine()
    words = ["python", "benchmarks/inversion.py", "--count", str(args.count), "--device", args.device]
    words += ["--drag-steps", str(args.drag_steps), *(["--set", *args.set] if args.set else [])]
    words += ["--workers", str(args.workers)] if args.workers > 1 else []
    others = f", {args.workers} processes at once" if args.workers > 1 else ""
    setup = {
        "command": shlex.join(words),
        "machine": f"{name}, {torch.get_num_threads()} CPU threads{others}, torch {torch.__version__}",
        "model": args.model,
        "drag_steps": args.drag_steps,
        "settings": {name: getattr(settings, name) for name in settings.__dataclass_fields__},
    }
    args.out.mkdir(parents=True, exist_ok=True)
    facts = {"setup": setup, "rows": found.rows, "drags": found.drags, "slides": found.slides}
    (args.out / "inversion.json").write_text(json.dumps(facts, indent=1) + "\n")
    (args.out / "inversion.md").write_text(markdown(setup, found))
    if found.sheets:
        kind = next(iter(found.rows))
        shown = [found.sheets[key] for key in sorted(found.sheets) if key[0] == kind]
        shown += [found.sheets[key] for key in sorted(found.sheets) if key[0] != kind]
        labels = ["photo", *found.rows[kind]]
        images = [image for row in shown for image in row]
        contact_sheet(images, len(labels), labels * len(shown)).save(args.out / "inversion.jpg", quality=88)
    print(markdown(setup, found))


if __name__ == "__main__":
    main()
