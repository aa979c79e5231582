"""Train the network that says how alike two portraits are as persons, on rendered people seen several times.

    python recipes/identity/train.py --pictures runs/people --held-out runs/others --seconds 100 --out runs/identity-128

Both are folders that `recipes/portraits/render/render.py --views 5` wrote with `--npy` (one .npy and `meta/*.json`); persons of
the held-out folder are never trained on. Landmarks are detected once, the pictures stay on the device as bytes. A training
picture is cropped a little beside its frame, then mirrored, lit and tinted otherwise, blurred or made coarse, compressed
the way JPEG does, made noisy, partly covered. The loss is a softmax over all persons in which the right one has to win by
a margin (CosFace, arXiv 1801.09414); the margin grows from 0 during the first third. The learning rate follows a cosine
over `--seconds` (or over `--steps`).

Writes config.json, model.safetensors (fp16), README.md (model card), report.json and sheet.jpg (the held-out pairs that
it finds hardest) to `--out`. Copy that folder, without report and sheet, to `src/pliant/_weights/identity-128` to embed it.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn

from pliant.images import contact_sheet, to_pil
from pliant.perception.identity import IdentityConfig, IdentityNet, crop, find_faces, save_identity

CARD = """# identity-128

Says how alike two portraits are as persons: a vector of {dimensions} numbers for each, and their cosine. {parameters:,}
parameters, fp16. Read it with `pliant.perception.identity.load_identity()`. It measures whether an edit of a portrait
kept the person.

- Made by `recipes/identity/train.py`: {steps:,} steps of {batch} crops in {seconds:.0f} s on {device}.
- Data: {pictures:,} renders of {persons:,} people who do not exist (`recipes/portraits/render --views`, CC0): one shape, age,
  skin, hair and beard each, in several poses, expressions and lights. Nobody real is in them.
- Licence: Apache-2.0.

On {held_out_pictures:,} renders of {held_out_persons:,} people who were not trained on, all pairs of pictures; accuracy is the
mean over pairs of one person and of two, at the value that parts them best:

| compared by | pairs of two persons | accuracy | at | AUC | cosine, one person | cosine, two persons |
| --- | --- | --- | --- | --- | --- | --- |
{rows}

People alike: of one sex, skin tones within 0.1 of each other. Colours: the crop averaged to 8 x 8, as a vector.

