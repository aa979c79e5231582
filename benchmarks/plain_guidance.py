"""The plain twin of looking at a drawing: crops made one by one, each seen alone, as the published program does it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pliant.perception.clip import TextImageModel
from pliant.vector.crops import views


def pull_one_by_one(
    words: TextImageModel, picture: Tensor, places: Tensor, toward: Tensor, weights: Sequence[float]
) -> tuple[Tensor, float]:
    """Gradient and loss of a picture whose views are compared with nothing.

    Args:
        words: the model that looks.
        picture: [3, H, W] in [-1, 1].
        places: [N, 3, 3] of each view, as `crops.slants` makes them.
        toward: [D] of length one.
        weights: of each view.

    Returns:
        The gradient [3, H, W] and the weighted sum of 1 - cosine.
    """
    seen = picture.detach().requires_grad_()
    total = seen.new_zeros(())
    with torch.enable_grad():
        for place, weight in zip(places, weights, strict=True):
            vector = words.encode_images(views(seen, place[None], words.input_size))[0]
            total = total + weight * (1 - vector @ toward)
    return torch.autograd.grad(total, seen)[0], float(total.detach())
