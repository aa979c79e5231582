"""A training run: both networks, their optimisers, and everything else that a resumed run needs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch

from pliant.errors import MissingExtraError
from pliant.gan.stylegan2 import Generator, StyleGAN2Config
from pliant.train.augment import Augment
from pliant.train.data import Pictures
from pliant.train.discriminator import Discriminator
from pliant.train.flat import FlatAdam, FlatParameters
from pliant.train.phases import LossOptions, Phases, Replayed, Stats
from pliant.train.settings import GanTrainSettings, Stage
from pliant.train.synthesis import TrainingSynthesis, equalized_gains, half_parameters
from pliant.train.world import World


class TrainingRun:
    """The state of training, and how it advances.

    Args:
        settings: how to train.
        pictures: the training set.
        world: which process of how many this is.
    """

    def __init__(self, settings: GanTrainSettings, pictures: Pictures, world: World) -> None:
        self.settings, self.pictures, self.world = settings, pictures, world
        self.images = self.stage = self.stage_images = self.stage_steps = 0
        self.seconds = self.stage_seconds = 0.0
        device = world.device
        half = device.type == "cuda" if settings.half is None else settings.half
        self.dtype = torch.bfloat16 if half else torch.float32
        if device.type == "cuda":
            torch.backends.cudnn.benchmark = True
            torch.backends.cudnn.benchmark_limit = (
                4  # the best is among its first guesses; trying all takes long
            )
            torch.set_float32_matmul_precision("high")
            torch.backends.cudnn.allow_tf32 = True
        self._build(device)
        self.rng = torch.Generator(device)
        same_device = pictures.bytes.device == device
        self.pictures_rng = self.rng if same_device else torch.Generator(pictures.bytes.device)
        self.seed_anew()
        augmented = pictures.count < 20_000 if settings.augment is None else settings.augment
        self.augment = Augment(settings.augment_target).to(device) if augmented else None
        self.path_mean = torch.zeros([], device=device)
        self.phases: Phases | None = None
        self.calls: dict[str, Callable[[], Stats]] = {}
        self.writer = self._open_log() if settings.tensorboard and world.rank == 0 else None

    def seed_anew(self) -> None:
        """Start the random numbers of this process at this point of the run."""
        seed = (self.settings.seed * 4096 + self.world.rank) * 2**32 + self.images
        self.rng.manual_seed(seed)
        self.pictures_rng.manual_seed(seed + (self.pictures_rng is not self.rng))

    def _build(self, device: torch.device) -> None:
        """Networks with the same random start in every process, and their optimisers."""
        settings = self.settings
        config = StyleGAN2Config(
            settings.resolution,
            settings.channels,
            z_dim=settings.latent,
            w_dim=settings.latent,
            mapping_layers=settings.mapping_layers,
            half_resolution=max(settings.resolution // 8, 8),
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.generator = Generator(config)
            self.discriminator = Discriminator(config.channels, dtype=self.dtype)
        for block in self.generator.synthesis.blocks():
            if 4 << block.index > settings.grow_from:
                torch.nn.init.zeros_(block.torgb.weight)  # silent until it has learnt something
        self.generator.to(device)
        self.discriminator.to(device)
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
        ups = {
            f"synthesis.{name}.weight" for name in self.generator.synthesis.layers() if name.endswith("conv0")
        }
        gains, half = equalized_gains(self.generator), half_parameters(self.generator)
        self.flat, self.flat_averaged = (
            FlatParameters(network, gains, half=half, dtype=self.dtype, input_first=ups)
            for network in (self.generator, self.averaged)
        )
        opponent = self.discriminator
        self.flat_discriminator = FlatParameters(
            opponent, opponent.gains(), half=opponent.half_parameters(), dtype=self.dtype
        )
        path_interval = settings.path_interval if settings.path_weight else None
        self.generator_adam = FlatAdam(self.flat, settings.lr, settings.beta2, path_interval, settings.warmup)
        self.discriminator_adam = FlatAdam(
            self.flat_discriminator, settings.lr, settings.beta2, settings.r1_interval, settings.warmup
        )

    def enter(self, stage: Stage) -> None:
        """Make the losses of a stage; a stage that the run is in the middle of goes on."""
        settings = self.settings
        self.batch = stage.batch
        self.calls = {}
        self.phases = Phases(
            TrainingSynthesis(self.generator, stage.resolution, self.dtype),
            self.discriminator,
            (self.flat, self.flat_discriminator),
            self.augment,
            resolution=stage.resolution,
            batch=max(stage.batch // self.world.size, 1),
            rng=self.rng,
            options=LossOptions(
                z_dim=settings.latent,
                r1_gamma=stage.r1_gamma,
                path_weight=settings.path_weight,
                style_mixing=settings.style_mixing,
                path_interval=settings.path_interval,
                r1_interval=settings.r1_interval,
            ),
            path_mean=self.path_mean,
        )
        if self.stage > 0 and self.stage_images < settings.fade_images:
            self.phases.fade = torch.zeros([], device=self.world.device)
        if self.stage_steps == 0:
            self.generator_adam.reset()
            self.discriminator_adam.reset()
            self.path_mean.zero_()

    def leave(self) -> None:
        """The stage is over; the next one starts from zero."""
        self.stage += 1
        self.stage_images = self.stage_steps = 0
        self.stage_seconds = 0.0

    def iterate(self) -> Stats:
        """One iteration: a step of each network, and of the regularisers that are due."""
        phases = self.losses()
        settings, step = self.settings, self.stage_steps
        self._advance_fade(phases)
        stats = dict(self._run(phases.train_generator, self.generator_adam))
        if settings.path_weight and step % settings.path_interval == 0:
            stats |= self._run(phases.smooth_generator, self.generator_adam)
        self._average()
        phases.reals.copy_(self.pictures.batch(phases.batch, phases.resolution, self.pictures_rng))
        stats |= self._run(phases.train_discriminator, self.discriminator_adam)
        if step % settings.r1_interval == 0:
            stats |= self._run(phases.penalize_discriminator, self.discriminator_adam)
        if self.augment is not None:
            self.augment.adapt(self.batch)
        self.images += self.batch
        self.stage_images += self.batch
        self.stage_steps += 1
        return stats

    def cool(self, left: float) -> None:
        """Lower the learning rates where little of the budget is left.

        Args:
            left: share of the budget, from 1 to 0.
        """
        cooldown = self.settings.cooldown
        for adam in self.optimizers().values():
            adam.scale = min(max(left, 0.0) / cooldown, 1.0) if cooldown else 1.0

    def count(self, seconds: float) -> None:
        """Time passed."""
        self.seconds += seconds
        self.stage_seconds += seconds

    def losses(self) -> Phases:
        """The losses of the stage that was entered."""
        if self.phases is None:
            raise AssertionError("enter a stage first")
        return self.phases

    def _run(self, phase: Callable[[], Stats], adam: FlatAdam) -> Stats:
        """Gradients of one loss, captured on first use where that is possible, then a step."""
        key = phase.__name__
        if key not in self.calls:
            clear = adam.flat.gradients.zero_

            def cleared() -> Stats:
                clear()
                return phase()

            if self.settings.cuda_graphs and self.world.device.type == "cuda":
                self.pool = torch.cuda.graph_pool_handle() if not self.calls else self.pool
                self.calls[key] = Replayed(cleared, self.rng, self.pool)
            else:
                self.calls[key] = cleared
        stats = self.calls[key]()
        adam.step()
        return stats

    def _advance_fade(self, phases: Phases) -> None:
        """Fade the newest block in; once it is in, the losses are made again without the old entrance."""
        if phases.fade is None:
            return
        share = self.stage_images / self.settings.fade_images
        if share < 1:
            phases.fade.fill_(share)
        else:
            phases.fade = None
            self.calls = {}

    def _average(self) -> None:
        """Let the averaged generator follow; its memory is short at the start of a run."""
        half_life = min(self.settings.ema_images, (self.images + self.batch) * 0.05)
        self.flat_averaged.follow(self.flat, 1 - 0.5 ** (self.batch / half_life))

    def stats(self) -> dict[str, float]:
        """Figures beside the losses."""
        phases = self.losses()
        found = {"fade": 1.0 if phases.fade is None else float(phases.fade)}
        return found if self.augment is None else found | {"augment": float(self.augment.p)}

    def networks(self) -> dict[str, torch.nn.Module]:
        """Everything with tensors of its own, by the name it is saved under."""
        networks: dict[str, torch.nn.Module] = {
            "generator": self.generator,
            "averaged": self.averaged,
            "discriminator": self.discriminator,
        }
        return networks if self.augment is None else networks | {"augment": self.augment}

    def optimizers(self) -> dict[str, FlatAdam]:
        """Both optimisers, by the name they are saved under."""
        return {"generator_adam": self.generator_adam, "discriminator_adam": self.discriminator_adam}

    def _open_log(self) -> Any:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingExtraError('TensorBoard logs need: pip install "pliant[train]"') from error
        return SummaryWriter(self.settings.out)

    def log(self, values: dict[str, float]) -> None:
        """Write figures to TensorBoard, if it is on."""
        if self.writer is not None:
            for name, value in values.items():
                self.writer.add_scalar(name, value, self.images)
