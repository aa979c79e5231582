"""Parts: seconds and peak memory of segmenting, vectors and repainting; and the smile benchmark of EditGAN's table 1.

    python benchmarks/parts.py speed                       # this machine; --device cuda for a GPU
    python benchmarks/parts.py smile --data portraits/data --vector smile --device cuda

*speed*: medians over some runs after a warm-up. Memory is the peak above what the loaded model takes: on CUDA what torch
allocated, on the CPU the resident size of a fresh process for each row. "plain" stacks all features at the picture's size and
then asks the same classifier; its answers are compared with the library's.

*smile*: neutral generated portraits (the classifier says so) are made to smile. Success: share that the classifier then calls
smiling. It is a logistic regression on 68 landmarks, trained on the exact attributes of renders and judged on held-out ones; no
generated picture and no editor has seen it. Fréchet distance: on landmarks-68 features (not FID), to renders that smile.
ST-LPIPS and identity (cosine by `pliant.perception.identity`, not ArcFace): to the picture before. Rows: nothing; the normal of
a hyperplane in W (InterFaceGAN, arXiv 1907.10786), fitted to the classifier's verdict on random codes; the vector alone; and
refined.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.gan.head import PartHead, look
from pliant.gan.latent import LatentPicture, fingerprint, load_generator, sample
from pliant.gan.part_edit import RepaintSettings, repaint
from pliant.gan.parts import load_head, segment
from pliant.gan.vectors import EditVector, find_vector
from pliant.perception.frechet import FEATURES
from quality.perceptual import weights_path
from quality.smiles import HELD_OUT, Judged, Judges, Smiles

RESULTS = Path(__file__).parent / "results"
MOUTH_PARTS = ("upper lip", "lower lip", "mouth")
ROUNDS = 5


class Subject:
    """What the speed rows work on: a picture, its head, a painted map, a vector of about the size of an edit."""

    def __init__(self, model: str, head: Path | None, device: str) -> None:
        self.generator = load_generator(model, device)
        self.head = load_head(self.generator, head)
        self.picture = sample(self.generator, 24)
        rng = torch.Generator().manual_seed(0)
        offset = 0.05 * torch.randn(self.picture.ws.shape, generator=rng)
        parts = tuple(name for name in self.head.names if name in MOUTH_PARTS) or self.head.names[:1]
        self.vector = EditVector("speed", offset, parts, fingerprint(self.generator))
        self._painted: Tensor | None = None

    def painted(self) -> Tensor:
        """The picture's part map with a box of other parts in its lower half."""
        if self._painted is None:
            ids = segment(self.picture, self.head).ids.clone()
            middle, reach = ids.shape[0] // 2, ids.shape[0] // 8
            box = (slice(middle, middle + reach), slice(middle - reach, middle + reach))
            ids[box] = (ids[box] + 1) % len(self.head.classes)
            self._painted = ids
        return self._painted

    def rows(self) -> dict[str, tuple[Callable[[], Any], int]]:
        """What to time, and how often at least."""
        forever = RepaintSettings(patience=10**6)
        ws = self.picture.ws[None]

        def refined(steps: int) -> Callable[[], Any]:
            settings = replace(forever, max_steps=steps)
            return lambda: list(self.vector.refined(self.picture, head=self.head, settings=settings))

        def from_scratch() -> Any:
            return list(
                repaint(self.picture, self.painted(), head=self.head, settings=replace(forever, max_steps=60))
            )

        return {
            "one forward": (lambda: forward(self.generator, ws), ROUNDS),
            "vector, direct": (
                lambda: forward(self.generator, self.vector.apply(self.picture).ws[None]),
                ROUNDS,
            ),
            "segment, fast classifier": (lambda: segment(self.picture, self.head), ROUNDS),
            "segment, plain": (lambda: plain_segment(self.picture, self.head), ROUNDS),
            "segment, ensemble": (lambda: segment(self.picture, self.head, uncertainty=True), ROUNDS),
            "vector + 10 steps": (refined(10), 1),
            "vector + 30 steps": (refined(30), 1),
            "repaint, 60 steps": (from_scratch, 1),
        }


@torch.no_grad()
def forward(generator: Any, ws: Tensor) -> Tensor:
    """The picture of a code, as both of the first rows paint it."""
    return generator.synthesis(ws)


@torch.no_grad()
def plain_segment(picture: LatentPicture, head: PartHead) -> Tensor:
    """The published order: every map at the size of the picture, stacked, then the classifiers."""
    _, features = look(picture.generator, picture.ws[None])
    size = (head.size[1], head.size[0])
    maps = [F.interpolate(each, size, mode="bilinear", align_corners=False) for each in features.values()]
    return head.fast.of_stack(torch.cat(maps, 1)[0])[0].argmax(0)


