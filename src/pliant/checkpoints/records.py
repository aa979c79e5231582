"""What a file of weights is made of once read: tensors still in the file, modules, networks, plain bags.

Each class here has a function that makes it from the arguments found in a pickle and refuses any others.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pliant.checkpoints.limits import MAX_PARTS, broken, harmful
from pliant.checkpoints.unpickle import Name, Record
from pliant.checkpoints.values import (
    dictionary,
    dimensions,
    is_bytes,
    is_list,
    is_tuple,
    named,
    natural,
)
from pliant.errors import CheckpointError

_NUMERIC = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")


class Pending:
    """A tensor whose shape is known and whose values stay in the file until asked for.

    Args:
        shape: of the tensor.
        read: gives the values, in any dtype and layout.
    """

    def __init__(self, shape: tuple[int, ...], read: Callable[[], Tensor]) -> None:
        self.shape = shape
        self._read = read

    def load(self) -> Tensor:
        """The values as a contiguous float32 tensor of its own memory."""
        values = self._read()
        if not values.is_floating_point():
            raise CheckpointError(
                f"a tensor of type {values.dtype} stands where weights belong; save the network in float32."
            )
        return values.to(torch.float32, memory_format=torch.contiguous_format, copy=True)

    def then(self, change: Callable[[Tensor], Tensor]) -> "Pending":
        """The same tensor after `change`, which must not depend on the values for its shape."""
        try:
            shape = tuple(change(torch.empty(self.shape, device="meta")).shape)
        except (RuntimeError, IndexError):
            raise broken(f"a tensor has the shape {list(self.shape)}, which no layer gives it") from None
        return Pending(shape, lambda: change(self._read()))


class Storage:
    """A run of numbers in the file; tensors are views of it. `data` may arrive after the views are made."""

    def __init__(self, dtype: torch.dtype, count: Any, data: memoryview | None = None) -> None:
        self.dtype = dtype
        self.count = natural(count)
        self.data = data

    @property
    def bytes(self) -> int:
        """Its size in the file."""
        return self.count * self.dtype.itemsize

    def read(self, start: int, count: int) -> Tensor:
        """A copy of `count` numbers from `start`."""
        if self.data is None:
            raise broken("a tensor without data")
        if count == 0:
            return torch.empty(0, dtype=self.dtype)
        size = self.dtype.itemsize
        part = bytearray(self.data[start * size : (start + count) * size])
        return torch.frombuffer(part, dtype=self.dtype)


class ModuleRecord:
    """A network module as NVIDIA's code saves it, without the source text that travels with it."""

    def __init__(self, class_name: str, version: int, state: dict[Any, Any]) -> None:
        self.class_name = class_name
        self.version = version
        self.state = state

    def part(self, name: str) -> dict[str, Any]:
        """The dictionary under `name` in the state, such as `_parameters`; empty if there is none."""
        part = named(self.state.get(name) or {}, f"{name} of a module")
        if len(part) > MAX_PARTS:
            raise broken("a module of thousands of parts")
        return part


class NetworkRecord(Record):
    """A TensorFlow `Network`: the dictionary it was saved with."""

    def __init__(self) -> None:
        self.state: dict[Any, Any] = {}

    def set_state(self, state: Any) -> None:
        """Keep the dictionary."""
        self.state = dictionary(state, "the state of a network")


class Bag(dict[Any, Any], Record):
    """An OrderedDict, EasyDict or Namespace: its items."""

    def set_state(self, state: Any) -> None:
        """Forget the attributes: a state dict's version numbers, an argument list. They hold no weights."""


class NumpyType(Record):
    """A numeric numpy dtype."""

    def __init__(self, code: str) -> None:
        self.dtype = np.dtype(code)

    def set_state(self, state: Any) -> None:
        """Take the byte order and refuse fields, subarrays and objects."""
        if not is_tuple(state) or len(state) < 5:
            raise broken("a numpy type without a state")
        if state[1] not in ("<", ">", "|", "=") or any(part is not None for part in state[2:5]):
            raise harmful("it holds a numpy type that is no number")
        self.dtype = self.dtype.newbyteorder(state[1])


class NumpyArray(Record):
    """A numpy array; empty until its state comes."""

    def __init__(self) -> None:
        self.pending = Pending((0,), lambda: torch.empty(0))

    def set_state(self, state: Any) -> None:
        """Take shape, type, order and bytes, which must agree."""
        if not is_tuple(state) or len(state) != 5:
            raise broken("a numpy array without its values")
        _, shape, kind, by_columns, data = state
        if not isinstance(kind, NumpyType) or not isinstance(by_columns, bool) or not is_bytes(data):
            raise broken("a numpy array of something else than numbers")
        sizes, dtype = dimensions(shape), kind.dtype
        if math.prod(sizes) * dtype.itemsize != len(data):
            raise broken(f"a numpy array of shape {list(sizes)} in {len(data)} bytes")

        def read() -> Tensor:
            values = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))
            return torch.tensor(values.reshape(sizes, order="F" if by_columns else "C"))

        self.pending = Pending(sizes, read)


