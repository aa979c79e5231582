"""Train the encoder of `portraits-256`: from a picture to the W+ code that makes it.

    python recipes/portraits/encoder.py --pictures shards --seconds 520 --out runs/portraits-256-encoder

Half of each batch are the generator's own pictures, whose codes are known; the other half are renders (.npy shards, zip shards
or folders of pictures; without any, all are generated). Losses, in the manner of EditGAN (arXiv 2111.03186) and e4e
(2102.02766): pixels, blurred pixels and the distance of the landmark network's features between each picture and what its code
makes; the distance to the known code; and a pull of the layers' codes toward one another, so that codes stay
where edits work. Codes to learn from are sampled untruncated, and for a third of the pictures two codes are mixed between
layers, because a render's best code has different layers too. Renders of seeds 5000 to 7999 are held out: never give them to
`--pictures`.

Writes config.json, model.safetensors (fp16), README.md, report.json and sheet.jpg (held-out or last pictures above their
reconstructions) to `--out`. Copy that folder to `src/pliant/_weights/portraits-256-encoder` to embed it.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn

from pliant.gan.encoder import Encoder, EncoderConfig, load_encoder, save_encoder
from pliant.gan.latent import fingerprint, load_generator
from pliant.gan.region import KnownRegion
from pliant.gan.stylegan2 import Generator
from pliant.images import contact_sheet, to_pil
from pliant.perception.landmarks import load_landmarks
from pliant.train.data import Pictures, load_pictures

CARD = """# {name}

Gives the W+ code that makes a portrait, roughly: where `pliant invert` starts. {parameters:,} parameters, fp16.

- Made by `recipes/portraits/encoder.py`: {steps:,} steps of {batch} pictures in {seconds:.0f} s on {device}.
- Data: pictures of the generator (fingerprint {fingerprint}) and {renders:,} rendered portraits (CC0). Nobody real is in them.
- Licence: Apache-2.0.
- On {held_out} pictures that were not trained on: {psnr:.2f} dB, pixels of its reconstruction against the picture.

