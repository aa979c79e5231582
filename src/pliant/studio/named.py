"""Models that have a name, from which one is taken by it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

from pliant.errors import InputError

__all__ = ["Named"]


T = TypeVar("T")


class Named(ABC, Generic[T]):
    """Models of one kind by name, each loaded once, when it is first needed; the first is taken if nobody says which.

    Args:
        sources: by name.
        kind: what they are called in a sentence, such as "diffusion model".
        missing: what to say when there is none at all.
    """

    def __init__(self, sources: Mapping[str, Path], kind: str, missing: str) -> None:
        self._sources, self._kind, self._missing = dict(sources), kind, missing
        self._loaded: dict[str, T] = {}

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
            raise InputError(self._missing)
        if name is None:
            return next(iter(self._sources))
        if name not in self._sources:
            raise InputError(f"The {self._kind} {name[:100]!r} is not installed.")
        return name

    def get(self, name: str | None) -> T:
        """The model of that name, the first one for None. Only the device's thread may ask.

        Raises:
            InputError: there is none.
            CheckpointError: it cannot be read.
            MissingExtraError: without the library that reads it.
        """
        found = self.known(name)
        if found not in self._loaded:
            self._loaded[found] = self._load(found, self._sources[found])
        return self._loaded[found]

    @abstractmethod
    def _load(self, name: str, path: Path) -> T:
        """Read a model, which lies there."""
