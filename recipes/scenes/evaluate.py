"""Measure scenes-256 and write its card.

    PYTHONPATH=src python recipes/scenes/evaluate.py --data .carry/scenes --model runs/scenes/scenes-256

* VAE: PSNR of scenes that were never trained on, of known things and of things that were kept out of all training.
* Prompts: a text-image model that trained nothing here says which of all things a picture shows, which colour it has, and which
  of two things is left; on samples, and on composited scenes of the same prompts, which is as good as it can get.
* Distance: Fréchet distance of the judge's vectors of samples to those of composited scenes, and of two sets of the latter.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch
from compose import Composer
from models import load_pipeline
from planning import Planner, Scene
from sample import PROMPTS, sampled, sheet
from sprites import HUES, read_sprites
from torch import Tensor
from train_vae import measure
from wording import caption, name_of, with_article

from pliant.perception.clip import PLAIN, TextImageModel, load_words
from pliant.perception.frechet import frechet_distance

CARD = """# {name}

A small latent diffusion model of scenes with things, laid out as Stable Diffusion 1 is: pictures of {side} x {side} pixels from
prompts such as "a red car left of a tree on grass under a blue sky". It is for working offline, for tests and for measuring
edits; it knows {things} things and the words of `recipes/scenes/wording.py`, and nothing else.

| | |
| --- | --- |
| parameters | UNet {unet:,}, VAE {vae:,}, text encoder {text_encoder:,} |
| prediction | noise, 1,000 steps, scaled linear betas 0.00085 to 0.012 |
| training of the VAE | {vae_images:,} scenes, {vae_seconds:.0f} s on {vae_gpus} NVIDIA H200 |
| of UNet and text encoder | {images:,} latents in {steps:,} steps, {seconds:.0f} s on {gpus} |
| data | scenes of Fluent 3D emoji (MIT), composited on the fly by `recipes/scenes` |
| licence | Apache-2.0 |

Measured by `recipes/scenes/evaluate.py` on {pictures} pictures a figure, {sampling} steps of DDIM, a guidance of {guidance:g}:

| | |
| --- | --- |
| PSNR of the VAE, scenes never trained on | {psnr:.2f} dB |
| the same, of things never trained on | {psnr_unseen:.2f} dB |
{rows}
| Fréchet distance to scenes, in the judge's vectors | {distance:.4f} (scenes: {distance_floor:.4f}) |

