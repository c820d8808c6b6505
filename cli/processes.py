"""Processes kept running: started again when they die, and ended with us."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from core.embedded.process import spawn
from core.errors import QuiverError

# What a worker ends with that an operator wants started anew.
START_AGAIN = 75
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
# One that ran this long has recovered: its next death is the first again.
STEADY_AFTER_S = 10.0
QUICK_DEATHS_AT_MOST = 6
END_WITHIN_S = 2.5


class GivenUp(QuiverError):
    """A process dies again and again; the text says which, and where its log is."""


class Kept(Protocol):
    """Something that ought to run."""

    @property
    def name(self) -> str:
        """What the operator calls it."""

    @property
    def log(self) -> Path | None:
        """Where its output goes; None: to ours."""

    @property
    def status(self) -> int | None:
        """How it ended, as `subprocess` says it; None while it runs."""

    def start_again(self) -> object:
        """Start it anew where it was, without waiting for it."""


@dataclass(slots=True)
class Child:
    """A process of ours that ought to run.

    Args:
        name: What the operator calls it.
        command: The program and its arguments.
        environment: Its environment.
        log: Where its output goes; None: to ours.
        may_stop: Whether it stays away when it ends well: somebody asked it to.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path | None
    may_stop: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def status(self) -> int | None:
        """How it ended, as `subprocess` says it; None while it runs, or when it was not started."""
        return None if self.process is None else self.process.poll()

    def start_again(self) -> None:
        """Start it. It may be killed with us at any time: nothing that was accepted is lost."""
        self.process = spawn(
            self.command, self.log, dies_by=signal.SIGKILL, environment=self.environment
        )


@dataclass(slots=True)
class Watched:
    """What is known of something that ought to run.

    Args:
        kept: What it is.
        since: When it was last started.
        due_at: When it is to be started again; None: it runs.
        deaths: How often it died soon after its start, in a row.
        may_stop: Whether it stays away when it ends well: somebody asked it to.
        is_over: Whether it was asked to stop, and is not started again.
    """

    kept: Kept
    since: float
    due_at: float | None = None
    deaths: int = 0
    may_stop: bool = False
    is_over: bool = False

    def look(self, now: float, say: Callable[[str], None]) -> None:
        """Start it again when it died, after a pause that doubles with each quick death.

        Raises:
            GivenUp: It died too often in a row.
        """
        if self.is_over:
            return
        if self.due_at is None:
            status = self.kept.status
            if status == 0 and self.may_stop:
                self.is_over = True
                say(f"{self.kept.name} was asked to stop, and is not started again")
            elif status == START_AGAIN:
                self.due_at = now
                say(f"{self.kept.name} was asked to start again")
            elif status is not None:
                self._mourn(status, now, say)
        elif now >= self.due_at:
            self.kept.start_again()
            self.since, self.due_at = now, None
            say(f"{self.kept.name} started again")

    def _mourn(self, status: int, now: float, say: Callable[[str], None]) -> None:
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended ({status})"
        where = "" if self.kept.log is None else f" (log: {self.kept.log})"
        self.deaths = 1 if now - self.since >= STEADY_AFTER_S else self.deaths + 1
        if self.deaths >= QUICK_DEATHS_AT_MOST:
            raise GivenUp(f"{self.kept.name} {how}, {self.deaths} times in a row{where}")
        pause = min(FIRST_PAUSE_S * 2.0 ** (self.deaths - 1), LONGEST_PAUSE_S)
        self.due_at = now + pause
        say(f"{self.kept.name} {how}, starting it again in {pause:g} s{where}")


@dataclass(slots=True)
class Supervisor:
    """Keeps things running.

    Args:
        children: The processes that it starts and ends, in the order of their start.
        others: What runs already and is ended by somebody else.
        say: Tells the operator a line.
    """

    children: Sequence[Child]
    others: Sequence[Kept]
    say: Callable[[str], None]
    _watched: list[Watched] = field(default_factory=list, init=False)

    def start(self) -> None:
        """Start all children."""
        for child in self.children:
            child.start_again()
        now = time.monotonic()
        others = [Watched(kept, now) for kept in self.others]
        children = [Watched(child, now, may_stop=child.may_stop) for child in self.children]
        self._watched = [*others, *children]

    def look(self) -> None:
        """Start again what died.

        Raises:
            GivenUp: Something died too often in a row.
        """
        for watched in self._watched:
            watched.look(time.monotonic(), self.say)

    def stop(self) -> None:
        """End all children at once: gently, and by force those that do not go in time."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.terminate()
        until = time.monotonic() + END_WITHIN_S
        for process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