Limits: portraits framed as the generator's are; photographs of real people come out as renders that resemble them.
"""


BLUR = 16
"""Pixels over which colours are averaged for the loss that gets hair, clothes and background right first."""


@dataclass(frozen=True)
class Weights:
    """Of the losses."""

    pixels: float = 3.0
    colours: float = 6.0
    look: float = 0.1
    code: float = 0.3
    together: float = 0.02


def sample_codes(generator: Generator, count: int, rng: torch.Generator) -> Tensor:
    """Codes ws [N, num_ws, w_dim]; a third of them mixed of two, at a random layer."""
    config = generator.config
    z = torch.randn(2 * count, config.z_dim, generator=rng, device=generator.device)
    w, other = generator.mapping.w(z).chunk(2)
    layer = torch.arange(config.num_ws, device=w.device)
    cut = torch.randint(1, config.num_ws, (count, 1), generator=rng, device=w.device)
    mixed = torch.rand(count, 1, generator=rng, device=w.device) < 1 / 3
    return torch.where((mixed & (layer >= cut))[..., None], other[:, None], w[:, None])


def unit(features: list[Tensor]) -> list[Tensor]:
    """Features of length one at every place."""
    return [functional.normalize(each.float(), dim=1, eps=1e-6) for each in features]


@torch.no_grad()
def in_region(net: Encoder, region: KnownRegion) -> Encoder:
    """An encoder that gives whitened codes, in which training is evener. Their axes differ from machine to machine."""
    net.weight.copy_(net.weight @ region.whiten)
    net.bias.copy_((net.bias - region.mean) @ region.whiten)
    return net


@torch.no_grad()
def out_of_region(net: Encoder, region: KnownRegion) -> Encoder:
    """The inverse of `in_region`, in a copy."""
    net = copy.deepcopy(net)
    net.weight.copy_(net.weight @ region.colour)
    net.bias.copy_(net.bias @ region.colour + region.mean)
    return net


class Training:
    """The networks, the pictures, and one step.

    Args:
        generator: frozen.
        renders: pictures to learn from beside the generated ones, or None.
        args: the command line.
    """

    def __init__(self, generator: Generator, renders: Pictures | None, args: argparse.Namespace) -> None:
        self.generator, self.renders, self.args = generator, renders, args
        self.region = KnownRegion.of(generator)
        device, config = generator.device, generator.config
        torch.manual_seed(args.seed)
        shape = EncoderConfig(config.num_ws, config.w_dim, fingerprint(generator), config.resolution)
        if args.small:  # to try whether everything runs
            shape = EncoderConfig(
                config.num_ws, config.w_dim, fingerprint(generator), 64, (8, 8, 8, 8, 8), (1, 1, 1, 1, 1), 2
            )
        self.net = Encoder(shape).to(device, memory_format=torch.channels_last)
        if args.begin:
            self.net.load_state_dict(load_encoder(args.begin, device).state_dict())
            self.net = in_region(self.net, self.region)
        self.average = copy.deepcopy(self.net).eval().requires_grad_(requires_grad=False)
        self.look = load_landmarks(device=device)
        self.rng = torch.Generator(device).manual_seed(args.seed)
        self.weights = Weights()
        self.spread = float(sample_codes(generator, 1000, self.rng)[:, 0].var(0).sum())
        self.half = device.type == "cuda"
        decayed = [p for p in self.net.parameters() if p.ndim > 1]
        plain = [p for p in self.net.parameters() if p.ndim <= 1]
        self.adam = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}],
            lr=args.learning_rate,
            betas=(0.9, 0.99),
            fused=device.type == "cuda",
        )
        self.follow = get_ema_multi_avg_fn(0.999)

    def batch(self) -> tuple[Tensor, Tensor]:
        """Pictures [N, 3, R, R] and the codes of the first of them."""
        count = self.args.batch if self.renders is None else self.args.batch // 2
        with torch.no_grad():
            ws = sample_codes(self.generator, count, self.rng)
            made = self.generator.synthesis(ws).clamp(-1, 1)
        if self.renders is None:
            return made, ws
        real = self.renders.batch(self.args.batch - count, self.generator.config.resolution, self.rng)
        return torch.cat([made, real.to(made)]), ws

    def step(self, share: float) -> dict[str, Tensor]:
        """One update; `share` of the training is done."""
        for group in self.adam.param_groups:
            group["lr"] = (
                self.args.learning_rate
                * min(1.0, share * 50 + 0.02)
                * (0.51 + 0.49 * math.cos(math.pi * share))
            )
        pictures, ws = self.batch()
        self.net.train()
        with torch.autocast(pictures.device.type, torch.bfloat16, enabled=self.half):
            codes = self.net(pictures).float()
        losses = self.losses(codes, pictures, ws)
        total = sum(getattr(self.weights, name) * value for name, value in losses.items())
        self.adam.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.adam.step()
        live, kept = (
            [v for v in n.state_dict().values() if v.is_floating_point()] for n in (self.net, self.average)
        )
        with torch.no_grad():
            self.follow(kept, live, None)
        return {name: value.detach() for name, value in losses.items()}

    def losses(self, codes: Tensor, pictures: Tensor, ws: Tensor) -> dict[str, Tensor]:
        """Of whitened codes [N, num_ws, w_dim] against pictures, of which the first have the codes `ws`."""
        found = self.region.to_w(codes)
        made = self.generator.synthesis(found)
        look = sum(
            (a - b).square().sum(1).mean()
            for a, b in zip(unit(self.look.encode(made)), unit(self.look.encode(pictures)), strict=True)
        )
        apart = codes - codes.mean(1, keepdim=True)
        off = found[: len(ws)] - ws
        return {
            "pixels": (made - pictures).square().mean(),
            "colours": functional.avg_pool2d(made - pictures, BLUR).square().mean(),
            "look": torch.as_tensor(look),
            "code": off.square().sum(2).mean() / self.spread,
            "together": apart[len(ws) :].square().mean() if len(codes) > len(ws) else apart.sum() * 0,
        }

    @torch.no_grad()
    def evaluate(self, pictures: Tensor) -> tuple[float, Tensor]:
        """Mean decibels of the averaged encoder's reconstructions, and these."""
        codes = torch.cat([self.average(part) for part in pictures.split(16)])
        made = torch.cat(
            [self.generator.synthesis(self.region.to_w(c)).clamp(-1, 1) for c in codes.split(16)]
        )
        errors = (made - pictures).square().mean((1, 2, 3)).clamp_min(1e-10)
        return float((10 * (4 / errors).log10()).mean()), made


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="portraits-256", help="the generator")
    parser.add_argument("--pictures", type=Path, help="folder, zip or .npy of renders to learn from")
    parser.add_argument("--held-out", type=Path, help="the same, of renders to measure on")
    parser.add_argument("--out", type=Path, default=Path("runs/portraits-256-encoder"))
    parser.add_argument("--begin", type=Path, help="folder of an encoder to go on from")
    parser.add_argument("--seconds", type=float, default=520)
    parser.add_argument("--steps", type=int, help="instead of seconds")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--report-every", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--small", action="store_true", help="a tiny encoder, to see whether everything runs")
    return parser.parse_args()


