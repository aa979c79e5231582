"""Where what was at a handle is now, by the features of a diffusion model (DIFT, arXiv 2306.03881), and how far off that is.

Two protocols, which must never share a column:

* `classic` (DragDiffusion): the whole picture at its own size, features enlarged bilinearly, searched everywhere; pixels, the
  mean over all points of all pictures.
* `near` (RegionDrag, Inpaint4Drag): the picture made 768 pixels a side, features enlarged by repetition, searched only in
  discs around handle and target, of a radius of their distance over the root of 2, at least 5 pixels; shares of width and
  height times 100, the mean over pictures of their points' mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.diffusion.pipeline import DiffusionModel

TIMESTEP, ENSEMBLE = 261, 8
NEAR_SIDE, NEAR_LEAST = 768, 5.0
BAND = 32
"""Rows of the picture that are searched at once."""


@dataclass(frozen=True)
class Dift:
    """What a model sees in pictures: its features at a sixteenth, with a little noise, the mean over several noises.

    In Stable Diffusion 2.1 these are those of up block 1, as published.
    """

    model: DiffusionModel
    ensemble: int = ENSEMBLE

    @torch.no_grad()
    def __call__(self, pixels: Tensor, prompt: str, seed: int) -> Tensor:
        """Features [C, h, w] of a picture [3, H, W] in [-1, 1], at the size it has."""
        model = self.model
        vae = next(model.vae.parameters())
        seen = model.vae.encode(pixels[None].to(vae.device, vae.dtype)).latent_dist.mode()
        latents = (seen.float() * model.vae.config.scaling_factor).to(model.device)
        random = torch.Generator().manual_seed(seed)
        noise = torch.randn(self.ensemble, *latents.shape[1:], generator=random).to(latents)
        noisy = model.schedule.noised(latents.expand_as(noise), noise, TIMESTEP)
        condition = model.condition(prompt, (pixels.shape[2], pixels.shape[1]))
        return model.features(noisy, TIMESTEP, condition)[0].mean(0)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Features of a picture before and after it was dragged, and what was asked."""

    before: Tensor
    after: Tensor
    handles: Tensor
    """[N, 2] (x, y), whole pixels."""
    targets: Tensor
    size: tuple[int, int]
    """Width and height of the picture."""


def classic(asked: Comparison) -> Tensor:
    """Pixels [N] from where each handle is found to its target."""
    return (match(asked, "bilinear") - asked.targets).norm(dim=-1)


def near(asked: Comparison) -> Tensor:
    """[N]: the same in hundredths of width and height, found near handle or target."""
    found = match(asked, "nearest", discs(asked))
    return 100 * ((found - asked.targets) / torch.tensor(asked.size)).norm(dim=-1)


def discs(asked: Comparison) -> Tensor:
    """Where each handle is searched for: bool [N, H, W]."""
    y, x = torch.meshgrid(torch.arange(asked.size[1]), torch.arange(asked.size[0]), indexing="ij")
    places = torch.stack([x, y], -1).float()
    radius = ((asked.handles - asked.targets).norm(dim=-1) / 2**0.5).clamp(min=NEAR_LEAST)[:, None, None]
    return torch.stack(
        [(places - ends[:, None, None]).norm(dim=-1) < radius for ends in (asked.handles, asked.targets)]
    ).any(0)


def match(asked: Comparison, mode: str, allowed: Tensor | None = None) -> Tensor:
    """Where the features of the handles are found again: [N, 2] (x, y), the first of those equally alike (cosine)."""
    width, height = asked.size
    places = asked.handles.long().tolist()
    wanted = torch.stack([band(asked.before, asked.size, mode, y, 1)[:, 0, x] for x, y in places])
    wanted = F.normalize(wanted, dim=1)
    best, found = torch.full((len(wanted),), -torch.inf), torch.zeros(len(wanted), dtype=torch.long)
    for top in range(0, height, BAND):
        count = min(BAND, height - top)
        seen = F.normalize(band(asked.after, asked.size, mode, top, count).flatten(1), dim=0)
        alike = (wanted @ seen).cpu()
        if allowed is not None:
            alike = alike.masked_fill(~allowed[:, top : top + count].flatten(1), -torch.inf)
        value, place = alike.max(1)
        better = value > best
        best, found = torch.where(better, value, best), torch.where(better, place + top * width, found)
    return torch.stack([found % width, found // width], -1).float()


def band(features: Tensor, size: tuple[int, int], mode: str, top: int, count: int) -> Tensor:
    """Rows of features [C, h, w] as enlarged to a picture: [C, count, W]; the whole would take gigabytes."""
    (width, height), (h, w) = size, features.shape[1:]
    if mode == "nearest":
        rows, columns = (torch.arange(n) * small // n for n, small in ((height, h), (width, w)))
        return features[:, rows[top : top + count]][:, :, columns]
    y = (2 * torch.arange(top, top + count) + 1) / height - 1
    x = (2 * torch.arange(width) + 1) / width - 1
    places = torch.stack([x.expand(count, -1), y[:, None].expand(-1, width)], -1)[None].to(features)
    return F.grid_sample(features[None], places, "bilinear", "border", align_corners=False)[0]
