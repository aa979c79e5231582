"""Writes small networks in the formats of others, so that tests need none of their code.

Each writer follows the published description of its format (names, layouts, class names) and shares nothing with
the readers, so that a round trip compares two independent accounts of the format.
"""

import collections
import contextlib
import pickle
import sys
import types
from collections.abc import Iterator
from math import log2
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pliant.checkpoints import Checkpoint, expected_shapes

FILTER = torch.outer(torch.tensor([1.0, 3.0, 3.0, 1.0]), torch.tensor([1.0, 3.0, 3.0, 1.0])) / 64


def checkpoint(seed: int = 0, **changes: Any) -> Checkpoint:
    """A random network of 16x16 pictures whose layers all have different widths."""
    config = {
        "resolution": 16,
        "base": [4, 4],
        "img_channels": 3,
        "z_dim": 5,
        "w_dim": 6,
        "c_dim": 0,
        "mapping_layers": 2,
        "lr_multiplier": 0.01,
        "channels": [8, 7, 4],
        "architecture": "skip",
        "conv_clamp": None,
        "half_resolution": None,
    } | changes
    draw = torch.Generator().manual_seed(seed)
    tensors = {name: torch.randn(shape, generator=draw) for name, shape in expected_shapes(config).items()}
    return Checkpoint(config, tensors, "native", {})


# What a pickle of NVIDIA's code names. The functions here only carry those names.


class Module:
    """A module as torch_utils.persistence saves it."""

    def __init__(self, class_name: str, **attributes: Any) -> None:
        self.class_name = class_name
        self.state: dict[str, Any] = {
            "training": False,
            "_parameters": collections.OrderedDict(),
            "_buffers": collections.OrderedDict(),
            "_non_persistent_buffers_set": set(),
            "_forward_hooks": collections.OrderedDict(),
            "_modules": collections.OrderedDict(),
            "_init_args": (),
            "_init_kwargs": EasyDict(),
            **attributes,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        source = "raise SystemExit('the source in a checkpoint was run')"
        meta = {"type": "class", "version": 6, "module_src": source, "class_name": self.class_name}
        return _reconstruct_persistent_obj, ({**meta, "state": self.state},)

    def child(self, path: str) -> "Module":
        module = self
        for name in filter(None, path.split(".")):
            module = module.state["_modules"][name]
        return module


def _reconstruct_persistent_obj(meta: dict[str, Any]) -> None:
    raise AssertionError("a checkpoint's function was called")


class EasyDict(dict[str, Any]):
    pass


class Network:
    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def __getstate__(self) -> dict[str, Any]:
        return self.state


@contextlib.contextmanager
def published_names() -> Iterator[None]:
    """Let pickle find the stand-ins above under the published names."""
    places = {
        ("torch_utils.persistence", "_reconstruct_persistent_obj"): _reconstruct_persistent_obj,
        ("dnnlib.util", "EasyDict"): EasyDict,
        ("dnnlib.tflib.network", "Network"): Network,
    }
    kept = {
        name: module
        for name, module in sys.modules.items()
        if name.split(".")[0] in ("torch_utils", "dnnlib")
    }
    for (module, name), thing in places.items():
        thing.__module__, thing.__name__, thing.__qualname__ = module, name, name
        parts = module.split(".")
        for count in range(1, len(parts) + 1):
            sys.modules.setdefault(".".join(parts[:count]), types.ModuleType(".".join(parts[:count])))
        setattr(sys.modules[module], name, thing)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] in ("torch_utils", "dnnlib")]:
            del sys.modules[name]
        sys.modules.update(kept)


