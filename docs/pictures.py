"""Makes the pictures of README, docs/index.md and docs/drag.md from the drag of `make demo`.

.venv/bin/python docs/pictures.py
"""

from __future__ import annotations

import runpy
from pathlib import Path

import pliant
from pliant.images import contact_sheet

IMAGES = Path(__file__).parent / "images"
DEMO = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "01_drag.py"))


def main() -> None:
    """A moving picture of the drag, and its ends side by side."""
    picture = pliant.sample("portraits-256", DEMO["SEED"])
    run = pliant.Run(pliant.drag(picture, DEMO["HANDLES"], DEMO["TARGETS"]))
    last = list(run)[-1]
    run.trace.save_video(IMAGES / "drag.webp", fps=24, marks=True, boomerang=True)
    contact_sheet([picture.image(), last.image], 2, ["before", "after"]).save(IMAGES / "drag.jpg", quality=90)
    print(f"{run.stopped} after {last.index} steps: {IMAGES / 'drag.webp'}, {IMAGES / 'drag.jpg'}")


if __name__ == "__main__":
    main()
