"""The supervisor: what died is started again, ever later, and not for ever."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.processes import Child, GivenUp, Supervisor, Watched
from core.embedded.process import is_alive, wait_until

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
PATIENT = "import time; time.sleep(600)"


class Scripted:
    """Something that ends, each time that it is started, as it was told to."""

    def __init__(self, *statuses: int | None) -> None:
        self.name = "it"
        self.log: Path | None = None
        self.started = 0
        self._statuses = list(statuses)

    @property
    def status(self) -> int | None:
        """What it does now."""
        return self._statuses[self.started]

    def start_again(self) -> None:
        """Go on to the next status."""
        self.started += 1


def told(watched: Watched, *moments: float) -> list[str]:
    """What the operator is told when it is looked at in these moments."""
    said: list[str] = []
    for moment in moments:
        watched.look(moment, said.append)
    return said


def test_what_died_is_started_again_after_a_pause() -> None:
    it = Scripted(1, None)
    said = told(Watched(it, since=0.0), 1.0, 1.4, 1.5, 1.6)
    assert (said, it.started) == (
        ["it ended (1), starting it again in 0.5 s", "it started again"],
        1,
    )


def test_the_pause_doubles_with_each_quick_death() -> None:
    it = Scripted(-9, -9, -9, None)
    said = told(Watched(it, since=0.0), 1, 2, 3, 5, 6, 9)
    assert [line for line in said if "killed" in line] == [
        f"it was killed by SIGKILL, starting it again in {pause} s" for pause in ("0.5", "1", "2")
    ]


def test_who_ran_for_a_while_starts_anew_without_a_grudge() -> None:
    it = Scripted(1, 1, None)
    said = told(Watched(it, since=0.0), 1, 2, 20)
    assert said[-1] == "it ended (1), starting it again in 0.5 s"


def test_who_dies_at_once_again_and_again_is_given_up() -> None:
    watched = Watched(Scripted(*[3] * 10), since=0.0)
    with pytest.raises(GivenUp, match=r"it ended \(3\), 6 times in a row"):
        told(watched, *range(100))


def test_a_worker_that_was_asked_to_stop_stays_away() -> None:
    it = Scripted(0, None)
    said = told(Watched(it, since=0.0, may_stop=True), 1, 2, 60)
    assert (said, it.started) == (["it was asked to stop, and is not started again"], 0)


def test_one_that_may_not_stop_is_started_again_however_it_ended() -> None:
    it = Scripted(0, None)
    told(Watched(it, since=0.0), 1, 2)
    assert it.started == 1


def test_one_that_was_asked_to_start_again_does_so_at_once_however_often() -> None:
    it = Scripted(*[75] * 20, None)
    watched = Watched(it, since=0.0, may_stop=True)
    told(watched, *range(40))
    assert it.started == 20


@pytest.fixture(name="supervisor")
def running_supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """Two processes, one of which does not want to go."""
    children = [
        Child(name, [sys.executable, "-c", program], os.environ, tmp_path / name)
        for name, program in (("patient", PATIENT), ("stubborn", STUBBORN))
    ]
    supervisor = Supervisor(children, [], lambda _: None)
    supervisor.start()
    yield supervisor
    supervisor.stop()


def test_who_does_not_go_is_ended_by_force(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.processes.END_WITHIN_S", 0.1)
    pids = [child.process.pid for child in supervisor.children if child.process is not None]
    supervisor.stop()
    assert [is_alive(pid) for pid in pids] == [False, False]


def test_a_child_that_was_killed_is_seen_to_have_ended(supervisor: Supervisor) -> None:
    child = supervisor.children[0]
    assert child.process is not None
    child.process.send_signal(signal.SIGKILL)
    assert wait_until(lambda: child.status == -signal.SIGKILL, 5)