def timed(work: Callable[[], Any], rounds: int, device: str) -> float:
    """Median seconds."""
    seconds = []
    for _ in range(rounds):
        if device == "cuda":
            torch.cuda.synchronize()
        began = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def resident(which: str) -> int:
    """Resident bytes of this process: now ("VmRSS"), or the most since `forget_peak` ("VmHWM"). Linux only."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{which}:")[1].split()[0]) * 1024


def forget_peak() -> None:
    """Give freed memory back, and count the peak from here."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def peak(subject: Subject, name: str, device: str) -> int:
    """Bytes that a row takes at its peak beyond the loaded model; on the CPU to be asked of a fresh process."""
    work, _ = subject.rows()[name]
    if device == "cuda":
        work()
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        work()
        return torch.cuda.max_memory_allocated() - before
    subject.painted()
    forget_peak()
    before = resident("VmRSS")
    work()
    return resident("VmHWM") - before


def speed(args: argparse.Namespace) -> None:
    """Time every row and write the table."""
    subject = Subject(args.model, args.head, args.device)
    if args.one:
        print(peak(subject, args.one, args.device))
        return
    agree = (
        (plain_segment(subject.picture, subject.head).cpu() == segment(subject.picture, subject.head).ids)
        .float()
        .mean()
    )
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # the first one of a process imports for seconds
    figures: dict[str, dict[str, float]] = {}
    for name, (work, rounds) in subject.rows().items():
        if rounds > 1:
            work()
        figures[name] = {"seconds": timed(work, rounds, args.device), "bytes": _bytes(subject, name, args)}
        print(name, figures[name], flush=True)
    machine = (
        torch.cuda.get_device_name()
        if args.device == "cuda"
        else f"{platform.machine()}, {torch.get_num_threads()} threads"
    )
    said = (
        f"`python benchmarks/parts.py speed --device {args.device}`, model {args.model}, float32. "
        f"The plain row names the same part as the library at {agree:.4%} of the pixels."
    )
    lines = [
        f"# Parts: seconds and memory ({machine})",
        "",
        said,
        "",
        "| | seconds | peak MB |",
        "| --- | --- | --- |",
        *(f"| {name} | {row['seconds']:.3f} | {row['bytes'] / 1e6:.0f} |" for name, row in figures.items()),
    ]
    _write(
        args,
        f"parts_speed_{args.device}",
        lines,
        {"machine": machine, "rows": figures, "agreement": float(agree)},
    )


def _bytes(subject: Subject, name: str, args: argparse.Namespace) -> int:
    if args.device == "cuda":
        return peak(subject, name, args.device)
    words = [sys.executable, __file__, "speed", "--one", name, "--model", args.model]
    words += ["--head", str(args.head)] if args.head else []
    done = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603 - our own words
    return int(done.stdout.split()[-1])


def smile(args: argparse.Namespace) -> None:
    """Make neutral portraits smile in every way, judge, and write the table."""
    generator = load_generator(args.model, args.device)
    vector = find_vector(generator, args.vector)
    judges = Judges(args.data, args.identity, args.stlpips or weights_path())
    smiles = Smiles(generator, vector, judges, count=args.count, codes=args.codes, workers=args.workers)
    print(f"classifier: {smiles.accuracy:.1%} of {HELD_OUT} held-out renders", flush=True)
    rows: dict[str, Judged] = {}
    for name, edit in smiles.rows().items():
        rows[name] = smiles.judged(*edit())
        print(name, rows[name], flush=True)
    lines = [
        "# Smiles",
        "",
        (
            f"`python benchmarks/parts.py smile --vector {args.vector} --count {args.count} --device {args.device}`: "
            f"{args.count} neutral pictures of {args.model}. The classifier is right on {smiles.accuracy:.1%} of {HELD_OUT} "
            f"held-out renders. Fréchet distance on {FEATURES}; to the renders that smile."
        ),
        "",
        "| | success % | Fréchet distance | ST-LPIPS to the picture before | identity | seconds |",
        f"|{' --- |' * 6}",
        *(
            f"| {name} | {100 * row.success:.1f} | {row.frechet:.3f} | {row.st_lpips:.3f} | "
            f"{row.identity:.3f} | {row.seconds:.2f} |"
            for name, row in rows.items()
        ),
    ]
    figures = {"accuracy": smiles.accuracy, "rows": {name: vars(row) for name, row in rows.items()}}
    _write(args, "parts_smile", lines, figures)


def _write(args: argparse.Namespace, name: str, lines: list[str], figures: dict[str, Any]) -> None:
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / f"{name}.md").write_text("\n".join(lines) + "\n")
    (args.out / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
    print("\n".join(lines))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["speed", "smile"])
    parser.add_argument("--model", default="portraits-256")
    parser.add_argument(
        "--head", type=Path, help="of speed: folder of a part head; the model's own if not given"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--one", help="print the peak memory of one row (used for fresh processes)")
    parser.add_argument("--data", type=Path, help="zip shards of labelled renders")
    parser.add_argument("--vector", default="smile", help="of smile: a vector's name")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--identity", type=Path, help="of smile: folder of an identity network")
    parser.add_argument("--stlpips", type=Path, help="of smile: file of ST-LPIPS weights")
    parser.add_argument("--workers", type=int, default=1, help="of smile: processes that refine")
    parser.add_argument("--codes", type=int, default=5000, help="random codes for the direction")
    args = parser.parse_args(arguments)
    if args.what == "smile" and args.data is None:
        parser.error("smile needs --data, the labelled renders")
    {"speed": speed, "smile": smile}[args.what](args)


if __name__ == "__main__":
    main()
