"""What to train on and how: the settings of `pliant train gan`, and the stages that they mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from pliant.errors import InputError
from pliant.gan.stylegan2 import channel_table


@dataclass(frozen=True)
class GanTrainSettings:
    """How a generator is trained; the defaults suit a folder of some thousand pictures at 256 x 256."""

    data: Path = Path("pictures")
    """Folder of pictures (any depth), zip file of pictures, or .npy shards of uint8 [N, 3, R, R]."""
    out: Path = Path("runs/gan")
    """Folder for the model, sample sheets and the state to resume from."""
    resolution: int = 256
    """Side of the pictures in pixels, a power of two."""
    images: int = 5_000_000
    """Stop after showing the discriminator this many pictures."""
    seconds: float | None = None
    """Stop after this much time, data loading not counted."""
    batch: int = 32
    """Pictures per step, over all devices."""
    channel_base: int = 8192
    """Feature channels are channel_base / resolution, up to channel_max; 32768 is the published width."""
    channel_max: int = 256
    """Most feature channels of a layer; 512 is the published width."""
    latent: int = 256
    """Length of z and w; published networks have 512."""
    mapping_layers: int = 8
    """Depth of the mapping network."""
    grow_from: int = 64
    """First resolution that is trained; the network grows from there by doubling. `resolution` or more: no growing."""
    grow_share: float = 0.5
    """Share of `images` spent below the full resolution."""
    fade_images: int = 50_000
    """A new block of the discriminator is faded in over this many pictures."""
    lr: float = 0.0025
    """Adam learning rate of both networks."""
    beta2: float = 0.99
    """Decay of Adam's second moment; there is no first moment."""
    warmup: int = 100
    """Steps over which the learning rate rises at the start and after growing."""
    cooldown: float = 0.0
    """Share of the budget, at its end, over which the learning rate falls to zero."""
    r1_gamma: float | None = None
    """Weight of the gradient penalty; None takes 0.0002 * resolution^2 / batch."""
    r1_interval: int = 16
    """Iterations between two gradient penalties."""
    path_weight: float = 2.0
    """Weight of path length regularisation (smoother edits); 0 turns it off."""
    path_interval: int = 8
    """Iterations between two steps of path length regularisation."""
    style_mixing: float = 0.9
    """Share of generated pictures made from two codes."""
    ema_images: int = 10_000
    """Half-life of the averaged generator, in pictures."""
    augment: bool | None = None
    """Adaptive augmentation; None turns it on for sets of under 20,000 pictures."""
    augment_target: float = 0.6
    """Augmentation grows while the discriminator is right about real pictures more often than this says (r_t)."""
    flip: bool = True
    """Mirror half of the pictures."""
    half: bool | None = None
    """bfloat16 in large blocks; None where the device has it in hardware (CUDA)."""
    cuda_graphs: bool = True
    """Capture each loss once and replay it (CUDA only); off, every kernel is launched from Python."""
    device: str | None = None
    """Where to train ("cpu", "cuda", "cuda:1", "mps"); None takes the best there is."""
    seed: int = 0
    """Source of all randomness."""
    report_every: int = 32
    """Iterations between two reports."""
    sheet_images: int = 100_000
    """Pictures between two sample sheets and saved states."""
    tensorboard: bool = False
    """Write TensorBoard logs beside the model (needs the `train` extra)."""

    def __post_init__(self) -> None:
        """Check at the door."""
        if self.resolution < 8 or self.resolution & (self.resolution - 1):
            raise InputError(f"resolution must be a power of two from 8 up, not {self.resolution}.")
        if self.batch < 1 or self.images < 1:
            raise InputError("batch and images must be at least 1.")

    @property
    def channels(self) -> tuple[int, ...]:
        """Feature channels of each block."""
        return channel_table(self.resolution, self.channel_base, self.channel_max)


@dataclass(frozen=True)
class Stage:
    """A stretch of training at one resolution."""

    resolution: int
    images: int
    """Pictures shown in this stage."""
    batch: int
    """Pictures per step, over all devices."""
    r1_gamma: float
    seconds: float = math.inf
    """The stage also ends after this much time."""


def plan(settings: GanTrainSettings) -> tuple[Stage, ...]:
    """Stages of a run: every resolution from `grow_from` up, `grow_share` of the pictures spread over those below full."""
    first = min(max(settings.grow_from, 8), settings.resolution)
    count = int(math.log2(settings.resolution // first))
    small = int(settings.images * settings.grow_share / count) if count else 0
    return tuple(
        Stage(
            resolution=(resolution := first << k),
            images=small if k < count else settings.images - small * count,
            batch=settings.batch,
            r1_gamma=0.0002 * resolution**2 / settings.batch
            if settings.r1_gamma is None
            else settings.r1_gamma,
        )
        for k in range(count + 1)
    )
