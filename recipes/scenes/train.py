"""Train the UNet and the text encoder of scenes-256 on scenes drawn on the fly, with the VAE that `train_vae.py` left.

    PYTHONPATH=src torchrun --nproc-per-node 2 recipes/scenes/train.py --data .carry/scenes --seconds 540 --compile

As Stable Diffusion 1: the noise is predicted, over 1,000 steps; what is minimised weighs steps by min-SNR (arXiv 2303.09556).
A latent is used for several steps, each time with other noise: new scenes replace the oldest of a store on the device, and
batches are drawn from it, so that drawing and encoding cost little.

A later run goes on with `--resume` from the state in OUT, or with `--weights FOLDER` from a pipeline. The rate of learning
falls only over the last share `--cool` of a run: give 0 to all but the last.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Iterator
from pathlib import Path

import torch
from compose import Batch, Composer
from diffusers import AutoencoderKL
from loop import Clock, Gradients, Scenes, Team, batches_of, follow, rate, report, save_state
from models import (
    SIZES,
    load_pipeline,
    make_scheduler,
    make_text,
    make_tokenizer,
    make_unet,
    parameters,
    save_pipeline,
)
from sprites import Sprites, read_sprites
from torch import Tensor, nn


class Networks(nn.Module):
    """UNet and text encoder, together."""

    def __init__(self, unet: nn.Module, text: nn.Module) -> None:
        super().__init__()
        self.unet, self.text = unet, text

    def forward(self, noisy: Tensor, steps: Tensor, tokens: Tensor) -> Tensor:
        """The noise that is in latents [N, 4, h, w] at steps [N], with captions of tokens [N, 77]."""
        return self.unet(noisy, steps, self.text(tokens)[0], return_dict=False)[0]


class Store:
    """Latents with their tokens on the device; new ones take the place of the oldest.

    Args:
        size: how many.
        side: of the latents.
        device: where they lie.
        dtype: of the latents.
    """

    def __init__(self, size: int, side: int, device: torch.device, dtype: torch.dtype) -> None:
        self.latents = torch.empty(size, 4, side, side, device=device, dtype=dtype)
        self.tokens = torch.empty(size, 77, device=device, dtype=torch.int32)
        self.filled = self.next = 0

    def add(self, latents: Tensor, tokens: Tensor) -> None:
        """As many as divide the size of the store."""
        place = slice(self.next, self.next + len(latents))
        self.latents[place], self.tokens[place] = latents.to(self.latents.dtype), tokens.to(self.tokens)
        self.next = (self.next + len(latents)) % len(self.latents)
        self.filled = min(len(self.latents), self.filled + len(latents))

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Any so many of them."""
        rows = torch.randint(self.filled, (count,), device=self.latents.device)
        return self.latents[rows].float(), self.tokens[rows].long()


def min_snr(alphas: Tensor, most: float = 5.0) -> Tensor:
    """Weight of each step's squared error of the noise, from products of alphas."""
    ratio = alphas / (1 - alphas)
    return ratio.clamp(max=most) / ratio


