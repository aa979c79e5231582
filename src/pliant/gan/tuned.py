"""A generator that was tuned to one photo, held as what differs from the generator it was made from.

The difference (*delta*) is a handful of tensors in half precision. The network that computes with it is the sum of the two,
rounded only once, so that a picture that was saved and opened again is the same to the bit. Its mapping network, and whatever
was not tuned, is the original's and not copied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from pliant.errors import CheckpointError, InputError, ModelMismatchError
from pliant.gan.stylegan2 import Generator, SynthesisNetwork

MAX_KEPT = 4
"""Tuned generators that a generator remembers, the last ones used."""


class Delta:
    """What a tuned generator's tensors differ by: fp16, by the names they have in `Generator.synthesis`.

    Args:
        tensors: the differences; those that are all zero are left out.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        halves = {name: tensors[name].detach().half().cpu() for name in sorted(tensors)}
        self.tensors = {name: value.contiguous() for name, value in halves.items() if bool(value.any())}

    @staticmethod
    def between(base: Mapping[str, Tensor], tuned: Mapping[str, Tensor]) -> Delta:
        """What turns the tensors of `base` into those of `tuned`, up to half precision."""
        return Delta({name: value - base[name] for name, value in tuned.items()})

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that tell deltas apart."""
        hashed = hashlib.sha256()
        for name, value in self.tensors.items():
            hashed.update(f"{name} {list(value.shape)}\n".encode())
            hashed.update(value.numpy().tobytes())
        return hashed.hexdigest()[:16]

    @property
    def bytes(self) -> int:
        """How much it takes in a file."""
        return sum(2 * value.numel() for value in self.tensors.values())

    def check(self, base: Generator) -> None:
        """Refuse a delta that may come from anyone and does not fit.

        Raises:
            ModelMismatchError: tensors that this generator does not have, or of other shapes.
            CheckpointError: values that are not finite.
        """
        known = named_tensors(base.synthesis)
        for name, value in self.tensors.items():
            if name not in known or known[name].shape != value.shape:
                raise ModelMismatchError(
                    f"The saved picture's tuning changes '{name[:60]}' {list(value.shape)}, which '{base.name}' does not have: "
                    "open it with the model that made it."
                )
            if not bool(torch.isfinite(value).all()):
                raise CheckpointError(
                    "The saved picture's tuning holds NaN or infinite values; it is damaged."
                )


class TunedGenerator(Generator):
    """`base` with a delta added to its synthesis network; `base` itself is not changed.

    Args:
        base: the generator that was tuned; not itself a tuned one.
        delta: from `Delta.between`, or read from a file and checked.
    """

    def __init__(self, base: Generator, delta: Delta) -> None:
        if isinstance(base, TunedGenerator):
            raise InputError("A tuned generator cannot be tuned again; start from the one it was made from.")
        nn.Module.__init__(self)
        self.config, self.name = base.config, base.name
        self.base, self.delta = (
            (base,),
            delta,
        )  # in a tuple, because a Module would count its parameters twice
        self.memo: dict[Any, Any] = {
            key: value for key, value in base.memo.items() if "known region" in key or key == "fingerprint"
        }
        self.mapping = base.mapping
        self.synthesis = added(base.synthesis, delta.tensors)
        self.eval()


def tuned(base: Generator, delta: Delta) -> TunedGenerator:
    """The generator with this delta; asked again, the same comes back while it is among the last ones used."""
    kept: dict[str, TunedGenerator] = base.memo.setdefault("tuned", {})
    found = kept.pop(delta.digest, None) or TunedGenerator(base, delta)
    kept[delta.digest] = found
    for digest in list(kept)[:-MAX_KEPT]:
        del kept[digest]
    return found


def original(generator: Generator) -> Generator:
    """The generator that a tuned one was made from; any other is its own."""
    return generator.base[0] if isinstance(generator, TunedGenerator) else generator


def named_tensors(network: nn.Module) -> dict[str, Tensor]:
    """Parameters and stored buffers by name."""
    return network.state_dict(keep_vars=True)


def copied(network: SynthesisNetwork, names: set[str]) -> SynthesisNetwork:
    """A network of the same tensors, of which only the named ones are copies."""
    made = SynthesisNetwork.__new__(SynthesisNetwork)
    _clone(network, made, "", names)
    return made


def added(network: SynthesisNetwork, delta: Mapping[str, Tensor]) -> SynthesisNetwork:
    """A network whose named tensors are this one's plus the delta's; the others are shared."""
    made = copied(network, set(delta))
    with torch.no_grad():
        for name, value in named_tensors(made).items():
            if name in delta:
                value.add_(delta[name].to(value.device, value.dtype))
    return made


def _clone(source: nn.Module, made: nn.Module, prefix: str, names: set[str]) -> None:
    """Give `made` the attributes of `source`; its named tensors are copied, everything else is shared."""
    made.__dict__.update(source.__dict__)
    for store in ("_parameters", "_buffers", "_modules"):
        made.__dict__[store] = dict(source.__dict__[store])
    parameters: dict[str, Any] = made.__dict__["_parameters"]
    buffers: dict[str, Any] = made.__dict__["_buffers"]
    for name, value in parameters.items():
        if f"{prefix}{name}" in names:
            parameters[name] = nn.Parameter(value.detach().clone(), requires_grad=False)
    for name, value in buffers.items():
        if f"{prefix}{name}" in names:
            buffers[name] = value.detach().clone()
    modules: dict[str, nn.Module] = made.__dict__["_modules"]
    for name, child in list(modules.items()):
        fresh = type(child).__new__(type(child))
        _clone(child, fresh, f"{prefix}{name}.", names)
        modules[name] = fresh
