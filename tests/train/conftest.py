"""A training set and settings small enough for a second on a CPU."""

import numpy as np
import pytest
import torch
from PIL import Image

from pliant.train.settings import GanTrainSettings


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny tensors are slower on many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def folder(tmp_path):
    """Six pictures of odd sizes, two of them in a folder of their own."""
    random = np.random.default_rng(0)
    for index, (width, height) in enumerate([(20, 16), (16, 16), (40, 31), (16, 50), (17, 17), (33, 32)]):
        place = tmp_path / "pictures" / ("deep/er" if index > 3 else "")
        place.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{index}.png")
    return tmp_path / "pictures"


@pytest.fixture
def settings(folder, tmp_path):
    return GanTrainSettings(
        data=folder,
        out=tmp_path / "run",
        resolution=16,
        images=48,
        batch=4,
        channel_base=128,
        channel_max=8,
        latent=8,
        mapping_layers=2,
        grow_from=8,
        fade_images=12,
        path_interval=2,
        r1_interval=2,
        warmup=2,
        augment=False,
        device="cpu",
        report_every=2,
        sheet_images=1000,
    )
