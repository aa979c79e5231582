"""The diffusion models that a studio offers to edit photos with, each loaded once, when it is first needed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pliant import zoo
from pliant.diffusion.loading import EMBEDDED, is_diffusion_model
from pliant.studio.named import Named

if TYPE_CHECKING:
    from pliant.diffusion.pipeline import DiffusionModel


MISSING = (
    'No diffusion model can be read without diffusers; install it with pip install "pliant[diffusion]", '
    'or take the preset "copy", which needs none.'
)


class DiffusionModels(Named["DiffusionModel"]):
    """Diffusion models by name: Pliant's own, and those among the user's models; none where diffusers is not installed.

    Args:
        device: where they compute.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        readable = zoo.entries() if find_spec("diffusers") is not None else []
        entries = [entry for entry in readable if is_diffusion_model(entry.path)]
        entries.sort(key=lambda entry: entry.name != EMBEDDED)
        super().__init__({entry.name: entry.path for entry in entries}, "diffusion model", MISSING)

    def _load(self, name: str, path: Path) -> DiffusionModel:
        from pliant.diffusion.loading import load_diffusion

        return load_diffusion(name if name == EMBEDDED else path, self.device)
