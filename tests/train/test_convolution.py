"""Convolutions against PyTorch's own: values, first and second derivatives, at every geometry the networks use."""

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck, gradgradcheck

from pliant.train.convolution import convolve, convolve_up

GEOMETRIES = [(3, 1, 1), (6, 2, 2), (2, 2, 0), (1, 1, 0)]


def operands(kernel, *, up):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    shape = (3, 2) if up else (2, 3)
    return x, torch.randn(*shape, kernel, kernel, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize(("kernel", "stride", "padding"), GEOMETRIES)
def test_values_and_derivatives_are_those_of_plain_convolutions(kernel, stride, padding, up):
    ours, plain = (convolve_up, F.conv_transpose2d) if up else (convolve, F.conv2d)
    options = {"stride": stride, "padding": padding}
    results = []
    for function in (ours, plain):
        x, weight = operands(kernel, up=up)
        y = function(x, weight, **options)
        first = torch.autograd.grad(y.square().sum(), (x, weight), create_graph=True)
        second = torch.autograd.grad(sum(g.pow(3).sum() for g in first), (x, weight))
        results.append((y, *first, *second))
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize(("kernel", "stride", "padding"), GEOMETRIES)
def test_derivatives_are_those_of_differences(kernel, stride, padding, up):
    def function(x, weight):
        return (convolve_up if up else convolve)(x, weight, stride=stride, padding=padding)

    assert gradcheck(function, operands(kernel, up=up))
    assert gradgradcheck(function, operands(kernel, up=up))
