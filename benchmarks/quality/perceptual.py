"""ST-LPIPS: a perceptual distance that small shifts do not upset (Ghildyal & Liu, ECCV 2022, arXiv 2207.13686).

LPIPS on an AlexNet whose strides are preceded by blur. The network is written out here from its weights'
shapes, because the package that carries the weights (stlpips-pytorch, BSD-2) imports torchvision and more
that nothing here needs; only its file of weights is read.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

NAME = "ST-LPIPS (AlexNet)"
FEATURES = "ST-LPIPS AlexNet, last layer, 256 channels averaged over the picture"


def weights_path() -> Path:
    """The file of weights in the installed package.

    Raises:
        SystemExit: the package is not installed.
    """
    spec = importlib.util.find_spec("stlpips_pytorch")
    if spec is None or spec.origin is None:
        raise SystemExit('ST-LPIPS needs its weights: pip install "pliant[bench]", or give --stlpips FILE.')
    return Path(spec.origin).parent / "weights" / "vST0.0" / "alex_shift_tolerant.pth"


class BlurPool(nn.Module):
    """A [1, 2, 1] blur in both directions, then every second value; two values of reflection on each side."""

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to about half the size."""
        taps = x.new_tensor([0.25, 0.5, 0.25])
        kernel = (taps[:, None] * taps).expand(x.shape[1], 1, 3, 3)
        padded = functional.pad(x, (2, 2, 2, 2), mode="reflect")
        return functional.conv2d(padded, kernel, stride=2, groups=x.shape[1])


class PerceptualDistance(nn.Module):
    """Calibrated distance between pictures [N, 3, H, W] in [-1, 1]; give the weights' file or None for random ones."""

    def __init__(self, weights: Path | None) -> None:
        super().__init__()
        pool = nn.MaxPool2d(3, stride=1)
        self.layers = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(3, 64, 11, padding=2), BlurPool(), nn.ReLU()),
                nn.Sequential(pool, BlurPool(), nn.Conv2d(64, 192, 5, padding=2), nn.ReLU()),
                nn.Sequential(pool, BlurPool(), nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
                nn.Sequential(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
                nn.Sequential(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()),
            ]
        )
        self.calibration = nn.ParameterList([torch.rand(1, c, 1, 1) for c in (64, 192, 384, 256, 256)])
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188])[:, None, None])
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450])[:, None, None])
        if weights is not None:
            self._load(weights)
        self.eval().requires_grad_(requires_grad=False)

    def _load(self, weights: Path) -> None:
        stored = torch.load(weights, map_location="cpu", weights_only=True)
        convolutions = [m for m in self.layers.modules() if isinstance(m, nn.Conv2d)]
        # Inside the package a convolution's name counts every module before it.
        places = ("slice1.0", "slice2.5", "slice3.9", "slice4.11", "slice5.13")
        for convolution, place in zip(convolutions, places, strict=True):
            convolution.weight.data.copy_(stored[f"net.{place}.weight"])
            convolution.bias.data.copy_(stored[f"net.{place}.bias"])
        for k, calibration in enumerate(self.calibration):
            calibration.data.copy_(stored[f"lin{k}.model.1.weight"])

    def features(self, images: Tensor) -> list[Tensor]:
        """What each of the five layers sees."""
        x = (images - self.shift) / self.scale
        seen = []
        for layer in self.layers:
            x = layer(x)
            seen.append(x)
        return seen

    @torch.no_grad()
    def forward(self, a: Tensor, b: Tensor, batch_size: int = 16) -> Tensor:
        """Distance [N] of each picture to its counterpart."""
        return torch.cat(
            [
                self._distance(a[k : k + batch_size], b[k : k + batch_size])
                for k in range(0, len(a), batch_size)
            ]
        )

    def _distance(self, a: Tensor, b: Tensor) -> Tensor:
        total = a.new_zeros(len(a))
        for x, y, weight in zip(self.features(a), self.features(b), self.calibration, strict=True):
            total = total + ((_unit(x) - _unit(y)).square() * weight).sum(1).mean((1, 2))
        return total

    @torch.no_grad()
    def embed(self, images: Tensor, batch_size: int = 16) -> Tensor:
        """The last layer averaged over each picture, [N, 256]."""
        return torch.cat([self.features(part)[-1].mean((2, 3)) for part in images.split(batch_size)])


def _unit(features: Tensor) -> Tensor:
    return features / (features.square().sum(1, keepdim=True).sqrt() + 1e-10)
