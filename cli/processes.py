"""Child processes kept running: restarted when they die, and ended with us."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.embedded.process import spawn
from core.errors import QuiverError

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
# One that ran this long has recovered: its next death is the first again.
STEADY_AFTER_S = 60.0
DEATHS_AT_MOST = 10
END_WITHIN_S = 3.0


class GivenUp(QuiverError):
    """A process dies again and again; the text says which, and where its log is."""


@dataclass(slots=True)
class Child:
    """A process that ought to run.

    Args:
        name: What the operator calls it.
        command: The program and its arguments.
        environment: Its environment.
        log: Where its output goes.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started_at: float = field(default=0.0, init=False)
    due_at: float = field(default=0.0, init=False)
    deaths: int = field(default=0, init=False)

    def start(self) -> None:
        """Start it; it is told to end when we die."""
        self.process = spawn(
            self.command, self.log, dies_by=signal.SIGTERM, environment=self.environment
        )
        self.started_at = time.monotonic()

    @property
    def is_running(self) -> bool:
        """Whether it is alive now."""
        return self.process is not None and self.process.poll() is None


@dataclass(slots=True)
class Supervisor:
    """Keeps children running.

    Args:
        children: The processes, in the order of their start.
        say: Tells the operator a line.
    """

    children: Sequence[Child]
    say: Callable[[str], None]

    def start(self) -> None:
        """Start all."""
        for child in self.children:
            child.start()

    def look(self) -> None:
        """Restart who died, after a pause that doubles with each quick death.

        Raises:
            GivenUp: One died too often in a row.
        """
        now = time.monotonic()
        for child in self.children:
            if child.is_running:
                if now - child.started_at > STEADY_AFTER_S:
                    child.deaths = 0
            elif child.process is not None:
                self._mourn(child, now)
            elif now >= child.due_at:
                child.start()
                self.say(f"{child.name} started again")

    def _mourn(self, child: Child, now: float) -> None:
        assert child.process is not None
        status = child.process.returncode
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with {status}"
        child.process = None
        child.deaths += 1
        if child.deaths >= DEATHS_AT_MOST:
            raise GivenUp(f"{child.name} {how}, {child.deaths} times in a row: see {child.log}")
        pause = min(FIRST_PAUSE_S * 2.0 ** (child.deaths - 1), LONGEST_PAUSE_S)
        child.due_at = now + pause
        self.say(f"{child.name} {how}, starting it again in {pause:g} s (log: {child.log})")

    def stop(self) -> None:
        """End all at once: gently, and by force who does not go in time."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            if process.poll() is None:
                process.terminate()
        until = time.monotonic() + END_WITHIN_S
        for process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
