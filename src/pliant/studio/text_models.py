"""The text-image models that a studio offers to read prompts, each loaded once, when it is first needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pliant import zoo
from pliant.perception.clip import EMBEDDED, load_words
from pliant.perception.words import FORMAT
from pliant.studio.named import Named

if TYPE_CHECKING:
    from pliant.perception.clip import TextImageModel

DEFAULT = "words-small"
MISSING = f"The text-image model {DEFAULT} is not installed; put it, or another one, into {{folder}}."
_FOREIGN = {"clip", "siglip", "siglip2"}
"""`model_type` in the config.json of transformers."""


class TextModels(Named["TextImageModel"]):
    """Text-image models by name: Pliant's own, and those among the user's models.

    Args:
        device: where they compute.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        folder = zoo.user_folder()
        super().__init__(_found(folder), "text-image model", MISSING.format(folder=_shown(folder)))

    def _load(self, name: str, path: Path) -> TextImageModel:  # noqa: ARG002 - of any name
        return load_words(path, self.device)


def is_text_model(folder: Path) -> bool:
    """Whether a folder holds a text-image model, by its config alone."""
    if (folder / "open_clip_config.json").is_file():
        return True
    try:
        config: Any = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return config.get("format") == FORMAT[0] or config.get("model_type") in _FOREIGN
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return False


def _found(folder: Path) -> dict[str, Path]:
    embedded = EMBEDDED / DEFAULT
    try:
        own = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        own = []
    found: dict[str, Path] = {}
    for path in (embedded, *own):
        if is_text_model(path):
            found.setdefault(path.name, path)
    return found


def _shown(path: Path) -> str:
    """A path as people write it."""
    home = str(Path.home())
    return f"~{str(path)[len(home) :]}" if str(path).startswith(home) else str(path)
