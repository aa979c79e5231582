"""Train the embedded 68-landmark network on rendered portraits with exact labels.

    PYTHONPATH=src python recipes/landmarks/train.py --data portraits/data --out runs/landmarks-68

`--data` holds the zip shards of the data set (pictures and `labels.jsonl`). The `--held-out` last seeds are
never trained on; the errors reported are theirs. `--extra` may name further folders that
`recipes/portraits/render` wrote with `--npy` (one .npy of pictures and `meta/*.json`). Everything lives on
the device; a training picture is turned, scaled, shifted, mirrored and squeezed with its labels, then
degraded the ways a generator's pictures are: blurred, smeared in places, coarse, tinted, noisy, partly
covered. The learning rate follows a cosine over `--seconds` (or over `--steps`).

Writes config.json, model.safetensors (fp16), README.md (model card), report.json and sheet.jpg (held-out
pictures, labels in green, predictions in red) to `--out`.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import math
import time
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn

from pliant.perception.landmarks import (
    MIRROR,
    LandmarkConfig,
    LandmarkNet,
    config_json,
    expectation,
    interocular,
    resize_for,
)

HEATMAP_SIGMA = 1.0
"""Standard deviation in cells of the target that the heatmaps are drawn to."""


CARD = """# landmarks-68

Finds the usual 68 face landmarks in a portrait that fills the picture. {parameters:,} parameters, fp16.
Read it with `pliant.perception.landmarks.load_landmarks()`.

- Made from scratch by `recipes/landmarks/train.py`: {steps:,} steps of {batch} on {trained_on:,} pictures,
  {seconds:.0f} s on {device}.
- Data: rendered portraits with exact labels (`recipes/portraits/render`, CC0). Nobody real is in them.
- Licence: Apache-2.0.

Error on the held-out seeds {first} to {last}, in pixels of a 256-pixel picture (points inside the picture)
and in per cent of the distance between the outer eye corners:

| pictures | mean px | without jaw | median face | worst face | % of eye distance |
| --- | --- | --- | --- | --- | --- |
{rows}

Limits: trained on rendered faces of one look, heads turned up to 40 degrees, one face filling the square.
Points that are hidden are guessed from the rest. It is a measuring tool for the drag benchmark and a source
of suggested handles; it does not recognise people and was not tested on photographs.
"""


@dataclass(frozen=True)
class Portraits:
    """Pictures and labels, in order of their seeds."""

    seeds: list[int]
    images: Tensor
    """[N, 3, S, S] uint8."""
    points: Tensor
    """[N, 68, 2] float32, pixels; the centre of the top-left pixel is (0, 0)."""

    def select(self, keep: Iterable[bool]) -> Portraits:
        """The pictures for which `keep` is true."""
        rows = [row for row, wanted in enumerate(keep) if wanted]
        return Portraits([self.seeds[row] for row in rows], self.images[rows], self.points[rows])


def read_shards(folder: Path, limit: int | None = None) -> Portraits:
    """Decode every picture of the zip shards in a folder."""
    records: list[tuple[Path, dict]] = []
    for shard in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(shard) as archive:
            records += [(shard, json.loads(line)) for line in archive.read("labels.jsonl").splitlines()]
    records = records[:limit]
    if not records:
        raise SystemExit(f"No zip shards with labels.jsonl in {folder}.")
    blobs: list[bytes] = []
    for shard in dict.fromkeys(shard for shard, _ in records):
        with zipfile.ZipFile(shard) as archive:
            blobs += [archive.read(record["image"]) for source, record in records if source == shard]
    with ThreadPoolExecutor() as pool:
        images = np.stack(list(pool.map(_decode, blobs)))
    return Portraits([r["id"] for _, r in records], torch.from_numpy(images), _points(r for _, r in records))


def read_rendered(folder: Path) -> Portraits:
    """Read a folder rendered with `--npy`: row i belongs to the i-th label in order of seeds."""
    records = [json.loads(path.read_text()) for path in sorted((folder / "meta").glob("*.json"))]
    images = np.load(next(folder.glob("*.npy")))[: len(records)]
    if len(images) != len(records):
        raise SystemExit(f"{folder} has {len(images)} pictures but {len(records)} labels.")
    return Portraits([r["id"] for r in records], torch.from_numpy(images), _points(records))


def _decode(blob: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(blob)).convert("RGB")).transpose(2, 0, 1)


def _points(records: Iterable[dict]) -> Tensor:
    # The renderer measures from the picture's corner, the library from the centre of the first pixel.
    return torch.tensor([record["landmarks"] for record in records]) - 0.5


def augment(images: Tensor, points: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Vary a batch and its labels.

    Args:
        images: [N, 3, S, S] float in [-1, 1].
        points: [N, 68, 2] pixels.
        random: generator on the pictures' device.

    Returns:
        Pictures [N, 3, S, S] and labels, some of which may now lie outside the picture.
    """
    images, points = _move(images, points, random)
    return _degrade(images, random).clamp(-1, 1), points


