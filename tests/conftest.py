"""What holds for every test: one thread (tiny tensors gain nothing from more) and the same random numbers each time."""

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)
