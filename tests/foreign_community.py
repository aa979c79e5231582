"""Writes small networks as rosinality's StyleGAN2 port saves them, by the table of its names."""

import argparse
import collections
from math import log2
from pathlib import Path

import torch
from torch import Tensor

from foreign import FILTER, write_torch
from pliant.checkpoints import Checkpoint


def community_names(source: Checkpoint) -> dict[str, Tensor]:
    """The state dict of rosinality's port."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in source.tensors.items():
        if name == "mapping.w_avg":
            continue
        network, place, rest = name.split(".", 2)
        if network == "mapping":
            renamed[f"style.{int(place[2:]) + 1}.{rest}"] = tensor
            continue
        k = int(log2(int(place[1:]))) - 3
        layer, _, part = rest.partition(".")
        if layer == "const":
            renamed["input.input"] = tensor[None]
            continue
        convolution = "conv1" if k < 0 else f"convs.{2 * k + int(layer[-1])}" if layer != "torgb" else ""
        base = convolution if layer != "torgb" else "to_rgb1" if k < 0 else f"to_rgbs.{k}"
        if part == "weight":
            renamed[f"{base}.conv.weight"] = tensor[None]
        elif part == "bias" and layer == "torgb":
            renamed[f"{base}.bias"] = tensor[None, :, None, None]
        elif part == "bias":
            renamed[f"{base}.activate.bias"] = tensor
        elif part == "noise_strength":
            renamed[f"{base}.noise.weight"] = tensor[None]
        elif part == "noise_const":
            renamed[f"noises.noise_{0 if k < 0 else 2 * k + 1 + int(layer[-1])}"] = tensor[None, None]
        else:
            renamed[f"{base}.conv.modulation.{part.removeprefix('affine.')}"] = tensor
        if layer == "conv0":
            renamed[f"{base}.conv.blur.kernel"] = 4 * FILTER
        if layer == "torgb" and k >= 0:
            renamed[f"{base}.upsample.kernel"] = 4 * FILTER
    return renamed


def write_community(path: Path, source: Checkpoint, *, as_zip: bool = True, average: bool = True) -> Path:
    """A training snapshot of rosinality's port: state dicts, optimisers, arguments."""
    weights = collections.OrderedDict(community_names(source))
    layer = torch.nn.Linear(2, 2)
    optimiser = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    saved = {
        "g": {name: torch.zeros_like(value) for name, value in weights.items()},
        "d": layer.state_dict(),
        "g_ema": weights,
        "g_optim": optimiser.state_dict(),
        "args": argparse.Namespace(size=16, lr=0.002, path="lmdb"),
        "ada_aug_p": 0.0,
    }
    if average:
        saved["latent_avg"] = source.tensors["mapping.w_avg"]
    return write_torch(path, saved, as_zip=as_zip)
