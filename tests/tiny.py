"""The tiny models that tests share."""

import torch

from pliant.gan.stylegan2 import Generator, StyleGAN2Config


def generator(resolution: int = 32, seed: int = 0, **changes: object) -> Generator:
    """A random StyleGAN2 whose pictures have some contrast: 16 channels a block, z = w = 16, two mapping layers."""
    blocks = resolution.bit_length() - 2
    settings = {
        "resolution": resolution,
        "channels": (16,) * blocks,
        "z_dim": 16,
        "w_dim": 16,
        "mapping_layers": 2,
    }
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = Generator(StyleGAN2Config(**settings | changes), name="tiny")  # type: ignore[arg-type]
        for name, parameter in made.named_parameters():
            if name.endswith("noise_strength"):
                parameter.data.fill_(0.05)
        made.mapping.w_avg.normal_(std=0.1)
    return made.eval().requires_grad_(False)
