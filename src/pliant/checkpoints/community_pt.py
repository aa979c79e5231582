"""State dicts of the community's PyTorch port (rosinality/stylegan2-pytorch): a `.pt` with `g_ema`.

Its layers are NVIDIA's under other names; a convolution has one axis more in front, and the upsampling
filters carry the gain 4. Files from `convert_weight.py` have `latent_avg`; training snapshots have not, and
hold the optimisers' state instead.
"""

import re
from typing import Any

from pliant.checkpoints.checkpoint import Draft
from pliant.checkpoints.filters import check_filter
from pliant.checkpoints.layout import deduce_config, nth_convolution
from pliant.checkpoints.limits import broken
from pliant.checkpoints.records import Pending
from pliant.checkpoints.values import is_dict, named
from pliant.errors import CheckpointError

_SUFFIXES = {
    "conv.weight": "weight",
    "conv.modulation.weight": "affine.weight",
    "conv.modulation.bias": "affine.bias",
    "activate.bias": "bias",
    "bias": "bias",
    "noise.weight": "noise_strength",
}
_FILTERS = (".conv.blur.kernel", ".upsample.kernel")


def read_state_dict(root: Any, names: list[str]) -> Draft:
    """The generator in a saved object, `g_ema` before `g`.

    Args:
        root: what the file holds.
        names: the globals that the file names, for the details.

    Raises:
        CheckpointError: no generator of the port, or a tensor that is not its own.
    """
    saved = named(root, "what torch.save saved") if is_dict(root) else {}
    key = next((key for key in ("g_ema", "g") if is_dict(saved.get(key))), None)
    if key is None:
        found = ", ".join(f"{key[:40]!a}" for key in list(saved)[:8]) or "no dictionary"
        raise CheckpointError(
            f"it holds {found} where a StyleGAN2 .pt has g_ema (rosinality's port) or a whole network (PTI); "
            "expected one of these."
        )
    stored = {name: _pending(value) for name, value in named(saved[key], key).items()}
    for name in [name for name in stored if name.endswith(_FILTERS)]:
        check_filter(name, stored.pop(name), 4)
    tensors = {nvidia_name(name): _like_nvidia(name, value) for name, value in stored.items()}
    if len(tensors) != len(stored):
        raise broken("two tensors for one place")
    if "latent_avg" in saved:
        tensors["mapping.w_avg"] = _pending(saved["latent_avg"]).then(lambda average: average.reshape(-1))
    config = deduce_config({name: tensor.shape for name, tensor in tensors.items()})
    details = {"keys": sorted(name[:60] for name in saved), "read": key, "globals": names}
    return Draft("community-pt", config, tensors, details)


def nvidia_name(name: str) -> str:
    """NVIDIA's name for a tensor of the port.

    Raises:
        CheckpointError: the port's generator has no such tensor.
    """
    if name == "input.input":
        return "synthesis.b4.const"
    if found := re.fullmatch(r"style\.([1-9]\d?)\.(weight|bias)", name):
        return f"mapping.fc{int(found[1]) - 1}.{found[2]}"
    if found := re.fullmatch(r"noises\.noise_(\d{1,2})", name):
        return f"{nth_convolution(int(found[1]))}.noise_const"
    layer, suffix = name, None
    if found := re.fullmatch(r"(conv1|to_rgb1|(?:convs|to_rgbs)\.\d{1,2})\.([a-z.]+)", name):
        layer, suffix = found[1], _SUFFIXES.get(found[2])
    if suffix is None:
        raise CheckpointError(
            f"it holds a tensor {name[:80]!a}, which a generator of rosinality's StyleGAN2 does not have; "
            "expected an unmodified one."
        )
    kind, _, index = layer.partition(".")
    if kind in ("conv1", "convs"):
        return f"{nth_convolution(int(index) + 1 if index else 0)}.{suffix}"
    return f"synthesis.b{2 ** (int(index) + 3) if index else 4}.torgb.{suffix}"


def _like_nvidia(name: str, stored: Pending) -> Pending:
    """The tensor without the port's axes of length 1 in front and behind."""
    if name == "input.input" or name.endswith(".conv.weight"):
        return stored.then(lambda tensor: tensor.squeeze(0))
    if name.startswith("noises."):
        return stored.then(lambda tensor: tensor.squeeze(0).squeeze(0))
    if name.endswith(".noise.weight"):
        return stored.then(lambda tensor: tensor.squeeze(0))
    if name.startswith("to_rgb") and name.endswith(".bias") and "modulation" not in name:
        return stored.then(lambda tensor: tensor.reshape(-1))
    return stored


def _pending(value: Any) -> Pending:
    if not isinstance(value, Pending):
        raise broken("something else than a tensor among the weights")
    return value
