"""Make the part head of portraits-256 from 16 labelled portraits, and measure it against more and fewer.

    PYTHONPATH=src python recipes/portraits/part_net.py --data portraits/data --out runs/part-net
    PYTHONPATH=src python recipes/portraits/head.py --data portraits/data --net runs/part-net --out runs/parts

The labels are exact part maps of renders, so each labelled picture is first fitted into W+ (EditGAN's way); one that the
generator cannot make well counts less. Which pictures are labelled is chosen from their attributes, so that rare hair, glasses
and beards occur. Judged on

* held-out renders, fitted in the same way, against their exact labels;
* freely generated pictures, against what `part_net.py`, trained on thousands of exact maps, says of them.

`--by-net` also labels generated pictures with that net instead: codes are then exact, labels are not, and the head has in truth
seen thousands of labels through the net's eyes. It is a row of the table and never what is embedded as "16 labelled pictures".

Fits are kept in fits.safetensors and picked up again, so a stopped run goes on. Writes report.json, sheet.jpg and model/ to
`--out`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from part_net import CLASSES, Labelled, confusion, iou, load_part_net, mean_iou, read_labelled
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from pliant.gan.head import PartClass, PartHead
from pliant.gan.invert import InvertSettings, invert
from pliant.gan.latent import LatentPicture, load_generator, sample
from pliant.gan.parts import load_head, parts_image, segment
from pliant.gan.stylegan2 import Generator
from pliant.images import contact_sheet, to_pil
from pliant.train.head import HeadTrainSettings, LabelledPicture, train_head

NAMES = (
    "background", "skin", "nose", "left eye", "right eye", "left brow", "right brow", "upper lip", "lower lip",
    "mouth", "ear", "hair", "neck", "clothes", "beard", "glasses",
)  # fmt: skip
COLOURS = (
    (40, 40, 48), (250, 205, 170), (250, 150, 80), (255, 255, 255), (190, 220, 255), (120, 60, 20), (160, 100, 40),
    (220, 60, 80), (255, 100, 120), (120, 0, 0), (180, 120, 220), (90, 60, 30), (150, 180, 120), (60, 110, 220),
    (60, 140, 140), (0, 200, 0),
)  # fmt: skip
PARTS = tuple(PartClass(*each) for each in zip(NAMES, COLOURS, strict=True))
HELD_OUT = 200
"""The last seeds of the labelled set, which neither the net nor the head is trained on."""
FIRST_GENERATED = 50_000
"""Seed of the first generated picture to judge on."""

NEAR, FAR, LEAST = 0.12, 0.3, 0.02
"""A label counts fully where the fit is this close to the labelled picture (of a range of 2), and least where it is so far."""

CARD = """---
license: apache-2.0
---

# portraits-256: parts

Names 16 parts in pictures of `portraits-256` from the generator's own features:
{names}. Left and right are the person's. Read it with `pliant.gan.parts.load_head(generator)`.

- Labels: the exact part maps of {labelled} rendered portraits (CC0 1.0), fitted into W+ at {psnr:.1f} dB on average; nothing
  else was labelled. Labels hardly count where a fit does not look like its picture. The renders are among those that the
  generator was trained on; seeds {seeds}.
- One classifier that stands for an ensemble of {trained} (128 and 32 hidden), and {kept} of its members for uncertainty; fp16.
  The classifier learnt what the ensemble says of {unlabelled} unlabelled pictures.
- Made by `recipes/portraits/head.py` in {seconds:.0f} s on {device}, fits not counted. Licence of the weights: Apache-2.0.

{table}

The net is a small U-Net trained on the exact maps of {shown} renders (mIoU {net:.3f} on {held} others); it judges generated
pictures, for which no exact map exists, and is itself no better than that.