Limits: **it is not ArcFace**, its values compare only with its own, and it is not for recognising real people: it has seen
rendered faces of one look only and was not tested on photographs. All pictures of a person had the same hair, so a changed
hairline, beard or hair colour counts as a changed person. Mirrored pictures count as the same person. Where the landmark
network finds no face (`sees_face`), the value says little.
"""
ALIKE = 0.1
"""Greatest difference of skin tone at which two people of one sex are hard to tell apart by colour."""


@dataclass(frozen=True)
class People:
    """Pictures and whom they show."""

    pictures: Tensor
    """[N, 3, S, S] uint8."""
    person: Tensor
    """[N] seeds of persons."""
    female: Tensor
    """[N] bool."""
    tone: Tensor
    """[N] skin tone, 0 light .. 1 dark."""
    frames: Tensor
    """[N, 2, 3], see `pliant.perception.identity.Faces`."""
    found: Tensor
    """[N] bool: a face was found."""

    def select(self, keep: Tensor) -> People:
        """The pictures for which `keep` [N] is true."""
        return People(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


def read_people(folder: Path, device: torch.device) -> People:
    """A folder rendered with `--npy`, its faces found: row i belongs to the i-th label in order of seeds."""
    records = [json.loads(path.read_text()) for path in sorted((folder / "meta").glob("*.json"))]
    arrays = sorted(folder.glob("*.npy"))
    if len(arrays) != 1 or not records:
        raise SystemExit(
            f"{folder} must hold one .npy of pictures and meta/*.json, as render.py --npy writes."
        )
    stored = np.load(arrays[0])
    if len(stored) != len(records):
        raise SystemExit(f"{folder} has {len(stored)} pictures but {len(records)} labels.")
    pictures = torch.from_numpy(stored).to(device)
    faces = [find_faces(to_float(part)) for part in pictures.split(128)]
    return People(
        pictures,
        torch.tensor([record["seed"] for record in records], device=device),
        torch.tensor([record["gender"] < 0.5 for record in records], device=device),
        torch.tensor([float(record["skin_tone"]) for record in records], device=device),
        torch.cat([each.frames for each in faces]),
        torch.cat([each.found for each in faces]),
    )


def to_float(pictures: Tensor) -> Tensor:
    """Bytes to [-1, 1]."""
    return pictures.float() / 127.5 - 1


class Chance:
    """Random numbers on the pictures' device."""

    def __init__(self, device: torch.device, seed: int) -> None:
        self.generator = torch.Generator(device).manual_seed(seed)
        self.here = torch.Generator().manual_seed(seed)

    def number(self) -> float:
        """Uniform in [0, 1), known without waiting for the device."""
        return float(torch.rand((), generator=self.here))

    def between(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform in [low, high)."""
        values = torch.rand(shape, generator=self.generator, device=self.generator.device)
        return values * (high - low) + low

    def share(self, share: float, count: int) -> Tensor:
        """[count, 1, 1, 1] of 0 and, in this share, 1."""
        return (self.between(0, 1, count, 1, 1, 1) < share).float()


def misframe(frames: Tensor, chance: Chance) -> Tensor:
    """Turn, scale, stretch and shift crops a little about their middle, as faulty landmarks would."""
    count = len(frames)
    angle = chance.between(-0.09, 0.09, count)
    scale, stretch = (
        chance.between(-0.08, 0.08, count).exp(),
        chance.between(-0.03, 0.03, count).exp(),
    )
    cos, sin = angle.cos() * scale, angle.sin() * scale
    turn = torch.stack([torch.stack([cos * stretch, -sin], 1), torch.stack([sin * stretch, cos], 1)], 1)
    middle = frames.new_full((count, 2, 1), 0.5)
    shift = middle + chance.between(-0.03, 0.03, count, 2, 1) - turn @ middle
    linear, offset = frames[..., :2], frames[..., 2:]
    return torch.cat([linear @ turn, linear @ shift + offset], 2)


def degrade(crops: Tensor, chance: Chance) -> Tensor:
    """Vary crops [N, 3, S, S] in ways that leave the person: side, light, colour, sharpness, noise, covers."""
    count, _, side, _ = crops.shape
    crops = torch.where(chance.share(0.5, count) > 0, crops.flip(3), crops)
    grey = crops.mean(1, keepdim=True)
    crops = grey + (crops - grey) * chance.between(0.6, 1.4, count, 1, 1, 1)
    light = ((crops.clamp(-1, 1) + 1) / 2).clamp_min(1e-4) ** chance.between(
        -0.25, 0.25, count, 1, 1, 1
    ).exp()
    along = torch.linspace(-1, 1, side, device=crops.device)
    slope = chance.between(-0.25, 0.25, 2, count, 1, 1, 1)
    light = light * (1 + slope[0] * along + slope[1] * along[:, None])
    crops = (
        2 * light * chance.between(0.85, 1.15, count, 3, 1, 1) - 1 + chance.between(-0.1, 0.1, count, 1, 1, 1)
    )

    # Rows of a batch are drawn at random, so its eighths may be treated differently: few large kernels.
    parts = crops.chunk(8)
    crops = torch.cat([soften(part, level, chance) for level, part in enumerate(parts)])
    crops = torch.lerp(crops, compress(crops, chance), chance.share(0.5, count))
    sigma = chance.between(0, 0.08, count, 1, 1, 1) * chance.share(0.5, count)
    crops = crops + sigma * torch.randn(crops.shape, generator=chance.generator, device=crops.device)

    cells = torch.arange(side, device=crops.device)
    size, corner = (
        chance.between(0.15, 0.5, count, 2, 1) * side,
        chance.between(-0.2, 0.9, count, 2, 1) * side,
    )
    within = (cells >= corner) & (cells < corner + size)
    covered = (within[:, 0, None, :] & within[:, 1, :, None])[:, None].float() * chance.share(0.4, count)
    return torch.lerp(crops, chance.between(-1, 1, count, 3, 1, 1).expand_as(crops), covered).clamp(-1, 1)


def soften(crops: Tensor, level: int, chance: Chance) -> Tensor:
    """Level 0 to 3: untouched; 4 to 6: Gaussian blur; 7: down and up again."""
    side, amount = crops.shape[-1], chance.number()
    if level < 4 or not len(crops):
        return crops
    if level == 7:
        small = functional.interpolate(crops, (int(side / (1.5 + 2 * amount)),) * 2, mode="area")
        return functional.interpolate(small, (side, side), mode="bilinear", align_corners=False)
    sigma = side / 112 * (0.5 + 1.5 * amount)
    radius = math.ceil(2.5 * sigma)
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=crops.device) / sigma) ** 2)
    taps = (taps / taps.sum()).expand(3, 1, -1)
    padded = functional.pad(crops, (radius,) * 4, mode="reflect")
    return functional.conv2d(
        functional.conv2d(padded, taps[:, :, None], groups=3), taps[:, :, :, None], groups=3
    )


def compress(crops: Tensor, chance: Chance) -> Tensor:
    """Round the cosine transform of blocks of 8 x 8, fine detail more coarsely, as JPEG does (on RGB)."""
    count, _, side, _ = crops.shape
    k = torch.arange(8, device=crops.device)
    cosines = torch.cos(math.pi / 8 * (k + 0.5) * k[:, None]) / 2
    cosines[0] /= math.sqrt(2)
    step = chance.between(0.02, 0.15, count, 1, 1, 1, 1, 1) * (1 + (k[:, None, None] + k) / 2)
    blocks = crops.reshape(count, 3, side // 8, 8, side // 8, 8)
    waves = torch.einsum("ky,ncaybx,lx->ncakbl", cosines, blocks, cosines)
    waves = (waves / step).round() * step
    return torch.einsum("ky,ncakbl,lx->ncaybx", cosines, waves, cosines).reshape(crops.shape)


def margin_loss(cosines: Tensor, person: Tensor, margin: float, scale: float) -> Tensor:
    """CosFace: cross-entropy of scaled cosines, of which the right person's is lowered by the margin.

    Args:
        cosines: [N, P] to the centre of each person.
        person: [N] rows of the right ones.
        margin: in cosines.
        scale: of the logits.
    """
    right = functional.one_hot(person, cosines.shape[1]).to(cosines)
    return functional.cross_entropy(scale * (cosines - margin * right), person)


class Training:
    """The network, the persons' centres, and one step.

    Args:
        people: pictures to learn from, all with faces.
        args: the command line.
    """

    def __init__(self, people: People, args: argparse.Namespace) -> None:
        device = people.pictures.device
        self.people, self.args = people, args
        self.persons, self.row = people.person.unique(return_inverse=True)
        torch.manual_seed(args.seed)
        # To see whether everything runs, a tiny one will do.
        config = IdentityConfig(32, (8, 8, 16, 16), (1, 1, 1, 1), 16) if args.small else IdentityConfig()
        self.net = IdentityNet(config).to(device, memory_format=torch.channels_last)
        self.centres = nn.Parameter(torch.randn(len(self.persons), config.dimensions).to(device))
        self.average = copy.deepcopy(self.net).eval().requires_grad_(requires_grad=False)
        self.chance = Chance(device, args.seed)
        self.half = device.type == "cuda"
        decayed = [p for p in self.net.parameters() if p.ndim > 1]
        plain = [p for p in self.net.parameters() if p.ndim <= 1]
        self.adam = torch.optim.AdamW(
            [
                {"params": [*decayed, self.centres], "weight_decay": args.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=args.learning_rate,
            betas=(0.9, 0.99),
            fused=self.half,
        )
        self.steps = 0

    def step(self, share: float) -> tuple[Tensor, Tensor]:
        """One update; `share` of the training is done. Gives loss and the share of right guesses."""
        warm = min(1.0, (self.steps + 1) / 200)
        for group in self.adam.param_groups:
            group["lr"] = max(self.args.learning_rate * warm * (0.5 + 0.5 * math.cos(math.pi * share)), 1e-6)
        people, generator = self.people, self.chance.generator
        rows = torch.randint(len(self.row), (self.args.batch,), generator=generator, device=self.row.device)
        frames = misframe(people.frames[rows], self.chance)
        crops = crop(to_float(people.pictures[rows]), frames, self.net.config.input_size)
        crops = degrade(crops, self.chance).contiguous(memory_format=torch.channels_last)
        self.net.train()
        with torch.autocast(crops.device.type, torch.bfloat16, enabled=self.half):
            vectors = self.net(crops)
        cosines = vectors @ functional.normalize(self.centres, dim=1).T
        margin = self.args.margin * min(1.0, 3 * share)
        loss = margin_loss(cosines, self.row[rows], margin, self.args.scale)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([*self.net.parameters(), self.centres], 5.0)
        self.adam.step()
        # Quick at first, so that a short trial is not judged by its initial weights.
        blend = get_ema_multi_avg_fn(1 - max(0.002, 10 / (10 + self.steps)))
        with torch.no_grad():
            blend(floating(self.average), floating(self.net), None)
        self.steps += 1
        return loss.detach(), (cosines.detach().argmax(1) == self.row[rows]).float().mean()

    def run(self, held: People) -> tuple[float, list[dict[str, float]]]:
        """Train until the time or the steps are used up: seconds, and what was reported on the way."""
        args, log = self.args, list[dict[str, float]]()
        began = time.perf_counter()
        while True:
            seconds = time.perf_counter() - began
            share = self.steps / args.steps if args.steps else seconds / args.seconds
            if share >= 1:
                return seconds, log
            loss, right = self.step(share)
            if self.steps % args.report_every == 0:
                figures = verification(vectors_of(self.average, held), held.person)
                line = {"step": self.steps, "seconds": round(seconds, 1), "loss": round(float(loss), 3)}
                line |= {"right": round(float(right), 3), "held_out_auc": round(figures["auc"], 5)}
                line |= {"held_out_accuracy": round(figures["accuracy"], 4)}
                log.append(line)
                print(json.dumps(line), flush=True)


def floating(net: nn.Module) -> list[Tensor]:
    """Weights and running statistics."""
    return [value for value in net.state_dict().values() if value.is_floating_point()]


def crops_of(people: People, side: int) -> Tensor:
    """The faces [N, 3, side, side], as they are compared."""
    parts = zip(people.pictures.split(128), people.frames.split(128), strict=True)
    return torch.cat([crop(to_float(pictures), frames, side) for pictures, frames in parts])


@torch.no_grad()
def vectors_of(net: IdentityNet, people: People) -> Tensor:
    """Vectors [N, D] of all pictures."""
    return torch.cat([net(part) for part in crops_of(people, net.config.input_size).split(256)])


def verification(vectors: Tensor, person: Tensor, comparable: Tensor | None = None) -> dict[str, float]:
    """How well cosines tell pairs of one person from pairs of two.

    Args:
        vectors: [N, D] of length one.
        person: [N] whom each shows.
        comparable: [N, N] bool, which pairs of two persons count; all by default.
    """
    first, second = torch.triu_indices(len(vectors), len(vectors), 1, device=vectors.device)
    cosine = (vectors.double() @ vectors.double().T)[first, second]
    same = person[first] == person[second]
    if comparable is not None:
        counts = same | comparable[first, second]
        cosine, same = cosine[counts], same[counts]
    one, two = cosine[same], cosine[~same]
    if not len(one) or not len(two):
        raise SystemExit("Held-out pictures must show at least two persons, one of them twice.")
    ordered = cosine.argsort(descending=True)
    hits = same[ordered].double().cumsum(0)
    alarms = (~same[ordered]).double().cumsum(0)
    accuracy = (hits / len(one) + 1 - alarms / len(two)) / 2
    best = int(accuracy.argmax())
    places = cosine.argsort().argsort()[same] + 1.0
    above = float(places.sum()) - len(one) * (len(one) + 1) / 2
    return {
        "pairs_of_one": len(one),
        "pairs_of_two": len(two),
        "accuracy": float(accuracy[best]),
        "threshold": float(cosine[ordered[best : best + 2]].mean()),
        "auc": above / len(one) / len(two),
        "one_mean": float(one.mean()),
        "one_std": float(one.std(correction=0)),
        "two_mean": float(two.mean()),
        "two_std": float(two.std(correction=0)),
    }


def evaluate(net: IdentityNet, held: People) -> dict[str, dict[str, float]]:
    """Figures of the network, on people alike, and of plain colours."""
    vectors = vectors_of(net, held)
    alike = (held.female[:, None] == held.female) & ((held.tone[:, None] - held.tone).abs() < ALIKE)
    colours = crops_of(held, 8).flatten(1)
    colours = functional.normalize(colours - colours.mean(0), dim=1)
    return {
        "the network": verification(vectors, held.person),
        "the network, people alike": verification(vectors, held.person, alike),
        "colours": verification(colours, held.person),
    }


def card(net: IdentityNet, report: dict[str, Any]) -> str:
    """The model card."""
    rows = "\n".join(
        f"| {name} | {r['pairs_of_two']:,} | {100 * r['accuracy']:.1f} % | {r['threshold']:.2f} | {r['auc']:.4f} "
        f"| {r['one_mean']:.2f} ± {r['one_std']:.2f} | {r['two_mean']:.2f} ± {r['two_std']:.2f} |"
        for name, r in report["held_out"].items()
    )
    parameters = sum(p.numel() for p in net.parameters())
    return CARD.format(rows=rows, parameters=parameters, dimensions=net.config.dimensions, **report)


@torch.no_grad()
def write_sheet(net: IdentityNet, held: People, path: Path) -> None:
    """Pairs one above the other: left the least alike of one person, right the most alike of two."""
    vectors, shown = vectors_of(net, held), crops_of(held, 112)
    cosine = vectors.double() @ vectors.double().T
    same = held.person[:, None] == held.person
    cosine = cosine.masked_fill(torch.ones_like(same).tril(), math.nan)
    hard = [
        *cosine.where(same, math.nan).nan_to_num(2.0).flatten().argsort()[:8].tolist(),
        *cosine.where(~same, math.nan).nan_to_num(-2.0).flatten().argsort(descending=True)[:8].tolist(),
    ]
    order = [pair // len(shown) for pair in hard] + [pair % len(shown) for pair in hard]
    contact_sheet([to_pil(shown[row].clamp(-1, 1).cpu()) for row in order], 16).save(path, quality=88)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=Path, required=True, help="folder rendered with --views and --npy")
    parser.add_argument(
        "--held-out", type=Path, required=True, help="the same, of other persons, to measure on"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/identity-128"))
    parser.add_argument("--seconds", type=float, default=100, help="of training")
    parser.add_argument("--steps", type=int, default=0, help="instead of seconds")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--margin", type=float, default=0.35, help="of CosFace, in cosines")
    parser.add_argument("--scale", type=float, default=32, help="of the cosines in the softmax")
    parser.add_argument("--report-every", type=int, default=500, help="steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--small", action="store_true", help="a tiny network, to see whether everything runs")
    return parser.parse_args()


def main() -> None:
    """Read, train, measure, write."""
    args = parse()
    device = torch.device(args.device)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    held, people = read_people(args.held_out, device), read_people(args.pictures, device)
    unseen = int((~people.found).sum())
    people = people.select(people.found & ~torch.isin(people.person, held.person))
    if not len(people.person):
        raise SystemExit(f"{args.pictures} shows nobody who is not in {args.held_out} too.")
    training = Training(people, args)
    facts = {
        "pictures": len(people.person),
        "persons": len(training.persons),
        "without_a_face": unseen,
        "held_out_pictures": len(held.person),
        "held_out_persons": len(held.person.unique()),
        "held_out_without_a_face": int((~held.found).sum()),
        "batch": args.batch,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "a CPU",
    }
    print(json.dumps(facts), flush=True)
    seconds, log = training.run(held)
    net = training.average
    report = facts | {"steps": training.steps, "seconds": round(seconds, 1), "held_out": evaluate(net, held)}
    save_identity(net, args.out)
    (args.out / "README.md").write_text(card(net, report), encoding="utf-8")
    (args.out / "report.json").write_text(json.dumps(report | {"log": log}, indent=1) + "\n")
    write_sheet(net, held, args.out / "sheet.jpg")
    print(json.dumps(report["held_out"]["the network"] | {"steps": training.steps}), flush=True)


if __name__ == "__main__":
    main()
