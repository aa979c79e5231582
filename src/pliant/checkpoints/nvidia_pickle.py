"""Generators of NVIDIA's PyTorch repositories: stylegan2-ada-pytorch, and stylegan3's `--cfg=stylegan2`.

The file is a pickle of a dictionary with G, D and G_ema, or of one network. Each module in it is a record of
its class name and its state, which holds parameters, buffers, child modules and plain attributes. What the
network is comes from the shapes of the tensors and from the attributes of blocks and layers; the arguments it
was built with come in two forms (nested in `synthesis_kwargs`, or flat) whose defaults differ, so they are
asked last.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from pliant.checkpoints.checkpoint import Draft
from pliant.checkpoints.filters import check_filter
from pliant.checkpoints.layout import deduce_config, expected_shapes
from pliant.checkpoints.limits import MAX_PARTS, broken
from pliant.checkpoints.records import ModuleRecord, Pending
from pliant.checkpoints.values import dictionary, is_dict, is_tuple, natural
from pliant.errors import CheckpointError

_PARTS = (
    "Generator",
    "MappingNetwork",
    "SynthesisNetwork",
    "SynthesisBlock",
    "SynthesisLayer",
    "ToRGBLayer",
    "FullyConnectedLayer",
    "Conv2dLayer",
)
_MAX_DEPTH = 6
_POSITIONS = (
    "z_dim",
    "c_dim",
    "w_dim",
    "img_resolution",
    "img_channels",
    "mapping_kwargs",
    "synthesis_kwargs",
)

Modules = Mapping[str, ModuleRecord]
"""The modules of a network by their dotted names; the network itself is ""."""


def find_generator(root: Any) -> tuple[str, ModuleRecord]:
    """The generator in a saved object and its key there, G_ema before G; the key is "" for a bare network.

    Raises:
        CheckpointError: there is none, or it is another network than StyleGAN2's.
    """
    networks = {"": root} if isinstance(root, ModuleRecord) else {}
    if is_dict(root):
        networks = {str(key): value for key, value in root.items() if isinstance(value, ModuleRecord)}
    for key in ("", "G_ema", "G"):
        if key in networks:
            return key, networks[key]
    found = ", ".join(f"{key[:40]!a}" for key in networks) or "none"
    raise CheckpointError(
        f"it holds no generator (networks in it: {found}); expected one under G_ema or G, as a training "
        "snapshot has it."
    )


def read_networks(root: Any, names: list[str], source: str = "nvidia-pickle") -> Draft:
    """The generator in a saved object, its tensors not yet read.

    Args:
        root: what the file holds.
        names: the globals that the file names, for the details.
        source: the format to record.

    Raises:
        CheckpointError: no generator, another network than StyleGAN2's, or contradictions in it.
    """
    key, generator = find_generator(root)
    modules = dict(_walk(generator))
    _check_kind(generator, modules)
    tensors = _tensors(modules)
    for name in [name for name in tensors if name.endswith("resample_filter")]:
        check_filter(name, tensors.pop(name), 1)
    config = deduce_config({name: tensor.shape for name, tensor in tensors.items()})
    arguments = _arguments(generator)
    stated = generator.state.get("img_resolution", arguments.get("img_resolution", config["resolution"]))
    if stated != config["resolution"]:
        raise broken(f"its tensors make the resolution {config['resolution']}, but it says otherwise")
    config["conv_clamp"] = _conv_clamp(modules, arguments)
    config["half_resolution"] = _half_resolution(modules, arguments, config["resolution"])
    config["lr_multiplier"] = _lr_multiplier(modules, arguments)
    details = {
        "keys": sorted(str(name)[:60] for name in root) if is_dict(root) else [generator.class_name],
        "read": key or generator.class_name,
        "globals": names,
    }
    return Draft(source, config, tensors | _silent_noise(config, modules, tensors), details)


def _walk(root: ModuleRecord) -> Iterator[tuple[str, ModuleRecord]]:
    """Every module of a network with its dotted name."""
    waiting = [("", root)]
    for _ in range(MAX_PARTS):
        if not waiting:
            return
        prefix, module = waiting.pop()
        yield prefix, module
        children = module.part("_modules")
        if len(waiting) + len(children) > MAX_PARTS or prefix.count(".") > _MAX_DEPTH:
            break
        for name, child in children.items():
            if isinstance(child, ModuleRecord):
                waiting.append((f"{prefix}.{name}" if prefix else name, child))
            elif child is not None:
                raise broken(f"something else than a module as {name[:40]!a}")
    raise broken("a network inside itself, or of thousands of parts")


def _check_kind(generator: ModuleRecord, modules: Modules) -> None:
    """Refuse networks that are not StyleGAN2's, by name where it is known."""
    classes = {module.class_name for module in modules.values()}
    if "SynthesisInput" in classes or "synthesis.input" in modules:
        raise CheckpointError(
            "this is a StyleGAN3 network; Pliant reads StyleGAN2: use one trained with --cfg=stylegan2."
        )
    other = sorted(classes.difference(_PARTS))
    if generator.class_name != "Generator" or other:
        name = other[0] if other else generator.class_name
        raise CheckpointError(
            f"it is built with {name[:60]!a}, which is no part of StyleGAN2; Pliant reads StyleGAN2."
        )
    for name, module in modules.items():
        if module.class_name == "SynthesisLayer" and module.state.get("activation", "lrelu") != "lrelu":
            raise CheckpointError(
                f"its layer {name} does not use leaky ReLU, which Pliant's StyleGAN2 expects."
            )


