"""DragBench as it is published: a folder for each picture, with what is to be dragged in it.

    FOLDER/animals/JH_2023-09-14-1820-16/original_image.png
                                         meta_data.pkl       {"prompt": ..., "points": [handle, target, ...], "mask": ...}

A pickle is a program, so it is never unpickled: Pliant's own interpreter reads it, which knows numbers, text, lists,
dictionaries and arrays, and refuses all else. A `meta_data.json` of the same content is taken where there is one; its mask is
rows of numbers or the name of an image beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pliant.checkpoints.names import NAMES
from pliant.checkpoints.records import NumpyArray
from pliant.checkpoints.unpickle import Unpickler
from pliant.errors import PliantError
from pliant.images import load_image
from pliant.picture import PixelPicture

PICTURE, PICKLE, CONVERTED = "original_image.png", "meta_data.pkl", "meta_data.json"
ARRAYS = {
    key: builder
    for key, builder in NAMES.items()
    if key[0].split(".")[0] in ("numpy", "_codecs") or key[0] == "collections"
}
"""What such a pickle may name."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture, and what is to be dragged in it."""

    name: str
    picture: PixelPicture
    prompt: str
    handles: Tensor
    """float32 [N, 2] (x, y), whole pixels, as are the targets."""
    targets: Tensor
    mask: Tensor
    """float32 [H, W], 1 = may change."""


def samples(folder: Path) -> Iterator[Sample]:
    """All of a folder and the folders below it, by name.

    Raises:
        SystemExit: there is none, or one cannot be used.
    """
    places = sorted(path.parent for path in folder.rglob(PICTURE))
    if not places:
        raise SystemExit(
            f"There is no {PICTURE} below {folder}; expected DragBench, one folder for each picture."
        )
    for place in places:
        try:
            yield sample(place, str(place.relative_to(folder)))
        except (PliantError, KeyError, TypeError, ValueError, IndexError) as error:
            raise SystemExit(
                f"{place} cannot be used: {error} (A {CONVERTED} is taken in place of the pickle.)"
            ) from error


def sample(place: Path, name: str) -> Sample:
    """The one in a folder."""
    picture = PixelPicture.of(load_image(place / PICTURE))
    width, height = picture.size
    facts = read_facts(place)
    points = torch.tensor(np.asarray(facts["points"], dtype=np.float32)).reshape(-1, 2).round()
    points = torch.stack([points[:, 0].clamp(0, width - 1), points[:, 1].clamp(0, height - 1)], -1)
    if len(points) == 0 or len(points) % 2:
        raise ValueError(f"it has {len(points)} points; expected handles and targets in turns.")
    mask = facts["mask"]
    if isinstance(mask, str):
        mask = np.asarray(load_image(place / mask).convert("L"))
    mask = torch.tensor(np.asarray(mask)) > 0
    if mask.shape != (height, width):
        raise ValueError(f"its mask is {list(mask.shape)}, its picture {[height, width]}.")
    return Sample(name, picture, str(facts["prompt"]), points[::2], points[1::2], mask.float())


def read_facts(place: Path) -> dict[str, Any]:
    """What is written beside a picture."""
    if (place / CONVERTED).is_file():
        return json.loads((place / CONVERTED).read_text(encoding="utf-8"))
    if not (place / PICKLE).is_file():
        raise ValueError(f"it has neither {CONVERTED} nor {PICKLE}.")
    value = plain(Unpickler(memoryview((place / PICKLE).read_bytes()), builders=ARRAYS).load())
    if not isinstance(value, dict):
        raise TypeError(f"{PICKLE} is not a dictionary.")
    return value


def plain(value: Any) -> Any:
    """What was read, with numpy's own arrays."""
    if isinstance(value, NumpyArray):
        return value.pending.then(lambda tensor: tensor.float()).load().numpy()
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value
