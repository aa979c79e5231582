"""Gather the sprites of scenes-256 into a few files that are small enough to carry to a GPU.

    sh recipes/scenes/fetch.sh CACHE
    python recipes/scenes/pack.py --cache CACHE --out .carry/scenes

Writes part-0/sprites-0.zip, part-1/sprites-1.zip, … with at most `--part` MiB each, in pictures of WebP with opacity.
"""

from __future__ import annotations

import argparse
import io
import json
import zipfile
from dataclasses import asdict
from pathlib import Path

from PIL import Image
from sprites import SIDE, Thing, read_things

ASSETS = "lobehub-fluent-emoji-3d-1.1.0/package/assets"


def picture_of(thing: Thing, assets: Path) -> Path | None:
    """The file of a thing, named by its code points in hexadecimal, with or without what asks for colour (FE0F)."""
    points = [f"{ord(letter):x}" for letter in thing.sign]
    plain = [point for point in points if point != "fe0f"]
    for name in ("-".join(points), "-".join(plain), "-".join([*plain, "fe0f"])):
        if (assets / f"{name}.webp").is_file():
            return assets / f"{name}.webp"
    return None


def coded(path: Path, quality: int) -> bytes:
    """The picture without its empty margins, not larger than a sprite."""
    picture = Image.open(path).convert("RGBA")
    picture = picture.crop(picture.getchannel("A").point(lambda a: 255 * (a > 8)).getbbox())
    scale = SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    stored = io.BytesIO()
    picture.save(stored, "WEBP", quality=quality, alpha_quality=90, method=6)
    return stored.getvalue()


def pack(cache: Path, out: Path, quality: int, limit: int) -> list[str]:
    """Write the parts.

    Returns:
        Names of things that have no picture.
    """
    files: list[tuple[dict[str, object], bytes]] = []
    missing: list[str] = []
    for thing in read_things():
        path = picture_of(thing, cache / ASSETS)
        if path is None:
            missing.append(thing.name)
            continue
        number = len(files)
        files.append(({"number": number, "file": f"{number:04}.webp", **asdict(thing)}, coded(path, quality)))
    part, room = 0, limit
    shards: list[list[tuple[dict[str, object], bytes]]] = [[]]
    for record, data in files:
        if len(data) + 400 > room:
            shards.append([])
            part, room = part + 1, limit
        shards[part].append((record, data))
        room -= len(data) + 400
    for part, shard in enumerate(shards):
        folder = out / f"part-{part}"
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(folder / f"sprites-{part}.zip", "w") as archive:
            archive.writestr("things.json", json.dumps([record for record, _ in shard], ensure_ascii=False))
            for record, data in shard:
                archive.writestr(str(record["file"]), data)
        print(f"part {part}: {len(shard)} things, {sum(len(data) for _, data in shard) / 2**20:.1f} MiB")
    return missing


def main() -> None:
    """Gather, compress, split."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True, help="what fetch.sh left")
    parser.add_argument("--out", type=Path, default=Path(".carry/scenes"))
    parser.add_argument("--quality", type=int, default=94, help="of WebP")
    parser.add_argument("--part", type=float, default=17.0, help="MiB of a part at most")
    args = parser.parse_args()
    missing = pack(args.cache, args.out, args.quality, int(args.part * 2**20))
    print("without a picture:", ", ".join(missing) or "none")


if __name__ == "__main__":
    main()
