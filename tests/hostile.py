"""What the tests of hostile files of weights share."""

import io
import resource
import struct
import tempfile
import time
import zipfile
from functools import cache
from pathlib import Path

from foreign import checkpoint, nvidia_generator, write_nvidia, write_torch
from foreign_community import write_community
from foreign_tensorflow import write_tensorflow
from pliant.checkpoints import Checkpoint, read
from pliant.errors import CheckpointError


def outcome(path: Path, content: bytes | None = None) -> Checkpoint | CheckpointError:
    """What reading gives; a file that is run, takes long or takes much memory fails the test.

    A file that wants to show that it was run makes a file `canary` beside itself.
    """
    if content is not None:
        path.write_bytes(content)
    start, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result: Checkpoint | CheckpointError
    try:
        result = read(path)
    except CheckpointError as error:
        result = error
    assert time.process_time() - start < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 400 * 1024  # KiB
    assert not path.with_name("canary").exists()
    return result


def refused(path: Path, content: bytes | None = None) -> str:
    """The sentence of a refusal."""
    result = outcome(path, content)
    assert isinstance(result, CheckpointError)
    sentence = str(result)
    assert "\n" not in sentence
    assert len(sentence) < 500
    return sentence


@cache
def good_files() -> dict[str, bytes]:
    """One small good file of each format."""
    source = checkpoint(channels=[2, 3, 2], z_dim=2, w_dim=2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        return {
            "nvidia": write_nvidia(path, source).read_bytes(),
            "tensorflow": write_tensorflow(path, source).read_bytes(),
            "community": write_community(path, source).read_bytes(),
            "community stream": write_community(path, source, as_zip=False).read_bytes(),
            "pti": write_torch(path, nvidia_generator(source)).read_bytes(),
        }


def text(value: str) -> bytes:
    """Opcodes that push text."""
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def named(module: str, name: str) -> bytes:
    """Opcodes that push a global."""
    return f"c{module}\n{name}\n".encode()


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """The members of a zip."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}