def make_tensor(arguments: tuple[Any, ...]) -> Pending:
    """For `torch._utils._rebuild_tensor_v2`: (storage, offset, shape, strides, ...)."""
    if len(arguments) < 4 or not isinstance(arguments[0], Storage):
        raise broken("a tensor without a storage")
    storage, offset = arguments[0], natural(arguments[1])
    shape, strides = dimensions(arguments[2]), dimensions(arguments[3])
    count = math.prod(shape)
    # Only dense tensors: a stride of 0 would let a few bytes stand for any amount of memory.
    reach = 1 + sum((size - 1) * step for size, step in zip(shape, strides, strict=False)) if count else 0
    if len(shape) != len(strides) or reach != count or offset + count > storage.count:
        raise broken(f"a tensor of shape {list(shape)} does not fit its {storage.count} stored numbers")
    return Pending(shape, lambda: storage.read(offset, count).as_strided(shape, strides))


def make_parameter(arguments: tuple[Any, ...]) -> Pending:
    """For `torch._utils._rebuild_parameter`: (tensor, requires_grad, hooks)."""
    if not arguments or not isinstance(arguments[0], Pending):
        raise broken("a parameter without a tensor")
    return arguments[0]


def make_module(arguments: tuple[Any, ...]) -> ModuleRecord:
    """For `torch_utils.persistence._reconstruct_persistent_obj`: one dictionary, its source text dropped."""
    meta = dictionary(arguments[0] if len(arguments) == 1 else None, "a module")
    name, version, state = meta.get("class_name"), meta.get("version"), meta.get("state")
    if meta.get("type") != "class" or not isinstance(name, str) or not isinstance(version, int):
        raise broken("a module without a class")
    return ModuleRecord(name, version, dictionary(state, "the state of a module"))


def make_network(arguments: tuple[Any, ...]) -> NetworkRecord:
    """For `dnnlib.tflib.network.Network`."""
    if arguments:
        raise broken("a TensorFlow network with arguments")
    return NetworkRecord()


def make_bag(arguments: tuple[Any, ...]) -> Bag:
    """For `collections.OrderedDict`, `dnnlib.util.EasyDict` and `argparse.Namespace`."""
    if arguments:
        raise broken("a dictionary with arguments")
    return Bag()


def make_set(arguments: tuple[Any, ...]) -> set[Any]:
    """For `set`, as pickle protocols before 4 write one: a list of names."""
    items = arguments[0] if len(arguments) == 1 else None
    if not is_list(items) or not all(isinstance(item, str) for item in items):
        raise broken("a set of something else than names")
    return set(items)


def make_bytes(arguments: tuple[Any, ...]) -> memoryview:
    """For `_codecs.encode`, as pickle protocols before 3 write bytes: text in latin-1."""
    if len(arguments) != 2 or not isinstance(arguments[0], str) or arguments[1] != "latin1":
        raise harmful("it encodes text")
    try:
        return memoryview(arguments[0].encode("latin1"))
    except UnicodeEncodeError:
        raise broken("bytes that are not bytes") from None


def make_numpy_type(arguments: tuple[Any, ...]) -> NumpyType:
    """For `numpy.dtype`: numbers only."""
    if not arguments or not isinstance(arguments[0], str) or not _NUMERIC.fullmatch(arguments[0]):
        raise harmful("it holds a numpy type that is no number")
    return NumpyType(arguments[0])


def make_numpy_array(arguments: tuple[Any, ...]) -> NumpyArray:
    """For `numpy.core.multiarray._reconstruct`: an array that takes its values from a state."""
    if not arguments or arguments[0] != Name("numpy", "ndarray"):
        raise harmful("it holds a numpy object that is no array")
    return NumpyArray()


def make_number(arguments: tuple[Any, ...]) -> int | float | bool:
    """For `numpy.core.multiarray.scalar`: (type, bytes)."""
    kind, data = arguments if len(arguments) == 2 else (None, None)
    if not isinstance(kind, NumpyType) or not is_bytes(data) or len(data) != kind.dtype.itemsize:
        raise broken("a number of the wrong size")
    return np.frombuffer(data, kind.dtype).item()
