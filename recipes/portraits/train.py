"""Train `portraits-256` on rendered portraits: 64 x 64 first, then 128, then 256 (see the README beside this file).

    python recipes/portraits/train.py --pictures labelled --shards shards --stages 64:64:120,128:64:120,256:64:inf

Each stage is resolution:batch:seconds. The renderer may still be at work: shards that appear are taken in, one between two
reports. Run it again with the same --out to go on; start it with torchrun for several GPUs. `--pack FOLDER` leaves there
what another machine needs to go on (fp16, no optimiser moments: 37 MB instead of 200), `--unpack FOLDER` starts from it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file

from pliant.train.data import Pictures, load_pictures
from pliant.train.gan import GanTrainSettings, Stage, TrainStep, train
from pliant.train.state import read_state, write_state
from pliant.train.world import join_world

NETWORKS = ("averaged", "generator", "discriminator")
EMBEDDED = Path(__file__).parents[2] / "src/pliant/_weights/portraits-256/model.safetensors"
GAMMA = {64: 0.1, 128: 0.3, 256: 0.8}
"""R1 weight at each resolution."""


def stages(text: str) -> tuple[Stage, ...]:
    """Stages from "resolution:batch:seconds,..."; a stage has no budget of pictures."""
    found: list[Stage] = []
    for part in text.split(","):
        resolution, batch, seconds = part.split(":")
        found.append(Stage(int(resolution), 10**8, int(batch), GAMMA[int(resolution)], float(seconds)))
    return tuple(found)


def take_shard(pictures: Pictures, folder: Path, taken: set[Path]) -> None:
    """Add the next finished shard, if there is one."""
    for path in sorted(set(folder.glob("*.npy")) - taken)[:1]:
        pictures.add(torch.from_numpy(np.load(path)))
        taken.add(path)


def pack(run: Path, folder: Path) -> None:
    """Write a run's networks in fp16 and its counters, one file a network."""
    found = read_state(run)
    if found is None:
        return
    tensors, numbers = found
    folder.mkdir(parents=True, exist_ok=True)
    for network in NETWORKS:
        part = {name: value.half() for name, value in tensors.items() if name.startswith(f"{network}.")}
        save_file(part, folder / f"{network}.safetensors")
    numbers["path_mean"] = float(tensors["path_mean"])
    (folder / "counters.json").write_text(json.dumps(numbers))


def unpack(folder: Path, run: Path) -> None:
    """Inverse of `pack`; optimiser moments warm up anew.

    Where the folder has no generator, the embedded model goes on: that and a discriminator is all that the repository keeps.
    """
    if read_state(run) is not None:
        return
    numbers = json.loads((folder / "counters.json").read_text())
    tensors = {"path_mean": torch.tensor(numbers.pop("path_mean"))}
    for network in NETWORKS:
        packed = folder / f"{network}.safetensors"
        found = load_file(packed if packed.exists() else EMBEDDED)
        prefix = "" if packed.exists() else f"{network}."
        tensors |= {f"{prefix}{name}": value.float() for name, value in found.items()}
    write_state(run, tensors, numbers)


def report(step: TrainStep, pictures: Pictures, log: Path) -> None:
    """One line for people, one for the log."""
    losses = {name: round(value, 3) for name, value in (step.losses | step.stats).items()}
    line = {"images": step.images, "resolution": step.resolution, "seconds": round(step.seconds, 1)}
    line |= {"images_per_second": round(step.images_per_second), "pictures": pictures.count} | losses
    with log.open("a") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)


def main() -> None:
    """Train until the time is up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=Path, required=True, help="folder of pictures to start with")
    parser.add_argument("--shards", type=Path, required=True, help="folder where .npy shards appear")
    parser.add_argument("--capacity", type=int, default=60_000, help="most pictures kept on the device")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/portraits-256"), help="state, model, sheets, log"
    )
    parser.add_argument(
        "--stages",
        type=stages,
        help="resolution:batch:seconds, ...",
        default="64:64:120,128:64:120,256:64:inf",
    )
    parser.add_argument("--seconds", type=float, default=1000, help="of this session")
    parser.add_argument(
        "--cooldown", type=float, default=0.0, help="share of this session with falling learning rate"
    )
    parser.add_argument("--pack", type=Path, help="folder for a small state to go on from elsewhere")
    parser.add_argument("--unpack", type=Path, help="such a folder to start from")
    args = parser.parse_args()
    world = join_world(None)
    args.out.mkdir(parents=True, exist_ok=True)
    if args.unpack and world.rank == 0:
        unpack(args.unpack, args.out)
    settings = GanTrainSettings(
        out=args.out,
        seconds=args.seconds,
        augment=False,
        report_every=64,
        sheet_images=400_000,
        ema_images=40_000,
        cooldown=args.cooldown,
    )
    pictures = Pictures(settings.resolution, args.capacity, world.device)
    first = load_pictures(args.pictures, settings.resolution, torch.device("cpu"))
    pictures.add(first.bytes)
    taken: set[Path] = set()
    for step in train(settings, stages=args.stages, pictures=pictures):
        take_shard(pictures, args.shards, taken)
        if world.rank == 0:
            report(step, pictures, args.out / "log.jsonl")
    if args.pack and world.rank == 0:
        pack(args.out, args.pack)
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
