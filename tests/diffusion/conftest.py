"""Tiny models of the Stable Diffusion family, saved and read once, and a photo with a thing in it."""

import pytest
import torch

from pliant.diffusion.loading import load_diffusion
from pliant.picture import PixelPicture
from tiny_sd import save_tiny


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """Folder of the tiny model of a kind."""
    made = {}

    def folder(kind: str = "sd1"):
        if kind not in made:
            made[kind] = save_tiny(tmp_path_factory.mktemp("diffusers") / kind, kind)
        return made[kind]

    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_folder):
    """The tiny model of a kind, loaded once."""
    loaded = {}

    def model(kind: str = "sd1"):
        if kind not in loaded:
            loaded[kind] = load_diffusion(tiny_folder(kind))
        loaded[kind].banks.clear()
        return loaded[kind]

    return model


@pytest.fixture
def photo():
    """96 x 64: a red disc at (30, 30) on a ramp of blue."""
    ys, xs = torch.meshgrid(torch.arange(64), torch.arange(96), indexing="ij")
    rgb = torch.stack([xs, ys * 2, 255 - xs], -1).byte()
    rgb[(xs - 30) ** 2 + (ys - 30) ** 2 < 100] = torch.tensor([220, 30, 30], dtype=torch.uint8)
    return PixelPicture(rgb, {"file": "photo.png"})


@pytest.fixture
def disc():
    """Mask of the disc."""
    ys, xs = torch.meshgrid(torch.arange(64), torch.arange(96), indexing="ij")
    return ((xs - 30) ** 2 + (ys - 30) ** 2 < 110).float()
