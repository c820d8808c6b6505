"""Quiver as it is run in earnest, in a directory that is gone afterwards: stores, API, workers."""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from bench.durability import check_durable
from core import migrate
from core.embedded import EmbeddedStores
from core.embedded.process import free_port, spawn, tail, wait_until
from core.errors import QuiverError
from core.settings import Settings, settings_given

READY_WITHIN_S = 60.0
END_WITHIN_S = 10.0


class NotReady(QuiverError):
    """What is to be measured does not come up."""


@dataclass(slots=True)
class Stack:
    """What is measured.

    Args:
        directory: Where everything is.
        settings: What the servers run with.
        workers: How many worker processes.
        servers: The stores' first processes, and while it is served the others', by name.
        port: The API's.
        started: The processes of those others.
    """

    directory: Path
    settings: Settings
    workers: int
    servers: dict[str, int]
    port: int = field(default_factory=free_port)
    started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The API's."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin_token(self) -> str:
        """An admin's."""
        return self.settings.quiver_admin_token or ""

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process of it is started with."""
        return {
            **os.environ,
            "DATABASE_URL": self.settings.database_url or "",
            "REDIS_URL": self.settings.redis_url or "",
            "QUIVER_ADMIN_TOKEN": self.admin_token,
        }

    @contextmanager
    def served(self) -> Iterator[None]:
        """With API and workers running."""
        commands = {"api": ["api", "--host", "127.0.0.1", "--port", str(self.port)]}
        commands |= {f"worker-{n}": ["worker"] for n in range(1, self.workers + 1)}
        with self.running(
            {name: ["-m", "cli.main", *command] for name, command in commands.items()}
        ):
            if not wait_until(self._is_ready, READY_WITHIN_S):
                raise NotReady(f"the API does not come up: {tail(self._log('api'))}")
            yield

    @contextmanager
    def running(self, programs: Mapping[str, list[str]]) -> Iterator[None]:
        """With Python programs running, whose cost is watched by their names."""
        try:
            for name, arguments in programs.items():
                self.started[name] = spawn(
                    [sys.executable, *arguments],
                    self._log(name),
                    dies_by=signal.SIGKILL,
                    environment=self.environment,
                )
                self.servers[name] = self.started[name].pid
            yield
        finally:
            ending = {name: self.started.pop(name) for name in programs if name in self.started}
            for name, process in ending.items():
                process.terminate()
                self.servers.pop(name, None)
            for process in ending.values():
                _end(process)

    def ended(self) -> list[str]:
        """What ended of all that should run, and why as far as its log tells."""
        return [
            f"{name} ended with status {process.returncode}: {tail(self._log(name))}"
            for name, process in self.started.items()
            if process.poll() is not None
        ]

    def times_said(self, name: str, what: str) -> int:
        """How often a server's log has this."""
        return self._log(name).read_text(encoding="utf-8").count(what)

    def _log(self, name: str) -> Path:
        return self.directory / "log" / f"{name}.log"

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/readyz", timeout=1) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


@contextmanager
def open_stack(workers: int) -> Iterator[Stack]:
    """The stores of a stack, migrated and durable.

    Raises:
        NotDurable: A figure would not count.
        NotReady: `TMPDIR` names a place where nothing can be.
        InvalidInputError: A setting of the environment makes no sense.
    """
    _check_place(os.environ.get("TMPDIR"))
    given = settings_given()
    with tempfile.TemporaryDirectory(prefix="quiver-bench-") as folder:
        # PostgreSQL is another user when we are root.
        Path(folder).chmod(0o755)
        with EmbeddedStores(Path(folder) / "data") as stores:
            if stores.postgres is None or stores.valkey is None:
                raise NotReady("the embedded stores are not there")
            settings = given.model_copy(
                update={
                    "database_url": stores.postgres.url,
                    "redis_url": stores.valkey.url,
                    "quiver_admin_token": secrets.token_urlsafe(24),
                }
            )
            migrate.up(settings)
            check_durable(settings, stores.directory)
            servers = {"postgres": stores.postgres.pid, "valkey": stores.valkey.pid}
            yield Stack(
                stores.directory,
                settings,
                workers,
                {name: pid for name, pid in servers.items() if pid is not None},
            )


def _check_place(wished: str | None) -> None:
    """Python would take another directory without a word, perhaps on another disk."""
    taken = Path(tempfile.gettempdir())
    if wished and not (Path(wished).is_dir() and taken.samefile(wished)):
        raise NotReady(f"TMPDIR is {wished}, where nothing can be written")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
