"""Writes small networks as NVIDIA's TensorFlow code saves them."""

from math import log2
from pathlib import Path
from typing import Any

import numpy as np

from foreign import EasyDict, Network, checkpoint, write_pickle
from pliant.checkpoints import Checkpoint


def tensorflow_generator(source: Checkpoint, **arguments: Any) -> Network:
    """A checkpoint as Gs of the TensorFlow repository."""
    own: list[tuple[str, Any]] = [("lod", np.float32(0))]
    mapping: list[tuple[str, Any]] = []
    synthesis: list[tuple[str, Any]] = []
    for name, tensor in source.tensors.items():
        value = tensor.numpy()
        network, _, rest = name.partition(".")
        if name == "mapping.w_avg":
            own.append(("dlatent_avg", value))
        elif network == "mapping":
            layer, part = rest.split(".")
            label = "LabelEmbed" if layer == "embed" else f"Dense{layer[2:]}"
            mapping.append((f"{label}/{part}", value.T if part == "weight" else value))
        else:
            synthesis.append(_tensorflow_variable(rest, value))
    states = {
        "mapping": {"variables": mapping, "components": EasyDict(), "static_kwargs": EasyDict()},
        "synthesis": {"variables": synthesis, "components": EasyDict(), "static_kwargs": EasyDict()},
    }
    common = {"version": 4, "name": "Gs", "build_module_src": "raise SystemExit", "build_func_name": "G_main"}
    components = EasyDict({name: Network({**common, **state}) for name, state in states.items()})
    static = EasyDict(num_channels=3, resolution=16, label_size=0, fmap_base=8192, **arguments)
    return Network({**common, "static_kwargs": static, "components": components, "variables": own})


def _tensorflow_variable(name: str, value: np.ndarray) -> tuple[str, np.ndarray]:
    block, layer, *parts = name.split(".")
    size, part = int(block[1:]), ".".join(parts)
    if layer == "const":
        return "4x4/Const/const", value[None]
    if part == "noise_const":
        log = int(log2(size))
        number = 0 if size == 4 else 2 * log - (5 if layer == "conv0" else 4)
        return f"noise{number}", value[None, None]
    layers = {
        "conv0": "Conv0_up",
        "conv1": "Conv" if size == 4 else "Conv1",
        "torgb": "ToRGB",
        "skip": "Skip",
    }
    scope = f"{size}x{size}/{layers[layer]}"
    if part == "weight":
        kernel = value.transpose(2, 3, 1, 0)
        return f"{scope}/weight", kernel[::-1, ::-1] if layer in ("conv0", "skip") else kernel
    if part == "affine.weight":
        return f"{scope}/mod_weight", value.T
    if part == "affine.bias":
        return f"{scope}/mod_bias", value - 1
    return f"{scope}/{part}", value


def write_tensorflow(path: Path, source: Checkpoint, protocol: int = 4, **arguments: Any) -> Path:
    """A pickle of (G, D, Gs)."""
    other = tensorflow_generator(checkpoint(seed=99, **source.config))
    discriminator = Network(
        {"version": 4, "name": "D", "static_kwargs": {}, "components": {}, "variables": []}
    )
    return write_pickle(path, (other, discriminator, tensorflow_generator(source, **arguments)), protocol)
