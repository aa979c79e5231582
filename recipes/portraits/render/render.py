"""Render labelled synthetic portraits.

    python render.py --pack PACK --start 0 --count 1000 --out out --workers 4

writes, for every seed, `out/img/SEED.webp` (picture), `out/seg/SEED.png` (part map, a palette PNG whose
values are the class ids) and `out/meta/SEED.json` (attributes, 68 landmarks, caption). A seed always gives
the same picture on the same kind of machine. With `--seconds` the run stops in time; the seeds done are
then a contiguous range. `--npy FILE` also stores the pictures uncompressed as one uint8 array [N, 3, size,
size] for training. With `--views 5` every person is shown five times, alike only in what makes the person:
seed S is a picture of person S // 5, who is the person of seed S // 5 without `--views`.

    python render.py --bundle out --out shards

packs finished files into zip shards (pictures, part maps, `labels.jsonl`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import numpy as np
from dataset import bundle, save, truncate_npy


def work(args: argparse.Namespace, next_index: Synchronized[int], end: float) -> None:
    """One process: own OpenGL context, takes the next free seed until all are done or time is up."""
    from studio import Studio

    studio = Studio(args.pack, args.size)
    array = np.lib.format.open_memmap(args.npy, "r+") if args.npy else None
    while time.time() < end:
        with next_index.get_lock():
            index = next_index.value
            if index >= args.count:
                return
            next_index.value += 1
        seed = args.start + index
        shot = studio.shoot(seed, args.views)
        save(shot, seed, args.out, args.quality)
        if array is not None:
            array[index] = shot.image.transpose(2, 0, 1)


def render(args: argparse.Namespace) -> None:
    """Render with several processes and say how it went."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    for folder in ("img", "seg", "meta"):
        (args.out / folder).mkdir(parents=True, exist_ok=True)
    if args.npy:
        np.lib.format.open_memmap(args.npy, "w+", np.uint8, (args.count, 3, args.size, args.size)).flush()
    context = multiprocessing.get_context("spawn")
    next_index = context.Value("q", 0)
    start = time.time()
    workers = [
        context.Process(target=work, args=(args, next_index, start + args.seconds))
        for _ in range(args.workers)
    ]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        time.sleep(1)
        if int(time.time() - start) % 15 == 0:
            print(f"{time.time() - start:.0f} s, {next_index.value} started", flush=True)
    done = min(next_index.value, args.count)
    if args.npy and done < args.count:
        truncate_npy(args.npy, done)
    took = time.time() - start
    failed = sum(bool(worker.exitcode) for worker in workers)
    print(f"done: {done} pictures in {took:.1f} s, {done / took:.1f} a second, failed workers: {failed}")
    if failed:
        raise SystemExit(1)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--pack", help="the asset pack, see ASSETS.md")
    parser.add_argument("--start", type=int, default=0, help="first seed")
    parser.add_argument("--count", type=int, default=16, help="how many seeds")
    parser.add_argument("--views", type=int, default=0, help="pictures of each person (0: all are others)")
    parser.add_argument("--size", type=int, default=256, help="side of a picture in pixels, a multiple of 8")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--quality", type=int, default=90, help="of the WebP pictures")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after this time")
    parser.add_argument("--npy", default="", metavar="FILE", help="also store the pictures in one array")
    parser.add_argument(
        "--bundle", type=Path, metavar="DIR", help="pack DIR into shards instead of rendering"
    )
    parser.add_argument("--skip", type=int, default=0, help="with --bundle: leave out the first pictures")
    parser.add_argument("--shards", type=int, default=99, help="with --bundle: the most shards to write")
    parser.add_argument("--mib", type=float, default=15.8, help="with --bundle: size of a shard")
    args = parser.parse_args()
    if args.bundle:
        print("packed", bundle(args.bundle, args.out, args.mib * 2**20, args.skip, args.shards))
    elif not args.pack:
        parser.error("--pack is needed to render: the folder of the asset pack, see ASSETS.md")
    elif args.views < 0:
        parser.error("--views is how many pictures each person has; give 0 or more")
    else:
        render(args)


if __name__ == "__main__":
    main()
