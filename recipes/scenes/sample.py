"""A sheet of pictures that scenes-256 makes from prompts.

PYTHONPATH=src python recipes/scenes/sample.py --model runs/scenes/scenes-256 --out runs/scenes/sheet.jpg
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from models import load_pipeline
from PIL import Image
from torch import Tensor

PROMPTS = (
    "a red car on a road under a blue sky",
    "a fox face on snow at night",
    "a penguin on snow under a cloudy sky",
    "a house right of a fir tree on grass at sunset",
    "a sailboat on water under a blue sky",
    "a blue teddy bear on a wooden floor in front of a yellow wall",
    "a pineapple left of a strawberry on a white table",
    "an elephant on sand at dawn",
    "a rocket above a cactus on sand at night",
    "a green dinosaur and an egg on grass",
    "a cup of coffee on a brown table in front of a white wall",
    "a guitar on a pink background",
    "a purple octopus in the sea",
    "a castle on grass under clouds",
    "a sunflower left of a ladybug on grass",
    "a smiling face on a turquoise background",
    "a yellow taxi left of a bus on a road",
    "an owl next to a pumpkin at night",
    "a birthday cake and a gift on a purple table",
    "a bicycle on a road at sunset",
    "two cats on a red carpet",
    "a dog in front of a tree on grass",
    "a hot dog, a hamburger and a box of fries on a tiled floor",
    "a snowman in the snow under a grey sky",
)


@torch.no_grad()
def sampled(
    pipeline: StableDiffusionPipeline,
    prompts: Sequence[str],
    *,
    guidance: float = 4.0,
    steps: int = 50,
    seed: int = 0,
    batch: int = 64,
) -> Tensor:
    """[N, 3, S, S] in [-1, 1], on the CPU; a prompt's picture depends on its place and on the seed only."""
    side = pipeline.unet.config.sample_size
    pictures = []
    for start in range(0, len(prompts), batch):
        some = list(prompts[start : start + batch])
        noise = [
            torch.randn(4, side, side, generator=torch.Generator().manual_seed(seed * 1_000_003 + start + k))
            for k in range(len(some))
        ]
        made = pipeline(
            some,
            latents=torch.stack(noise).to(pipeline.device, pipeline.unet.dtype),
            guidance_scale=guidance,
            num_inference_steps=steps,
            output_type="pt",
        ).images
        pictures.append((made.float().cpu() * 2 - 1).clamp(-1, 1))
    return torch.cat(pictures)


def sheet(pictures: Tensor, columns: int = 6) -> Image.Image:
    """Pictures [N, 3, S, S] in [-1, 1] side by side."""
    values = ((pictures + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    count, height, width, _ = values.shape
    whole = Image.new("RGB", (min(columns, count) * width, -(-count // columns) * height))
    for place in range(count):
        whole.paste(Image.fromarray(values[place]), (place % columns * width, place // columns * height))
    return whole


def main(arguments: list[str] | None = None) -> None:
    """Sample, write the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of the pipeline")
    parser.add_argument("--out", type=Path, default=Path("runs/scenes/sheet.jpg"))
    parser.add_argument("--prompts", nargs="*", default=PROMPTS)
    parser.add_argument("--guidance", type=float, default=4.0)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(arguments)
    pipeline = load_pipeline(args.model, args.device)
    made = sampled(pipeline, args.prompts, guidance=args.guidance, steps=args.steps, seed=args.seed)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    sheet(made, args.columns).save(args.out, quality=92)


if __name__ == "__main__":
    main()
