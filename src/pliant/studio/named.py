"""Models that have a name, from which one is taken by it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pliant.errors import InputError

__all__ = ["Named"]


class Named:
    """Where models lie, by name; the first is taken if nobody says which.

    Args:
        sources: by name.
        kind: what they are called in a sentence, such as "diffusion model".
        missing: what to say when there is none at all.
    """

    def __init__(self, sources: Mapping[str, Path], kind: str, missing: str) -> None:
        self._sources, self._kind, self._missing = dict(sources), kind, missing

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

    def source(self, name: str | None) -> Path:
        """Where the model of that name lies, that of the first for None.

        Raises: as `known`.
        """
        return self._sources[self.known(name)]