def _uniform(low: float, high: float, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=random, device=random.device) * (high - low) + low


def _chance(share: float, count: int, random: torch.Generator) -> Tensor:
    return (torch.rand(count, 1, 1, 1, generator=random, device=random.device) < share).float()


def _move(images: Tensor, points: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mirror, turn, scale, squeeze and shift about the picture's centre."""
    count, _, side, _ = images.shape
    mirrored = torch.rand(count, generator=random, device=random.device) < 0.5
    width = torch.full((1,), float(side - 1), device=images.device)
    flipped = torch.stack([width - points[:, MIRROR, 0], points[:, MIRROR, 1]], 2)
    points = torch.where(mirrored[:, None, None], flipped, points)
    images = torch.where(mirrored[:, None, None, None], images.flip(3), images)

    angle = _uniform(-1, 1, (count,), random) * _uniform(0, math.radians(25), (count,), random)
    scale = torch.exp(_uniform(-0.18, 0.22, (count,), random))
    stretch = torch.exp(_uniform(-0.08, 0.08, (count,), random))
    shift = _uniform(-0.12, 0.12, (count, 2), random)
    cos, sin = torch.cos(angle), torch.sin(angle)
    forward = torch.stack(
        [
            torch.stack([cos * scale * stretch, -sin * scale], 1),
            torch.stack([sin * scale * stretch, cos * scale], 1),
        ],
        1,
    )
    centre = (side - 1) / 2
    moved = (points - centre) @ forward.transpose(1, 2) + centre + shift[:, None] * side
    # grid_sample asks where each output pixel comes from, in [-1, 1] over the picture: the inverse map.
    inverse = torch.linalg.inv(forward)
    offset = -(inverse @ (2 * shift)[:, :, None])
    grid = functional.affine_grid(torch.cat([inverse, offset], 2), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False), moved


def _degrade(images: Tensor, random: torch.Generator) -> Tensor:
    """Colour, softness, smears, noise and covers; a third of the batch keeps its sharpness."""
    count, _, side, _ = images.shape
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * _uniform(0.3, 1.5, (count, 1, 1, 1), random)
    gamma = torch.exp(_uniform(-0.35, 0.35, (count, 1, 1, 1), random))
    images = ((images.clamp(-1, 1) + 1) / 2).clamp_min(1e-4) ** gamma * 2 - 1
    images = images * _uniform(0.7, 1.3, (count, 3, 1, 1), random) + _uniform(
        -0.2, 0.2, (count, 3, 1, 1), random
    )

    # One blur width and one coarseness per eighth of the batch keep this a handful of large kernels.
    order = torch.randperm(count, generator=random, device=random.device)
    parts = images[order].chunk(8)
    images = torch.cat([_soften(part, level, random) for level, part in enumerate(parts)])[
        torch.argsort(order)
    ]

    smear = functional.interpolate(
        functional.avg_pool2d(images, 8), (side, side), mode="bilinear", align_corners=False
    )
    where = functional.interpolate(
        _uniform(-1, 1, (count, 1, 6, 6), random), (side, side), mode="bicubic", align_corners=False
    )
    where = (
        (where * 3 - 0.6).clamp(0, 1) * _uniform(0, 1, (count, 1, 1, 1), random) * _chance(0.5, count, random)
    )
    images = images + where * (smear - images)

    sigma = _uniform(0, 0.15, (count, 1, 1, 1), random) * _chance(0.5, count, random)
    images = images + sigma * torch.randn(images.shape, generator=random, device=images.device)

    cells = torch.arange(side, device=images.device)
    size = _uniform(0.08, 0.4, (count, 2, 1), random) * side
    corner = _uniform(-0.1, 0.9, (count, 2, 1), random) * side
    within = (cells >= corner) & (cells < corner + size)
    covered = (within[:, 0, None, :] & within[:, 1, :, None])[:, None].float() * _chance(0.35, count, random)
    return images + covered * (_uniform(-1, 1, (count, 3, 1, 1), random) - images)


def _soften(images: Tensor, level: int, random: torch.Generator) -> Tensor:
    """Level 0 to 2: untouched; 3 to 5: Gaussian blur; 6 and 7: down and up again."""
    side = images.shape[-1]
    amount = float(torch.rand((), generator=random, device=random.device))
    if level < 3 or not len(images):
        return images
    if level < 6:
        sigma = 0.6 + 2.4 * amount
        radius = math.ceil(2.5 * sigma)
        taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=images.device) / sigma) ** 2)
        taps = (taps / taps.sum()).expand(3, 1, -1)
        padded = functional.pad(images, (radius,) * 4, mode="reflect")
        return functional.conv2d(
            functional.conv2d(padded, taps[:, :, None], groups=3), taps[:, :, :, None], groups=3
        )
    coarse = max(24, int(side / (1.5 + 4 * amount)))
    small = functional.interpolate(images, (coarse, coarse), mode="area")
    return functional.interpolate(small, (side, side), mode="bicubic" if level == 6 else "nearest")


