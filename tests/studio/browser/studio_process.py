"""`pliant studio` in a process of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass


@dataclass
class Server:
    """A studio that serves."""

    url: str
    process: subprocess.Popen

    @property
    def base(self) -> str:
        """Its address without the token."""
        return self.url.split("/?")[0]


def start(home) -> Server:
    """Serve in test mode, with everything it keeps under `home`."""
    environment = os.environ | {"PLIANT_HOME": str(home), "PLIANT_STUDIO_TEST": "1"}
    words = [sys.executable, "-m", "pliant.cli", "studio", "--no-browser", "--port", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "token=" in line:
            return Server(line.strip(), process)
    raise AssertionError(f"the studio did not start: {lines}")


def end(server: Server, *, kill: bool = False) -> None:
    """Ctrl-C, or a death without warning."""
    if kill:
        server.process.kill()
    else:
        server.process.terminate()
    server.process.wait(30)
    server.process.stdout.close()
