"""The load is shooting as archers shoot."""

import random
from itertools import pairwise

import pytest

from bench.load.job import Butt, Field
from bench.load.shooting import LEAST_SPACING_S, Event, Shooting

FIELD = Field("session", [Butt(f"butt {b}", [f"bow {b}{a}" for a in "ABCD"]) for b in range(10)])


def shooting() -> Shooting:
    """Everybody, with the same luck each time."""
    return Shooting(FIELD, random.Random(1))


def releases(events: list[Event], bow: str) -> list[float]:
    """When an archer's arrows left."""
    return [e.at for e in events if e.reader_id == bow and e.type == "arrow_release"]


@pytest.mark.parametrize(
    "events",
    [list(shooting().pace(8.5, 0, 60)), list(shooting().fastest(200, -60))],
    ids=["live", "backlog"],
)
def test_nobody_shoots_faster_than_archers_do(events: list[Event]) -> None:
    gaps = [
        later - earlier
        for butt in FIELD.butts
        for bow in butt.bow_readers
        for earlier, later in pairwise(releases(events, bow))
    ]
    assert min(gaps) >= LEAST_SPACING_S


def test_a_butt_has_one_arrow_in_the_air_at_a_time() -> None:
    said = [e for e in shooting().pace(8.5, 0, 60) if e.butt == 3 and e.type != "arrow_engage"]
    kinds = [event.type for event in sorted(said, key=lambda event: event.at)]
    assert kinds == ["arrow_release", "arrow_landed"] * (len(kinds) // 2)


def test_a_pace_that_archers_cannot_keep_is_refused() -> None:
    with pytest.raises(ValueError, match="40 archers cannot shoot 100 events/s"):
        list(shooting().pace(100, 0, 10))
