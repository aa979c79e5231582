"""The diffusion models that a studio offers to edit photos with, each loaded once, when it is first needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pliant import zoo
from pliant.diffusion.loading import EMBEDDED, is_diffusion_model
from pliant.errors import InputError

if TYPE_CHECKING:
    from pliant.diffusion.pipeline import DiffusionModel


class DiffusionModels:
    """Diffusion models by name: Pliant's own, and those among the user's models.

    Args:
        device: where they compute.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        entries = [entry for entry in zoo.entries() if is_diffusion_model(entry.path)]
        entries.sort(key=lambda entry: entry.name != EMBEDDED)
        self._sources: dict[str, Path] = {}
        for entry in entries:
            self._sources.setdefault(entry.name, entry.path)
        self._loaded: dict[str, DiffusionModel] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Pliant's own first."""
        return tuple(self._sources)

    def known(self, name: str | None) -> str:
        """The same name; that of the first model for None.

        Raises:
            InputError: there is none of that name, or none at all.
        """
        if not self._sources:
            raise InputError(
                "No diffusion model is installed; put one, a folder with a model_index.json, among your models, "
                'or take the preset "copy", which needs none.'
            )
        if name is None:
            return next(iter(self._sources))
        if name not in self._sources:
            raise InputError(f"The diffusion model {name[:100]!r} is not installed.")
        return name

    def get(self, name: str | None) -> DiffusionModel:
        """The model of that name, the first one for None. Only the device's thread may ask.

        Raises:
            InputError: there is none.
            CheckpointError: it cannot be read.
            MissingExtraError: without diffusers.
        """
        found = self.known(name)
        if found not in self._loaded:
            from pliant.diffusion.loading import load_diffusion

            source = found if found == EMBEDDED else self._sources[found]
            self._loaded[found] = load_diffusion(source, self.device)
        return self._loaded[found]
