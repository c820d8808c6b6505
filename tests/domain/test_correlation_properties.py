"""What holds for any events whatever: order, repetition and batching change nothing."""

import random
from collections import Counter
from copy import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.correlation import correlate
from core.domain.values import Event, EventType, Status
from tests.domain.fields import LATER, butt, micro, named, slot
from tests.domain.kept import Kept

WHERE = butt(
    slot("A"), slot("B", "compound"), slot("C", "barebow"), distance=30, arrows=["A1", "B1", "C1"]
)


@st.composite
def heard(draw: st.DrawFn) -> list[Event]:
    """Events of three archers within some minutes, as disorderly as readers can be."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    length = draw(st.sampled_from([2, 20, 400]))
    events: list[Event] = []
    for number in range(draw(st.integers(1, 40))):
        kind = rng.choice(list(EventType))
        letter = None if kind is EventType.LANDED else rng.choice("ABC")
        named_arrow = rng.random() < 0.3 or kind is EventType.IDENTIFIED
        events.append(
            Event(
                id=named(f"event {number}"),
                type=kind,
                at=micro(10 + rng.random() * length),
                received_at=micro(500),
                slot_id=None if letter is None else named(f"slot {letter}"),
                arrow_id=named(f"arrow {rng.choice('ABC')}1") if named_arrow else None,
                x=rng.uniform(-700, 700),
                y=rng.uniform(-700, 700),
            )
        )
    return events


@given(heard(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_order_and_repetition_change_nothing(events: list[Event], rng: random.Random) -> None:
    mixed = events + rng.choices(events, k=len(events) // 2)
    rng.shuffle(mixed)
    assert correlate(mixed, WHERE, LATER) == correlate(events, WHERE, LATER)


@given(heard())
@settings(max_examples=200, deadline=None)
def test_every_release_ends_in_one_shot_and_every_landing_in_at_most_one(
    events: list[Event],
) -> None:
    outcome = correlate(events, WHERE, LATER)
    releases = {event.id for event in events if event.type is EventType.RELEASE}
    landings = Counter(s.landing_event_id for s in outcome.shots if s.landing_event_id is not None)
    of_release = Counter(shot.release_event_id for shot in outcome.shots)
    assert set(of_release) <= releases
    assert set(of_release.values()) <= {1}
    assert set(landings.values()) <= {1}
    assert not {stray.id for stray in outcome.strays} & set(landings)


@given(heard())
@settings(max_examples=200, deadline=None)
def test_a_miss_beside_a_landing_that_it_could_have_is_never_called_certain(
    events: list[Event],
) -> None:
    nameless = [
        replace(e, arrow_id=None) if e.type is not EventType.IDENTIFIED else e for e in events
    ]
    outcome = correlate(nameless, WHERE, LATER)
    known = {lesson.slot_id for lesson in outcome.lessons if lesson.flight is not None}
    for shot in outcome.shots:
        flights = [stray.at - shot.released_at for stray in outcome.strays]
        could = [f for f in flights if micro(0.25) <= f <= WHERE.rules.landing_window]
        if shot.status is Status.MISSED and could and shot.slot_id not in known:
            assert shot.confidence < 1


@given(heard(), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_batches_derived_by_their_windows_alone_end_in_what_all_at_once_gives(
    events: list[Event], rng: random.Random
) -> None:
    coming = list(events)
    rng.shuffle(coming)
    kept = Kept(WHERE)
    while coming:
        size = rng.randint(1, 5)
        new, coming = coming[:size], coming[size:]
        kept.take(new)
    at_once = correlate(events, WHERE, LATER)
    assert kept.shots == {shot.id: shot for shot in at_once.shots}
    assert kept.lessons == {lesson.shot_id: lesson for lesson in at_once.lessons}


def test_a_burst_of_hundreds_at_one_butt_counts_nothing_twice() -> None:
    rng = random.Random(4)
    events = []
    for number in range(200):
        at, letter = 10 + rng.random(), rng.choice("ABC")
        events.append(_at(f"r{number}", EventType.RELEASE, at, letter))
        events.append(_at(f"l{number}", EventType.LANDED, at + rng.gauss(0.5, 0.05), None, rng))
    where = replace(WHERE, rules=replace(WHERE.rules, debounce=0))
    outcome = correlate(events, where, LATER)
    taken = [s.landing_event_id for s in outcome.shots if s.landing_event_id is not None]
    assert len(outcome.shots) == 200
    assert len(set(taken)) == len(taken) > 180
    assert len(taken) + len(outcome.strays) <= 200


def _at(
    name: str, kind: EventType, at: float, letter: str | None, rng: random.Random | None = None
) -> Event:
    return Event(
        id=named(name),
        type=kind,
        at=micro(at),
        received_at=micro(500),
        slot_id=None if letter is None else named(f"slot {letter}"),
        x=rng.uniform(-700, 700) if rng else 0.0,
        y=rng.uniform(-700, 700) if rng else 0.0,
    )
