"""A fully supervised part segmenter of portraits, to judge the few-label head by.

It is trained on the whole labelled set, is not installed, and nothing in the library needs it:

    PYTHONPATH=src python recipes/portraits/part_net.py --data portraits/data --out runs/part-net --seconds 600

A small U-Net (depthwise separable, 0.2 M parameters) sees the picture at 256 x 256 and scores it at 128 x 128. The last
`--held-out` seeds are never trained on; their mIoU is printed and written to report.json. Pictures are mirrored (left and right
parts change places), shifted, tinted and softened at random, since generated pictures are softer than renders.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from pliant.perception.landmarks import resize_for

CLASSES = 16
INPUT = 256
WIDTHS = (16, 32, 64, 96, 128, 128)
MIRRORED = (0, 1, 2, 4, 3, 6, 5, *range(7, CLASSES))
"""Ids after a left-right flip: eyes and brows change places."""


class Labelled(NamedTuple):
    """Pictures with exact labels, in order of their seeds."""

    seeds: list[int]
    images: Tensor
    """[N, 3, S, S] uint8."""
    ids: Tensor
    """[N, S, S] uint8."""
    attributes: list[dict]


def read_labelled(folder: Path, wanted: set[int] | None = None) -> Labelled:
    """Decode pictures and part maps of the data set's zip shards, all or those with the wanted seeds."""
    records, pictures, maps = [], [], []
    for shard in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(shard) as archive:
            for line in archive.read("labels.jsonl").splitlines():
                record = json.loads(line)
                if wanted is None or record["id"] in wanted:
                    records.append(record)
                    pictures.append(archive.read(record["image"]))
                    maps.append(archive.read(record["parts"]))
    if not records:
        raise SystemExit(f"No zip shards with these labels in {folder}.")
    with ThreadPoolExecutor() as pool:
        images = np.stack(list(pool.map(_picture, pictures)))
        ids = np.stack(list(pool.map(_map, maps)))
    return Labelled([r["id"] for r in records], torch.from_numpy(images), torch.from_numpy(ids), records)


def _picture(blob: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(blob)).convert("RGB")).transpose(2, 0, 1)


def _map(blob: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(blob)))