Limits: thin things suffer most (glasses, brows, lips); where a fit did not make the labelled picture exactly, its labels are
off by a pixel or two. It knows the parts of this generator's pictures only.
"""


def chosen(data: Labelled, count: int) -> list[int]:
    """Rows to label: each time the picture whose attributes have been chosen least so far."""
    seen: Counter[tuple[str, object]] = Counter()
    rows: list[int] = []
    traits = [_traits(attributes) for attributes in data.attributes]
    while len(rows) < count:
        gains = [
            0.0 if row in rows else sum(1 / (1 + seen[t]) ** 2 for t in each)
            for row, each in enumerate(traits)
        ]
        rows.append(int(np.argmax(gains)))
        seen.update(traits[rows[-1]])
    return rows


def _traits(of: dict) -> list[tuple[str, object]]:
    named = ("hair_style", "beard", "glasses", "theme", "cloth", "background", "fringe")
    thirds = {
        "yaw": (-15, 15),
        "pitch": (-6, 6),
        "gender": (0.4, 0.6),
        "age": (0.3, 0.6),
        "skin_tone": (0.3, 0.7),
    }
    found = [(name, of[name]) for name in named]
    found += [(name, sum(of[name] > edge for edge in edges)) for name, edges in thirds.items()]
    return [*found, ("eyes closed", of["eyes_open"] < 0.4), ("mouth open", of["mouth_open"] > 0.15)]


def fitted(
    generator: Generator, data: Labelled, rows: list[int], args: argparse.Namespace
) -> dict[int, dict]:
    """Codes of labelled pictures by row, with their likeness in decibels; kept in a file as they are found."""
    path = args.out / "fits.safetensors"
    stored = load_file(path) if path.exists() else {}
    settings = InvertSettings(w_steps=args.w_steps, wplus_steps=args.wplus_steps, tune_steps=0)
    for row in rows:
        name = f"{data.seeds[row]:06d}"
        if f"{name}.ws" in stored:
            continue
        began = time.perf_counter()
        photo = (data.images[row].float() / 127.5 - 1).to(generator.device)
        best = max(invert(generator, photo, settings=settings), key=lambda step: step.psnr)
        stored |= {f"{name}.ws": best.picture.ws.cpu(), f"{name}.psnr": torch.tensor(best.psnr)}
        save_file(stored, path)
        print(f"seed {name}: {best.psnr:.1f} dB in {time.perf_counter() - began:.0f} s", flush=True)
    names = {row: f"{data.seeds[row]:06d}" for row in rows}
    return {row: {"ws": stored[f"{n}.ws"], "psnr": float(stored[f"{n}.psnr"])} for row, n in names.items()}


@torch.no_grad()
def trust(generator: Generator, ws: Tensor, photo: Tensor) -> Tensor:
    """How much the label of each pixel counts: [H, W], less where the fit does not look like the labelled picture.

    A generator that cannot make someone's glasses paints skin there; the label says glasses. Such pixels hardly count.

    Args:
        generator: of the fit.
        ws: [num_ws, w_dim], the fit.
        photo: [3, H, W] uint8, the labelled picture.
    """
    made = LatentPicture(generator, ws.to(generator.device)).pixels().cpu()
    off = (made - (photo.float() / 127.5 - 1)).abs().mean(0)
    off = functional.avg_pool2d(off[None, None], 3, 1, 1, count_include_pad=False)[0, 0]
    return ((FAR - off) / (FAR - NEAR)).clamp(LEAST, 1)


def trained(
    generator: Generator, pictures: list[LabelledPicture], args: argparse.Namespace, facts: dict | None = None
) -> PartHead:
    """A head of these pictures."""
    settings = HeadTrainSettings(
        members=args.members,
        pixels=args.pixels,
        unlabelled=args.unlabelled,
        epochs=args.epochs,
        seed=args.seed,
    )
    step = None
    for step in train_head(generator, pictures, PARTS, settings, facts=facts):
        if step.loss is not None:
            print(f"  {step.stage} {step.done}: loss {step.loss:.3f}, {step.seconds:.0f} s", flush=True)
    assert step is not None
    assert step.head is not None
    return step.head


def judged(head: PartHead, pictures: list[LatentPicture], exact: Tensor, *, uncertainty: bool) -> dict:
    """Mean IoU and IoU of each part over all pixels of some pictures."""
    found = torch.stack([segment(each, head, uncertainty=uncertainty).ids for each in pictures])
    counts = confusion(found, exact)
    return {
        "mean_iou": round(mean_iou(counts), 4),
        "pixels_right": round(float(counts.diagonal().sum() / counts.sum()), 4),
        "iou": dict(zip(NAMES, [round(value, 3) for value in iou(counts).tolist()], strict=True)),
    }


def main() -> None:
    """Fit, train, judge, write."""
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    generator = load_generator(args.model, args.device)
    data = read_labelled(args.data)
    rest = len(data.seeds) - HELD_OUT if len(data.seeds) > 2 * HELD_OUT else len(data.seeds) // 2
    most = max(*args.counts, args.embedded)
    known = Labelled(data.seeds[:rest], data.images[:rest], data.ids[:rest], data.attributes[:rest])
    rows = chosen(known, most)
    held = list(range(rest, min(rest + args.held_out, len(data.seeds))))
    # Fits of the embedded head's pictures first: a run that is cut short has what matters most.
    fits = fitted(generator, data, rows[: args.embedded], args)
    fits |= fitted(generator, data, held, args)
    fits |= fitted(generator, data, rows, args)
    labelled = [
        LabelledPicture(ws, data.ids[row], trust(generator, ws, data.images[row]))
        for row, ws in ((row, fits[row]["ws"]) for row in rows)
    ]

    net = load_part_net(args.net) if args.net else None
    generated = [sample(generator, FIRST_GENERATED + k) for k in range(args.generated)]
    images = torch.stack([each.pixels().cpu() for each in generated]) if net else None
    tests = {
        "held-out renders, fitted": (
            [LatentPicture(generator, fits[r]["ws"].to(generator.device)) for r in held],
            data.ids[held],
        )
    }
    if net and images is not None:
        tests["generated, against the net"] = (generated, net.parts(images))
    report = report_head(args, data, rows, held, fits)
    if net:
        report["rows"]["supervised net"] = net_row(net, data, held, tests)
    if args.beside:
        report["rows"][args.beside.name] = rows_of(load_head(generator, args.beside), tests)
        write(args.out, report)
    final = None
    for count in sorted({*args.counts, args.embedded}):
        began = time.perf_counter()
        print(f"{count} labelled pictures", flush=True)
        facts = {"seeds": [data.seeds[row] for row in rows[:count]]}
        head = trained(generator, labelled[:count], args, facts)
        seconds = time.perf_counter() - began
        if count == args.embedded:
            final = replace(head, ensemble=head.ensemble[: args.keep])
        report["rows"][f"{count} labels"] = rows_of(head, tests) | {"seconds": round(seconds, 1)}
        write(args.out, report)
    if net and args.by_net:
        own = [sample(generator, 1000 + k) for k in range(args.embedded)]
        ids = net.parts(torch.stack([each.pixels().cpu() for each in own]))
        pictures = [LabelledPicture(each.ws, labels) for each, labels in zip(own, ids, strict=True)]
        head = trained(generator, pictures, args, {"labels": "supervised net"})
        report["rows"][f"{args.embedded} generated pictures, labelled by the net"] = rows_of(head, tests)
        write(args.out, report)
    assert final is not None
    psnr = float(np.mean([fits[row]["psnr"] for row in rows[: args.embedded]]))
    save(args, final, report, psnr)
    sheet(final, generated[:6], args.out / "sheet.jpg")


def rows_of(head: PartHead, tests: dict) -> dict:
    """What the fast classifier and the ensemble score on each test."""
    return {
        which: {
            name: judged(head, pictures, exact, uncertainty=slow) for name, (pictures, exact) in tests.items()
        }
        for which, slow in (("fast", False), ("ensemble", True))
    }


def report_head(
    args: argparse.Namespace, data: Labelled, rows: list[int], held: list[int], fits: dict
) -> dict:
    """What the figures are about."""
    return {
        "model": args.model,
        "labelled_seeds": [data.seeds[row] for row in rows],
        "held_out_seeds": [data.seeds[row] for row in held],
        "fit_psnr": {data.seeds[row]: round(fits[row]["psnr"], 1) for row in [*rows, *held]},
        "rows": {},
    }


def net_row(net: torch.nn.Module, data: Labelled, held: list[int], tests: dict) -> dict:
    """The fully supervised net on the same held-out pictures: on the renders themselves, and on their fits."""
    renders = data.images[held].float() / 127.5 - 1
    fits, exact = tests["held-out renders, fitted"]
    painted = torch.stack([each.pixels().cpu() for each in fits])
    found = {"held-out renders": net.parts(renders), "held-out renders, fitted": net.parts(painted)}
    return {
        "net": {name: {"mean_iou": round(mean_iou(confusion(ids, exact)), 4)} for name, ids in found.items()}
    }


def write(out: Path, report: dict) -> None:
    """Keep the figures so far."""
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n")


def table(report: dict) -> str:
    """Mean IoU of every row as Markdown."""
    columns = list(
        dict.fromkeys(
            t for row in report["rows"].values() for w in row.values() if isinstance(w, dict) for t in w
        )
    )
    lines = ["| mIoU | " + " | ".join(columns) + " |", "| --- " * (len(columns) + 1) + "|"]
    for name, row in report["rows"].items():
        for which in (key for key in row if isinstance(row[key], dict)):
            values = [f"{row[which][c]['mean_iou']:.3f}" if c in row[which] else "" for c in columns]
            lines.append(f"| {name}{', ' + which if which != 'net' else ''} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def save(args: argparse.Namespace, head: PartHead, report: dict, psnr: float) -> None:
    """Write the head with its card."""
    device = (
        torch.cuda.get_device_name() if args.device == "cuda" else f"{torch.get_num_threads()} CPU threads"
    )
    card = CARD.format(
        names=", ".join(NAMES),
        labelled=args.embedded,
        seeds=", ".join(str(seed) for seed in head.facts["seeds"]),
        psnr=psnr,
        trained=args.members,
        kept=len(head.ensemble),
        unlabelled=args.unlabelled,
        seconds=head.facts["seconds"],
        device=device,
        table=table(report),
        **net_facts(args.net),
    )
    head.save(args.out / "model", card)
    size = (args.out / "model" / "model.safetensors").stat().st_size
    print(f"{args.out / 'model'}: {size:,} bytes\n{table(report)}")


def net_facts(folder: Path | None) -> dict:
    """What the card says of the net."""
    if folder is None:
        return {"shown": 0, "net": float("nan"), "held": 0}
    found = json.loads((folder / "report.json").read_text())
    first, last = found["held_out_seeds"]
    return {"shown": f"{found['trained_on']:,}", "net": found["mean_iou"], "held": last - first + 1}


def sheet(head: PartHead, pictures: list[LatentPicture], path: Path) -> None:
    """Generated pictures, their parts and how uncertain these are."""
    images: list[Image.Image] = []
    for picture in pictures:
        found = segment(picture, head, uncertainty=True)
        assert found.uncertainty is not None
        doubt = (found.uncertainty / 0.7).clamp(0, 1) * 2 - 1
        images += [
            picture.render(),
            parts_image(found.ids, head.classes).convert("RGB"),
            to_pil(doubt.expand(3, -1, -1)),
        ]
    contact_sheet(images, 6).save(path, quality=90)


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--net", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--beside", type=Path, help="folder of a finished head to judge on the same pictures")
    parser.add_argument("--model", default="portraits-256")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 5, 16, 30])
    parser.add_argument("--embedded", type=int, default=16)
    parser.add_argument("--members", type=int, default=10)
    parser.add_argument("--keep", type=int, default=3, help="members that are embedded")
    parser.add_argument("--pixels", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--unlabelled", type=int, default=40)
    parser.add_argument("--held-out", type=int, default=20)
    parser.add_argument("--generated", type=int, default=50)
    parser.add_argument(
        "--by-net", action="store_true", help="add the row of generated pictures labelled by the net"
    )
    parser.add_argument("--w-steps", type=int, default=40)
    parser.add_argument("--wplus-steps", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    assert len(NAMES) == len(COLOURS) == CLASSES
    main()
