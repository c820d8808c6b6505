"""What holds for any events whatever: order, repetition and batching change nothing."""

import random
from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.correlation import correlate
from core.domain.values import Butt, Event, EventType, Shot, Status
from core.domain.window import Span, cut, is_whole, reading, touched
from tests.domain.fields import LATER, butt, micro, named, slot

WHERE = butt(
    slot("A"), slot("B", "compound"), slot("C", "barebow"), distance=30, arrows=["A1", "B1", "C1"]
)
FIRST_MARGIN = micro(1)


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
def test_no_landing_is_left_over_beside_a_release_that_it_could_belong_to(
    events: list[Event],
) -> None:
    nameless = [
        replace(e, arrow_id=None) if e.type is not EventType.IDENTIFIED else e for e in events
    ]
    outcome = correlate(nameless, WHERE, LATER)
    missed = [shot for shot in outcome.shots if shot.status is Status.MISSED]
    for stray in outcome.strays:
        flights = [stray.at - shot.released_at for shot in missed]
        assert not [f for f in flights if micro(0.25) <= f <= WHERE.rules.landing_window]


def derived_by_window(known: list[Event], new: list[Event], where: Butt) -> tuple[Span, list[Shot]]:
    """As a worker derives it: no more read than the new events need."""
    spans = [touched(event.type, event.at, where.rules) for event in new]
    span = spans[0]
    for other in spans[1:]:
        span = span.joined(other)
    margin = FIRST_MARGIN
    while True:
        read = reading(span, where.rules, margin)
        events = [event for event in known if read.begin <= event.at <= read.end]
        released = sorted(e.at for e in events if e.type is EventType.RELEASE)
        whole = cut(span, released, where.rules)
        if is_whole(whole, read, where.rules):
            shots = correlate(events, where, LATER).shots
            return whole, [s for s in shots if whole.begin <= s.released_at <= whole.end]
        margin *= 4


@given(heard(), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_batches_derived_by_their_windows_alone_end_in_what_all_at_once_gives(
    events: list[Event], rng: random.Random
) -> None:
    coming = list(events)
    rng.shuffle(coming)
    stored: dict[object, Shot] = {}
    known: list[Event] = []
    while coming:
        size = rng.randint(1, 5)
        new, coming = coming[:size], coming[size:]
        known += new
        span, shots = derived_by_window(known, new, WHERE)
        inside = [i for i, s in stored.items() if span.begin <= s.released_at <= span.end]
        for gone in inside:
            del stored[gone]
        stored.update({shot.id: shot for shot in shots})
    assert stored == {shot.id: shot for shot in correlate(events, WHERE, LATER).shots}
