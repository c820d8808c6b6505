"""What is made of a tally: whether all has landed, frames by their schedule, memory over time."""

import pytest

from bench.benchmarks.soak import memory_over_time, p99_over_time
from bench.figures import spread
from bench.load.crowd import frames_s
from bench.load.tally import Sample, Tally
from bench.measure import is_all_there
from bench.usage import Usage


@pytest.mark.parametrize(
    ("events", "landed", "is_cut", "there"),
    [(6, 2, False, True), (6, 1, False, False), (5, 2, False, False), (6, 1, True, True)],
)
def test_all_is_there_when_every_shot_has_landed(
    events: int, landed: int, is_cut: bool, there: bool
) -> None:
    assert is_all_there(Tally(sent=6, backlog_cut=is_cut), events, landed) is there


@pytest.mark.parametrize(("last_at", "seconds"), [(20.0, 20.0), (23.5, 20.5), (30.0, 27.0)])
def test_frames_are_by_their_schedule_unless_the_last_came_later(
    last_at: float, seconds: float
) -> None:
    assert frames_s([3.3, 23.0], last_at) == seconds


def test_nothing_has_no_percentile() -> None:
    assert spread("live", []) == {}


def test_p99_is_of_each_stretch_of_the_soak() -> None:
    # Six seconds until the soak begins; a stretch is five.
    seen = [(6.0, 1.0), (10.9, 2.0), (11.0, 3.0), (65.9, 4.0)]
    assert p99_over_time(seen, 60) == {
        "part  1 of 12 p99 ms": 2.0,
        "part  2 of 12 p99 ms": 3.0,
        "part 12 of 12 p99 ms": 4.0,
    }


def test_memory_is_that_of_the_worst_worker() -> None:
    megabytes = [(80.0, 50.0, 50.0), (90.0, 60.0, 50.0), (95.0, 60.0, 60.0), (90.0, 60.0, 75.0)]
    names = ("api", "worker-1", "worker-2")
    samples = [
        Sample(at, {name: Usage(0.0, mb) for name, mb in zip(names, each, strict=True)})
        for at, each in enumerate(megabytes)
    ]
    found = memory_over_time(samples)
    assert found["api MB at the start"] == 80.0
    assert found["api MB in the middle"] == 95.0
    assert found["each api MB at most"] == 95.0
    assert found["each worker MB at most"] == 75.0
    assert found["each worker end / middle"] == 1.25
