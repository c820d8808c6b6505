"""Processes that do not outlive us, and those of an earlier run that did."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.embedded import tether
from core.embedded.failure import StoreFailed

PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a process runs as.

    Args:
        user: The user's id.
        group: The group's id.
        passing: It must enter directories that only root may.
    """

    user: int
    group: int
    passing: bool


def tied(
    command: Sequence[str], dies_by: signal.Signals, identity: Identity | None = None
) -> list[str]:
    """The same command, sent a signal when this process dies.

    Args:
        command: The program and its arguments.
        dies_by: The signal it is then sent.
        identity: Whom it runs as; None: as we do.
    """
    who = ["-", "-", "no"]
    if identity is not None:
        who = [str(identity.user), str(identity.group), "yes" if identity.passing else "no"]
    # Isolated and without site: it starts in a few milliseconds, whatever is installed.
    python = [sys.executable, "-I", "-S", tether.__file__]
    return [*python, str(int(dies_by)), str(os.getpid()), *who, *command]


def spawn(
    command: Sequence[str],
    log: Path | None,
    *,
    dies_by: signal.Signals,
    environment: Mapping[str, str] | None = None,
    identity: Identity | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own: a Ctrl-C in the terminal is ours to pass on.

    Args:
        command: The program and its arguments.
        log: Where its output goes; None: to ours.
        dies_by: The signal it is sent when this process dies.
        environment: Its environment; None: ours.
        identity: Whom it runs as; None: as we do.
    """
    output = None if log is None else log.open("ab")
    try:
        return subprocess.Popen(
            tied(command, dies_by, identity),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=None if environment is None else dict(environment),
        )
    finally:
        if output is not None:
            output.close()


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
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            != "Z"
        )
    except (OSError, IndexError):
        return False


def running(program: str, argument: str) -> list[int]:
    """The processes of a program that were given an argument, whoever started them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if Path(words[0]).name == program and argument in words:
            found.append(int(folder.name))
    return found


def end(
    pid: int,
    gently: signal.Signals,
    timeout_s: float,
    harder: Sequence[signal.Signals] = (signal.SIGKILL,),
) -> None:
    """End a process.

    Args:
        pid: The process.
        gently: What it is asked by.
        timeout_s: How long each signal has before the next is sent.
        harder: What follows while it still runs.

    Raises:
        StoreFailed: Nothing ends it.
    """
    for signum in (gently, *harder):
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
