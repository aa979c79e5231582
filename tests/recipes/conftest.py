"""What the tests of recipes/scenes share: its modules, and a few sprites that are easy to calculate with."""

import importlib
import sys
from types import SimpleNamespace

import pytest
import torch

from paths import REPOSITORY

MODULES = (
    "sprites",
    "planning",
    "compose",
    "wording",
    "pairs",
    "pack",
    "loop",
    "models",
    "sample",
    "train_vae",
    "train",
)
MODULES = (*MODULES, "evaluate", "show")


@pytest.fixture(scope="module")
def scenes():
    """The modules of recipes/scenes, found as its scripts find each other."""
    pytest.importorskip("diffusers")
    folder = str(REPOSITORY / "recipes" / "scenes")
    kept = {name: sys.modules.pop(name, None) for name in MODULES}
    sys.path.insert(0, folder)
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    sys.path.remove(folder)
    for name in MODULES:
        sys.modules.pop(name, None)
    sys.modules.update({name: module for name, module in kept.items() if module})


def flat_pictures() -> torch.Tensor:
    """A red square; one that is red on its left, blue on its right; a grey bar twice as wide as high; three more squares."""
    pictures = torch.zeros(6, 4, 176, 176, dtype=torch.uint8)
    pictures[:, 3] = 255
    pictures[0, 0] = 255
    pictures[1, 0, :, :88] = 255
    pictures[1, 2, :, 88:] = 255
    pictures[2, :, :44] = pictures[2, :, 132:] = 0
    pictures[2, :3, 44:132] = 128
    pictures[3, 1] = 200
    pictures[4, 2] = 220
    pictures[5, :2] = 250
    return pictures


@pytest.fixture(scope="module")
def sprites(scenes):
    Thing = scenes.sprites.Thing
    named = [("apple", "ground"), ("flag", "ground"), ("bus", "ground"), ("bird", "air"), ("fish", "water")]
    named.append(("star", "ground"))
    things = [Thing(str(k), name, place, 0.4) for k, (name, place) in enumerate(named)]
    assert [thing.name for thing in things if thing.held_out] == ["star"]
    return scenes.sprites.sprites_of(things, flat_pictures())


@pytest.fixture(scope="module")
def plain(scenes):
    """A white scene without things or textures, in which colours come out as they are, nearly."""
    white = (1.0, 1.0, 1.0)
    return scenes.planning.Scene(
        (), "plain", "plain", "on a white background", "", *(white,) * 4, 0.4, 0.0, 0.0, (0.5,) * 6
    )
