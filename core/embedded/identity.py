"""Whom PostgreSQL runs as: it refuses to be root."""

import os
import pwd
import stat
from collections.abc import Iterable
from pathlib import Path

from core.embedded.failure import StoreFailed
from core.embedded.process import Identity

# In this order; every system has the last.
UNPRIVILEGED = ("postgres", "nobody")


def identity_for(data: Path, programs: Path) -> Identity | None:
    """Who owns, or will own, a data directory; None: who we are.

    Args:
        data: The data directory, made or not.
        programs: Where the server's programs are.

    Raises:
        StoreFailed: We are root and there is no other user.
    """
    if os.geteuid() != 0:
        return None
    passing = not _is_open_to_all([*data.parents, *programs.parents, programs])
    # Not whoever would own a new one: users come and go between two starts.
    if data.exists():
        made = data.stat()
        return Identity(made.st_uid, made.st_gid, passing)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Identity(entry.pw_uid, entry.pw_gid, passing)
    raise StoreFailed("PostgreSQL refuses to run as root, and there is no user nobody to run it as")


def _is_open_to_all(places: Iterable[Path]) -> bool:
    """Whether every user may pass through these directories."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in places if place.exists())
