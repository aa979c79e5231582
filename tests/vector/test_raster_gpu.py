"""On a GPU: the picture and the gradients of the CPU, and the same bits each time."""

import pytest
import torch

from pliant.vector.raster import rasterise
from pliant.vector.scene import stacked

from drawings import blobs, scribbles

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def drawn(scene):
    tensors = {
        name: getattr(scene, name).clone().requires_grad_()
        for name in ("points", "colours", "opacity", "stroke_width")
    }
    picture = rasterise(scene.with_(**tensors))
    picture.square().sum().backward()
    return [picture.detach().cpu(), *(tensor.grad.cpu() for tensor in tensors.values())]


def test_as_on_the_cpu_and_the_same_bits_each_time():
    scene = stacked([blobs(60, 128), scribbles(10, 128, (1, 8))])
    expected, first, second = drawn(scene), drawn(scene.to("cuda")), drawn(scene.to("cuda"))
    for here, there, again in zip(expected, first, second, strict=True):
        assert there.equal(again)
        assert (here - there).norm() < 1e-4 * here.norm()
