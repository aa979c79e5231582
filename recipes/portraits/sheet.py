"""Draw `sheet.jpg`: samples of the embedded model at psi 0.7 (two rows) and 0.5, and a walk in W between two of them.

python recipes/portraits/sheet.py
"""

from __future__ import annotations

from pathlib import Path

import torch

import pliant
from pliant.images import contact_sheet

COLUMNS = 8


def main() -> None:
    """Write the sheet beside this file."""
    generator = pliant.load_generator("portraits-256")
    pictures = [pliant.sample(generator, seed, 0.7) for seed in range(2 * COLUMNS)]
    pictures += [pliant.sample(generator, seed, 0.5) for seed in range(2 * COLUMNS, 3 * COLUMNS)]
    start, end = pictures[0], pictures[2]
    pictures += [
        start.with_ws(start.ws.lerp(end.ws, share)) for share in torch.linspace(0, 1, COLUMNS).tolist()
    ]
    images = [picture.image() for picture in pictures]
    sheet = contact_sheet(images, COLUMNS)
    sheet = sheet.resize((sheet.width // 2, sheet.height // 2))
    sheet.save(Path(__file__).with_name("sheet.jpg"), quality=88)


if __name__ == "__main__":
    main()