class Separable(nn.Sequential):
    """Depthwise 3 x 3, pointwise, normalised; stride 2 where it shrinks."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )


class PartNet(nn.Module):
    """Scores of 16 parts at half the input's size."""

    def __init__(self) -> None:
        super().__init__()
        first, *rest = WIDTHS
        self.stem = nn.Sequential(
            nn.Conv2d(3, first, 3, 2, 1, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            Separable(first, first),
        )
        self.down = nn.ModuleList(
            nn.Sequential(Separable(a, b, 2), Separable(b, b), Separable(b, b))
            for a, b in zip(WIDTHS, rest, strict=False)
        )
        self.lateral = nn.ModuleList(
            nn.Conv2d(b, a, 1) for a, b in reversed(list(zip(WIDTHS, rest, strict=False)))
        )
        self.up = nn.ModuleList(Separable(a, a) for a in reversed(WIDTHS[:-1]))
        self.score = nn.Conv2d(first, CLASSES, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """[N, 3, H, W] in [-1, 1] to [N, 16, 128, 128]; smaller pictures are not enlarged, and get half as many scores."""
        x = self.stem(resize_for(images, min(INPUT, images.shape[-1])))
        levels = [x]
        for down in self.down:
            x = down(x)
            levels.append(x)
        for lateral, up, finer in zip(self.lateral, self.up, reversed(levels[:-1]), strict=True):
            x = functional.interpolate(lateral(x), scale_factor=2.0, mode="bilinear", align_corners=False)
            x = up(functional.relu(x + finer))
        return self.score(x)

    @torch.no_grad()
    def parts(self, images: Tensor, batch: int = 16) -> Tensor:
        """Part ids of pictures [N, 3, H, W]: uint8 [N, H, W]; the mean of a picture and its mirror image."""
        found = []
        for part in images.split(batch):
            scores = self(part).softmax(1) + self(part.flip(3)).softmax(1).flip(3)[:, MIRRORED]
            scores = functional.interpolate(scores, part.shape[2:], mode="bilinear", align_corners=False)
            found.append(scores.argmax(1).to(torch.uint8))
        return torch.cat(found)


def load_part_net(folder: Path) -> PartNet:
    """Read what `main` wrote."""
    net = PartNet()
    net.load_state_dict(load_file(folder / "model.safetensors"))
    return net.eval().requires_grad_(requires_grad=False)


def confusion(found: Tensor, exact: Tensor) -> Tensor:
    """[16, 16] counts of pixels by exact (row) and found (column) part."""
    return torch.bincount(
        exact.flatten().long() * CLASSES + found.flatten().long(), minlength=CLASSES**2
    ).view(CLASSES, CLASSES)


def iou(counts: Tensor) -> Tensor:
    """Intersection over union of each part, NaN where neither map has it."""
    both = counts.diagonal().double()
    return both / (counts.sum(0) + counts.sum(1) - both)


def mean_iou(counts: Tensor) -> float:
    """The mean over the parts that occur in the exact maps."""
    return float(iou(counts)[counts.sum(1) > 0].mean())


def augment(images: Tensor, ids: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mirror, shift, tint and soften: float pictures [N, 3, S, S], ids [N, S, S]."""
    count, device = len(images), images.device

    def drawn(*shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=rng).to(device)

    flip = drawn(1, 1) < 0.5
    ids = torch.where(flip, ids.new_tensor(MIRRORED)[ids.flip(2).long()], ids)
    images = torch.where(flip[:, None], images.flip(3), images).float() / 127.5 - 1
    shift = torch.randint(-16, 17, (2,), generator=rng).tolist()
    images, ids = images.roll(shift, (2, 3)), ids.roll(shift, (1, 2))
    images = (images * (drawn(3, 1, 1) * 0.4 + 0.8) + drawn(3, 1, 1) * 0.2 - 0.1).clamp(-1, 1)
    if torch.rand((), generator=rng) < 0.5:
        images = functional.avg_pool2d(functional.pad(images, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return images, ids


def train(net: PartNet, data: Labelled, seconds: float, batch: int, seed: int) -> int:
    """Train until the time is up; returns the number of steps."""
    rng = torch.Generator().manual_seed(seed)
    device = net.score.weight.device
    weights = (
        1 / torch.bincount(data.ids[:200].flatten().long(), minlength=CLASSES).clamp_min(1).float().sqrt()
    )
    weights = (weights / weights.mean()).to(device)
    optimiser = torch.optim.AdamW(net.parameters(), 4e-3, weight_decay=0.01)
    net.train().to(memory_format=torch.channels_last)
    began, step = time.perf_counter(), 0
    while (progress := (time.perf_counter() - began) / seconds) < 1:
        rate = 4e-3 * min(1.0, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * progress))
        optimiser.param_groups[0]["lr"] = max(rate, 1e-6)
        rows = torch.randint(len(data.images), (batch,), generator=rng)
        images, ids = augment(data.images[rows].to(device), data.ids[rows].to(device), rng)
        top, left = torch.randint(2, (2,), generator=rng).tolist()  # a score stands for four pixels in turn
        ids = ids[:, top::2, left::2].long()
        loss = functional.cross_entropy(net(images), ids, weights)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if step % 50 == 0:
            print(
                f"step {step}, {time.perf_counter() - began:.0f} s, loss {float(loss.detach()):.3f}",
                flush=True,
            )
        step += 1
    net.eval()
    return step


def main() -> None:
    """Train, judge, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--held-out", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    data = read_labelled(args.data)
    rest = len(data.seeds) - args.held_out
    shown = Labelled(data.seeds[:rest], data.images[:rest], data.ids[:rest], data.attributes[:rest])
    net = PartNet().to(args.device)
    steps = train(net, shown, args.seconds, args.batch, args.seed)
    net.cpu()
    counts = confusion(net.parts(data.images[rest:].float() / 127.5 - 1), data.ids[rest:])
    report = {
        "trained_on": rest,
        "steps": steps,
        "held_out_seeds": [data.seeds[rest], data.seeds[-1]],
        "mean_iou": mean_iou(counts),
        "iou": [round(value, 4) for value in iou(counts).tolist()],
    }
    args.out.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: value.contiguous() for name, value in net.state_dict().items()}, args.out / "model.safetensors"
    )
    (args.out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report))


if __name__ == "__main__":
    main()