def _tensors(modules: Modules) -> dict[str, Pending]:
    """What PyTorch calls the state dict: parameters and persistent buffers."""
    tensors: dict[str, Pending] = {}
    for prefix, module in modules.items():
        passing = module.state.get("_non_persistent_buffers_set")
        buffers = module.part("_buffers")
        if isinstance(passing, set):
            buffers = {name: value for name, value in buffers.items() if name not in passing}
        if len(tensors) > MAX_PARTS:
            raise broken("a network of thousands of tensors")
        for name, value in (module.part("_parameters") | buffers).items():
            if isinstance(value, Pending):
                tensors[f"{prefix}.{name}"] = value
            elif value is not None:
                raise broken(f"something else than a tensor as {name[:40]!a}")
    return tensors


def _arguments(generator: ModuleRecord) -> dict[str, Any]:
    """What the network was built with, positional and nested arguments by their names."""
    given = generator.state.get("_init_args")
    arguments = dict(zip(_POSITIONS, given, strict=False)) if is_tuple(given) else {}
    arguments |= generator.part("_init_kwargs")
    for nested in ("mapping_kwargs", "synthesis_kwargs"):
        arguments |= dictionary(arguments.get(nested) or {}, nested)
    return arguments


def _state(modules: Modules, name: str) -> dict[Any, Any]:
    return modules[name].state if name in modules else {}


def _number(value: Any) -> float | None:
    if value is not None and not isinstance(value, int | float):
        raise broken("an attribute that is not a number")
    return value if value is None else float(value)


def _lr_multiplier(modules: Modules, arguments: Mapping[str, Any]) -> float | None:
    """The learning-rate multiplier of the mapping network, which a layer keeps as the gain of its bias."""
    stored = _state(modules, "mapping.fc0").get("bias_gain")
    return _number(arguments.get("lr_multiplier", 0.01) if stored is None else stored)


def _conv_clamp(modules: Modules, arguments: Mapping[str, Any]) -> float | None:
    """The clamp that all layers share; stylegan2-ada's default is none, the stylegan3 repository's 256."""
    clamps = {
        _number(module.state["conv_clamp"])
        for module in modules.values()
        if module.class_name in ("SynthesisLayer", "ToRGBLayer") and "conv_clamp" in module.state
    }
    if len(clamps) > 1:
        raise CheckpointError("its layers clamp at different values; Pliant reads networks with one clamp.")
    if clamps:
        return clamps.pop()
    return _number(arguments.get("conv_clamp", None if "synthesis_kwargs" in arguments else 256))


def _half_resolution(modules: Modules, arguments: Mapping[str, Any], resolution: int) -> int | None:
    """The smallest resolution from which on all blocks are meant for half precision."""
    heights = [4 * 2**index for index in range(int(math.log2(resolution)) - 1)]
    flags = [_state(modules, f"synthesis.b{height}").get("use_fp16") for height in heights]
    if None not in flags:
        halves = [height for index, height in enumerate(heights) if all(flags[index:])]
        return halves[0] if halves else None
    default = 0 if "synthesis_kwargs" in arguments else 4
    count = natural(_state(modules, "synthesis").get("num_fp16_res", arguments.get("num_fp16_res", default)))
    return max(resolution >> (count - 1), 8) if count else None


def _silent_noise(
    config: Mapping[str, Any], modules: Modules, tensors: Mapping[str, Pending]
) -> dict[str, Pending]:
    """Noise of strength 0 for layers built without noise."""
    silent: dict[str, Pending] = {}
    for name, shape in expected_shapes(config).items():
        layer, _, last = name.rpartition(".")
        wanted = last in ("noise_const", "noise_strength") and name not in tensors
        if wanted and _state(modules, layer).get("use_noise") is False:
            silent[name] = Pending(shape, lambda shape=shape: torch.zeros(shape))
    return silent
