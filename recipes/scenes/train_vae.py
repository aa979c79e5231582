"""Train the VAE of scenes-256: pictures to latents of an eighth of their side, and back.

    PYTHONPATH=src torchrun --nproc-per-node 2 recipes/scenes/train_vae.py --data .carry/scenes --seconds 480

What is minimised: absolute and squared differences of pixels, differences of what EfficientNet-Lite0 sees in both (as the
image side of words-small has it, or of gradients), and little of the divergence from a normal distribution, so that the decoder
bears small errors of the UNet. With `--adversary` a discriminator of patches joins in for the last part.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path

import torch
from compose import Batch, Composer
from loop import Clock, Gradients, Scenes, Team, batches_of, follow, rate, report, save_state
from models import SIZES, make_vae, parameters
from planning import Planner
from sprites import Sprites, read_sprites
from torch import Tensor, nn
from torch.nn import functional

from pliant.perception.clip import SmallModel, load_words
from pliant.perception.likeness import Features, gradient_features
from pliant.perception.lite0 import folded


def lite0_features(source: str, device: torch.device) -> Features:
    """What the image side of a text-image model sees at four scales, from half of the picture's."""
    model = load_words(source, device)
    if not isinstance(model, SmallModel):
        raise TypeError(f"{source} has no EfficientNet-Lite0")
    net = folded(model.net.image)
    stages = model.net.config.image.stages
    ends = [end - 1 for end in accumulate(stage.depth for stage in stages)]
    # The last block of each scale: those after which the next stage halves the picture.
    taken = [
        end for end, after in zip(ends, (*stages[1:], None), strict=True) if not after or after.stride == 2
    ][:4]

    def features(images: Tensor) -> list[Tensor]:
        x = functional.relu6(net.stem(images))
        found: list[Tensor] = []
        for number, block in enumerate(net.blocks[: taken[-1] + 1]):
            x = block(x)
            if number in taken:
                found.append(x)
        return found

    return features


def unlikeness(images: Tensor, truth: Tensor, features: Features) -> Tensor:
    """Mean squared difference of features scaled to length one at every place, summed over scales."""
    with torch.no_grad():
        wanted = [functional.normalize(each.float(), dim=1, eps=1e-6) for each in features(truth)]
    found = [functional.normalize(each.float(), dim=1, eps=1e-6) for each in features(images)]
    return torch.stack([(a - b).square().sum(1).mean() for a, b in zip(found, wanted, strict=True)]).sum()


def discriminator(width: int = 48) -> nn.Sequential:
    """Pictures to how real each patch of about 34 pixels looks."""
    widths = (3, width, 2 * width, 4 * width)
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, 4, 2, 1), nn.GroupNorm(1, after), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 3, 1, 1))