def open_held_out(args: argparse.Namespace, generator: Generator) -> Tensor:
    """Pictures [N, 3, R, R] to measure on: at most 256 renders, or 16 generated ones."""
    if args.held_out is not None:
        found = load_pictures(args.held_out, generator.config.resolution, generator.device, flip=False)
        return found.bytes[:256].to(generator.device).float() / 127.5 - 1
    rng = torch.Generator(generator.device).manual_seed(args.seed + 1)
    with torch.no_grad():
        return generator.synthesis(sample_codes(generator, 16, rng)).clamp(-1, 1)


def run(
    training: Training, held: Tensor, args: argparse.Namespace
) -> tuple[int, float, list[dict[str, float]]]:
    """Steps taken, seconds, and what was reported on the way."""
    log: list[dict[str, float]] = []
    began, step = time.perf_counter(), 0
    while True:
        seconds = time.perf_counter() - began
        share = step / args.steps if args.steps else seconds / args.seconds
        if share >= 1:
            return step, seconds, log
        losses = training.step(share)
        step += 1
        if step % args.report_every == 0:
            line = {"step": step, "seconds": round(seconds, 1)}
            line |= {name: round(float(value), 4) for name, value in losses.items()}
            line["held_out_psnr"] = round(training.evaluate(held[:64])[0], 2)
            log.append(line)
            print(json.dumps(line), flush=True)


def main() -> None:
    """Train until the time or the steps are used up; write everything."""
    args = parse()
    device = torch.device(args.device)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    generator = load_generator(args.model, device)
    if device.type == "cuda":
        generator.mixed_precision(torch.bfloat16)
    renders = (
        None if args.pictures is None else load_pictures(args.pictures, generator.config.resolution, device)
    )
    training, held = Training(generator, renders, args), open_held_out(args, generator)
    args.out.mkdir(parents=True, exist_ok=True)
    parameters = sum(p.numel() for p in training.net.parameters())
    count = 0 if renders is None else renders.count
    print(json.dumps({"parameters": parameters, "renders": count}), flush=True)
    steps, seconds, log = run(training, held, args)
    psnr, made = training.evaluate(held)
    save_encoder(out_of_region(training.average, training.region), args.out)
    card = CARD.format(
        name=f"{generator.name}-encoder",
        parameters=parameters,
        steps=steps,
        batch=args.batch,
        seconds=seconds,
        device=torch.cuda.get_device_name() if device.type == "cuda" else "a CPU",
        fingerprint=fingerprint(generator),
        renders=count,
        held_out=f"{len(held)} {'rendered' if args.held_out else 'generated'}",
        psnr=psnr,
    )
    (args.out / "README.md").write_text(card)
    (args.out / "report.json").write_text(
        json.dumps({"psnr": psnr, "steps": steps, "log": log}, indent=1) + "\n"
    )
    shown = [to_pil(each) for each in (*held[:8], *made[:8])]
    contact_sheet(shown, len(shown) // 2).save(args.out / "sheet.jpg", quality=88)
    print(json.dumps({"psnr": round(psnr, 3), "steps": steps}), flush=True)


if __name__ == "__main__":
    main()