def loss_of(logits: Tensor, points: Tensor, side: int) -> Tensor:
    """Cross-entropy of the heatmaps to a Gaussian at the label, and the distance of their expectation.

    Labels outside the picture have no cell and are left out.

    Args:
        logits: [N, 68, h, w].
        points: [N, 68, 2] pixels of a square picture.
        side: the picture's side in pixels.
    """
    cells = logits.shape[-1]
    share = (points + 0.5) / side
    inside = ((share > 0) & (share < 1)).all(2).float()
    centre = torch.arange(cells, device=logits.device) + 0.5
    gauss = torch.exp(-0.5 * ((centre - share[..., None] * cells) / HEATMAP_SIGMA) ** 2)
    gauss = gauss / gauss.sum(-1, keepdim=True).clamp_min(1e-6)
    log_mass = logits.flatten(2).log_softmax(2).unflatten(2, logits.shape[2:])
    cross = -(log_mass * gauss[:, :, 0, None, :] * gauss[:, :, 1, :, None]).sum((2, 3))
    distance = functional.smooth_l1_loss(
        expectation(logits)[0] * cells, share * cells, beta=0.25, reduction="none"
    ).sum(2)
    return ((0.25 * cross + distance) * inside).sum() / inside.sum().clamp_min(1)


@torch.no_grad()
def evaluate(net: LandmarkNet, images: Tensor, points: Tensor) -> dict[str, float]:
    """Distance to the labels that lie inside the picture.

    Pixels are those of a 256-pixel picture; per cent are of the distance between the outer eye corners.
    """
    side = images.shape[-1]
    found = net.detect(images)
    inside = ((points > -0.5) & (points < side - 0.5)).all(2)
    error = (found.points - points).norm(dim=2)
    relative = error / interocular(points)[:, None]
    per_face = (error * inside).sum(1) / inside.sum(1)
    face = torch.zeros_like(inside)
    face[:, 17:] = True
    return {
        "mean_px": float(error[inside].mean()) * 256 / side,
        "mean_px_without_jaw": float(error[inside & face].mean()) * 256 / side,
        "median_face_px": float(per_face.median()) * 256 / side,
        "worst_face_px": float(per_face.max()) * 256 / side,
        "interocular_percent": float(relative[inside].mean()) * 100,
        "confidence": float(found.confidence[inside].mean()),
    }


def split(args: argparse.Namespace) -> tuple[Portraits, Portraits]:
    """Pictures to train on, and the held-out ones."""
    everything = read_shards(args.data, args.limit)
    first, last = sorted(everything.seeds)[-args.held_out], max(everything.seeds)
    held_out = everything.select(seed >= first for seed in everything.seeds)
    parts = [everything.select(seed < first for seed in everything.seeds)]
    for folder in args.extra:
        extra = read_rendered(folder)
        parts.append(extra.select(not first <= seed <= last for seed in extra.seeds))
    seeds = [seed for part in parts for seed in part.seeds]
    images, points = torch.cat([part.images for part in parts]), torch.cat([part.points for part in parts])
    return Portraits(seeds, images, points), held_out


def floating(net: LandmarkNet) -> list[Tensor]:
    """Weights and running statistics."""
    return [value for value in net.state_dict().values() if value.is_floating_point()]


def fit(net: LandmarkNet, data: Portraits, args: argparse.Namespace) -> tuple[LandmarkNet, int]:
    """Train until the time or the steps are used up; returns the averaged network and the steps taken."""
    device = data.images.device
    side = data.images.shape[-1]
    random = torch.Generator(device).manual_seed(args.seed)
    average = copy.deepcopy(net)
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}],
        lr=args.learning_rate,
        betas=(0.9, 0.99),
        fused=device.type == "cuda",
    )
    start, step = time.perf_counter(), 0
    while True:
        elapsed = time.perf_counter() - start
        progress = step / args.steps if args.steps else elapsed / args.seconds
        if progress >= 1:
            return average, step
        rate = args.learning_rate * min(1.0, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * progress))
        for group in optimiser.param_groups:
            group["lr"] = max(rate, 1e-6)
        rows = torch.randint(len(data.images), (args.batch,), generator=random, device=device)
        batch, labels = augment(data.images[rows].float() / 127.5 - 1, data.points[rows], random)
        batch = resize_for(batch, args.input_size).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            logits = net(batch)
        loss = loss_of(logits.float(), labels, side)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        # Quick at first, so that a short trial is not judged by its initial weights.
        blend = get_ema_multi_avg_fn(1 - max(0.002, 10 / (10 + step)))
        blend(floating(average), floating(net), step)
        if step % 100 == 0:
            print(f"step {step:6d}  {elapsed:6.1f} s  loss {float(loss.detach()):.4f}", flush=True)
        step += 1