def nvidia_generator(source: Checkpoint, arguments: str = "flat", *, attributes: bool = True) -> Module:
    """A checkpoint as NVIDIA's module tree.

    Args:
        source: what to write.
        arguments: how the constructor's arguments are kept: "flat", "nested" or "positional".
        attributes: whether blocks and layers keep what they were built with, as all published ones do.
    """
    config = source.config
    root = Module("Generator")
    for name, tensor in source.tensors.items():
        path, _, last = name.rpartition(".")
        module = _module(root, path, config, attributes=attributes)
        kind = "_buffers" if last in ("w_avg", "noise_const") else "_parameters"
        value = tensor if kind == "_buffers" else torch.nn.Parameter(tensor, requires_grad=False)
        if last == "weight" and tensor.ndim == 4:  # published convolutions may be stored channels-last
            value = torch.nn.Parameter(tensor.to(memory_format=torch.channels_last), requires_grad=False)
        module.state[kind][last] = value
    half = config["half_resolution"]
    synthesis = {
        "channel_base": 999,  # wrong on purpose: the shapes of the tensors count
        "num_fp16_res": 0 if half is None else int(log2(config["resolution"] // half)) + 1,
        "conv_clamp": config["conv_clamp"],
    }
    first = {name: config[name] for name in ("z_dim", "c_dim", "w_dim")}
    first |= {"img_resolution": config["resolution"], "img_channels": config["img_channels"]}
    mapping = {"num_layers": config["mapping_layers"], "lr_multiplier": config["lr_multiplier"]}
    if arguments == "flat":
        root.state["_init_kwargs"] = EasyDict(first | {"mapping_kwargs": mapping} | synthesis)
    elif arguments == "nested":
        root.state["_init_kwargs"] = EasyDict(
            first | {"mapping_kwargs": mapping, "synthesis_kwargs": synthesis}
        )
    else:
        root.state["_init_args"] = (*first.values(), mapping, synthesis)
    if attributes:
        root.state["img_resolution"] = config["resolution"]
    return root


def _module(root: Module, path: str, config: dict[str, Any], *, attributes: bool) -> Module:
    module = root
    for name in path.split("."):
        children = module.state["_modules"]
        if name not in children:
            children[name] = _part(name, config, attributes=attributes)
        module = children[name]
    return module


def _part(name: str, config: dict[str, Any], *, attributes: bool) -> Module:
    gain = np.float64(config["lr_multiplier"])
    kinds = {
        "mapping": ("MappingNetwork", {}),
        "synthesis": ("SynthesisNetwork", {}),
        "torgb": ("ToRGBLayer", {"conv_clamp": config["conv_clamp"]}),
        "skip": ("Conv2dLayer", {}),
        "affine": ("FullyConnectedLayer", {"bias_gain": 1}),
    }
    if name.startswith("conv"):
        kind = (
            "SynthesisLayer",
            {"conv_clamp": config["conv_clamp"], "activation": "lrelu", "use_noise": True},
        )
    elif name.startswith("fc") or name == "embed":
        kind = ("FullyConnectedLayer", {"bias_gain": gain})
    elif name not in kinds:
        half = config["half_resolution"]
        kind = ("SynthesisBlock", {"use_fp16": half is not None and int(name[1:]) >= half})
    else:
        kind = kinds[name]
    module = Module(kind[0], **(kind[1] if attributes else {}))
    if kind[0] in ("SynthesisBlock", "SynthesisLayer", "Conv2dLayer"):
        module.state["_buffers"]["resample_filter"] = FILTER.clone()
    return module


def write_pickle(path: Path, content: Any, protocol: int = 4) -> Path:
    """Pickle with the published names."""
    with published_names(), path.open("wb") as file:
        pickle.dump(content, file, protocol=protocol)
    return path


def write_torch(path: Path, content: Any, *, as_zip: bool = True) -> Path:
    """torch.save with the published names, as a zip or as the older stream."""
    with published_names():
        torch.save(content, path, _use_new_zipfile_serialization=as_zip)
    return path


def write_nvidia(path: Path, source: Checkpoint, protocol: int = 4, **options: Any) -> Path:
    """A training snapshot of stylegan2-ada-pytorch, with another network as G and no D."""
    other = checkpoint(seed=99, **source.config)
    snapshot = {
        "G": nvidia_generator(other),
        "D": Module("Discriminator"),
        "G_ema": nvidia_generator(source, **options),
        "augment_pipe": None,
        "training_set_kwargs": EasyDict(path="faces.zip", use_labels=False),
    }
    return write_pickle(path, snapshot, protocol)
