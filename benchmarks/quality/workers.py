"""Processes that share the GPUs."""

from __future__ import annotations

from typing import Any

import torch


def take_turns(begun: Any, device: str) -> None:
    """Give a process that begins one thread and the next of the GPUs; `begun`, a shared number, counts them."""
    torch.set_num_threads(1)
    with begun.get_lock():
        number, begun.value = begun.value, begun.value + 1
    if device == "cuda":
        torch.cuda.set_device(number % torch.cuda.device_count())
