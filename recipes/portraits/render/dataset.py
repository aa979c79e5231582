"""Files of a data set: pictures with their labels, zip shards, arrays cut to what was finished."""

from __future__ import annotations

import ast
import json
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from parts import PALETTE
from PIL import Image

LABEL_SHRINKS_TO = 0.42
"""Typical share that is left of the labels' text once it is compressed."""
OVERHEAD = 240
"""Bytes of a zip archive's own for two members."""


class Shot(NamedTuple):
    """A picture and its labels."""

    image: np.ndarray
    """[H, W, 3] uint8."""
    parts: np.ndarray
    """[H, W] uint8 class ids."""
    landmarks: np.ndarray
    """[68, 2] (x, y) pixels from the picture's corner."""
    attributes: dict[str, Any]
    """JSON-ready."""


def save(shot: Shot, seed: int, out: Path, quality: int) -> None:
    """Write picture, part map and labels of one seed."""
    name = f"{seed:06d}"
    Image.fromarray(shot.image).save(out / "img" / f"{name}.webp", quality=quality, method=4)
    parts = Image.new("P", shot.parts.shape[::-1])
    parts.frombytes(shot.parts.tobytes())
    parts.putpalette([value for colour in PALETTE for value in colour])
    parts.save(out / "seg" / f"{name}.png", optimize=True, bits=4)
    labels = shot.attributes | {
        "id": seed,
        "image": f"img/{name}.webp",
        "parts": f"seg/{name}.png",
        "landmarks": np.round(shot.landmarks, 1).tolist(),
    }
    (out / "meta" / f"{name}.json").write_text(json.dumps(labels, separators=(",", ":")))


def bundle(source: Path, out: Path, limit: float, skip: int = 0, most: int = 99) -> int:
    """Pack finished pictures into zip shards.

    Args:
        source: folder with img/, seg/ and meta/.
        out: where to write `portraits_FIRST.zip`.
        limit: bytes that a shard may have.
        skip: leave out the first pictures.
        most: number of shards to write at most.

    Returns:
        How many pictures were packed.
    """
    names = sorted(path.stem for path in (source / "meta").glob("*.json"))[skip:]
    out.mkdir(parents=True, exist_ok=True)
    packed = 0
    for _ in range(most):
        if packed >= len(names):
            break
        path = out / f"portraits_{names[packed]}.zip"
        count = _write_shard(path, source, names[packed:], limit)
        if count == 0:
            raise SystemExit(f"{names[packed]} alone is larger than a shard may be.")
        packed += count
        print(path.name, count, path.stat().st_size, flush=True)
    return packed


def _write_shard(path: Path, source: Path, names: list[str], limit: float) -> int:
    size, labels = 0.0, []
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            picture = (source / "img" / f"{name}.webp").read_bytes()
            parts = (source / "seg" / f"{name}.png").read_bytes()
            label = (source / "meta" / f"{name}.json").read_text()
            size += len(picture) + len(parts) + len(label) * LABEL_SHRINKS_TO + OVERHEAD
            if size > limit:
                break
            archive.writestr(f"img/{name}.webp", picture)
            archive.writestr(f"seg/{name}.png", parts)
            labels.append(label)
        archive.writestr("labels.jsonl", "\n".join(labels) + "\n", zipfile.ZIP_DEFLATED, 9)
    return len(labels)


def truncate_npy(path: str | Path, rows: int) -> None:
    """Shrink a version 1 .npy file to its first rows, in place."""
    with Path(path).open("r+b") as file:
        file.seek(8)
        length = int.from_bytes(file.read(2), "little")
        header = ast.literal_eval(file.read(length).decode())
        header["shape"] = (rows, *header["shape"][1:])
        file.seek(10)
        file.write((repr(header).ljust(length - 1) + "\n").encode())
        file.truncate(10 + length + int(np.prod(header["shape"])))
