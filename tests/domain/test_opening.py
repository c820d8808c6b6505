"""What is kept of how a butt's opening was decided saves time, and changes nothing."""

import random
from collections.abc import Callable
from copy import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.correlation import Correlation, correlate
from core.domain.opening import Draft
from core.domain.rulings import NO_VERDICTS, Verdicts, verdicts
from core.domain.values import Butt, Event, Rules, Status
from tests.domain.fields import (
    ATTENTIVE,
    LATER,
    butt,
    engage,
    landed,
    micro,
    named,
    release,
    slot,
    watch,
)
from tests.domain.test_correlation_properties import WHERE, heard
from tests.domain.test_rulings_properties import one_of

ARCHERS = "ABC"
AT_IT = butt(slot("A"), slot("B", "compound"), slot("C"), arrows=["A1", "B1"])
STYLES = ("recurve", "compound", "barebow")


def _arrow(rng: random.Random, number: int) -> list[Event]:
    """One arrow, as readers may tell of it: twice, in part, beside a stray, or not at all."""
    letter = ARCHERS[number % len(ARCHERS)]
    at = 10 + 4 * number + rng.uniform(0, 1)
    arrow = rng.choice([None, None, None, f"{letter}1", f"{rng.choice(ARCHERS)}1"])
    flown = rng.choice([0.34, 0.34, 0.36, 0.4, 0.6]) + rng.gauss(0, 0.01)
    x, y = rng.gauss(0, 80), rng.gauss(0, 80)
    told = [
        engage(at - 2, letter, arrow),
        release(at, letter),
        landed(at + flown, x, y, arrow if rng.random() < 0.3 else None),
    ]
    told = [event for event in told if rng.random() < 0.93]
    if rng.random() < 0.1:
        told.append(landed(at + rng.uniform(0, 4), rng.gauss(0, 300), 0))
    if rng.random() < 0.1:
        told.append(landed(at + flown + rng.uniform(0.01, 0.2), x + rng.gauss(0, 4), y))
    if rng.random() < 0.05:
        told.append(release(at + rng.uniform(0.1, 1.9), letter))
    return told


@st.composite
def shot_in_turn(draw: st.DrawFn) -> list[Event]:
    """Some ends of three archers in about the order in which it happened."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    arrows = draw(st.integers(1, 36))
    events = [event for number in range(arrows) for event in _arrow(rng, number)]
    slips = draw(st.sampled_from([0.0, 0.0, 5.0, 60.0]))
    return sorted(events, key=lambda event: event.at + micro(rng.uniform(0, slips)))


def _other(where: Butt, rng: random.Random) -> Butt:
    """The butt, after somebody entered something else."""
    letter = rng.choice(ARCHERS)
    place = slot(letter, rng.choice(STYLES))
    change: Callable[[], Butt] = rng.choice(
        [
            lambda: replace(where, slots=dict(where.slots) | {place.id: place}),
            lambda: replace(where, faces=() if where.faces else AT_IT.faces),
            lambda: replace(where, distance_m=rng.choice([18.0, 30.0])),
            lambda: replace(where, watches=() if where.watches else (ATTENTIVE,)),
            lambda: replace(where, rules=Rules(landing_window=rng.choice([1, 3]) * 1_000_000)),
            lambda: replace(
                where,
                arrow_owners={
                    named(f"arrow {owned}1"): named(f"archer {rng.choice(ARCHERS)}")
                    for owned in rng.sample(ARCHERS, rng.randint(0, 3))
                },
            ),
        ]
    )
    return change()


def _followed(events: list[Event], where: Butt, rng: random.Random, ruled: Verdicts) -> None:
    """Derive after each few events with a draft, as without one."""
    draft, known = Draft(), list[Event]()
    coming = list(events)
    while coming:
        size = rng.choice([1, 1, 1, 2, 5])
        known, coming = known + coming[:size], coming[size:]
        if rng.random() < 0.1:
            where = _other(where, rng)
        latest = max(event.at for event in known)
        as_of = rng.choice([latest, latest + micro(1), latest + micro(4), LATER])
        verdict = rng.choice([ruled, ruled, NO_VERDICTS])
        anew = correlate(known, where, as_of, ruled=verdict)
        assert correlate(known, where, as_of, ruled=verdict, draft=draft) == anew


@given(shot_in_turn(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_a_draft_changes_nothing_of_shooting_that_is_told_in_turn(
    events: list[Event], rng: random.Random
) -> None:
    _followed(events, AT_IT, rng, NO_VERDICTS)


@given(heard(), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_a_draft_changes_nothing_of_whatever_comes_and_is_ruled(
    events: list[Event], rng: random.Random
) -> None:
    rulings = [one_of(rng, events, number) for number in range(rng.randint(0, 6))]
    rng.shuffle(events)
    _followed(events, WHERE, rng, verdicts(rulings))


def _told(count: int) -> list[Event]:
    return [
        event
        for number in range(count)
        for event in (
            release(10 + 4 * number, ARCHERS[number % 3]),
            landed(10.34 + 4 * number, x=number),
        )
    ]


@pytest.mark.parametrize("new", [_told(9)[-2:-1], _told(9)[-2:]], ids=["release", "landing"])
def test_what_is_as_it_was_is_not_made_again(new: list[Event]) -> None:
    draft, as_of = Draft(), micro(10.5 + 4 * 8)
    before = correlate(_told(8), AT_IT, as_of, draft=draft)
    after = correlate([*_told(8), *new], AT_IT, as_of, draft=draft)
    assert len(after.shots) == 9
    assert all(one is other for one, other in zip(before.shots, after.shots, strict=False))


def test_a_shot_without_a_landing_is_looked_at_again_when_time_passes() -> None:
    draft = Draft()
    events = [*_told(3), release(30, "A")]
    silent = replace(AT_IT, watches=(watch(heard=31),))

    def last(where: Butt, seconds: float) -> Status:
        found: Correlation = correlate(events, where, micro(seconds), draft=draft)
        return found.shots[-1].status

    assert last(silent, 31) is Status.IN_FLIGHT
    assert last(silent, 34) is Status.MISSED
    assert last(silent, 90) is Status.UNRESOLVED
    assert last(AT_IT, 90) is Status.MISSED
