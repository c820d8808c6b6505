"""What both servers have in common: one process with one directory, on a socket and a port."""

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from core.embedded.failure import StoreFailed
from core.embedded.process import Identity, end, free_port, spawn, tail, wait_until
from core.embedded.sockets import may_lie_at

# A port can be taken between our look and the server's, and the last processes of a killed server
# can take a moment to go: both are gone at the next try.
TRIES = 4
BETWEEN_TRIES_S = 0.5
# Reading a large log back can take its time.
START_WITHIN_S = 120.0
LEFT_BEHIND_S = 10.0


@dataclass(slots=True)
class Server(ABC):
    """A server of our own, reachable by password on 127.0.0.1 and, where it can be, on a socket.

    The socket lies in its directory, which nobody but its owner and root may enter.

    Args:
        directory: Where its data is; an absolute path.
        log: Where its output goes.
        password: That it asks for.
    """

    directory: Path
    log: Path
    password: str
    port: int = field(default=0, init=False)
    socket: Path | None = field(default=None, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    @abstractmethod
    def name(self) -> str:
        """What the operator calls it."""

    @property
    def url(self) -> str:
        """What our clients connect to: the socket, where there is one."""
        return self.tcp_url if self.socket is None else self._url_over(self.socket)

    @property
    @abstractmethod
    def tcp_url(self) -> str:
        """The same server on its port, for programs that know no sockets."""

    @abstractmethod
    def _url_over(self, path: Path) -> str:
        """The URL that leads to a socket of it."""

    @property
    @abstractmethod
    def _socket_place(self) -> Path:
        """Where in its directory its socket lies, for `self.port`."""

    @property
    @abstractmethod
    def _ending(self) -> Sequence[signal.Signals]:
        """The signals that end it without loss: the gentle one, then those that hurry it."""

    @abstractmethod
    def _left_behind(self) -> Sequence[int]:
        """Servers of an earlier run that still have the directory."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make the directory what the server expects; no server has it now."""

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """The server's command line, for `self.port` and `self.socket`."""

    @abstractmethod
    def _identity(self) -> Identity | None:
        """Whom it runs as; None: as we do."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it takes commands."""

    def start(self) -> None:
        """Start the server, and wait until it takes commands.

        One that an earlier run left behind is ended first.

        Raises:
            StoreFailed: It does not come up.
        """
        for _ in range(TRIES):
            self.port = free_port()
            try:
                self._make_way()
                # Not looked at again later: whoever has the URL keeps it when the server dies.
                self.socket = self._socket_place if may_lie_at(self._socket_place) else None
                started = self._launch()
            except OSError as error:
                raise StoreFailed(f"{self.name} cannot be set up: {error}") from error
            if self._comes_up(started):
                return
            time.sleep(BETWEEN_TRIES_S)
        raise StoreFailed(
            f"{self.name} does not start on port {self.port} in {self.directory}: {tail(self.log)}"
        )

    def start_again(self) -> subprocess.Popen[bytes]:
        """Start it on the port and socket that it had, without waiting for it."""
        self._make_way()
        return self._launch()

    def _make_way(self) -> None:
        gently, *harder = self._ending
        for pid in self._left_behind():
            end(pid, gently, LEFT_BEHIND_S, [*harder, signal.SIGKILL])
        self._prepare()

    def _launch(self) -> subprocess.Popen[bytes]:
        gently = self._ending[0]
        self._process = spawn(self._command(), self.log, dies_by=gently, identity=self._identity())
        return self._process

    def _comes_up(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether it takes commands before it ends.

        Raises:
            StoreFailed: It does neither.
        """
        if wait_until(lambda: process.poll() is not None or self._answers(), START_WITHIN_S):
            return process.poll() is None
        raise StoreFailed(
            f"{self.name} is not ready after {START_WITHIN_S:g} s in {self.directory}: "
            f"{tail(self.log)}"
        )

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return None if self._process is None else self._process.pid

    @property
    def status(self) -> int | None:
        """How it ended, as `subprocess` says it; None while it runs, or when it was not started."""
        return None if self._process is None else self._process.poll()

    def ask_to_stop(self) -> None:
        """Have it begin to shut down; `stop` waits for it."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self._ending[0])

    def stop(self, within_s: float = LEFT_BEHIND_S) -> None:
        """Shut the server down: clients are cut off, nothing that it acknowledged is lost.

        Args:
            within_s: How long it has; then it is hurried, which costs only time at the next start.
        """
        if self._process is None:
            return
        self.ask_to_stop()
        for signum in (*self._ending[1:], signal.SIGKILL):
            try:
                self._process.wait(within_s)
                break
            except subprocess.TimeoutExpired:
                self._process.send_signal(signum)
                within_s = 0.5
        self._process.wait()
        self._process = None


def package_folder(name: str) -> Path:
    """Where a wheel was unpacked; it is not imported, since we want only its programs.

    Raises:
        StoreFailed: It is not installed.
    """
    found = find_spec(name)
    if found is None or found.origin is None:
        raise StoreFailed(
            f"the package {name} is not installed: set DATABASE_URL and REDIS_URL instead"
        )
    return Path(found.origin).parent
