"""Server processes that do not outlive us, and those of an earlier run that did."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from core.embedded.failure import StoreFailed

PR_SET_PDEATHSIG = 1
PAUSE_S = 0.02

_LIBC = ctypes.CDLL(None, use_errno=True)


def dying_with_parent(signum: signal.Signals) -> Callable[[], None]:
    """What a child calls before it runs its program, to be sent a signal when its parent dies."""

    def ask() -> None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signum)

    return ask


def spawn(
    command: Sequence[str],
    log: Path,
    *,
    dies_by: signal.Signals,
    environment: Mapping[str, str] | None = None,
    user: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own: a Ctrl-C in the terminal is ours to pass on, in order.

    Args:
        command: The program and its arguments.
        log: Where its output goes.
        dies_by: The signal it is sent when this process dies.
        environment: Its environment; None: ours.
        user: The user and group that it runs as; None: ours.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=None if environment is None else dict(environment),
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            # The child runs nothing else between fork and exec, so no lock can be held there.
            preexec_fn=dying_with_parent(dies_by),  # pylint: disable=subprocess-popen-preexec-fn
        )


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Whether the condition came true in time."""
    until = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(PAUSE_S)
    return True


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def command_line(pid: int) -> str:
    """A process's program and arguments; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def end(pid: int, gently: signal.Signals, timeout_s: float) -> None:
    """End a process: gently first, and after `timeout_s` seconds by force."""
    for signum in (gently, signal.SIGKILL):
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            return
        if wait_until(lambda: not _runs(pid), timeout_s):
            return
    raise StoreFailed(f"process {pid} cannot be ended")


def _runs(pid: int) -> bool:
    try:
        # A child of ours has to be reaped, or it would seem to run for ever.
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    return is_alive(pid)


def package_folder(name: str) -> Path:
    """Where a wheel was unpacked; it is not imported, since we want only the programs that it brings.

    Raises:
        StoreFailed: It is not installed.
    """
    found = find_spec(name)
    if found is None or found.origin is None:
        raise StoreFailed(
            f"the package {name} is not installed: set DATABASE_URL and REDIS_URL instead"
        )
    return Path(found.origin).parent


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log, for an error that says why."""
    try:
        return " | ".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "no log"
