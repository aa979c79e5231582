"""Makes the pictures of docs/parts.md: parts and doubt, a repainted picture, what was learnt from it on other pictures.

.venv/bin/python docs/parts_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

import pliant
from pliant.gan.head import PartHead
from pliant.gan.latent import LatentPicture
from pliant.gan.part_edit import repaint
from pliant.gan.parts import load_head, parts_image, segment
from pliant.gan.vectors import EditVector
from pliant.images import contact_sheet, to_pil

IMAGES = Path(__file__).parent / "images"
SEED = 24
OTHERS = (5, 20)


def fringe(ids: Tensor, head: PartHead) -> Tensor:
    """The map with hair over the forehead: skin becomes hair from the hairline down to just above the brows."""
    hair, skin = head.id_of("hair"), head.id_of("skin")
    brows = torch.isin(
        ids, torch.tensor([head.id_of("left brow"), head.id_of("right brow")], dtype=ids.dtype)
    )
    lowest = int(brows.any(1).nonzero()[0]) - 3
    rows = torch.arange(len(ids))[:, None]
    return torch.where((ids == skin) & (rows < lowest), torch.tensor(hair, dtype=ids.dtype), ids)


def last(steps) -> LatentPicture:
    """The picture of the last step."""
    *_, step = steps
    print(
        f"{step.index} steps, agreement {step.agreement:.2f}, change outside {step.change:.3f}, strain {step.strain:.2f}"
    )
    return step.picture


def row(picture: LatentPicture) -> list[Image.Image]:
    """A picture, its parts and where they are in doubt."""
    found = segment(picture, uncertainty=True)
    doubt = to_pil((found.uncertainty / 0.5).clamp(0, 1).expand(3, -1, -1) * 2 - 1)
    return [picture.image(), found.image().convert("RGB"), doubt]


def main() -> None:
    """Three sheets."""
    picture = pliant.sample("portraits-256", SEED)
    generator, head = picture.generator, load_head(picture.generator)
    sheet = [each for seed in OTHERS for each in row(pliant.sample(generator, seed))]
    contact_sheet(sheet, 6).save(IMAGES / "parts.jpg", quality=90)

    before = segment(picture, head).ids
    painted = fringe(before, head)
    after = last(repaint(picture, painted, head=head))
    shown = [
        picture.image(),
        parts_image(before, head.classes),
        parts_image(painted, head.classes),
        after.image(),
    ]
    labels = ["before", "its parts", "painted", "after"]
    contact_sheet([each.convert("RGB") for each in shown], 4, labels).save(IMAGES / "repaint.jpg", quality=90)

    vector = EditVector.between(picture, after, "fringe", ["hair"])
    sheet = []
    for seed in OTHERS:
        other = pliant.sample(generator, seed)
        sheet += [other.image(), vector.apply(other).image(), last(vector.refined(other, head=head)).image()]
    contact_sheet(sheet, 6, ["before", "vector", "+ 30 steps"] * len(OTHERS)).save(
        IMAGES / "vector.jpg", quality=90
    )


if __name__ == "__main__":
    main()
