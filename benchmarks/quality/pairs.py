"""Pictures that everyone has, and words for them that a small text-image model can know: colours, materials, lights, things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pliant.gan.latent import sample
from pliant.images import load_image
from pliant.prompts import Box, Prompt
from pliant.vector.compare import traced_size
from pliant.vector.scene import VectorPicture
from pliant.vector.svg import read_svg

ROOT = Path(__file__).parents[2]
TRUNCATION = 0.7


@dataclass(frozen=True)
class Pair:
    """A picture and what it should become."""

    picture: str
    """"portrait N" of portraits-256 with that seed, "astronaut", or a drawing in `examples/drawings`."""
    text: str
    box: Box | None = None
    """Where, in shares of the picture's width and height; None for the whole picture."""

    @property
    def name(self) -> str:
        """For files and tables."""
        return f"{self.picture}: {self.text}"

    def prompt(self, size: tuple[int, int]) -> Prompt:
        """For a picture of that width and height in pixels."""
        if self.box is None:
            return Prompt(self.text)
        x, y, width, height = self.box
        return Prompt(self.text, (x * size[0], y * size[1], width * size[0], height * size[1]))


HEAD = (0.36, 0.02, 0.28, 0.42)
HOUSE = (0.22, 0.14, 0.54, 0.62)
TREE = (0.05, 0.31, 0.16, 0.48)
SKY = (0.0, 0.0, 1.0, 0.45)

PAIRS = (
    Pair("portrait 12", "a person with red hair"),
    Pair("portrait 12", "a bronze statue of a man"),
    Pair("portrait 12", "a person in moonlight"),
    Pair("portrait 24", "a person with blond hair"),
    Pair("portrait 24", "a pencil sketch of a person"),
    Pair("portrait 24", "a person made of ice"),
    Pair("portrait 31", "a person at sunset"),
    Pair("portrait 31", "a person under water"),
    Pair("portrait 31", "a person with green skin", (0.2, 0.15, 0.6, 0.75)),
    Pair("portrait 7", "a person with sunglasses", (0.2, 0.25, 0.6, 0.35)),
    Pair("astronaut", "an astronaut in the snow"),
    Pair("astronaut", "a golden statue of an astronaut"),
    Pair("astronaut", "a clown", HEAD),
    Pair("bus", "a red bus"),
    Pair("bus", "a yellow bus"),
    Pair("bus", "a bus on fire"),
    Pair("house", "a house under the moon light"),
    Pair("house", "a house covered in snow"),
    Pair("house", "a house on fire", HOUSE),
    Pair("house", "a pink tree", TREE),
    Pair("house", "a purple sky", SKY),
    Pair("mug", "a golden cup"),
    Pair("mug", "a cup made of wood"),
    Pair("flower", "a blue flower"),
    Pair("flower", "a flower made of ice"),
    Pair("fir", "a Christmas tree in the snow"),
    Pair("apple", "a red apple"),
    Pair("melon", "a slice of pizza"),
)
"""28 pairs, 6 of them with a box."""


def photo(name: str, side: int) -> Image.Image:
    """A picture by name, its longer side at most `side` pixels."""
    kind, _, seed = name.partition(" ")
    if kind == "portrait":
        image = sample("portraits-256", int(seed), TRUNCATION).image()
    elif kind == "astronaut":
        image = load_image(ROOT / "docs" / "images" / "astronaut.jpg")
    else:
        scene = read_svg(ROOT / "examples" / "drawings" / f"{name}.svg").scene
        image = VectorPicture(scene, side / max(scene.size)).image()
    return image.resize(traced_size(image.size, side), Image.Resampling.LANCZOS)
