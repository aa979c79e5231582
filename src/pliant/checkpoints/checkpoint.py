"""A generator's weights, whatever file they came from, and the checks they all pass."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from pliant.checkpoints.config import check_config
from pliant.checkpoints.layout import check_shapes, expected_shapes, missing
from pliant.checkpoints.records import Pending
from pliant.errors import CheckpointError

_AVERAGED_CODES = 4096


@dataclass(frozen=True)
class Checkpoint:
    """A StyleGAN2 generator as data: complete, of the right shapes, finite.

    Attributes:
        config: what the network is; the keys of a native `config.json`.
        tensors: float32, contiguous, on the CPU, under the names of NVIDIA's PyTorch networks.
        source: the format it was read from: "native", "nvidia-pickle", "tensorflow-pickle", "community-pt"
            or "pti-pt".
        details: more about the file, ready for JSON: the networks in it, the globals its pickle names.
    """

    config: dict[str, Any]
    tensors: dict[str, Tensor]
    source: str
    details: dict[str, Any]


@dataclass(frozen=True)
class Draft:
    """A generator found in a file, its tensors not yet read."""

    source: str
    config: dict[str, Any]
    tensors: dict[str, Pending]
    details: dict[str, Any]

    def finish(self, file_bytes: int) -> Checkpoint:
        """Check names and shapes, then read the values and check them.

        Args:
            file_bytes: size of the file, which bounds what its tensors may add up to.

        Raises:
            CheckpointError: incomplete, of wrong shapes, not finite, or larger than the file that holds it.
        """
        config = check_config(self.config)
        shapes = {name: pending.shape for name, pending in self.tensors.items()}
        averaged = {"mapping.w_avg": (config["w_dim"],)}
        check_shapes(config, averaged | shapes)
        if 2 * sum(map(math.prod, shapes.values())) > file_bytes:
            raise CheckpointError(
                "its tensors share their numbers, which no saved network does; save it anew."
            )
        tensors = {name: pending.load() for name, pending in self.tensors.items()}
        details = dict(self.details)
        if "mapping.w_avg" not in tensors:
            tensors["mapping.w_avg"] = average_w(config, tensors)
            details["w_avg"] = f"not in the file; the mean over {_AVERAGED_CODES} codes"
        check_finite(tensors)
        ordered = {name: tensors[name] for name in expected_shapes(config)}
        return Checkpoint(config, ordered, self.source, details)


def check_finite(tensors: Mapping[str, Tensor]) -> None:
    """Check that every number is a number.

    Raises:
        CheckpointError: a tensor holds NaN or infinity.
    """
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(
                f"the tensor {name} holds NaN or infinity, as a network whose training diverged does; "
                "use an earlier snapshot."
            )


def average_w(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Tensor:
    """The mean code of the mapping network over 4096 random z (seed 0), for files that do not store it.

    Raises:
        CheckpointError: the network is conditional; the mean then depends on labels that are not in the file.
    """
    if config["c_dim"]:
        raise missing("mapping.w_avg")
    codes = torch.randn(_AVERAGED_CODES, config["z_dim"], generator=torch.Generator().manual_seed(0))
    codes = codes * (codes.square().mean(1, keepdim=True) + 1e-8).rsqrt()
    for index in range(config["mapping_layers"]):
        weight, bias = tensors[f"mapping.fc{index}.weight"], tensors[f"mapping.fc{index}.bias"]
        gain = config["lr_multiplier"] / math.sqrt(weight.shape[1])
        codes = functional.linear(codes, weight * gain, bias * config["lr_multiplier"])
        codes = functional.leaky_relu(codes, 0.2) * math.sqrt(2)
    return codes.mean(0)
