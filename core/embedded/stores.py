"""Both stores under one data directory."""

import fcntl
import os
import secrets
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import orjson

from core.embedded.failure import StoreFailed
from core.embedded.postgres import PostgresServer
from core.embedded.valkey import ValkeyServer


@dataclass(slots=True)
class EmbeddedStores:
    """PostgreSQL and Valkey for this machine alone.

    Args:
        directory: Where everything is kept between starts; made when it is not there.
        postgres_wanted: False: an external one is used.
        valkey_wanted: False: an external one is used.
    """

    directory: Path
    postgres_wanted: bool = True
    valkey_wanted: bool = True
    postgres: PostgresServer | None = field(default=None, init=False)
    valkey: ValkeyServer | None = field(default=None, init=False)
    _lock: IO[str] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start what is wanted; whatever an earlier run left behind is ended first.

        Raises:
            StoreFailed: Another process uses the directory, or a server does not come up.
        """
        self.directory = self.directory.absolute()
        self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._hold()
        with ExitStack() as undo:
            undo.callback(self.stop)
            passwords = self._passwords()
            if self.postgres_wanted:
                data, log = self.directory / "postgres", self.log("postgres")
                self.postgres = PostgresServer(data, log, passwords["postgres"])
                self.postgres.start()
            if self.valkey_wanted:
                data, log = self.directory / "valkey", self.log("valkey")
                self.valkey = ValkeyServer(data, log, passwords["valkey"])
                self.valkey.start()
            undo.pop_all()

    def _hold(self) -> None:
        """Have the directory to ourselves for as long as we live."""
        self._lock = (self.directory / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.seek(0)
            holder = self._lock.read().strip() or "unknown"
            self._lock.close()
            self._lock = None
            raise StoreFailed(
                f"{self.directory} is in use by process {holder}: "
                "stop that one, or give another --data-dir"
            ) from error
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()

    def log(self, name: str) -> Path:
        """Where the output of a process goes."""
        logs = self.directory / "log"
        logs.mkdir(exist_ok=True)
        return logs / f"{name}.log"

    def _passwords(self) -> dict[str, str]:
        """The servers' passwords, made on the first start; only our user can read them."""
        kept = self.directory / "passwords.json"
        if not kept.exists():
            fresh = kept.with_suffix(".new")
            fresh.touch(mode=0o600)
            made = {name: secrets.token_urlsafe(24) for name in ("postgres", "valkey")}
            fresh.write_bytes(orjson.dumps(made))
            fresh.rename(kept)
        passwords: dict[str, str] = orjson.loads(kept.read_bytes())
        return passwords

    def stop(self) -> None:
        """Stop both, the queue first, and let the directory go."""
        try:
            for server in (self.valkey, self.postgres):
                if server is not None:
                    server.stop()
        finally:
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.stop()
