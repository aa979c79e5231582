"""Painting parts as a person does, and reading what was painted."""

import io

import numpy as np
from PIL import Image

SIZE = 256
LOWER_LIP, HAIR, BACKGROUND = 8, 11, 0
CHIN = ((112, 205), (125, 209), (138, 205))


def shown(studio) -> np.ndarray:
    """Ids on the page, [H, W]."""
    return np.array(studio.read("parts")).reshape(SIZE, SIZE)


def kept(studio) -> np.ndarray:
    """The painted ids as the server keeps them, [H, W]."""
    image = studio.read("state.document.parts")
    return ids_of(studio.fetch(f"/api/sessions/{studio.read('session')}/parts/{image}"))


def ids_of(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L")).astype(int)


def take(studio, part: int) -> None:
    studio.click(f"part-{part}")


def paint(studio, *ways: tuple[float, float]) -> None:
    """A stroke or a click, until the server has another map."""
    before = studio.read("state.document.parts")
    if len(ways) == 1:
        studio.tap(*ways[0])
    else:
        studio.pull(*ways)
    studio.until(f"s.state.document.parts && s.state.document.parts !== '{before}'")


def quiet(studio) -> None:
    """No previews, so that nothing computes meanwhile."""
    studio.get("parts-live").uncheck()
