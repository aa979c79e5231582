"""Parts of a latent picture: which pixel belongs to what, and how sure that is.

`segment` gives the part map of a picture, `load_head` the part head of a generator, `as_parts` turns what a person painted into
class ids, or says what is wrong with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pliant.errors import CheckpointError, InputError
from pliant.files import write_whole
from pliant.gan.head import CONFIG, FORMAT, PartClass, PartHead, js_divergence, look
from pliant.gan.latent import LatentPicture, fingerprint
from pliant.gan.stylegan2 import Generator
from pliant.gan.tuned import original
from pliant.images import load_image
from pliant.zoo import WEIGHTS_FOLDER, user_folder

PartsLike = Tensor | NDArray[Any] | Image.Image | Sequence[Sequence[int]]
WORST_SHARE = 0.1
"""A picture's uncertainty is the mean over this share of its pixels, the least certain ones (DatasetGAN's program)."""


@dataclass(frozen=True, eq=False)
class PartMap:
    """The parts of one picture."""

    ids: Tensor
    """uint8 [H, W], class ids, on the CPU."""
    head: PartHead = field(repr=False)
    uncertainty: Tensor | None = None
    """[H, W] Jensen-Shannon divergence of the ensemble in nats, if it was asked for: where the map cannot be trusted."""

    @property
    def shares(self) -> dict[str, float]:
        """Share of the pixels that each part has, by name."""
        counts = torch.bincount(self.ids.flatten().long(), minlength=len(self.head.classes))
        return dict(zip(self.head.names, (counts / self.ids.numel()).tolist(), strict=True))

    @property
    def score(self) -> float | None:
        """Uncertainty of the whole picture: the mean of its least certain tenth; None if it was not asked for."""
        if self.uncertainty is None:
            return None
        flat = self.uncertainty.flatten()
        return float(flat.topk(max(1, round(WORST_SHARE * len(flat)))).values.mean())

    def image(self) -> Image.Image:
        """The map as a palette picture, whose values are the ids."""
        return parts_image(self.ids, self.head.classes)


@torch.no_grad()
def segment(picture: LatentPicture, head: PartHead | None = None, *, uncertainty: bool = False) -> PartMap:
    """The parts of a picture.

    Args:
        picture: of the generator that the head was trained on.
        head: the generator's own if not given.
        uncertainty: ask the whole ensemble, which takes as many times longer; the parts are then those of its mean.

    Raises:
        ModelMismatchError: a head of another generator.
        InputError: uncertainty of a head without an ensemble.
    """
    head = checked_head(picture, head)
    _, features = look(picture.generator, picture.ws[None])
    if not uncertainty:
        return PartMap(_ids(head.logits(features)[0]), head)
    if not len(head.ensemble):
        raise InputError("This part head keeps no ensemble, so it cannot say how sure it is; train it again.")
    probabilities = head.logits(features, head.ensemble).softmax(1)
    return PartMap(_ids(probabilities.mean(0)), head, js_divergence(probabilities).cpu())


def _ids(scores: Tensor) -> Tensor:
    return scores.argmax(0).to(torch.uint8).cpu()


def checked_head(picture: LatentPicture, head: PartHead | None) -> PartHead:
    """The given head or the generator's own, which fits the picture.

    Raises:
        ModelMismatchError: a head of another generator.
        CheckpointError: none was given, and the generator has none.
    """
    head = head or load_head(picture.generator)
    head.check(picture.generator)
    return head


def head_folders() -> Iterator[Path]:
    """Folders of part heads: the user's (`heads` beside their models), the newest first, then those that come with Pliant."""
    for place in (heads_folder(), WEIGHTS_FOLDER):
        try:
            folders = [folder for folder in sorted(place.iterdir()) if _made_for(folder) is not None]
        except OSError:
            continue
        yield from folders if place == WEIGHTS_FOLDER else sorted(folders, key=_written, reverse=True)


def head_folder(generator: Generator) -> Path | None:
    """Where the part head that was made for a generator lies; None if it has none."""
    wanted = fingerprint(original(generator))
    return next((folder for folder in head_folders() if _made_for(folder) == wanted), None)


def heads_folder() -> Path:
    """Where the user's own part heads lie: `$PLIANT_HOME/heads`, or `~/.pliant/heads`."""
    return user_folder().parent / "heads"


def _made_for(folder: Path) -> str | None:
    """Fingerprint of the generator that a part head is for; None where there is no head."""
    try:
        if os.path.getsize(folder / CONFIG) > 2**18:  # noqa: PTH202 - a Path's stat differs on odd names
            return None
        config: Any = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return str(config["fingerprint"]) if config["format"] == FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _written(folder: Path) -> int:
    """When a part head was written, in nanoseconds; 0 where there is none."""
    try:
        return (folder / CONFIG).stat().st_mtime_ns
    except OSError:
        return 0