class Training:
    """The networks, their average, and one step.

    Args:
        sprites: on the device.
        team: of processes.
        args: the command line.
    """

    def __init__(self, sprites: Sprites, team: Team, args: argparse.Namespace) -> None:
        self.args, self.team, self.device = args, team, team.device
        self.half = self.device.type == "cuda"
        sizes = SIZES[args.size]
        self.composer = Composer(sprites, sizes.side)
        self.vae = AutoencoderKL.from_pretrained(args.vae or args.out / "vae", local_files_only=True)
        dtype = torch.bfloat16 if self.half else torch.float32
        self.encoder = copy.deepcopy(self.vae).to(self.device, dtype, memory_format=torch.channels_last)
        self.encoder.eval().requires_grad_(requires_grad=False)
        torch.manual_seed(args.seed)
        self.tokenizer = make_tokenizer(sprites.things)
        self.net = Networks(make_unet(sizes), make_text(sizes, self.tokenizer))
        if args.weights:
            before = load_pipeline(args.weights)
            self.net.unet.load_state_dict(before.unet.state_dict())
            self.net.text.load_state_dict(before.text_encoder.state_dict())
        self.net.to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).eval().requires_grad_(requires_grad=False)
        self.weights = list(self.net.parameters())
        decayed = [p for p in self.weights if p.ndim > 1]
        plain = [p for p in self.weights if p.ndim <= 1]
        self.adam = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}],
            lr=args.rate,
            betas=(0.9, 0.99),
            fused=self.half,
        )
        self.step = self.images = 0
        self.seconds = 0.0
        if args.resume and (args.out / "state.pt").is_file():
            self._resume(torch.load(args.out / "state.pt", map_location=self.device, weights_only=True))
        team.same(self.net)
        self.gradients = Gradients(self.weights)
        torch.manual_seed(1000 * args.seed + 17 * team.rank + self.step)
        self.alphas = make_scheduler().alphas_cumprod.to(self.device)
        self.importance = min_snr(self.alphas)
        self.new = max(1, args.batch // args.reuse)
        self.store = Store(self.new * args.store, sizes.side // 8, self.device, dtype)
        if args.compile:
            self.net.unet.compile()
        self.encode = torch.compile(self._encoded) if args.compile else self._encoded

    def _resume(self, state: dict[str, object]) -> None:
        self.net.load_state_dict(state["net"])  # type: ignore[arg-type]
        self.average.load_state_dict(state["average"])  # type: ignore[arg-type]
        self.adam.load_state_dict(state["adam"])  # type: ignore[arg-type]
        self.step, self.images, self.seconds = (state[name] for name in ("step", "images", "seconds"))  # type: ignore[assignment]

    def _encoded(self, pictures: Tensor) -> Tensor:
        moments = self.encoder.quant_conv(self.encoder.encoder(pictures))
        return moments.chunk(2, 1)[0] * self.encoder.config.scaling_factor

    @torch.no_grad()
    def refill(self, batch: Batch, tokens: Tensor) -> None:
        """Draw and encode new scenes."""
        pictures = self.composer.draw_batch(batch).pictures.to(self.store.latents.dtype)
        self.store.add(
            self.encode(pictures.contiguous(memory_format=torch.channels_last)), tokens.to(self.device)
        )

    def update(self, share: float) -> Tensor:
        """One update; gives the loss."""
        args = self.args
        for group in self.adam.param_groups:
            group["lr"] = args.rate * rate(self.step, share, args.warm, args.cool)
        latents, tokens = self.store.draw(args.batch)
        steps = torch.randint(len(self.alphas), (args.batch,), device=self.device)
        alpha = self.alphas[steps][:, None, None, None]
        noise = torch.randn_like(latents)
        noisy = (alpha.sqrt() * latents + (1 - alpha).sqrt() * noise).contiguous(
            memory_format=torch.channels_last
        )
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            found = self.net(noisy, steps, tokens)
        loss = ((found.float() - noise).square().mean((1, 2, 3)) * self.importance[steps]).mean()
        self.gradients.flat.zero_()
        loss.backward()
        self.gradients.finish(self.team)
        self.adam.step()
        follow(list(self.average.parameters()), self.weights, self.step)
        self.step += 1
        self.images += args.batch * self.team.size
        return loss.detach()

    def run(self, batches: Iterator[tuple[Batch, Tensor]]) -> None:
        """Train until the time or the steps are used up; report, keep, save."""
        args, team = self.args, self.team
        for _ in range(min(args.store, args.fill)):
            self.refill(*next(batches))
        clock = Clock(team, args.seconds, args.steps, args.every)
        begun, before, losses, saved = self.step, self.seconds, torch.zeros((), device=self.device), 0.0
        while not clock.over(self.step - begun):
            if clock.looked(self.step - begun) and team.first and self.step > begun:
                self._report(clock, float(losses) / args.every)
                losses.zero_()
            if team.first and clock.seconds - saved > args.save_every:
                self.seconds, saved = before + clock.seconds, clock.seconds
                self.keep()
            self.refill(*next(batches))
            losses += self.update(clock.share)
        self.seconds = before + clock.seconds
        if team.first:
            self.keep()
            self.save()

    def _report(self, clock: Clock, loss: float) -> None:
        line = {"step": self.step, "seconds": round(clock.seconds, 1), "loss": round(loss, 5)}
        seen = self.args.every * self.args.batch * self.team.size
        line |= {"images": self.images, "images_per_second": round(seen / max(clock.since(), 1e-6), 1)}
        report(self.args.out / "log.jsonl", line)

    def keep(self) -> None:
        """All that a later run goes on from."""
        names = ("step", "images", "seconds")
        state = {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "adam": self.adam.state_dict(),
        }
        save_state(self.args.out / "state.pt", state | {name: getattr(self, name) for name in names})

    def save(self) -> None:
        """The average as a pipeline in fp16, and what it cost."""
        folder = self.args.out / "scenes-256"
        average = copy.deepcopy(self.average).cpu()
        save_pipeline(
            folder, vae=self.vae.cpu(), unet=average.unet, text=average.text, tokenizer=self.tokenizer
        )
        facts = {"steps": self.step, "images": self.images, "seconds": round(self.seconds, 1)}
        facts |= {"gpus": self.team.size, "batch": self.args.batch * self.team.size}
        facts |= {
            name: parameters(net)
            for name, net in (("unet", average.unet), ("text_encoder", average.text), ("vae", self.vae))
        }
        vae = self.args.out / "vae.json"
        facts |= {"vae_training": json.loads(vae.read_text()) if vae.is_file() else {}}
        (folder / "training.json").write_text(json.dumps(facts, indent=1) + "\n")
        print(json.dumps(facts), flush=True)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the parts that pack.py wrote")
    parser.add_argument("--out", type=Path, default=Path("runs/scenes"), help="where the VAE is too")
    parser.add_argument("--vae", type=Path, default=None, help="another folder of a VAE")
    parser.add_argument("--size", choices=SIZES, default="scenes-256")
    parser.add_argument("--seconds", type=float, default=540, help="of training")
    parser.add_argument("--steps", type=int, default=0, help="instead of seconds")
    parser.add_argument("--batch", type=int, default=384, help="latents of a step and process")
    parser.add_argument("--reuse", type=int, default=3, help="steps that a latent is drawn for, on average")
    parser.add_argument("--store", type=int, default=600, help="size of the store, in refills")
    parser.add_argument("--fill", type=int, default=12, help="refills before the first step")
    parser.add_argument("--rate", type=float, default=6e-4, help="of learning")
    parser.add_argument("--warm", type=int, default=400, help="steps until the rate is reached")
    parser.add_argument(
        "--cool", type=float, default=0.0, help="last share of this run in which it falls to 0"
    )
    parser.add_argument("--compile", action="store_true", help="with torch.compile")
    parser.add_argument("--resume", action="store_true", help="go on from the state in OUT")
    parser.add_argument("--weights", type=Path, default=None, help="a pipeline to start from")
    parser.add_argument("--every", type=int, default=20, help="steps between reports")
    parser.add_argument("--save-every", type=float, default=150, help="seconds between states")
    parser.add_argument("--workers", type=int, default=7, help="processes that plan scenes, of each process")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default=None)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Train, save."""
    args = parse(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    team = Team(args.device)
    sprites = read_sprites(args.data)
    training = Training(sprites.to(team.device), team, args)
    seed = 100 * args.seed + team.rank + 10_000 + training.step
    scenes = Scenes(sprites, training.tokenizer, training.new, seed)
    training.run(batches_of(scenes, args.workers))
    team.close()


if __name__ == "__main__":
    main()
