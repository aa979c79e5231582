"""Generators of NVIDIA's TensorFlow repositories (stylegan2, stylegan2-ada): a pickle of (G, D, Gs).

Each network is saved as a dictionary: version, static arguments, components (mapping and synthesis), the
source text that built it (not used) and its variables, a list of (name, array). Gs is the running average,
the one to use. What differs from NVIDIA's PyTorch layout: dense kernels are transposed, convolutions are
[height, width, in, out], kernels that upsample are flipped, style biases lack the 1, noises are numbered.
"""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from pliant.checkpoints.checkpoint import Draft
from pliant.checkpoints.layout import deduce_config, nth_convolution
from pliant.checkpoints.limits import MAX_PARTS, broken
from pliant.checkpoints.records import NetworkRecord, NumpyArray, Pending
from pliant.checkpoints.values import is_list, is_tuple, named, natural
from pliant.errors import CheckpointError

_LAYERS = {"Conv": "conv1", "Conv0_up": "conv0", "Conv1": "conv1", "ToRGB": "torgb", "Skip": "skip"}
_PARTS = {
    "weight": "weight",
    "bias": "bias",
    "mod_weight": "affine.weight",
    "mod_bias": "affine.bias",
    "noise_strength": "noise_strength",
}
_BLOCK = re.compile(rf"synthesis/(\d{{1,5}})x\1/({'|'.join(_LAYERS)})/({'|'.join(_PARTS)})")
_FIXED = {
    "nonlinearity": "lrelu",
    "mapping_nonlinearity": "lrelu",
    "normalize_latents": True,
    "use_noise": True,
}
"""Static arguments that must have these values, the defaults, where they are given."""


def holds_networks(root: Any) -> bool:
    """Whether a saved object is a TensorFlow network or several."""
    return isinstance(root, NetworkRecord) or (
        (is_tuple(root) or is_list(root)) and any(isinstance(part, NetworkRecord) for part in root)
    )


def read_networks(root: Any, names: list[str]) -> Draft:
    """The generator Gs of a saved (G, D, Gs), its tensors not yet read.

    Args:
        root: what the file holds.
        names: the globals that the file names, for the details.

    Raises:
        CheckpointError: no Gs, another network than StyleGAN2's, or contradictions in it.
    """
    network = root if isinstance(root, NetworkRecord) else root[2] if len(root) == 3 else None
    if not isinstance(network, NetworkRecord):
        raise CheckpointError(
            "it holds TensorFlow networks, but not the three (G, D, Gs) that StyleGAN2 saves."
        )
    version = network.state.get("version")
    if not isinstance(version, int) or version < 4:
        raise CheckpointError(
            "it holds a TensorFlow network older than StyleGAN2 (progressive GAN or StyleGAN 1); "
            "Pliant reads StyleGAN2."
        )
    arguments = _arguments(network)
    tensors = _tensors(network)
    config = deduce_config({name: tensor.shape for name, tensor in tensors.items()})
    config["lr_multiplier"] = arguments.get("mapping_lrmul", 0.01)
    config["conv_clamp"] = arguments.get("conv_clamp")
    halves = natural(arguments.get("num_fp16_res", 0))
    config["half_resolution"] = max(config["resolution"] >> (halves - 1), 8) if halves else None
    details = {
        "keys": ["Gs"] if root is network else ["G", "D", "Gs"],
        "read": "Gs",
        "globals": names,
        "channel_base": 2 * natural(arguments.get("fmap_base", 16384)),
    }
    return Draft("tensorflow-pickle", config, tensors, details)


def _tensors(network: NetworkRecord) -> dict[str, Pending]:
    """The variables under their PyTorch names."""
    tensors: dict[str, Pending] = {}
    for name, stored in _variables(network).items():
        known = _like_nvidia(name, stored)
        if known is not None:
            tensors[known[0]] = known[1]
        elif stored.shape:
            raise CheckpointError(
                f"it holds a variable {name[:80]!a} that StyleGAN2's generator does not have; "
                "expected config-e or config-f of an unmodified StyleGAN2."
            )
    return tensors


def _arguments(network: NetworkRecord) -> Mapping[str, Any]:
    """The static arguments, after a check of those that Pliant's network has no choice for."""
    arguments = named(network.state.get("static_kwargs"), "the arguments of a network")
    for key, expected in _FIXED.items():
        if arguments.get(key, expected) != expected:
            raise CheckpointError(
                f"it was trained with another {key} than StyleGAN2's; Pliant reads the published one."
            )
    kernel = arguments.get("resample_kernel")
    if kernel is not None and (not is_list(kernel) or kernel != [1, 3, 3, 1]):
        raise CheckpointError(
            "its resample_kernel is not the published [1, 3, 3, 1]; Pliant reads that one only."
        )
    return arguments


def _variables(network: NetworkRecord) -> dict[str, Pending]:
    """The variables of a network and its components by their path."""
    found = _own_variables(network, "")
    components = named(network.state.get("components"), "the components of a network")
    for name in ("mapping", "synthesis"):
        part = components.get(name)
        if not isinstance(part, NetworkRecord):
            raise CheckpointError(f"its network has no component {name}, which StyleGAN2's generator has.")
        found |= _own_variables(part, f"{name}/")
    return found


def _own_variables(network: NetworkRecord, prefix: str) -> dict[str, Pending]:
    found: dict[str, Pending] = {}
    variables = network.state.get("variables")
    if not is_list(variables) or len(variables) > MAX_PARTS:
        raise broken("a network without variables")
    for variable in variables:
        if not is_tuple(variable) or len(variable) != 2:
            raise broken("a variable without a value")
        name, value = variable
        if not isinstance(name, str) or not isinstance(value, NumpyArray | int | float):
            raise broken("a variable that is no array")
        if isinstance(value, NumpyArray):
            found[prefix + name] = value.pending
    return found


def _like_nvidia(name: str, stored: Pending) -> tuple[str, Pending] | None:
    """NVIDIA's PyTorch name of a variable, and the variable in its layout; None for other variables."""
    if name == "dlatent_avg":
        return "mapping.w_avg", stored
    if name == "synthesis/4x4/Const/const":
        return "synthesis.b4.const", stored.then(lambda tensor: tensor.squeeze(0))
    if found := re.fullmatch(r"synthesis/noise(\d{1,2})", name):
        return f"{nth_convolution(int(found[1]))}.noise_const", stored.then(
            lambda tensor: tensor.squeeze(0).squeeze(0)
        )
    if found := re.fullmatch(r"mapping/(?:Dense(\d{1,2})|LabelEmbed)/(weight|bias)", name):
        layer = "embed" if found[1] is None else f"fc{found[1]}"
        return f"mapping.{layer}.{found[2]}", stored.then(_transposed) if found[2] == "weight" else stored
    if found := _BLOCK.fullmatch(name):
        height, layer, part = found.groups()
        value = stored
        if part == "weight":
            value = stored.then(_flipped_kernel if layer in ("Conv0_up", "Skip") else _kernel)
        elif part == "mod_weight":
            value = stored.then(_transposed)
        elif part == "mod_bias":
            value = stored.then(lambda tensor: tensor + 1)
        return f"synthesis.b{height}.{_LAYERS[layer]}.{_PARTS[part]}", value
    return None


def _transposed(tensor: Tensor) -> Tensor:
    return tensor.permute(1, 0)


def _kernel(tensor: Tensor) -> Tensor:
    return tensor.permute(3, 2, 0, 1)


def _flipped_kernel(tensor: Tensor) -> Tensor:
    return tensor.flip(0, 1).permute(3, 2, 0, 1)
