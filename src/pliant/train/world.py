"""The processes that train together."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class World:
    """One process among those of a run."""

    rank: int
    size: int
    device: torch.device

    def same(self, value: float) -> float:
        """The first process's value, in all of them."""
        if self.size == 1:
            return value
        answer = torch.tensor([value], device=self.device)
        dist.broadcast(answer, 0)
        return answer.item()

    def agree(self, stop: bool) -> bool:
        """The first process's answer, in all of them."""
        return bool(self.same(float(stop)))


def join_world(device: str | None) -> World:
    """Join the processes that torchrun started, or be the only one; None picks CUDA, then MPS, then the CPU."""
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if device is None:
        device = (
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    if device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    place = torch.device(device)
    if place.type == "cuda":
        torch.cuda.set_device(place)
    if size > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    return World(rank, size, place)
