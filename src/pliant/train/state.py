"""The state of a training run on disk: tensors in safetensors, numbers in JSON, replaced only when whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file  # pyright: ignore[reportUnknownVariableType]
from torch import Tensor

from pliant.errors import CheckpointError

TENSORS, NUMBERS = "state.safetensors", "state.json"


def write_state(folder: Path, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
    """Save a run; a kill in the middle leaves the state before.

    The numbers travel inside the tensor file too, so that the two can never disagree; the JSON file is for people.

    Raises:
        CheckpointError: the disk is full or refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(numbers, indent=1)
    whole = {
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in tensors.items()
    }
    partial = folder / f"{TENSORS}.part"
    try:
        save_file(whole, partial, metadata={"numbers": text})
        partial.replace(folder / TENSORS)
        (folder / NUMBERS).write_text(text + "\n")
    except (OSError, SafetensorError) as error:
        partial.unlink(missing_ok=True)
        raise CheckpointError(f"{folder} cannot take the state of the run ({error}); free space.") from error


def read_state(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Tensors and numbers of a run; None where there is none.

    Raises:
        CheckpointError: the file is truncated or not a run's state.
    """
    from safetensors import safe_open

    path = folder / TENSORS
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:  # pyright: ignore[reportUnknownVariableType]
            metadata: dict[str, str] = file.metadata() or {}  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return load_file(path), json.loads(metadata["numbers"])
    except (SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not the state of a training run ({error}). Delete the folder to start anew, or restore the file."
        ) from error


def network_tensors(prefix: str, module: torch.nn.Module) -> dict[str, Tensor]:
    """A module's state dict under a prefix."""
    return {f"{prefix}.{name}": value for name, value in module.state_dict().items()}


def load_network(module: torch.nn.Module, prefix: str, tensors: Mapping[str, Tensor]) -> None:
    """Copy a prefixed state dict into a module, in place, from any floating type.

    Raises:
        CheckpointError: another shape of network.
    """
    own = module.state_dict()
    with torch.no_grad():
        for name, value in own.items():
            saved = tensors.get(f"{prefix}.{name}")
            if saved is None or saved.shape != value.shape:
                raise CheckpointError(
                    f"The saved run has no fitting {prefix}.{name}: it was trained with other settings "
                    "(resolution or widths). Use the same settings, or another output folder."
                )
            value.copy_(saved)
