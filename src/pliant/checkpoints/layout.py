"""The tensors of a StyleGAN2 network: which there are, of which shape, and what their shapes say of it.

Names and shapes are those of NVIDIA's PyTorch networks; the height of the picture's constant is always 4 (a
square network starts at 4x4, StyleGAN-Human at 4x2).
"""

import re
from collections.abc import Mapping
from typing import Any

from pliant.checkpoints.config import check_config
from pliant.errors import CheckpointError

Shape = tuple[int, ...]


def block_resolutions(config: Mapping[str, Any]) -> list[int]:
    """The heights of the blocks: 4, 8, 16, ... up to the picture's."""
    return [4 * 2**index for index in range(len(config["channels"]))]


def nth_convolution(index: int) -> str:
    """The name of a convolution by its place, as files number noises: one at 4x4, then two a resolution."""
    return f"synthesis.b{2 ** ((index + 1) // 2 + 2)}.conv{(index + 1) % 2}"


def expected_shapes(config: Mapping[str, Any]) -> dict[str, Shape]:
    """Every tensor that a network of this config has, with its shape.

    Args:
        config: the keys of a native `config.json`, as `check_config` lets pass.
    """
    w_dim, colours = config["w_dim"], config["img_channels"]
    shapes = _mapping_shapes(config)
    before = 0
    for height, channels in zip(block_resolutions(config), config["channels"], strict=True):
        block = f"synthesis.b{height}"
        width = height * config["base"][1] // config["base"][0]
        if before == 0:
            shapes[f"{block}.const"] = (channels, *config["base"])
        else:
            shapes |= _layer_shapes(f"{block}.conv0", before, channels, 3, w_dim)
        shapes |= _layer_shapes(f"{block}.conv1", channels, channels, 3, w_dim)
        for layer in ("conv0", "conv1") if before else ("conv1",):
            shapes[f"{block}.{layer}.noise_strength"] = ()
            shapes[f"{block}.{layer}.noise_const"] = (height, width)
        if config["architecture"] == "skip" or height == config["resolution"]:
            shapes |= _layer_shapes(f"{block}.torgb", channels, colours, 1, w_dim)
        if config["architecture"] == "resnet" and before:
            shapes[f"{block}.skip.weight"] = (channels, before, 1, 1)
        before = channels
    return shapes


def _mapping_shapes(config: Mapping[str, Any]) -> dict[str, Shape]:
    w_dim, conditional = config["w_dim"], config["c_dim"] > 0
    shapes: dict[str, Shape] = {}
    if conditional:
        shapes["mapping.embed.weight"] = (w_dim, config["c_dim"])
        shapes["mapping.embed.bias"] = (w_dim,)
    for index in range(config["mapping_layers"]):
        first = config["z_dim"] + (w_dim if conditional else 0)
        shapes[f"mapping.fc{index}.weight"] = (w_dim, w_dim if index else first)
        shapes[f"mapping.fc{index}.bias"] = (w_dim,)
    shapes["mapping.w_avg"] = (w_dim,)
    return shapes


def _layer_shapes(name: str, inputs: int, outputs: int, kernel: int, w_dim: int) -> dict[str, Shape]:
    return {
        f"{name}.weight": (outputs, inputs, kernel, kernel),
        f"{name}.bias": (outputs,),
        f"{name}.affine.weight": (inputs, w_dim),
        f"{name}.affine.bias": (inputs,),
    }


def deduce_config(shapes: Mapping[str, Shape]) -> dict[str, Any]:
    """The config that tensors of these shapes belong to, read off a few of them.

    What shapes do not tell takes the published default: learning-rate multiplier 0.01, no clamp, no half
    precision. The caller knows better where its format says.

    Raises:
        CheckpointError: a tensor that the config is read from is missing or of another rank.
    """

    def size(name: str, rank: int, axis: int) -> int:
        if name not in shapes:
            raise missing(name)
        if len(shapes[name]) != rank:
            raise wrong_shape(name, shapes[name], f"{rank} axes")
        return shapes[name][axis]

    blocks = {int(found[1]) for name in shapes if (found := re.match(r"synthesis\.b(\d{1,6})\.", name))}
    count = len(blocks)
    if blocks != {4 * 2**index for index in range(count)} or not 2 <= count <= 11:
        raise CheckpointError(
            f"its blocks have the resolutions {sorted(blocks)[:12]}; expected 4, 8, 16 and so on, "
            "as a StyleGAN2 generator has them."
        )
    w_dim = size("synthesis.b4.conv1.affine.weight", 2, 1)
    c_dim = size("mapping.embed.weight", 2, 1) if "mapping.embed.weight" in shapes else 0
    layers = sum(bool(re.fullmatch(r"mapping\.fc\d+\.weight", name)) for name in shapes)
    config = {
        "resolution": 2 ** (count + 1),
        "base": [size("synthesis.b4.const", 3, axis) for axis in (1, 2)],
        "img_channels": size(f"synthesis.b{2 ** (count + 1)}.torgb.weight", 4, 0),
        "z_dim": size("mapping.fc0.weight", 2, 1) - (w_dim if c_dim else 0),
        "w_dim": w_dim,
        "c_dim": c_dim,
        "mapping_layers": layers,
        "lr_multiplier": 0.01,
        "channels": [size(f"synthesis.b{4 * 2**index}.conv1.weight", 4, 0) for index in range(count)],
        "architecture": _architecture(shapes),
        "conv_clamp": None,
        "half_resolution": None,
    }
    return check_config(config)


def _architecture(shapes: Mapping[str, Shape]) -> str:
    if "synthesis.b8.skip.weight" in shapes:
        return "resnet"
    return "skip" if "synthesis.b4.torgb.weight" in shapes else "orig"


def check_shapes(config: Mapping[str, Any], shapes: Mapping[str, Shape]) -> None:
    """Check that exactly the tensors of `config` are there, each in its shape.

    Raises:
        CheckpointError: one is missing, of another shape, or not part of such a network.
    """
    expected = expected_shapes(config)
    for name, shape in expected.items():
        if name not in shapes:
            raise missing(name)
        if tuple(shapes[name]) != shape:
            raise wrong_shape(name, shapes[name], str(list(shape)))
    for name in shapes:
        if name not in expected:
            raise CheckpointError(
                f"it holds a tensor {name[:80]!a} that a StyleGAN2 generator does not have; "
                "expected an unmodified StyleGAN2 network."
            )


def missing(name: str) -> CheckpointError:
    """The error for a tensor that is not there."""
    return CheckpointError(
        f"the tensor {name} is missing; expected a complete StyleGAN2 generator: fetch or save it again."
    )


def wrong_shape(name: str, shape: Shape, expected: str) -> CheckpointError:
    """The error for a tensor of another shape than its network gives it."""
    return CheckpointError(
        f"the tensor {name} has the shape {list(shape)} where a StyleGAN2 generator has {expected}; "
        "the file is damaged or holds another network."
    )
