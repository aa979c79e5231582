"""`pliant studio`: serve the editor in the browser."""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import sys
import webbrowser
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from pliant import zoo
from pliant.cli.options import Device, Switch, parse, pick_device
from pliant.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import uvicorn

    from pliant.studio.security import Doorkeeper
    from pliant.studio.studio import Studio

__all__ = ["run"]

SLOW = "torch._dynamo"
"""What the first optimiser of a process imports, for seconds: better before anyone waits for it."""
USUAL_PORT = 8577


@dataclass(frozen=True)
class Options:
    """Where to serve, and what."""

    host: str = "127.0.0.1"
    """Address to listen on. Anything but this machine's own lets others in who know the address with its token."""
    port: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")] = None
    """Port; 8577 if not given, or a free one if that is taken."""
    no_browser: Switch = False
    """Do not open the browser."""
    model: Annotated[str | None, tyro.conf.arg(metavar="MODEL", help_behavior_hint="")] = None
    """Name or folder of the model that the gallery begins with; portraits-256 if not given."""
    device: Device = "auto"
    """Where to compute."""


def run(arguments: list[str]) -> int:
    """Serve until Ctrl-C; the last line of standard output is the address with its token."""
    options = parse(
        Options, "studio", "Edit in the browser: drag, watch, go back in time, export.", arguments
    )
    if not all(find_spec(name) for name in ("fastapi", "uvicorn")):
        raise MissingExtraError('The studio needs: pip install "pliant[studio]"')
    listening = _listen(options.host, options.port)
    asyncio.run(_serve(options, listening))
    return 0


def _listen(host: str, port: int | None) -> socket.socket:
    """A listening socket, so that the address is known before anything is printed.

    Raises:
        InputError: the address or port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in (USUAL_PORT, 0) if port is None else (port,):
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, candidate))
        except (OSError, OverflowError) as error:
            listening.close()
            if candidate == USUAL_PORT and port is None:
                continue
            raise InputError(
                f"Port {candidate} of {host} cannot be used ({error}); give another --port."
            ) from error
        return listening
    raise AssertionError("a free port is always found")


async def _serve(options: Options, listening: socket.socket) -> None:
    import uvicorn

    from pliant.studio.app import create_app
    from pliant.studio.limits import Limits
    from pliant.studio.studio import Studio

    limits = Limits()
    studio = Studio(
        zoo.user_folder().parent / "studio",
        model=options.model,
        device=pick_device(options.device),
        limits=limits,
        test=bool(os.environ.get("PLIANT_STUDIO_TEST")),
    )
    keeper, url = _door(options.host, listening)
    config = uvicorn.Config(
        create_app(studio, keeper),
        log_level="warning",
        ws_max_size=limits.message_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=20,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    with studio.store.claimed():
        await _until_closed(uvicorn.Server(config), listening, studio, url, browser=not options.no_browser)


def _door(host: str, listening: socket.socket) -> tuple[Doorkeeper, str]:
    """Who is let in, and the address to come by; says what it means when that is not this machine only."""
    from pliant.studio.security import LOOPBACK, Doorkeeper, new_token

    address, port = listening.getsockname()[:2]
    everywhere = address in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    if address not in LOOPBACK:
        print(
            "pliant: the studio can be reached from other machines; whoever has the address with its token can use it, "
            "and anyone on the way can read along. Prefer an SSH tunnel.",
            file=sys.stderr,
        )
    keeper = Doorkeeper(new_token(), (*LOOPBACK, host.lower(), socket.gethostname().lower()), everywhere)
    shown = "localhost" if everywhere else address
    return keeper, f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/?token={keeper.token}"


async def _until_closed(
    server: uvicorn.Server, listening: socket.socket, studio: Studio, url: str, *, browser: bool
) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.02)
    if server.started:
        print(f"The studio is open until Ctrl-C. Its projects are kept in {_shown(studio.store.folder)}.")
        print(url, flush=True)
        studio.device.do(
            lambda: studio.models.get(studio.models.infos[0].name) if studio.models.infos else None
        )
        warm = asyncio.to_thread(importlib.import_module, SLOW)
        await asyncio.gather(serving, warm, *([asyncio.to_thread(webbrowser.open, url)] if browser else []))
    await serving


def _shown(path: Path) -> str:
    """A path as people write it."""
    home = str(Path.home())
    return f"~{str(path)[len(home) :]}" if str(path).startswith(home) else str(path)
