"""The fused activation against its plain twin: values, gradients, and gradients of gradients."""

import pytest
import torch
import torch.nn.functional as F

from pliant.train.activation import Modulation, activate, plain_activation


def operands(device, *, modulated, styled, size=(2, 48, 8, 8), dtype=torch.float32):
    """Features, channels last, and everything that may meet them; all but the noise can be differentiated."""
    torch.manual_seed(0)
    n, channels, height, width = size

    def leaf(*shape):
        return torch.randn(shape).to(device, dtype).requires_grad_()

    x = leaf(n, height, width, channels).detach().permute(0, 3, 1, 2).requires_grad_()
    parts = {"x": x, "bias": leaf(channels)}
    if modulated:
        parts |= {"factor": leaf(n, channels, 1, 1), "strength": leaf()}
        parts["grain"] = torch.randn(n, 1, height, width).to(device, dtype)
    if styled:
        parts["style"] = leaf(n, channels, 1, 1)
    return parts


def run(function, parts):
    modulation = None
    if "factor" in parts:
        modulation = Modulation(parts["factor"], parts["grain"], parts["strength"])
    return function(parts["x"], parts["bias"], modulation, parts.get("style"))


def test_plain_activation_by_hand():
    """One pixel, two channels: 2 * 3 + 0.5 * 4 + 1 = 9, and -2 * 3 + 0.5 * 4 + 1 = -3, of which a fifth is left."""
    x = torch.tensor([2.0, -2.0])[None, :, None, None]
    modulation = Modulation(torch.full((1, 2, 1, 1), 3.0), torch.full((1, 1, 1, 1), 4.0), torch.tensor(0.5))
    y, styled = plain_activation(x, torch.ones(2), modulation, torch.full((1, 2, 1, 1), 10.0))
    torch.testing.assert_close(y.flatten(), torch.tensor([9.0, -0.6]))
    torch.testing.assert_close(styled.flatten(), torch.tensor([90.0, -6.0]))
    torch.testing.assert_close(activate(x, torch.ones(2)), F.leaky_relu(x + 1, 0.2))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("size", [(2, 48, 8, 8), (3, 64, 48, 48), (2, 8, 4, 4)])
@pytest.mark.parametrize(("modulated", "styled"), [(True, True), (True, False), (False, False)])
def test_fused_activation_equals_its_plain_twin(size, modulated, styled):
    fused = pytest.importorskip("pliant.train.fused", exc_type=ImportError)
    found = []
    for function in (fused.fused_activation, plain_activation):
        parts = operands("cuda", modulated=modulated, styled=styled, size=size)
        y, times = run(function, parts)
        leaves = [part for name, part in parts.items() if name != "grain"]
        weight = torch.linspace(-1, 1, y.shape[-1], device=y.device)
        loss = (y.square() * weight).sum() + (times.square().sum() if styled else 0)
        first = torch.autograd.grad(loss, leaves, create_graph=True)
        second = torch.autograd.grad(sum(g.square().mean() for g in first), leaves)
        found.append([y, times, *first, *second])
    for ours, plain in zip(*found, strict=True):
        scale = plain.detach().abs().max() + 1e-6
        assert (ours - plain).abs().max() / scale < 1e-4


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_fused_activation_in_bfloat16_stays_near_float32():
    fused = pytest.importorskip("pliant.train.fused", exc_type=ImportError)
    exact = run(plain_activation, operands("cuda", modulated=True, styled=True))
    rough = run(fused.fused_activation, operands("cuda", modulated=True, styled=True, dtype=torch.bfloat16))
    for one, other in zip(rough, exact, strict=True):
        assert one.dtype == torch.bfloat16
        assert (one - other).abs().max() < 0.02 * other.abs().max()