def load_head(generator: Generator, source: str | Path | None = None) -> PartHead:
    """The part head of a generator, on its device; asked again, the same one comes back as long as its folder is the same.

    Args:
        generator: whose pictures it should read.
        source: folder of a head; if not given, the one among Pliant's and the user's that was made for this generator.

    Raises:
        CheckpointError: there is none, or it cannot be read.
        ModelMismatchError: `source` is for another generator.
    """
    folder = head_folder(generator) if source is None else Path(source)
    if folder is None:
        raise CheckpointError(
            f"There is no part head for '{generator.name}'; label a few of its pictures and train one with "
            "pliant train head."
        )
    key, written = ("part head", str(folder), generator.device), _written(folder)
    if key not in generator.memo or generator.memo[key][0] != written:
        head = PartHead.open(folder, generator.device)
        head.check(generator)
        generator.memo[key] = written, head
    return generator.memo[key][1]


def as_parts(value: PartsLike | PartMap, head: PartHead) -> Tensor:
    """A part map that a person gave, as uint8 ids [H, W] on the CPU.

    Args:
        value: ids as a tensor, an array, lists or a grey picture; or a picture in the colours of the parts.
        head: says which parts there are, and how large a picture is.

    Raises:
        InputError: another size, ids or colours that are no part, or nothing that could be a part map.
    """
    return checked_ids(value.ids if isinstance(value, PartMap) else value, head.classes, head.size)


def checked_ids(value: PartsLike, classes: Sequence[PartClass], size: tuple[int, int]) -> Tensor:
    """The same where there is no head yet.

    Args:
        value: as for `as_parts`.
        classes: the parts by id.
        size: width and height of the picture.

    Raises: as `as_parts` does.
    """
    array = _image_ids(value, classes) if isinstance(value, Image.Image) else _array_ids(value)
    width, height = size
    if array.ndim != 2 or array.shape != (height, width):
        given = "x".join(str(side) for side in reversed(array.shape))
        raise InputError(
            f"The part map is {given} but the picture is {width}x{height}; give a map of the picture's size."
        )
    unknown = np.unique(array[(array < 0) | (array >= len(classes))])
    if len(unknown):
        raise InputError(
            f"The part map holds the id {unknown[0]}, which is no part; ids go from 0 to {len(classes) - 1} "
            f"({', '.join(each.name for each in classes)})."
        )
    return torch.from_numpy(array.astype(np.uint8))


def _array_ids(value: Any) -> NDArray[Any]:
    try:
        array = np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value)
    except (ValueError, TypeError) as error:
        raise InputError("The part map could not be read: every row must have the same length.") from error
    if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and not (array == np.rint(array)).all()):
        raise InputError("The part map must hold whole numbers, the ids of the parts.")
    return array.astype(np.int64)


def _image_ids(image: Image.Image, classes: Sequence[PartClass]) -> NDArray[Any]:
    """Ids of a picture by its colours (whatever the order of its palette), or by its grey values where these are ids."""
    rgb = np.asarray(image.convert("RGB")).astype(np.int64)
    code = (rgb * (65536, 256, 1)).sum(2)
    ids = np.full(code.shape, -1, np.int64)
    for number, each in enumerate(classes):
        red, green, blue = each.colour
        ids[code == red * 65536 + green * 256 + blue] = number
    if (ids < 0).any() and (rgb == rgb[:, :, :1]).all() and rgb.max() < len(classes):
        return rgb[:, :, 0]
    if (ids < 0).any():
        y, x = (int(place[0]) for place in np.nonzero(ids < 0))
        colour = tuple(int(value) for value in rgb[y, x])
        raise InputError(
            f"The part map has the colour {colour} at ({x}, {y}), which is no part's; paint with the colours that "
            "pliant segment writes, without soft edges."
        )
    return ids


def load_parts(path: str | Path, head: PartHead) -> Tensor:
    """Read a part map from a picture file, as `as_parts`.

    Raises:
        InputError: no picture, or one that is no part map.
    """
    return read_parts(path, head.classes, head.size)


def read_parts(path: str | Path, classes: Sequence[PartClass], size: tuple[int, int]) -> Tensor:
    """Read a part map from a picture file where there is no head yet: uint8 ids [H, W].

    Args:
        path: the file.
        classes: the parts by id.
        size: width and height that it should have.

    Raises:
        InputError: no picture, or one that is no part map.
    """
    return checked_ids(load_image(path), classes, size)


def parts_image(ids: Tensor, classes: Sequence[PartClass]) -> Image.Image:
    """Ids [H, W] as a palette picture in the colours of the parts."""
    image = Image.fromarray(ids.cpu().to(torch.uint8).numpy())
    image.putpalette([value for each in classes for value in each.colour])
    return image


def save_parts(parts: PartMap, path: str | Path) -> None:
    """Write a part map as a palette PNG whose values are the ids.

    Raises:
        InputError: another suffix than .png, or a place that cannot be written to.
    """
    if Path(path).suffix.lower() != ".png":
        raise InputError(f"'{path}' should end in .png: other formats would change the ids of a part map.")
    with write_whole(path) as part:
        parts.image().save(part, "PNG", optimize=True)
