"""Processes that share the GPUs."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import torch


def processes(count: int, device: str) -> ProcessPoolExecutor:
    """So many processes of one thread each; on "cuda" they take turns with all GPUs that there are."""
    context = get_context("spawn")
    return ProcessPoolExecutor(count, context, _begin, (context.Value("i", 0), device))


def _begin(begun: Any, device: str) -> None:
    """Take one thread and the next of the GPUs; `begun`, a shared number, counts the processes."""
    torch.set_num_threads(1)
    with begun.get_lock():
        number, begun.value = begun.value, begun.value + 1
    if device == "cuda":
        torch.cuda.set_device(number % torch.cuda.device_count())
