"""Models by name: those that come with Pliant, and the user's own.

Embedded models lie in `pliant/_weights/NAME/`; `index.json` beside them says for each its summary, licence and
the SHA-256 of its weights. A user's models lie in `$PLIANT_HOME/models` (`~/.pliant/models` if that is not set):
folders as `pliant convert` writes them, or files of any format that Pliant reads.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pliant.errors import CheckpointError
from pliant.files import is_file

__all__ = ["ModelEntry", "embedded", "entries", "resolve", "user_folder", "verify"]

WEIGHTS_FOLDER = Path(__file__).parent / "_weights"
_WEIGHTS = "model.safetensors"
_CONFIG = "config.json"
_INDEX = "model_index.json"
"""Of a diffusion model, as diffusers keeps it: a folder of networks."""
_FILE_SUFFIXES = (".pkl", ".pt", ".pth")


@dataclass(frozen=True)
class ModelEntry:
    """A model that has a name.

    Attributes:
        name: what `resolve` and `--model` take.
        path: its folder or file.
        resolution: height of its pictures in pixels; None for a foreign file, which would have to be read.
        licence: SPDX name or a few words; "unknown" if nobody wrote it down.
        sha256: of its weights; None for a user's models.
        summary: one line.
    """

    name: str
    path: Path
    resolution: int | None
    licence: str
    sha256: str | None
    summary: str


def embedded() -> list[ModelEntry]:
    """The models that come with Pliant.

    Raises:
        CheckpointError: their index is broken.
    """
    folder = WEIGHTS_FOLDER
    index = folder / "index.json"
    if not index.is_file():
        return []
    try:
        listed = json.loads(index.read_text(encoding="utf-8"))
        return [
            ModelEntry(
                name=model["name"],
                path=folder / model["name"],
                resolution=_resolution(folder / model["name"]),
                licence=model["licence"],
                sha256=model["sha256"],
                summary=model["summary"],
            )
            for model in listed
        ]
    except (OSError, ValueError, TypeError, KeyError):
        raise CheckpointError(
            f"{index} is damaged; expected a list of names, summaries, licences and hashes: reinstall Pliant."
        ) from None


def user_folder() -> Path:
    """Where the user's own models lie: `$PLIANT_HOME/models`, or `~/.pliant/models`."""
    home = os.environ.get("PLIANT_HOME")
    return (Path(home) if home else Path.home() / ".pliant") / "models"


def entries() -> list[ModelEntry]:
    """All models that have a name, the embedded ones first; an embedded name hides a user's."""
    found = {entry.name: entry for entry in embedded()}
    for entry in _users(user_folder()):
        found.setdefault(entry.name, entry)
    return list(found.values())


def resolve(source: str | Path) -> Path:
    """The folder or file of a model.

    Args:
        source: the name of a model, or a path; a `Path`, and text with a folder separator, is never a name.

    Returns:
        Its path. An embedded model was compared with its SHA-256.

    Raises:
        CheckpointError: no such model or path, or an embedded model was changed.
    """
    known = {entry.name: entry for entry in entries()}
    if isinstance(source, str) and source in known:
        verify(known[source])
        return known[source].path
    path = Path(os.path.expanduser(source))  # noqa: PTH111 - Path.expanduser raises for an unknown user
    if is_file(path) or _is_folder(path):
        return path
    names = ", ".join(known) or "none yet"
    raise CheckpointError(
        f"There is no model {str(source)[:200]!r}; expected a file, a folder with a {_CONFIG} or {_INDEX}, "
        f"or a name (known: {names})."
    )


def verify(entry: ModelEntry) -> None:
    """Compare a model's weights with the SHA-256 that its entry has, if it has one.

    Raises:
        CheckpointError: the weights are missing or are not those of the entry.
    """
    if entry.sha256 is None:
        return
    try:
        actual = _hash(entry.path)
    except OSError:
        actual = "missing"
    if actual != entry.sha256:
        raise CheckpointError(
            f"The weights of {entry.name} are not those that Pliant was released with; reinstall Pliant."
        )


def _hash(folder: Path) -> str:
    """SHA-256 of a model's weights; of several networks, that of their files one after the other, by their path."""
    single = folder / _WEIGHTS
    files = [single] if not is_file(folder / _INDEX) else sorted(folder.glob("*/*.safetensors"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _is_folder(path: Path) -> bool:
    """Whether a folder holds a model, by the files in it."""
    return is_file(path / _CONFIG) or is_file(path / _INDEX)


def _users(folder: Path) -> Iterator[ModelEntry]:
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return
    for path in paths:
        if _is_folder(path):
            yield ModelEntry(path.name, path, _resolution(path), _licence(path), None, "your model")
        elif path.suffix in _FILE_SUFFIXES and is_file(path):
            yield ModelEntry(path.stem, path, None, "unknown", None, f"your {path.suffix} file")


def _resolution(folder: Path) -> int | None:
    try:
        if is_file(folder / _INDEX):
            unet: Any = json.loads((folder / "unet" / _CONFIG).read_text(encoding="utf-8"))
            vae: Any = json.loads((folder / "vae" / _CONFIG).read_text(encoding="utf-8"))
            return int(unet["sample_size"]) * 2 ** (len(vae["block_out_channels"]) - 1)
        config: Any = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        resolution = config["resolution"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return resolution if isinstance(resolution, int) else None


def _licence(folder: Path) -> str:
    """What the front matter of the model card says under `license`."""
    try:
        card = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "unknown"
    found = re.search(r"\A---\n(?:.*\n)*?license: *(.*)\n(?:.*\n)*?---\n", card[:4096])
    return found[1].strip() if found else "unknown"
