"""Parts: seconds and peak memory of segmenting, vectors and repainting; and the smile benchmark of EditGAN's table 1.

    python benchmarks/parts.py speed                       # this machine; --device cuda for a GPU
    python benchmarks/parts.py smile --data portraits/data --vector smile --device cuda

*speed*: medians over some runs after a warm-up. Memory is the peak above what the loaded model takes: on CUDA what torch
allocated, on the CPU the resident size of a fresh process for each row. "plain" stacks all features at the picture's size and
then asks the same classifier; its answers are compared with the library's.

*smile*: neutral generated portraits (the classifier says so) are made to smile. Success: share that the classifier then calls
smiling. It is a logistic regression on 68 landmarks, trained on the exact attributes of renders and judged on held-out ones; no
generated picture and no editor has seen it. Fréchet distance: on landmarks-68 features (not FID), to renders that smile.
ST-LPIPS: distance to the picture before. Rows: nothing; the normal of a hyperplane in W (InterFaceGAN, arXiv 1907.10786),
fitted to the classifier's verdict on random codes; the vector alone; and refined.
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
from pliant.perception.frechet import FEATURES, frechet_distance
from pliant.perception.landmarks import interocular, load_landmarks
from quality.perceptual import PerceptualDistance, weights_path

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


class SmileClassifier:
    """Logistic regression on landmarks: centred, turned upright, in units of the distance between the eyes.

    Args:
        points: [N, 68, 2] pixels of pictures, as the landmark net finds them.
        smiles: [N] bool.
    """

    def __init__(self, points: Tensor, smiles: Tensor) -> None:
        shapes = upright(points)
        self.mean, self.spread = shapes.mean(0), shapes.std(0) + 1e-3
        weights = torch.zeros(shapes.shape[1] + 1, requires_grad=True)
        wanted = smiles.float()
        adam = torch.optim.Adam([weights], 0.05)
        for _ in range(400):
            adam.zero_grad()
            score = self._scaled(shapes) @ weights[1:] + weights[0]
            loss = F.binary_cross_entropy_with_logits(score, wanted) + 1e-3 * weights[1:].square().sum()
            loss.backward()
            adam.step()
        self.weights = weights.detach()

    def __call__(self, points: Tensor) -> Tensor:
        """Log odds [N] of a smile."""
        return self._scaled(upright(points)) @ self.weights[1:] + self.weights[0]

    def _scaled(self, shapes: Tensor) -> Tensor:
        return (shapes - self.mean) / self.spread


def upright(points: Tensor) -> Tensor:
    """Landmarks [N, 68, 2] without place, size and roll: [N, 136]."""
    centre = (points[:, 36:48]).mean(1, keepdim=True)
    eyes = points[:, 45] - points[:, 36]
    cos, sin = (eyes / interocular(points)[:, None]).unbind(1)
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    return (((points - centre) @ turn) / interocular(points)[:, None, None]).flatten(1)


def labelled_smiles(data: Path) -> tuple[Tensor, Tensor]:
    """Pictures [N, 3, H, W] uint8 of the labelled set and which of them smile with a closed or open mouth."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "recipes" / "portraits"))
    from part_net import read_labelled

    read = read_labelled(data)
    return read.images, torch.tensor([each["smile"] > 0.4 for each in read.attributes])


@torch.no_grad()
def painted(pictures: list[LatentPicture]) -> Tensor:
    """[N, 3, H, W] on the CPU."""
    return torch.stack([each.pixels().cpu() for each in pictures])


@torch.no_grad()
def direction(generator: Any, judge: Callable[[Tensor], Tensor], count: int, seed: int) -> Tensor:
    """InterFaceGAN's direction: the unit normal [w_dim] of the plane between codes that smile and codes that do not.

    The most certain fifth on either side is kept; the plane is a ridge regression's.
    """
    rng = torch.Generator().manual_seed(seed)
    codes, scores = [], []
    for _ in range(0, count, 20):
        z = torch.randn(20, generator.config.z_dim, generator=rng).to(generator.device)
        ws = generator.mapping(z, None, 0.7)
        scores.append(judge(generator.synthesis(ws).clamp(-1, 1).cpu()))
        codes.append(ws[:, 0].cpu())
    codes, scores = torch.cat(codes), torch.cat(scores)
    order = scores.argsort()
    fifth = len(order) // 5
    chosen = torch.cat([order[:fifth], order[-fifth:]])
    signs = torch.cat([-torch.ones(fifth), torch.ones(fifth)])
    x = codes[chosen] - codes[chosen].mean(0)
    normal = torch.linalg.solve(
        x.T @ x + x.square().sum() / len(x) * 0.1 * torch.eye(x.shape[1]), x.T @ signs
    )
    return normal / normal.norm()


