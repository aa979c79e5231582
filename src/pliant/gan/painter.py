"""From ws to the picture in fewer, faster kernels: what `Generator.synthesis` gives, for showing many frames on a CPU.

Kernels, noise and biases are laid out once for a network (see `lean`), convolutions are channels-last, and ToRGB is a matrix
product. In float32 the picture is the plain one up to rounding. In bfloat16 single pixels differ visibly under a lens, which is
good enough for a frame that the next one replaces.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pliant.gan.lean import LeanForward
from pliant.gan.stylegan2 import Generator, ToRGB, upsample_image


class Painter:
    """A generator's synthesis of one picture with constant noise.

    Args:
        generator: frozen, unless `pivot` is given.
        dtype: of the convolutions.
        pivot: [1, num_ws, w_dim]; the painter paints this code only, and gradients reach the generator's weights.
    """

    def __init__(self, generator: Generator, dtype: torch.dtype, pivot: Tensor | None = None) -> None:
        config, index = generator.config, generator.synthesis.w_index()
        ws = generator.mapping.w_avg.expand(1, config.num_ws, -1) if pivot is None else pivot
        moving = config.num_ws if pivot is None else 0
        self.lean = LeanForward(
            generator, ws, config.block_names[-1], moving, dtype, trained=pivot is not None
        )
        self.ends = {
            2 * block.index: (block.torgb, index[f"{block.name}.torgb"])
            for block in generator.synthesis.blocks()
            if block.has_rgb
        }

    @torch.no_grad()
    def __call__(self, ws: Tensor) -> Tensor:
        """Picture [1, img_channels, H, W] float32, about [-1, 1], from ws [1, num_ws, w_dim], without gradients."""
        return self.paint(ws)

    def paint(self, ws: Tensor) -> Tensor:
        """The same, differentiable in ws (or, with a pivot, in the weights)."""
        return self.look(ws)[0]

    def look(self, ws: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The picture of `paint` and the features [1, C, h, w] after every convolution, in the painter's dtype."""
        image: Tensor | None = None
        maps: list[Tensor] = []
        for number, x in enumerate(self.lean.walk(self.lean.modulate(ws))):
            maps.append(x)
            if number in self.ends:
                layer, which = self.ends[number]
                part = _paint(layer, x, ws[:, which])
                image = part if image is None else upsample_image(image) + part
        if image is None:
            raise AssertionError("the last block always paints")
        return image, maps


def _paint(layer: ToRGB, x: Tensor, w: Tensor) -> Tensor:
    """ToRGB as a product of pixels and a modulated matrix."""
    kernel = layer.weight[:, :, 0, 0] * (layer.affine(w) * layer.style_gain)
    part = (x.permute(0, 2, 3, 1) @ kernel.T.to(x.dtype)).float() + layer.bias
    return layer.clamped(part).permute(0, 3, 1, 2)


def painter_of(generator: Generator, dtype: torch.dtype) -> Painter:
    """The generator's painter, made when it is first needed."""
    key = ("painter", dtype)
    if key not in generator.memo:
        generator.memo[key] = Painter(generator, dtype)
    return generator.memo[key]
