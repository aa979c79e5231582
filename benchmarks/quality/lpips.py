"""LPIPS on AlexNet (Zhang et al., CVPR 2018, arXiv 1801.03924), for who has its weights; no package that has them fits here.

The file is the state dict of `lpips.LPIPS(net="alex")`, as .safetensors, or as .pth, which is read as weights only.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from quality.perceptual import PerceptualDistance

NAME = "LPIPS (AlexNet)"
PLACES = ("slice1.0", "slice2.3", "slice3.6", "slice4.8", "slice5.10")


class Lpips(PerceptualDistance):
    """The same distance as its shift-tolerant kin, on AlexNet as it is."""

    def __init__(self, weights: Path) -> None:
        super().__init__(None)
        self.layers = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU()),
                nn.Sequential(nn.MaxPool2d(3, stride=2), nn.Conv2d(64, 192, 5, padding=2), nn.ReLU()),
                nn.Sequential(nn.MaxPool2d(3, stride=2), nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
                nn.Sequential(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
                nn.Sequential(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()),
            ]
        )
        stored = (
            load_file(weights)
            if weights.suffix == ".safetensors"
            else torch.load(weights, map_location="cpu", weights_only=True)
        )
        try:
            convolutions = [each for each in self.layers.modules() if isinstance(each, nn.Conv2d)]
            for convolution, place in zip(convolutions, PLACES, strict=True):
                convolution.load_state_dict(
                    {part: stored[f"net.{place}.{part}"] for part in ("weight", "bias")}
                )
            for number, calibration in enumerate(self.calibration):
                calibration.data.copy_(stored[f"lin{number}.model.1.weight"])
        except (KeyError, RuntimeError) as error:
            raise SystemExit(
                f"{weights.name} has not the weights of LPIPS on AlexNet: {str(error).splitlines()[0]}"
            ) from error
        self.eval().requires_grad_(requires_grad=False)
