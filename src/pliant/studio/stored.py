"""Files of a session by name: states of nodes by their id, pictures by the hash of their content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from pliant.errors import InputError
from pliant.files import write_whole

_NODE = re.compile(r"[0-9a-f]{16}")
_HASH = re.compile(r"[0-9a-f]{64}")


class StateFiles(MutableMapping[str, bytes]):
    """States of nodes as files, by node id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __getitem__(self, node: str) -> bytes:
        """Read a state."""
        try:
            return self._path(node).read_bytes()
        except OSError as error:
            raise KeyError(node) from error

    def __setitem__(self, node: str, state: bytes) -> None:
        """Write a state, whole or not at all."""
        with write_whole(self._path(node)) as part:
            part.write_bytes(state)

    def __delitem__(self, node: str) -> None:
        """Remove a state."""
        self._path(node).unlink()

    def __iter__(self) -> Iterator[str]:
        """Ids of the nodes."""
        return (path.stem for path in self.folder.glob("*.safetensors"))

    def __len__(self) -> int:
        """How many there are."""
        return sum(1 for _ in self)

    def _path(self, node: str) -> Path:
        if not _NODE.fullmatch(node):
            raise KeyError(node)
        return self.folder / f"{node}.safetensors"


class PngFiles:
    """PNGs by the SHA-256 of their content.

    Args:
        folder: made if it is not there.
        kind: what they are called in sentences, such as "mask".
    """

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder, self.kind = folder, kind
        folder.mkdir(exist_ok=True)

    def keep(self, png: bytes) -> str:
        """Store a PNG, if it is not there yet; its hash."""
        digest = hashlib.sha256(png).hexdigest()
        path = self.folder / f"{digest}.png"
        if not path.is_file():
            with write_whole(path) as part:
                part.write_bytes(png)
        return digest

    def read(self, digest: str) -> bytes:
        """The PNG of a hash.

        Raises:
            InputError: there is none.
        """
        path = self.folder / f"{digest}.png"
        if not _HASH.fullmatch(digest) or not is_own(path):
            raise InputError(f"There is no such {self.kind} in this session.")
        return path.read_bytes()


def is_own(path: Path) -> bool:
    """A file of the studio's own, and no link to somewhere else."""
    return path.is_file() and not path.is_symlink()
