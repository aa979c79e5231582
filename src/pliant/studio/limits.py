"""How much one client may ask for. Beyond it a sentence comes back, and everybody else goes on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The studio's limits; the defaults suit one machine and a handful of people."""

    sessions: int = 32
    """Sessions in memory at once; further ones are refused until one has been idle."""
    idle_seconds: float = 900
    """A session that nobody looks at leaves the memory after this long; what is in it stays on disk."""
    runs: int = 16
    """Runs in progress or waiting, over all sessions."""
    steps: int = 5000
    """Most steps of one run."""
    image_bytes: int = 32 * 1024**2
    """Largest image that may be uploaded."""
    drawing_bytes: int = 16 * 1024**2
    """Largest SVG that may be uploaded."""
    project_bytes: int = 512 * 1024**2
    """Largest project that may be uploaded."""
    message_bytes: int = 2 * 1024**2
    """Largest message on a socket."""
    messages_per_second: float = 200
    """Of one connection, on average over a second or more; faster ones are closed."""
