"""Gather what words-small learns from into a few files that are small enough to carry to a GPU.

    sh recipes/words/fetch.sh CACHE
    PYTHONPATH=src python recipes/words/pack.py --cache CACHE --portraits PORTRAITS --out .carry/words

PORTRAITS holds `portraits_*.zip` as `recipes/portraits/render` bundles them. Writes `part-0`, `part-1`, … with at most `--part`
MiB each; `train.sh` makes one folder of them again: pictures (WebP), items.jsonl, texts, and the published weights.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import sources
import teacher
from PIL import Image
from published import read_lite0
from safetensors.torch import save_file

QUALITY = {"emoji": 72, "clipart": 62, "portrait": 70, "avatar": 60}


def pack_pictures(args: argparse.Namespace, out: Path) -> None:
    """Write pictures-*.zip with their items.jsonl, a thousand each."""
    found = chain(
        sources.emoji(args.cache),
        sources.clipart(args.cache),
        sources.portraits(args.portraits, args.every),
        sources.avatars(args.cache),
    )
    shard: zipfile.ZipFile | None = None
    lines: list[str] = []
    for number, (item, picture) in enumerate(found):
        if number % 1000 == 0:
            shard = zipfile.ZipFile(out / f"pictures-{number // 1000:02}.zip", "w")
        picture.thumbnail((sources.SIDE, sources.SIDE), Image.Resampling.LANCZOS)
        coded = io.BytesIO()
        picture.save(coded, "WEBP", quality=QUALITY[item.kind], alpha_quality=60, method=4)
        file = f"{number:05}.webp"
        lines.append(item.line(file))
        if shard is not None:
            shard.writestr(file, coded.getvalue())
        if number % 1000 == 999 and shard is not None:
            shard.close()
    if shard is not None:
        shard.close()
    (out / "items.jsonl").write_text("\n".join(lines) + "\n")
    print(f"{len(lines)} pictures", flush=True)


def pack_weights(cache: Path, out: Path) -> None:
    """Write the published weights: Lite0 in fp16, the teacher in bytes."""
    net, weight, bias = read_lite0(next((cache / "lite0").glob("*.pth")))
    tensors = {**net.state_dict(), "classifier.weight": weight, "classifier.bias": bias}
    halved = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in tensors.items()
    }
    save_file(halved, out / "lite0.safetensors")
    teacher.pack(cache / "minilm", out)


def into_parts(files: list[Path], out: Path, limit: int) -> None:
    """Compress files into as few folders as fit, none with more than `limit` bytes; the largest go first."""
    parts: list[int] = []
    with TemporaryDirectory() as scratch:
        for file in files:
            path = Path(scratch) / f"{file.name}.zip"
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(file, file.name)
        for path in sorted(Path(scratch).iterdir(), key=lambda path: -path.stat().st_size):
            size = path.stat().st_size
            part = next((k for k, used in enumerate(parts) if used + size <= limit), len(parts))
            if part == len(parts):
                parts.append(0)
            parts[part] += size
            (out / f"part-{part}").mkdir(parents=True, exist_ok=True)
            (out / f"part-{part}" / path.name).write_bytes(path.read_bytes())
    print("parts of", [round(size / 2**20, 1) for size in parts], "MiB", flush=True)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True, help="what fetch.sh left")
    parser.add_argument("--portraits", type=Path, required=True, help="folder of portraits_*.zip")
    parser.add_argument("--every", type=int, default=1, help="take one portrait of so many")
    parser.add_argument("--out", type=Path, default=Path(".carry/words"))
    parser.add_argument("--part", type=float, default=18.0, help="MiB of a part at most")
    return parser.parse_args()


def main() -> None:
    """Gather, compress, split."""
    args = parse()
    args.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "texts.txt").write_text("\n".join(sources.glosses(args.cache)) + "\n")
        (folder / "classes.txt").write_text("\n".join(sources.classes(args.cache)) + "\n")
        pack_weights(args.cache, folder)
        pack_pictures(args, folder)
        into_parts(sorted(folder.iterdir()), args.out, int(args.part * 2**20))


if __name__ == "__main__":
    main()