class Training:
    """The VAE, its average, and one step.

    Args:
        sprites: on the device.
        team: of processes.
        args: the command line.
    """

    def __init__(self, sprites: Sprites, team: Team, args: argparse.Namespace) -> None:
        self.args, self.team, self.device = args, team, team.device
        self.half = self.device.type == "cuda"
        torch.manual_seed(args.seed)
        sizes = SIZES[args.size]
        self.composer = Composer(sprites, args.side or sizes.side)
        self.vae = make_vae(sizes).to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.vae).eval().requires_grad_(requires_grad=False)
        self.weights = list(self.vae.parameters())
        self.adam = torch.optim.AdamW(
            self.weights, lr=args.rate, betas=(0.9, 0.99), weight_decay=1e-4, fused=self.half
        )
        plain = args.features == "gradients"
        self.features = gradient_features(3) if plain else lite0_features(args.features, self.device)
        self.judge = discriminator().to(self.device, memory_format=torch.channels_last)
        self.judge_weights = list(self.judge.parameters())
        self.judge_adam = torch.optim.AdamW(
            self.judge_weights, lr=args.rate / 2, betas=(0.5, 0.9), fused=self.half
        )
        self.step = 0
        if args.resume and (args.out / "vae-state.pt").is_file():
            state = torch.load(args.out / "vae-state.pt", map_location=self.device, weights_only=True)
            self.vae.load_state_dict(state["vae"])
            self.average.load_state_dict(state["average"])
            self.adam.load_state_dict(state["adam"])
            self.judge.load_state_dict(state["judge"])
            self.step = state["step"]
        team.same(self.vae)
        self.gradients, self.judge_gradients = Gradients(self.weights), Gradients(self.judge_weights)
        self.run_vae = torch.compile(self._through) if args.compile else self._through

    def _through(self, pictures: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        moments = self.vae.quant_conv(self.vae.encoder(pictures))
        mean, spread = moments.chunk(2, 1)
        spread = spread.float().clamp(-30, 20)
        latents = mean.float() + (0.5 * spread).exp() * noise
        decoded = self.vae.decoder(self.vae.post_quant_conv(latents))
        return decoded.float(), mean.float(), spread

    def _window(self, *pictures: Tensor) -> list[Tensor]:
        """The same quarter of pictures, anywhere: features of it cost a quarter, and teach as much."""
        side = pictures[0].shape[-1] // 2
        left, top = torch.randint(side + 1, (2,)).tolist()
        return [each[..., top : top + side, left : left + side] for each in pictures]

    def update(self, batch: Batch, share: float, *, adversary: bool) -> dict[str, Tensor]:
        """One update; gives the losses."""
        args = self.args
        for group in self.adam.param_groups:
            group["lr"] = args.rate * rate(self.step, share, 200, args.cool)
        with torch.no_grad():
            pictures = self.composer.draw_batch(batch).pictures.contiguous(memory_format=torch.channels_last)
        side = pictures.shape[-1] // 8
        noise = torch.randn(len(pictures), 4, side, side, device=self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            decoded, mean, spread = self.run_vae(pictures, noise)
            apart = decoded - pictures
            losses = {
                "absolute": apart.abs().mean(),
                "squared": apart.square().mean(),
                "seen": unlikeness(*self._window(decoded, pictures), self.features),
                "divergence": 0.5 * (mean.square() + spread.exp() - 1 - spread).mean(),
            }
            weights = {"absolute": 1.0, "squared": 2.0, "seen": args.seen, "divergence": args.divergence}
            if adversary:
                losses["fooled"] = -self.judge(decoded).float().mean()
                weights["fooled"] = args.adversary
        self.gradients.flat.zero_()
        torch.stack([weights[name] * value for name, value in losses.items()]).sum().backward()
        self.gradients.finish(self.team)
        self.adam.step()
        if adversary:
            self._teach_judge(pictures, decoded.detach())
        follow(list(self.average.parameters()), self.weights, self.step, 0.999)
        self.step += 1
        return {name: value.detach() for name, value in losses.items()}

    def _teach_judge(self, real: Tensor, made: Tensor) -> None:
        self.judge_gradients.flat.zero_()  # the VAE's step left some there
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            loss = functional.relu(1 - self.judge(real).float()).mean()
            loss = loss + functional.relu(1 + self.judge(made).float()).mean()
        loss.backward()
        self.judge_gradients.finish(self.team)
        self.judge_adam.step()

    def run(self, batches: Iterator[tuple[Batch, Tensor]]) -> None:
        """Train until the time or the steps are used up; report, keep, save."""
        args, team = self.args, self.team
        clock = Clock(team, args.seconds, args.steps, args.every)
        begun, log = self.step, args.out / "vae-log.jsonl"
        while not clock.over(self.step - begun):
            late = args.adversary > 0 and clock.share > 0.6
            losses = self.update(next(batches)[0], clock.share, adversary=late)
            if clock.looked(self.step - begun) and team.first:
                line = {"step": self.step, "seconds": round(clock.seconds, 1)}
                line |= {name: round(float(value), 5) for name, value in losses.items()}
                seen = args.every * args.batch * team.size
                line["images_per_second"] = round(seen / max(clock.since(), 1e-6), 1)
                report(log, line)
        if team.first:
            self.save(clock.seconds)

    def save(self, seconds: float) -> None:
        """The average as diffusers keeps it, and all that a later run goes on from."""
        out = self.args.out
        scale, decibels = measure(self.average, self.composer, 64 if self.half else 8)
        self.average.register_to_config(scaling_factor=round(scale, 5))
        self.average.save_pretrained(out / "vae")
        facts = {"steps": self.step, "images": self.step * self.args.batch * self.team.size}
        facts |= {"seconds": round(seconds, 1), "psnr": round(decibels, 2), "scaling_factor": round(scale, 5)}
        facts |= {"gpus": self.team.size, "parameters": parameters(self.average)}
        (out / "vae.json").write_text(json.dumps(facts, indent=1) + "\n")
        save_state(
            out / "vae-state.pt",
            {
                "vae": self.vae.state_dict(),
                "average": self.average.state_dict(),
                "adam": self.adam.state_dict(),
                "judge": self.judge.state_dict(),
                "step": self.step,
            },
        )
        print(json.dumps(facts), flush=True)


@torch.no_grad()
def measure(vae: nn.Module, composer: Composer, count: int, *, held_out: bool = False) -> tuple[float, float]:
    """Of scenes that were never trained on: 1 / standard deviation of the latents, and the mean PSNR in dB.

    Args:
        vae: an AutoencoderKL.
        composer: of the pictures.
        count: how many.
        held_out: take things too that were never trained on, and only those.
    """
    planner = Planner(composer.sprites, held_out=held_out)
    latents, decibels = [], []
    for start in range(0, count, 16):
        scenes = [planner.scene(seed) for seed in range(start, min(start + 16, count))]
        pictures = composer.draw(scenes).pictures
        found = vae.encode(pictures).latent_dist.mean
        decoded = vae.decode(found).sample.clamp(-1, 1)
        latents.append(found)
        decibels.append(-10 * ((decoded - pictures) / 2).square().mean((1, 2, 3)).clamp_min(1e-9).log10())
    return 1 / float(torch.cat(latents).std()), float(torch.cat(decibels).mean())


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the parts that pack.py wrote")
    parser.add_argument("--out", type=Path, default=Path("runs/scenes"))
    parser.add_argument("--size", choices=SIZES, default="scenes-256")
    parser.add_argument("--side", type=int, default=0, help="of the pictures; by default the model's")
    parser.add_argument("--seconds", type=float, default=480, help="of training")
    parser.add_argument("--steps", type=int, default=0, help="instead of seconds")
    parser.add_argument("--batch", type=int, default=32, help="pictures of a step and process")
    parser.add_argument("--rate", type=float, default=6e-4, help="of learning")
    parser.add_argument(
        "--cool", type=float, default=0.4, help="last share of this run in which the rate falls to 0"
    )
    parser.add_argument("--seen", type=float, default=0.03, help="weight of the differences of features")
    parser.add_argument("--divergence", type=float, default=1e-3, help="its weight")
    parser.add_argument("--adversary", type=float, default=0.0, help="weight of the discriminator")
    parser.add_argument(
        "--features", default="words-small", help="a text-image model of Pliant's, or `gradients`"
    )
    parser.add_argument("--compile", action="store_true", help="with torch.compile")
    parser.add_argument("--resume", action="store_true", help="go on from what is in OUT")
    parser.add_argument("--every", type=int, default=20, help="steps between reports")
    parser.add_argument("--workers", type=int, default=5, help="processes that plan scenes, of each process")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default=None)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Train, measure, save."""
    args = parse(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    team = Team(args.device)
    sprites = read_sprites(args.data)
    scenes = Scenes(sprites, None, args.batch, 100 * args.seed + team.rank + 7)
    batches = batches_of(scenes, args.workers)
    training = Training(sprites.to(team.device), team, args)
    training.run(batches)
    team.close()


if __name__ == "__main__":
    main()
