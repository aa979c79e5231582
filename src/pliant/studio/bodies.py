"""What a page sends with a POST, within a limit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from fastapi import Request

from pliant.errors import InputError


async def take_body(request: Request, limit: int, write: Callable[[bytes], object]) -> str:
    """Receive a body piece by piece; its SHA-256.

    Raises:
        InputError: it is larger than the limit, said before the rest is read, or empty.
    """
    too_large = InputError(f"The file is too large: at most {limit // 1024**2} MB.")
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > limit:
        raise too_large
    digest, size = hashlib.sha256(), 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise too_large
        digest.update(piece)
        write(piece)
    if size == 0:
        raise InputError("The file is empty.")
    return digest.hexdigest()
