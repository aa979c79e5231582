"""Writing files so that nothing half-written stays behind."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pliant.errors import InputError, PliantError

__all__ = ["check_place", "is_file", "write_whole"]


def is_file(path: str | Path) -> bool:
    """Whether a file is there to read; a name that no file can have is not an error."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def check_place(path: str | Path) -> None:
    """Refuse a place where no file can be written, before any work is done for it.

    Raises:
        InputError: the folder is missing, or `path` is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"'{path}' is a folder; give the name of a file to write.")
    if not path.parent.is_dir():
        raise InputError(f"There is no folder '{path.parent}' to write '{path.name}' to; make it first.")


@contextmanager
def write_whole(path: str | Path) -> Generator[Path]:
    """Give a temporary path beside `path` to write to; on success it takes the place of `path` in one step.

    Whatever goes wrong in between (an error, a full disk, Ctrl-C), what was at `path` stays as it was and
    the temporary file is removed.

    Raises:
        InputError: the folder is missing or may not be written to, or `path` is a folder.
        PliantError: the disk is full.
    """
    path = Path(path)
    check_place(path)
    part = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.part")
    try:
        yield part
        with part.open(
            "rb+"
        ) as file:  # onto the disk before the rename: a power cut must not leave an empty file
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise _explained(error, path) from error
    finally:
        part.unlink(missing_ok=True)


def _explained(error: OSError, path: Path) -> PliantError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return PliantError(f"The disk is full: '{path}' was not written; free some space and save again.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return InputError(f"'{path}' may not be written (permission denied); choose another place.")
    return PliantError(f"'{path}' could not be written: {error.strerror or error}.")
