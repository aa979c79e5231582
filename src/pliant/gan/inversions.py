"""Inversions that were done before, kept on disk so that opening a photo again takes no time.

One latent file each, `$PLIANT_HOME/cache/inversions/KEY.safetensors`; the key is a hash of the pixels, the model and the
settings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from pliant import zoo
from pliant.errors import PliantError
from pliant.files import is_file, write_whole
from pliant.gan.invert import InvertSettings, InvertStep, invert, shown
from pliant.gan.latent import LatentPicture, fingerprint
from pliant.gan.stylegan2 import Generator
from pliant.images import to_uint8
from pliant.settings import settings_facts

VERSION = 1
"""To be raised when the method changes, so that nothing old is found."""
MAX_KEPT = 64
"""Files that are kept; the oldest go."""


def folder() -> Path:
    """Where they lie."""
    return zoo.user_folder().parent / "cache" / "inversions"


def key(generator: Generator, photo: Tensor, settings: InvertSettings) -> str:
    """32 hexadecimal digits for a photo [3, H, W] in [-1, 1], a model and settings."""
    facts = {"version": VERSION, "model": fingerprint(generator), "settings": settings_facts(settings)}
    hashed = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    hashed.update(f"{list(photo.shape)}".encode())
    hashed.update(to_uint8(photo).cpu().contiguous().numpy().tobytes())
    return hashed.hexdigest()[:32]


def find(generator: Generator, photo: Tensor, settings: InvertSettings) -> LatentPicture | None:
    """What was kept of this photo, if anything; a damaged file counts as none."""
    path = folder() / f"{key(generator, photo, settings)}.safetensors"
    if not is_file(path):
        return None
    try:
        return LatentPicture.open_latent(path, generator)
    except PliantError:
        return None


def keep(picture: LatentPicture, photo: Tensor, settings: InvertSettings) -> None:
    """Keep a finished inversion. A disk that refuses costs nothing but the next time."""
    with suppress(OSError, PliantError):
        folder().mkdir(parents=True, exist_ok=True)
        with write_whole(folder() / f"{key(picture.generator, photo, settings)}.safetensors") as part:
            picture.save_latent(part)
        files = sorted(folder().glob("*.safetensors"), key=lambda path: path.stat().st_mtime)
        for path in files[:-MAX_KEPT]:
            path.unlink(missing_ok=True)


def invert_kept(
    generator: Generator,
    photo: Tensor,
    *,
    settings: InvertSettings,
    origin: dict[str, Any] | None = None,
    again: bool = False,
) -> Iterator[InvertStep]:
    """As `invert`, but what was finished before comes back as one step, and what is finished now is kept.

    Args: as for `invert`.
        again: compute it in any case.
    """
    steps = invert(generator, photo, settings=settings, origin=origin)  # checks the photo
    found = None if again else find(generator, photo, settings)
    if found is not None:
        yield shown(found, photo)
        return
    for step in steps:
        if step.arrived:
            keep(step.picture, photo, settings)
        yield step
