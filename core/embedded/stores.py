"""Both stores under one data directory."""

import os
import secrets
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from core.embedded.failure import StoreFailed
from core.embedded.hold import Hold
from core.embedded.postgres import PostgresServer
from core.embedded.valkey import ValkeyServer

# Whoever stops us waits for this: what is not on disk in tidy form by then is recovered at the
# next start.
STOP_WITHIN_S = 1.5


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
    _hold: Hold | None = field(default=None, init=False)

    def start(self) -> None:
        """Start what is wanted; whatever an earlier run left behind is ended first.

        Raises:
            StoreFailed: Another process uses the directory, or a server does not come up.
        """
        self._make_directory()
        self._hold = Hold.take(self.directory)
        with ExitStack() as undo:
            undo.callback(self.stop)
            passwords = self._passwords()
            if self.valkey_wanted:
                data, log = self.directory / "valkey", self.log("valkey")
                self.valkey = ValkeyServer(data, log, passwords["valkey"])
                self.valkey.start()
            if self.postgres_wanted:
                data, log = self.directory / "postgres", self.log("postgres")
                self.postgres = PostgresServer(data, log, passwords["postgres"])
                self.postgres.start()
            undo.pop_all()

    def _make_directory(self) -> None:
        self.directory = self.directory.resolve()
        try:
            # As root, PostgreSQL is another user, who has to get to its own part of it.
            self.directory.mkdir(0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            (self.directory / "log").mkdir(0o700, exist_ok=True)
        except OSError as error:
            raise StoreFailed(f"{self.directory} cannot be used: {error.strerror}") from error

    def log(self, name: str) -> Path:
        """Where the output of a process goes."""
        return self.directory / "log" / f"{name}.log"

    def _passwords(self) -> dict[str, str]:
        """The servers' passwords, made on the first start; only our user can read them."""
        kept = self.directory / "passwords.json"
        if not kept.exists():
            fresh = kept.with_suffix(".new")
            fresh.touch(mode=0o600)
            made = {name: secrets.token_urlsafe(24) for name in ("postgres", "valkey")}
            with fresh.open("wb") as file:
                file.write(orjson.dumps(made))
                file.flush()
                os.fsync(file.fileno())
            fresh.rename(kept)
        passwords: dict[str, str] = orjson.loads(kept.read_bytes())
        return passwords

    def stop(self) -> None:
        """Stop both, side by side, and let the directory go."""
        servers = [server for server in (self.valkey, self.postgres) if server is not None]
        with ExitStack() as each:
            if self._hold is not None:
                each.callback(self._hold.release)
            for server in servers:
                each.callback(server.stop, STOP_WITHIN_S)
            for server in servers:
                server.ask_to_stop()

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