The judge is a text-image model with other weights than the one that comes with Pliant; nothing here was trained with it.
Scenes to scenes: the same figures of composited pictures, which is as good as it can get by this judge.
"""


def single_scenes(planner: Planner, count: int) -> list[Scene]:
    """Scenes of one thing with prompts that name all there is, of ever other things, none at night."""
    scenes: list[Scene] = []
    seed = 0
    while len(scenes) < count:
        seed += 1
        scene = planner.scene(seed, 1)
        if scene.things and scene.sky != "night":
            scenes.append(scene)
    return scenes


def beside_scenes(planner: Planner, count: int) -> list[Scene]:
    """Scenes of two different things, one left of the other."""
    scenes: list[Scene] = []
    seed = 500_000
    while len(scenes) < count:
        seed += 1
        scene = planner.scene(seed, 2)
        if len(scene.things) == 2 and scene.sky != "night":
            one, other = scene.things
            if one.item != other.item and abs(one.x - other.x) > 0.3 and abs(one.y - other.y) < 0.2:
                scenes.append(scene)
    return scenes


class Judge:
    """Which of several sentences a picture is nearest to.

    Args:
        model: text and pictures to vectors.
        composer: whose things there are.
        planner: of the scenes.
    """

    def __init__(self, model: TextImageModel, composer: Composer, planner: Planner) -> None:
        self.model, self.things, self.planner = model, composer.sprites.things, planner

    @torch.no_grad()
    def vectors(self, pictures: Tensor) -> Tensor:
        """[N, D], on the CPU."""
        return torch.cat([self.model.encode_images(some).cpu() for some in pictures.split(64)])

    def names(self, scenes: list[Scene], pictures: Tensor) -> tuple[float, float]:
        """Share of pictures whose thing is found among all, and by chance."""
        known = sorted({thing for group in self.planner.by_place.values() for thing in group})
        texts = self.model.encode_text([with_article(self.things[k].name) for k in known], PLAIN).cpu()
        found = (self.vectors(pictures) @ texts.T).argmax(1)
        right = [known[int(k)] == scene.things[0].item for k, scene in zip(found, scenes, strict=True)]
        return sum(right) / len(right), 1 / len(known)

    def colours(self, scenes: list[Scene], pictures: Tensor) -> tuple[float, float]:
        """The same of the colour among eight, of things that have one."""
        return self._pick(
            [
                (
                    row,
                    [name_of(replace(scene.things[0], colour=colour), self.things) for colour in HUES],
                    list(HUES).index(scene.things[0].colour),
                )
                for row, scene in enumerate(scenes)
                if scene.things[0].colour
            ],
            pictures,
        )

    def sides(self, scenes: list[Scene], pictures: Tensor) -> tuple[float, float]:
        """The same of which thing is left."""
        chosen = []
        for row, scene in enumerate(scenes):
            first, second = sorted(scene.things, key=lambda thing: thing.x)
            names = [name_of(thing, self.things) for thing in (first, second)]
            chosen.append((row, [f"{names[0]} left of {names[1]}", f"{names[1]} left of {names[0]}"], 0))
        return self._pick(chosen, pictures)

    def _pick(self, questions: list[tuple[int, list[str], int]], pictures: Tensor) -> tuple[float, float]:
        if not questions:
            return 0.0, 0.0
        seen = self.vectors(pictures[[row for row, _, _ in questions]])
        right = 0
        for vector, (_, texts, answer) in zip(seen, questions, strict=True):
            read = self.model.encode_text(texts, PLAIN).cpu()
            right += int((read @ vector).argmax()) == answer
        return right / len(questions), 1 / len(questions[0][1])


def drawn(composer: Composer, scenes: list[Scene]) -> Tensor:
    """Composited pictures, on the CPU."""
    return torch.cat(
        [composer.draw(scenes[start : start + 16]).pictures.cpu() for start in range(0, len(scenes), 16)]
    )


def evaluate(args: argparse.Namespace) -> dict[str, object]:
    """All figures."""
    device = torch.device(args.device)
    pipeline = load_pipeline(args.model, device)
    side = pipeline.unet.config.sample_size * 8
    composer = Composer(read_sprites(args.data, device), side)
    planner = Planner(composer.sprites)
    report: dict[str, object] = {"side": side, "things": sum(map(len, planner.by_place.values()))}
    report["psnr"] = measure(pipeline.vae, composer, args.count)[1]
    report["psnr_unseen"] = measure(pipeline.vae, composer, args.count, held_out=True)[1]
    judge = Judge(load_words(str(args.judge), device), composer, planner)
    settings = {"guidance": args.guidance, "steps": args.steps}
    alone, beside = single_scenes(planner, args.count), beside_scenes(planner, args.count // 2)
    things = composer.sprites.things
    made = sampled(pipeline, [caption(scene, things) for scene in alone], seed=1, **settings)
    paired = sampled(pipeline, [caption(scene, things) for scene in beside], seed=2, **settings)
    real, real_paired = drawn(composer, alone), drawn(composer, beside)
    report["choices"] = {
        name: {"samples": got, "scenes": best, "chance": chance}
        for name, (got, chance), (best, _) in (
            ("which thing", judge.names(alone, made), judge.names(alone, real)),
            ("which of eight colours", judge.colours(alone, made), judge.colours(alone, real)),
            ("which of two is left", judge.sides(beside, paired), judge.sides(beside, real_paired)),
        )
    }
    others = [planner.scene(700_000 + seed) for seed in range(2 * args.count)]
    samples = sampled(
        pipeline, [caption(scene, things) for scene in others[: args.count]], seed=3, **settings
    )
    truth = judge.vectors(drawn(composer, others[args.count :]))
    report["distance"] = frechet_distance(judge.vectors(samples), truth)
    report["distance_floor"] = frechet_distance(judge.vectors(drawn(composer, others[: args.count])), truth)
    report["pictures"], report["sampling"], report["guidance"] = args.count, args.steps, args.guidance
    sheet(sampled(pipeline, PROMPTS, **settings)).save(args.model / "sheet.jpg", quality=92)
    both = torch.stack([real[:12], _through(pipeline, real[:12])], 1).flatten(0, 1)
    sheet(both).save(args.model / "vae.jpg", quality=92)
    return report


@torch.no_grad()
def _through(pipeline: object, pictures: Tensor) -> Tensor:
    vae = pipeline.vae  # type: ignore[attr-defined]
    latents = vae.encode(pictures.to(vae.device)).latent_dist.mean
    return vae.decode(latents).sample.clamp(-1, 1).cpu()


def write_card(folder: Path, report: dict[str, object]) -> None:
    """README.md and report.json beside the weights."""
    training = json.loads((folder / "training.json").read_text())
    vae = training.pop("vae_training")
    rows = "\n".join(
        f"| {name} | {100 * row['samples']:.1f} % (scenes: {100 * row['scenes']:.1f} %, chance: {100 * row['chance']:.1f} %) |"
        for name, row in report["choices"].items()  # type: ignore[attr-defined]
    )
    text = CARD.format(
        name="scenes-256",
        rows=rows,
        vae_images=vae.get("images", 0),
        vae_seconds=vae.get("seconds", 0),
        vae_gpus=vae.get("gpus", 1),
        **{name: value for name, value in report.items() if name != "choices"},
        **training,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n")


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, write the card."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the parts that pack.py wrote")
    parser.add_argument("--model", type=Path, required=True, help="folder of the pipeline")
    parser.add_argument("--judge", type=Path, default=Path("benchmarks/judge/words-judge"))
    parser.add_argument("--count", type=int, default=512, help="pictures of a figure")
    parser.add_argument("--guidance", type=float, default=4.0)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(arguments)
    report = evaluate(args)
    print(json.dumps(report, indent=1), flush=True)
    write_card(args.model, report)


if __name__ == "__main__":
    main()
