"""The resampling filter of StyleGAN2, which files repeat in every layer."""

import torch

from pliant.checkpoints.records import Pending
from pliant.errors import CheckpointError

_TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0])


def check_filter(name: str, stored: Pending, total: float) -> None:
    """Check that a stored filter is the published one, so that it need not be kept.

    Args:
        name: of the tensor, for the message.
        stored: the filter in the file.
        total: what its entries add up to; 1, or 4 where the gain of an upsampling is folded in.

    Raises:
        CheckpointError: it is another filter.
    """
    expected = total * torch.outer(_TAPS, _TAPS) / 64
    if stored.shape != (4, 4) or not torch.allclose(stored.load(), expected, rtol=0, atol=1e-5):
        raise CheckpointError(
            f"its resampling filter {name} is not the published [1, 3, 3, 1]; Pliant reads networks with "
            "that filter only."
        )
