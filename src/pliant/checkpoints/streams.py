"""A plain pickle, as NVIDIA's code writes it, and torch.save's older stream, which also lies inside it."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pliant.checkpoints.limits import Budget, broken, harmful, truncated
from pliant.checkpoints.names import NAMES, STORAGES, storage_reference
from pliant.checkpoints.records import Storage
from pliant.checkpoints.unpickle import Builder, Unpickler
from pliant.checkpoints.values import is_bytes, is_dict, is_list

STREAM_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The first bytes of torch.save's older stream: a pickle of its magic number."""

_STREAM_VERSION = 1001


@dataclass(frozen=True)
class Contents:
    """What a file holds.

    Attributes:
        root: the object that was saved.
        names: the globals that its pickle names, sorted.
    """

    root: Any
    names: list[str]


def read_pickle(data: memoryview) -> Contents:
    """Read a plain pickle whose tensors are streams inside it."""
    budget = Budget()

    def load_from_bytes(arguments: tuple[Any, ...]) -> Storage:
        # The original hands these bytes to torch.load: a second pickle, which may name anything.
        if len(arguments) != 1 or not is_bytes(arguments[0]):
            raise broken("a storage without data")
        storage = _read(arguments[0], STORAGES, budget).root
        if not isinstance(storage, Storage):
            raise harmful("it holds a pickle inside a pickle")
        return storage

    builders = {**NAMES, ("torch.storage", "_load_from_bytes"): load_from_bytes}
    machine = Unpickler(data, builders=builders, budget=budget)
    return Contents(machine.load(), sorted(machine.names))


def read_torch_stream(data: memoryview) -> Contents:
    """Read torch.save's older stream."""
    return _read(data, NAMES, Budget())


def _read(data: memoryview, builders: Mapping[tuple[str, str], Builder | None], budget: Budget) -> Contents:
    """Read magic number, version, machine, root and keys, a pickle each; then the numbers of each key."""
    storages: dict[str, Storage] = {}

    def persistent(reference: tuple[Any, ...]) -> Storage:
        dtype, key, count = storage_reference(reference, 6)
        storage = storages.setdefault(key, Storage(dtype, count))
        if (storage.dtype, storage.count) != (dtype, count):
            raise broken("one storage with two sizes")
        return storage

    if bytes(data[: len(STREAM_START)]) != STREAM_START:
        raise harmful("it holds a pickle inside a pickle")
    version = Unpickler(data, len(STREAM_START), builders={}, budget=budget)
    if version.load() != _STREAM_VERSION:
        raise broken("a stream of an unknown version")
    writer = Unpickler(data, version.position, builders={}, budget=budget)
    if not is_dict(made_on := writer.load()) or made_on.get("little_endian") is not True:
        raise broken("a stream that is not little-endian")
    root = Unpickler(data, writer.position, builders=builders, persistent=persistent, budget=budget)
    contents = root.load()
    keys = Unpickler(data, root.position, builders={}, budget=budget)
    order = keys.load()
    if (
        not is_list(order)
        or not all(isinstance(key, str) for key in order)
        or sorted(order) != sorted(storages)
    ):
        raise broken("stored numbers that belong to no tensor")
    _find_numbers(data[keys.position :], [storages[key] for key in order])
    return Contents(contents, sorted(root.names))


def _find_numbers(data: memoryview, storages: list[Storage]) -> None:
    """Tell each storage where its numbers are: a count, then the numbers, one storage after another."""
    position = 0
    for storage in storages:
        start = position + 8
        position = start + storage.bytes
        if position > len(data):
            raise truncated()
        if struct.unpack("<q", data[start - 8 : start])[0] != storage.count:
            raise broken("a storage of another size than its tensors say")
        storage.data = data[start:position]