def smile(args: argparse.Namespace) -> None:
    """Make neutral portraits smile in every way, and judge."""
    generator = load_generator(args.model, args.device)
    head = load_head(generator, args.head)
    vector = find_vector(generator, args.vector)
    net = load_landmarks()
    images, smiles = labelled_smiles(args.data)
    rest = len(images) - 300
    found = torch.cat([net.detect(part.float() / 127.5 - 1).points for part in images.split(64)])
    classifier = SmileClassifier(found[:rest], smiles[:rest])
    accuracy = ((classifier(found[rest:]) > 0) == smiles[rest:]).float().mean()
    print(f"classifier: {accuracy:.1%} of 300 held-out renders", flush=True)

    def judge(pictures: Tensor) -> Tensor:
        return classifier(net.detect(pictures).points)

    starts: list[LatentPicture] = []
    seed = 100_000
    while len(starts) < args.count:
        picture = sample(generator, seed)
        seed += 1
        if float(judge(picture.pixels()[None].cpu())[0]) < -1:
            starts.append(picture)
    before = painted(starts)
    real = net.embed(images[smiles].float() / 127.5 - 1)
    distance = PerceptualDistance(weights_path())
    normal = direction(generator, judge, args.codes, 1)
    # As strong as the vector: the same median rise of the classifier's score on 20 of the pictures.
    rise = float((judge(painted([vector.apply(each) for each in starts[:20]])) - judge(before[:20])).median())
    strengths = torch.linspace(0.5, 12, 24)
    rises = [
        float(
            (
                judge(painted([each.with_ws(each.ws + s * normal.to(each.ws)) for each in starts[:20]]))
                - judge(before[:20])
            ).median()
        )
        for s in strengths
    ]
    strength = float(strengths[int((torch.tensor(rises) - rise).abs().argmin())])

    def refined(steps: int) -> list[LatentPicture]:
        settings = RepaintSettings(max_steps=steps)
        return [list(vector.refined(each, head=head, settings=settings))[-1].picture for each in starts]

    rows = {
        "nothing": lambda: starts,
        f"direction in W, {strength:.1f}": lambda: [
            each.with_ws(each.ws + strength * normal.to(each.ws)) for each in starts
        ],
        "vector": lambda: [vector.apply(each) for each in starts],
        "vector + 10 steps": lambda: refined(10),
        "vector + 30 steps": lambda: refined(30),
    }
    figures: dict[str, dict[str, float]] = {}
    for name, make in rows.items():
        began = time.perf_counter()
        after = painted(make())
        figures[name] = {
            "success": float((judge(after) > 0).float().mean()),
            "frechet": frechet_distance(net.embed(after), real),
            "st_lpips": float(distance(before, after).mean()),
            "seconds": (time.perf_counter() - began) / len(starts),
        }
        print(name, figures[name], flush=True)
    said = (
        f"`python benchmarks/parts.py smile --vector {args.vector} --count {args.count}`: {args.count} neutral pictures "
        f"of {args.model}. The classifier is right on {accuracy:.1%} of 300 held-out renders. Fréchet distance on "
        f"{FEATURES}; to the renders that smile."
    )
    lines = [
        "# Smiles",
        "",
        said,
        "",
        "| | success % | Fréchet distance | ST-LPIPS to the picture before | seconds |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {name} | {100 * row['success']:.1f} | {row['frechet']:.3f} | {row['st_lpips']:.3f} | {row['seconds']:.2f} |"
            for name, row in figures.items()
        ),
    ]
    _write(args, "parts_smile", lines, {"accuracy": float(accuracy), "rows": figures})


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
    parser.add_argument("--head", type=Path, help="folder of a part head; the model's own if not given")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--one", help="print the peak memory of one row (used for fresh processes)")
    parser.add_argument("--data", type=Path, help="zip shards of labelled renders")
    parser.add_argument("--vector", default="smile")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--codes", type=int, default=5000, help="random codes for the direction")
    args = parser.parse_args(arguments)
    if args.what == "smile" and args.data is None:
        parser.error("smile needs --data, the labelled renders")
    {"speed": speed, "smile": smile}[args.what](args)


if __name__ == "__main__":
    main()