def train(args: argparse.Namespace) -> None:
    """Run the whole recipe."""
    device = torch.device(args.device)
    torch.manual_seed(args.seed)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    data, held_out = split(args)
    net = LandmarkNet(LandmarkConfig(args.input_size)).to(device, memory_format=torch.channels_last)
    print(
        f"{len(data.seeds)} pictures to train on, {len(held_out.seeds)} held out; "
        f"{sum(p.numel() for p in net.parameters()):,} parameters on {device}",
        flush=True,
    )
    start = time.perf_counter()
    final, steps = fit(net, Portraits(data.seeds, data.images.to(device), data.points.to(device)), args)
    seconds = time.perf_counter() - start
    final = final.float().eval()

    clean = (held_out.images.to(device).float() / 127.5 - 1, held_out.points.to(device))
    hard = augment(*clean, torch.Generator(device).manual_seed(1))
    report = {
        "held_out_seeds": [min(held_out.seeds), max(held_out.seeds)],
        "trained_on": len(data.seeds),
        "steps": steps,
        "batch": args.batch,
        "seconds": round(seconds, 1),
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "one CPU core",
        "clean": evaluate(final, *clean),
        "augmented": evaluate(final, *hard),
    }
    print(json.dumps(report, indent=2), flush=True)
    save(args.out, final, report)
    shown = [torch.cat([a[:24], b[:24]]) for a, b in zip(clean, hard, strict=True)]
    sheet(*shown, final.detect(shown[0]).points).save(args.out / "sheet.jpg", quality=85)


def save(out: Path, net: LandmarkNet, report: dict) -> None:
    """Write the model folder (fp16 weights) and the report."""
    out.mkdir(parents=True, exist_ok=True)
    weights = {
        name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for name, value in net.state_dict().items()
    }
    save_file(weights, out / "model.safetensors", metadata={"format": "pliant-landmarks"})
    (out / "config.json").write_text(config_json(net.config))
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    (out / "README.md").write_text(card(net, report))


def card(net: LandmarkNet, report: dict) -> str:
    """The model card."""
    clean, hard = report["clean"], report["augmented"]
    rows = "\n".join(
        f"| {name} | {r['mean_px']:.2f} | {r['mean_px_without_jaw']:.2f} | {r['median_face_px']:.2f} "
        f"| {r['worst_face_px']:.1f} | {r['interocular_percent']:.2f} |"
        for name, r in (("as rendered", clean), ("augmented as in training", hard))
    )
    return CARD.format(
        parameters=sum(p.numel() for p in net.parameters()),
        rows=rows,
        first=report["held_out_seeds"][0],
        last=report["held_out_seeds"][1],
        **report,
    )


def sheet(images: Tensor, labels: Tensor, found: Tensor, columns: int = 8) -> Image.Image:
    """Pictures in rows, labels in green, predictions in red."""
    side = images.shape[-1]
    rows = math.ceil(len(images) / columns)
    canvas = Image.new("RGB", (columns * side, rows * side))
    pixels = ((images.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    for index, picture in enumerate(pixels):
        tile = Image.fromarray(picture)
        draw = ImageDraw.Draw(tile)
        for points, colour in ((labels[index], (0, 230, 0)), (found[index], (255, 40, 40))):
            for x, y in points.tolist():
                draw.ellipse([x - 1, y - 1, x + 1, y + 1], fill=colour)
        canvas.paste(tile, (index % columns * side, index // columns * side))
    return canvas


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the zip shards")
    parser.add_argument("--extra", type=Path, nargs="*", default=[], help="folders rendered with --npy")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seconds", type=float, default=70.0, help="training time")
    parser.add_argument("--steps", type=int, default=0, help="train this many steps instead of a time")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--input-size", type=int, default=128)
    parser.add_argument(
        "--held-out", type=int, default=300, help="how many of the last seeds to keep for the report"
    )
    parser.add_argument("--limit", type=int, default=None, help="read only so many pictures (for a trial)")
    parser.add_argument("--seed", type=int, default=0)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
