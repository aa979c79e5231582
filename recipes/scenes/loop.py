"""What both trainings share: scenes without end from workers, one or several GPUs, time, averages."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import torch
from compose import Batch, batched
from planning import Planner
from sprites import Sprites
from torch import Tensor, distributed, nn
from torch.utils.data import DataLoader, IterableDataset
from transformers import CLIPTokenizer
from wording import caption

HELD_OUT_SEEDS = 1_000_000
"""Seeds below are never trained on."""


class Scenes(IterableDataset[tuple[Batch, Tensor]]):
    """Endless batches of scenes with the tokens of their captions [N, 77]; a worker each draws its own.

    Args:
        sprites: on the CPU.
        tokenizer: of the captions; without it, no tokens.
        count: scenes of a batch.
        seed: other for each process.
        empty: share of captions that are left empty.
    """

    def __init__(
        self, sprites: Sprites, tokenizer: CLIPTokenizer | None, count: int, seed: int, empty: float = 0.1
    ) -> None:
        self.planner, self.sprites, self.tokenizer = Planner(sprites), sprites, tokenizer
        self.count, self.seed, self.empty = count, seed, empty

    def __iter__(self) -> Iterator[tuple[Batch, Tensor]]:
        worker = torch.utils.data.get_worker_info()
        random = Random(1000 * self.seed + (worker.id if worker else 0))  # noqa: S311 - no secrets
        while True:
            seeds = [random.randrange(HELD_OUT_SEEDS, 2**48) for _ in range(self.count)]
            scenes = [self.planner.scene(seed) for seed in seeds]
            tokens = torch.zeros(0, dtype=torch.long)
            if self.tokenizer is not None:
                things = self.sprites.things
                texts = [
                    "" if random.random() < self.empty else caption(scene, things, random) for scene in scenes
                ]
                tokens = tokens_of(texts, self.tokenizer)
            yield batched(scenes, self.sprites, 4), tokens


def tokens_of(texts: list[str], tokenizer: CLIPTokenizer) -> Tensor:
    """[N, 77] as Stable Diffusion's pipeline makes them."""
    return tokenizer(
        texts, padding="max_length", max_length=77, truncation=True, return_tensors="pt"
    ).input_ids


def batches_of(scenes: Scenes, workers: int) -> Iterator[tuple[Batch, Tensor]]:
    """From so many worker processes."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    settings = {"prefetch_factor": 4, "persistent_workers": True} if workers else {}
    return iter(DataLoader(scenes, batch_size=None, num_workers=workers, **settings))


class Team:
    """This process among those that torchrun started; alone without it."""

    def __init__(self, device: str | None = None) -> None:
        self.size, self.rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
        local = int(os.environ.get("LOCAL_RANK", "0"))
        self.device = torch.device(device or (f"cuda:{local}" if torch.cuda.is_available() else "cpu"))
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
            torch.backends.cudnn.benchmark = True
            # the best is among its first guesses; trying all takes long
            torch.backends.cudnn.benchmark_limit = 4
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        if self.size > 1:
            distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo")

    @property
    def first(self) -> bool:
        """Whether it is the one that saves and reports."""
        return self.rank == 0

    def mean(self, values: Tensor) -> None:
        """Averages a tensor over all, in place."""
        if self.size > 1:
            distributed.all_reduce(values)
            values /= self.size

    def agreed(self, value: float) -> float:
        """What the first says; waits for the device."""
        told = torch.tensor([value], device=self.device, dtype=torch.float64)
        if self.size > 1:
            distributed.broadcast(told, 0)
        return float(told)

    def same(self, module: nn.Module) -> None:
        """Gives all the first's weights."""
        if self.size > 1:
            flat = torch.cat([parameter.detach().flatten() for parameter in module.parameters()])
            distributed.broadcast(flat, 0)
            for parameter, values in zip(
                module.parameters(),
                flat.split([parameter.numel() for parameter in module.parameters()]),
                strict=True,
            ):
                parameter.data.copy_(values.view(parameter.shape))

    def close(self) -> None:
        """Leave."""
        if self.size > 1:
            distributed.destroy_process_group()


class Gradients:
    """Gradients of parameters in one piece, so that they are averaged and clipped at once."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self.flat = torch.zeros(sum(p.numel() for p in parameters), device=parameters[0].device)
        start = 0
        for parameter in parameters:
            part = self.flat[start : start + parameter.numel()]
            # As the parameter lies in memory: otherwise channels_last weights would get gradients of another layout.
            parameter.grad = part.as_strided(parameter.shape, parameter.stride())
            start += parameter.numel()

    def finish(self, team: Team, limit: float = 1.0) -> Tensor:
        """Average over the team, and clip by the norm, which is returned."""
        team.mean(self.flat)
        norm = self.flat.norm()
        self.flat.mul_((limit / (norm + 1e-6)).clamp(max=1.0))
        return norm


class Clock:
    """How much of the time of this run is used, the same for all of a team; asked for only every so many steps.

    Args:
        team: who must agree.
        seconds: of the run.
        steps: instead of seconds.
        every: steps between two looks at the clock.
    """

    def __init__(self, team: Team, seconds: float, steps: int = 0, every: int = 20) -> None:
        self.team, self.limit, self.steps, self.every = team, seconds, steps, every
        self.began, self.share, self.seconds = time.perf_counter(), 0.0, 0.0
        self._last = 0.0

    def over(self, step: int) -> bool:
        """Whether to stop before this step of the run."""
        if self.steps:
            self.share = step / self.steps
        elif step % self.every == 0:
            self.share = self.team.agreed((time.perf_counter() - self.began) / self.limit)
        self.seconds = time.perf_counter() - self.began
        return self.share >= 1

    def since(self) -> float:
        """Seconds since this was last asked."""
        last, self._last = self._last, self.seconds
        return self.seconds - last

    def looked(self, step: int) -> bool:
        """Whether this is a step at which all wait for the device, so that reading from it costs nothing."""
        return step % self.every == 0


def rate(step: int, share: float, warm: int, cool: float) -> float:
    """Of learning, as a share of the greatest: up over the first steps ever, down to 0 over the last part of this run."""
    down = min(1.0, (1 - share) / cool) if cool else 1.0
    return min(1.0, (step + 1) / warm) * max(down, 0.0)


@torch.no_grad()
def follow(average: list[Tensor], values: list[Tensor], step: int, slowest: float = 0.9995) -> None:
    """Moving average of weights; it forgets its beginning."""
    keep = min(slowest, (1 + step) / (10 + step))
    torch._foreach_lerp_(average, values, 1 - keep)


def report(log: Path, line: dict[str, object]) -> None:
    """A line more of what a training tells, as JSON, in its log and on the screen."""
    with log.open("a") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)


def save_state(path: Path, state: dict[str, object]) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)
