"""The description of a network: the keys of a native `config.json`."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from pliant.checkpoints.values import is_list
from pliant.errors import CheckpointError


def _whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _positive(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < math.inf


def _power_of_two(value: Any) -> bool:
    return _whole(4, 4096)(value) and value.bit_count() == 1


def _widths(value: Any) -> bool:
    return is_list(value) and 2 <= len(value) <= 11 and all(map(_whole(1, 8192), value))


def _base(value: Any) -> bool:
    return is_list(value) and len(value) == 2 and value[0] == 4 and all(map(_whole(1, 16), value))


_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "resolution": (_power_of_two, "a power of two from 8 to 4096, the picture's height"),
    "base": (_base, "[4, width], the size of the constant"),
    "img_channels": (_whole(3, 3), "3, as Pliant edits RGB pictures"),
    "z_dim": (_whole(1, 8192), "a whole number from 1 to 8192"),
    "w_dim": (_whole(1, 8192), "a whole number from 1 to 8192"),
    "c_dim": (_whole(0, 65536), "a whole number from 0 to 65536"),
    "mapping_layers": (_whole(1, 64), "a whole number from 1 to 64"),
    "lr_multiplier": (_positive, "a positive number"),
    "channels": (_widths, "a list of whole numbers from 1 to 8192, one for each block"),
    "architecture": (lambda value: value in ("skip", "resnet", "orig"), '"skip", "resnet" or "orig"'),
    "conv_clamp": (lambda value: value is None or _positive(value), "a positive number or null"),
    "half_resolution": (lambda value: value is None or _power_of_two(value), "a power of two or null"),
}


def _shown(value: Any) -> str:
    # Of a list only the type: a file may nest lists deeper than they can be printed.
    return json.dumps(value)[:60] if isinstance(value, str | int | float | None) else type(value).__name__


def check_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The same config with its keys in order, if it describes a network that Pliant can build.

    Raises:
        CheckpointError: a key is missing, unknown, of another type or out of range.
    """
    for key, (rule, meaning) in _RULES.items():
        if key not in config:
            raise CheckpointError(f'its config has no "{key}"; expected {meaning}.')
        if not rule(config[key]):
            raise CheckpointError(f'its config has "{key}": {_shown(config[key])}; expected {meaning}.')
    unknown = [key for key in config if key not in _RULES]
    if unknown:
        raise CheckpointError(
            f"its config has the unknown key {unknown[0][:60]!a}, perhaps of a newer Pliant; update Pliant."
        )
    if config["resolution"] != 2 ** (len(config["channels"]) + 1):
        raise CheckpointError(
            f"its config lists channels for {len(config['channels'])} blocks; expected one for each of 4, 8, "
            f"16 and so on up to the resolution {config['resolution']}."
        )
    return {key: config[key] for key in _RULES}
