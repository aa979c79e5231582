"""Weights of StyleGAN2 generators: read everyone's formats as data, write Pliant's own.

`read` looks at what a file contains, never at its name. Nothing in a file is imported or run, whatever it
names; see `docs/models.md` for the formats, and `unpickle` for how.
"""

import hashlib
import math
from pathlib import Path
from typing import Any

from pliant.checkpoints import (
    community_pt,
    limits,
    native,
    nvidia_pickle,
    pti_pt,
    streams,
    tensorflow_pickle,
    torch_zip,
)
from pliant.checkpoints.checkpoint import Checkpoint, Draft
from pliant.checkpoints.layout import expected_shapes
from pliant.checkpoints.native import write_native
from pliant.errors import CheckpointError
from pliant.files import is_file

__all__ = ["Checkpoint", "expected_shapes", "inspect", "read", "write_native"]

_OTHER_FILES = (
    (b"version https://git-lfs", "it is a Git LFS pointer, not the file itself; fetch it with git lfs pull."),
    (b"<", "it is a web page, probably in place of a download; fetch the file itself."),
    (b"\x1f\x8b", "it is compressed with gzip; unpack it first."),
    (b"\x89PNG", "it is a picture; expected a file of weights."),
    (b"\xff\xd8\xff", "it is a picture; expected a file of weights."),
    (b"\x89HDF", "it is an HDF5 file; expected a StyleGAN2 checkpoint of a format that pliant reads."),
)


def read(path: str | Path) -> Checkpoint:
    """Read a StyleGAN2 generator of any known format.

    Args:
        path: a native folder (or its `model.safetensors`), a `.pkl` of NVIDIA's PyTorch or TensorFlow
            repositories, a community `.pt`, or PTI's tuned `.pt`.

    Returns:
        The generator, G_ema where there is one, as data: checked for completeness, shapes and NaN.

    Raises:
        UnsafeCheckpointError: the file names or does something that weights never need.
        CheckpointError: no such file, too large, broken, incomplete, or another kind of network.
    """
    path = Path(path)
    try:
        return _read(path)
    except CheckpointError as error:
        raise type(error)(f"{path.name or path}: {error}") from None


def inspect(path: str | Path) -> dict[str, Any]:
    """What a file of weights holds, without building a network.

    Args:
        path: as for `read`.

    Returns:
        A dictionary ready for JSON: format, size of the picture, code and channels, number of parameters,
        file size and SHA-256 of the weights, and for foreign files the networks and globals in them.

    Raises:
        CheckpointError: as for `read`.
    """
    path = Path(path)
    checkpoint = read(path)
    config = checkpoint.config
    weights = path / native.WEIGHTS if path.is_dir() else path
    with weights.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    fixed = ("noise_const", "w_avg")
    height, base = config["resolution"], config["base"]
    return {
        "file": path.name,
        "format": checkpoint.source,
        "width": height * base[1] // base[0],
        "height": height,
        **config,
        "num_ws": 2 * len(config["channels"]),
        "conditional": config["c_dim"] > 0,
        "parameters": sum(
            math.prod(tensor.shape) for name, tensor in checkpoint.tensors.items() if not name.endswith(fixed)
        ),
        "bytes": weights.stat().st_size,
        "sha256": sha256,
        **checkpoint.details,
    }


def _read(path: Path) -> Checkpoint:
    if path.name == native.WEIGHTS and path.with_name(native.CONFIG).is_file():
        path = path.parent
    if path.is_dir():
        return native.read_native(path)
    data = _bytes(path)
    return _draft(data).finish(len(data))


def _bytes(path: Path) -> bytes:
    if not is_file(path):
        raise CheckpointError(
            "there is no such file; check the path, or name one of the models of pliant models."
        )
    try:
        if path.stat().st_size > limits.MAX_FILE_BYTES:
            raise CheckpointError(
                f"it is larger than {limits.MAX_FILE_BYTES / 2**30:.1f} GiB; expected a file that holds only the "
                "networks."
            )
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"it cannot be read ({error.strerror}); check the path.") from None


def _draft(data: bytes) -> Draft:
    """Find the generator in a file by what the file contains."""
    for start, sentence in _OTHER_FILES:
        if data[:64].lstrip().startswith(start):
            raise CheckpointError(sentence)
    if data.startswith((torch_zip.ZIP_START, streams.STREAM_START)):
        is_zip = data.startswith(torch_zip.ZIP_START)
        contents = torch_zip.read_torch_zip(data) if is_zip else streams.read_torch_stream(memoryview(data))
        if pti_pt.holds_modules(contents.root):
            return pti_pt.read_tuned(contents.root, contents.names)
        return community_pt.read_state_dict(contents.root, contents.names)
    if data.startswith(b"\x80"):
        contents = streams.read_pickle(memoryview(data))
        if tensorflow_pickle.holds_networks(contents.root):
            return tensorflow_pickle.read_networks(contents.root, contents.names)
        return nvidia_pickle.read_networks(contents.root, contents.names)
    if data[8:9] == b"{":
        raise CheckpointError(
            f"it is a safetensors file without a {native.CONFIG} beside it; expected the folder that pliant convert "
            "writes."
        )
    raise CheckpointError(
        "it is no checkpoint; expected a .pkl or .pt of a StyleGAN2 network, or a folder of Pliant."
    )
