"""Whether a Unix socket may lie at a path: a round trip over one costs less than over TCP."""

import socket
from contextlib import suppress
from pathlib import Path


def may_lie_at(path: Path) -> bool:
    """Whether a server can listen there, and clients find it; a dead server's socket is removed.

    Tried out, since systems differ in how long its path may be (107 bytes on Linux), and some file
    systems take no sockets at all.

    Args:
        path: Where it is to lie; nobody listens there, and its directory is there.
    """
    # A comma ends a host in a URL of PostgreSQL, and a URL is text.
    if "," in str(path) or not str(path).isprintable():
        return False
    with suppress(OSError), socket.socket(socket.AF_UNIX) as tried:
        path.unlink(missing_ok=True)
        tried.bind(str(path))
        path.unlink()
        return True
    return False
