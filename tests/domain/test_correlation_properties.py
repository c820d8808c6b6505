"""What holds for any events whatever: order, repetition and batching change nothing."""

import random
from collections import Counter
from dataclasses import replace
from functools import reduce
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.correlation import correlate
from core.domain.learning import REMEMBERED, Lesson
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


def window_of(known: list[Event], span: Span, where: Butt) -> tuple[Span, list[Event]]:
    """As a worker reads it: no more than a span needs."""
    margin = FIRST_MARGIN
    while True:
        read = reading(span, where.rules, margin)
        events = [event for event in known if read.begin <= event.at <= read.end]
        released = sorted(e.at for e in events if e.type is EventType.RELEASE)
        whole = cut(span, released, where.rules)
        if is_whole(whole, read, where.rules):
            return whole, events
        margin *= 4


class Kept:
    """Shots and lessons as they are kept between batches."""

    def __init__(self, where: Butt) -> None:
        self.where = where
        self.known: list[Event] = []
        self.shots: dict[UUID, Shot] = {}
        self.lessons: dict[UUID, Lesson] = {}

    def take(self, new: list[Event]) -> None:
        """Derive what new events touch, and what follows from what that teaches."""
        self.known += new
        spans = [touched(event.type, event.at, self.where.rules) for event in new]
        wanted: Span | None = reduce(Span.joined, spans)
        while wanted is not None:
            wanted = self._derive(wanted)

    def _derive(self, wanted: Span) -> Span | None:
        span, events = window_of(self.known, wanted, self.where)
        before = [e for e in self.lessons.values() if e.released_at < span.begin]
        latest = sorted(before, key=lambda lesson: lesson.order)[-REMEMBERED:]
        found = correlate(events, self.where, LATER, span=span, lessons=latest)
        inside = {e for e in self.lessons.values() if span.begin <= e.released_at <= span.end}
        for shot in [s for s in self.shots.values() if span.begin <= s.released_at <= span.end]:
            del self.shots[shot.id]
            self.lessons.pop(shot.id, None)
        self.shots |= {shot.id: shot for shot in found.shots}
        self.lessons |= {lesson.shot_id: lesson for lesson in found.lessons}
        last = max((shot.released_at for shot in self.shots.values()), default=span.end)
        has_taught = inside != set(found.lessons)
        return Span(span.begin, last) if has_taught and last > span.end else None


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
