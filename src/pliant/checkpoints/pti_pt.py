"""Whole networks saved with torch.save, as PTI (pivotal tuning) writes its tuned generators."""

from typing import Any

from pliant.checkpoints.checkpoint import Draft
from pliant.checkpoints.nvidia_pickle import read_networks
from pliant.checkpoints.records import ModuleRecord
from pliant.checkpoints.values import is_dict


def holds_modules(root: Any) -> bool:
    """Whether a saved object is a module of NVIDIA's code, or a dictionary with one."""
    values = list(root.values()) if is_dict(root) else [root]
    return any(isinstance(value, ModuleRecord) for value in values)


def read_tuned(root: Any, names: list[str]) -> Draft:
    """The generator in a saved object.

    The wrapper is torch.save's; the modules inside are those of NVIDIA's pickles.

    Raises:
        CheckpointError: as for `read_networks`.
    """
    return read_networks(root, names, source="pti-pt")
