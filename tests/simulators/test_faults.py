"""What goes wrong on the way."""

import random

from simulators.faults import (
    Sending,
    afflicted,
    clock_drift,
    clock_offset,
    delay,
    drop,
    duplicate,
    reorder,
)
from simulators.wire import WireEvent

EVENTS = [WireEvent(f"event {n}", f"reader {n % 3}", "arrow_engage", float(n)) for n in range(1000)]


def rng() -> random.Random:
    """The same chance each time."""
    return random.Random(1)


def test_without_faults_events_leave_as_they_happen() -> None:
    assert afflicted(EVENTS, [], rng()) == [Sending(event.at, event) for event in EVENTS]


def test_dropped_events_never_leave() -> None:
    assert 850 < len(afflicted(EVENTS, [drop(0.1)], rng())) < 950


def test_duplicated_events_leave_twice_and_are_the_same() -> None:
    sent = afflicted(EVENTS, [duplicate(0.1)], rng())
    assert 1050 < len(sent) < 1150
    assert {sending.event for sending in sent} == set(EVENTS)


def test_delayed_events_leave_later_and_say_when_they_happened() -> None:
    sent = afflicted(EVENTS, [delay(0.1, 30)], rng())
    late = [s.at - s.event.at for s in sent if s.at > s.event.at]
    assert 50 < len(late) < 150
    assert max(late) <= 30


def test_reordered_events_leave_in_another_order() -> None:
    sent = afflicted(EVENTS, [reorder()], rng())
    assert [s.event for s in sent] != EVENTS
    assert sorted(s.event.at for s in sent) == [event.at for event in EVENTS]


def test_a_readers_clock_is_always_ahead_by_the_same() -> None:
    sent = afflicted(EVENTS, [clock_offset(2)], rng())
    ahead = {(s.event.reader_id, s.event.clock_ahead_s) for s in sent}
    assert len(ahead) == 3
    assert all(abs(seconds) <= 2 for _, seconds in ahead)


def test_a_readers_clock_drifts_away_from_its_offset() -> None:
    sent = afflicted(EVENTS, [clock_offset(2), clock_drift(100)], rng())
    offsets = {
        s.event.reader_id: s.event.clock_ahead_s
        for s in afflicted(EVENTS, [clock_offset(2)], rng())
    }
    paces: dict[str, set[float]] = {}
    for s in sent[3:]:
        gained = s.event.clock_ahead_s - offsets[s.event.reader_id]
        paces.setdefault(s.event.reader_id, set()).add(round(gained / s.event.at * 1e6, 3))
    assert [len(found) for found in paces.values()] == [1, 1, 1]
    assert all(0 < abs(ppm) <= 100 for found in paces.values() for ppm in found)


def test_faults_are_the_same_for_the_same_seed() -> None:
    faults = [drop(0.1), duplicate(0.1), delay(0.1, 30), reorder()]
    assert afflicted(EVENTS, faults, rng()) == afflicted(EVENTS, faults, rng())
