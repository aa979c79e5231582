"""The zip that torch.save writes: a pickle in `NAME/data.pkl`, the numbers in `NAME/data/0` and so on."""

import io
import re
import struct
import zipfile
import zlib
from typing import Any

from pliant.checkpoints.limits import MAX_MEMBERS, broken, harmful, truncated
from pliant.checkpoints.names import NAMES, storage_reference
from pliant.checkpoints.records import Storage
from pliant.checkpoints.streams import Contents
from pliant.checkpoints.unpickle import Unpickler
from pliant.errors import CheckpointError

ZIP_START = b"PK\x03\x04"
"""The first bytes of a zip archive."""

_LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, ..., lengths of name and extra field


def read_torch_zip(data: bytes) -> Contents:
    """Read the archive."""
    members = _members(data)
    if "constants.pkl" in members:
        raise CheckpointError(
            "it is a TorchScript program, not a file of weights; convert the checkpoint it was made from."
        )
    if "data.pkl" not in members:
        raise CheckpointError("it is a zip archive without a data.pkl; expected one written by torch.save.")
    if bytes(members.get("byteorder", b"little")) != b"little":
        raise CheckpointError("it was saved on a big-endian machine; save it again on a common one.")
    storages: dict[str, Storage] = {}

    def persistent(reference: tuple[Any, ...]) -> Storage:
        dtype, key, count = storage_reference(reference, 5)
        numbers = members.get(f"data/{key}") if re.fullmatch(r"[0-9]{1,9}", key) else None
        if numbers is None:
            raise broken(f"the storage {key[:40]!a} is missing")
        storage = storages.setdefault(key, Storage(dtype, count, numbers))
        if (storage.dtype, storage.count, storage.bytes) != (dtype, count, len(numbers)):
            raise broken(f"the storage {key} is of another size than its tensors say")
        return storage

    machine = Unpickler(members["data.pkl"], builders=NAMES, persistent=persistent)
    return Contents(machine.load(), sorted(machine.names))


def _members(data: bytes) -> dict[str, memoryview]:
    """The members of the archive by name without the top folder, as parts of `data`: nothing is unpacked."""
    if data.count(b"PK\x01\x02") > MAX_MEMBERS:
        raise CheckpointError(f"it is a zip archive of more than {MAX_MEMBERS} members, so not a checkpoint.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error, OverflowError):
        raise truncated() from None
    members: dict[str, memoryview] = {}
    total = 0
    for info in archive.infolist():
        folder, _, name = info.filename.partition("/")
        if "\\" in info.filename or not folder or ".." in info.filename.split("/"):
            raise harmful(f"its zip has a member called {info.filename[:60]!a}")
        total += info.file_size
        if name in members or total > len(data):
            raise harmful("its zip has members that overlap")
        members[name] = _content(data, info)
    return members


def _content(data: bytes, info: zipfile.ZipInfo) -> memoryview:
    """A member's bytes where they lie. torch.save never compresses, so a small file cannot hold much."""
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        raise CheckpointError(
            "its zip is compressed or encrypted, which torch.save never does; unpack it and save it again."
        )
    header = data[info.header_offset : info.header_offset + _LOCAL_HEADER.size]
    if len(header) < _LOCAL_HEADER.size or not header.startswith(ZIP_START):
        raise broken("a zip member that is not where it should be")
    start = info.header_offset + _LOCAL_HEADER.size + sum(_LOCAL_HEADER.unpack(header)[1:])
    content = memoryview(data)[start : start + info.file_size]
    if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
        raise broken(f"its zip member {info.filename[:60]!a} has changed since it was written")
    return content
