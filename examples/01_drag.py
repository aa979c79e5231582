"""Drag points of a generated portrait: before/after sheet, video of every step, figures. `make demo` runs this.

python examples/01_drag.py [--out out] [--seed 12]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pliant
from pliant.images import contact_sheet

SEED = 12
HANDLES = [(129, 156)]
TARGETS = [(153, 156)]


def main() -> None:
    """Turn a head by the tip of its nose."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    picture = pliant.sample("portraits-256", args.seed)
    run = pliant.Run(pliant.drag(picture, HANDLES, TARGETS), max_steps=300)
    for step in run:
        if step.index % 10 == 0:
            print(f"step {step.index:3d}   {step.distances.mean():5.1f} px to go   strain {step.strain:.2f}")

    last = run.trace[-1]
    print(f"{run.stopped} after {last.index} steps, {last.index / run.seconds:.1f} a second;")
    print(f"the handle is {last.distances.mean():.1f} pixels from its target. Writing the video ...")
    run.trace.save_video(args.out / "demo.mp4", marks=True)
    contact_sheet([picture.image(), last.image], 2, ["before", "after"]).save(args.out / "demo.png")
    print(f"See {args.out / 'demo.mp4'} and {args.out / 'demo.png'}.")
    print("Next: `make studio` opens the editor in the browser, where you drag with the mouse.")


if __name__ == "__main__":
    main()
