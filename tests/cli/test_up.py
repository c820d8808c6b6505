"""`quiver up`, as an operator runs it: what it says, what it survives, and how it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.readiness import is_ready
from core.embedded.process import free_port, is_alive, wait_until

# Of the run's own stores, if it has any: here it is to start its own.
STORES = ("DATABASE_URL", "REDIS_URL")
WITHIN_S = 60.0
ENDS_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Up:
    """A `quiver up` of our own.

    Args:
        data: Its data directory.
        output: Where it says what it says.
        url: Where its API listens.
        process: Its own process.
    """

    data: Path
    output: Path
    url: str
    process: subprocess.Popen[bytes]

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.output.read_text(encoding="utf-8")

    def comes_up(self) -> bool:
        """Whether it says that it is up."""
        return wait_until(lambda: "Ctrl-C ends" in self.said or self.is_gone(), WITHIN_S)

    def is_gone(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    def pids(self) -> list[int]:
        """Every process that it says it started."""
        return [
            int(pid)
            for line in re.findall(r"process(?:es)? ([0-9, ]+)\)", self.said)
            for pid in line.split(", ")
        ]


@contextmanager
def started(folder: Path) -> Iterator[Up]:
    """One that is about to come up, with its data in this folder."""
    data, output, port = folder / "data", folder / "output", free_port()
    command = [sys.executable, "-m", "cli.main", "up", "--workers", "1"]
    with (
        output.open("wb") as said,
        subprocess.Popen(
            [*command, "--port", str(port), "--data-dir", str(data)],
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name not in STORES},
        ) as process,
    ):
        try:
            yield Up(data, output, f"http://127.0.0.1:{port}", process)
        finally:
            process.kill()


@pytest.fixture(name="up")
def running_up(tmp_path: Path) -> Iterator[Up]:
    """A fresh one that is up."""
    with started(tmp_path) as up:
        assert up.comes_up() and not up.is_gone(), up.said
        yield up


def test_it_says_where_everything_is_and_leaves_nothing_behind(up: Up) -> None:
    pids = up.pids()
    readiness = is_ready(up.url)
    up.process.send_signal(signal.SIGINT)
    up.process.send_signal(signal.SIGINT)
    status = up.process.wait(ENDS_WITHIN_S)
    assert (len(pids), readiness, status, [pid for pid in pids if is_alive(pid)]) == (
        4,
        True,
        0,
        [],
    )


def test_everything_in_it_may_be_killed(up: Up) -> None:
    for pid in up.pids():
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: up.said.count("started again") == 4, WITHIN_S)
    assert wait_until(lambda: is_ready(up.url), WITHIN_S)


def test_the_admin_token_is_shown_once_and_all_dies_with_it(up: Up, tmp_path: Path) -> None:
    first = up.said
    up.process.kill()
    up.process.wait()
    assert wait_until(lambda: not any(is_alive(pid) for pid in up.pids()), ENDS_WITHIN_S)
    with started(tmp_path) as again:
        again.comes_up()
        again.process.send_signal(signal.SIGTERM)
        status = again.process.wait(ENDS_WITHIN_S)
        said = again.said
    assert ("Admin token" in first, "Admin token" in said, status) == (True, False, 0)
    assert f"Log in with it at {up.url}/admin" in first


def test_a_busy_port_is_named_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "up", "--port", str(port)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert f"port {port} of 127.0.0.1 cannot be used" in done.stderr
    assert (done.returncode, list(tmp_path.iterdir())) == (1, [])


def test_it_can_be_told_to_stop_while_it_starts(tmp_path: Path) -> None:
    with started(tmp_path) as up:
        assert wait_until((up.data / "postgres").exists, WITHIN_S)
        up.process.send_signal(signal.SIGTERM)
        status = up.process.wait(ENDS_WITHIN_S)
        assert (status in (0, 130), "Traceback" in up.said) == (True, False)
