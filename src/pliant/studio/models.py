"""The generators that a studio offers, each loaded once, when it is first needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pliant import zoo
from pliant.diffusion.loading import is_diffusion_model
from pliant.errors import InputError
from pliant.selecting.sam import is_sam
from pliant.studio.messages import ModelInfo
from pliant.studio.text_models import is_text_model

if TYPE_CHECKING:
    from pliant.gan.stylegan2 import Generator


class Models:
    """Models by name: those of the zoo, and one that whoever started the studio named.

    Args:
        first: a name, folder or file to offer first; not from a client.
        device: where they compute.
    """

    def __init__(self, first: str | None, device: str) -> None:
        self.device = device
        folders = [entry for entry in zoo.entries() if entry.path.is_dir()]
        others = (is_text_model, is_diffusion_model, is_sam)
        entries = [entry for entry in folders if not any(is_other(entry.path) for is_other in others)]
        self._sources: dict[str, str | Path] = {entry.name: entry.name for entry in entries}
        self._loaded: dict[str, Generator] = {}
        self.infos = [
            ModelInfo(name=e.name, summary=e.summary, licence=e.licence, resolution=e.resolution)
            for e in entries
        ]
        if first is not None and first not in self._sources:
            first = self._add(zoo.resolve(first))
        self.infos.sort(key=lambda info: info.name != first)

    def _add(self, path: Path) -> str:
        """Offer a folder that whoever started the studio named; its name.

        Raises:
            InputError: it is a file of a foreign format.
        """
        if not path.is_dir():
            raise InputError(
                f"The studio takes models in Pliant's own format; turn this one into it first: pliant convert {path} FOLDER"
            )
        self._sources[path.name] = path
        own = ModelInfo(name=path.name, summary="given at the start", licence="unknown", resolution=None)
        self.infos = [own, *(info for info in self.infos if info.name != path.name)]
        return path.name

    def known(self, name: str | None) -> str:
        """The same name; that of the first model for None.

        Raises:
            InputError: there is none of that name.
        """
        if name is None and self.infos:
            return self.infos[0].name
        if name not in self._sources:
            raise InputError(f"There is no model {str(name)[:100]!r} in this studio; start it with --model.")
        return str(name)

    def get(self, name: str) -> Generator:
        """The generator of that name. Only the device's thread may ask.

        Raises:
            InputError: there is none.
            CheckpointError: it cannot be read.
        """
        if name not in self._sources:
            raise InputError(
                f"The picture was made with the model {name[:100]!r}, which is none of this studio's; start it with --model."
            )
        if name not in self._loaded:
            from pliant.gan.latent import load_generator

            self._loaded[name] = load_generator(self._sources[name], self.device)
        return self._loaded[name]
