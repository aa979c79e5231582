"""Training pictures: a folder of images of any size, or shards, held as bytes where training can reach them.

A source is a folder (searched at any depth) or one file. Three kinds of file count: pictures; zip files of pictures; and
`.npy` arrays, uint8 [N, 3, H, W], which are used as they are.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.errors import InputError
from pliant.images import center_crop_resize, load_image

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}


class Pictures:
    """Square uint8 pictures on one device, from which batches are drawn.

    Args:
        resolution: side in pixels.
        capacity: room for this many; memory is taken at once, so that adding later never copies.
        device: where the bytes live.
        flip: mirror half of the pictures of a batch.
    """

    def __init__(self, resolution: int, capacity: int, device: torch.device, *, flip: bool = True) -> None:
        self.resolution, self.flip = resolution, flip
        self.bytes = torch.empty(capacity, 3, resolution, resolution, dtype=torch.uint8, device=device)
        self.count = 0

    def add(self, pictures: Tensor) -> None:
        """Append uint8 [N, 3, R, R]; what exceeds the capacity is left out."""
        pictures = pictures[: len(self.bytes) - self.count]
        self.bytes[self.count : self.count + len(pictures)] = pictures.to(self.bytes.device)
        self.count += len(pictures)

    def batch(self, n: int, resolution: int, rng: torch.Generator) -> Tensor:
        """N random pictures, float32 [n, 3, resolution, resolution] in [-1, 1], averaged down by a whole factor."""
        device = self.bytes.device
        index = torch.randint(self.count, (n,), device=device, generator=rng)
        pictures = self.bytes[index].float() / 127.5 - 1
        if resolution != self.resolution:
            pictures = F.avg_pool2d(pictures, self.resolution // resolution)
        if self.flip:
            mirrored = torch.rand(n, 1, 1, 1, device=device, generator=rng) < 0.5
            pictures = torch.where(mirrored, pictures.flip(3), pictures)
        return pictures


def load_pictures(
    source: Path,
    resolution: int,
    device: torch.device,
    *,
    flip: bool = True,
) -> Pictures:
    """Read a training set.

    Args:
        source: folder or file, see above.
        resolution: pictures are cropped to the middle square and resized to this side.
        device: CUDA keeps them there when they take less than half of its free memory, otherwise they stay in memory.
        flip: mirror half of the pictures of a batch.

    Raises:
        InputError: nothing to read, or a file that cannot be read; the sentence names it.
    """
    arrays, files = _find(source)
    total = sum(len(array) for array in arrays) + len(files)
    if total < 2:
        raise InputError(
            f"{source} holds {total} pictures; training needs at least 2 (and hundreds to learn anything)."
        )
    if device.type == "cuda" and total * 3 * resolution**2 > torch.cuda.mem_get_info(device)[0] // 2:
        device = torch.device("cpu")
    pictures = Pictures(resolution, total, device, flip=flip)
    for array in arrays:
        if array.dtype != np.uint8 or array.shape[1:] != (3, resolution, resolution):
            raise InputError(
                f"{source}: a shard holds {array.dtype} {list(array.shape)}; expected uint8 [N, 3, {resolution}, {resolution}]."
            )
        for start in range(0, len(array), 1024):
            pictures.add(torch.from_numpy(np.array(array[start : start + 1024])))  # pyright: ignore[reportUnknownMemberType]
    with ThreadPoolExecutor() as pool:  # Pillow decodes and resizes without holding the interpreter
        for picture in pool.map(partial(_decode, resolution=resolution), files):
            pictures.add(picture[None])
    return pictures


File = tuple[Path, str | None]
"""A picture file, or a zip file and the name of its member."""


def _find(source: Path) -> tuple[list[np.ndarray], list[File]]:
    """Shards and picture files under a source, in order of name."""
    if not source.exists():
        raise InputError(f"{source} does not exist; give a folder of pictures.")
    paths = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    arrays, files = list[np.ndarray](), list[File]()
    for path in paths:
        if path.suffix.lower() == ".npy":
            arrays.append(_open_shard(path))
        elif path.suffix.lower() == ".zip":
            files += _members(path)
        elif path.suffix.lower() in SUFFIXES:
            files.append((path, None))
    return arrays, files


def _open_shard(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{path} is not a readable .npy array of pictures: {error}") from error


def _members(path: Path) -> Iterator[File]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(archive.namelist())
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(f"{path} is not a readable zip file: {error}") from error
    return ((path, name) for name in names if Path(name).suffix.lower() in SUFFIXES)


def _decode(file: File, resolution: int) -> Tensor:
    """One picture as uint8 [3, R, R]."""
    path, member = file
    try:
        if member is None:
            image = load_image(path)
        else:
            with zipfile.ZipFile(path) as archive:
                image = load_image(io.BytesIO(archive.read(member)))
    except InputError as error:
        raise InputError(f"{path}{'' if member is None else ' / ' + member}: {error}") from error
    pixels = np.array(center_crop_resize(image, (resolution, resolution)))
    return torch.from_numpy(pixels).permute(2, 0, 1)  # pyright: ignore[reportUnknownMemberType]
