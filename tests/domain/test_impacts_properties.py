"""What holds for the impacts of any reports whatever: of readers that stutter, too."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.correlation import correlate
from core.domain.impacts import IMPACT_REACH, LONGEST_IMPACT, grouped
from core.domain.rulings import verdicts
from core.domain.strays import explained
from core.domain.values import Event, EventType
from tests.domain.fields import LATER, said
from tests.domain.kept import Kept
from tests.domain.test_correlation_properties import WHERE
from tests.domain.test_rulings_properties import one_of

SHAFT = 5.5


def _report(rng: random.Random, number: int, at: float) -> Event:
    arrow = rng.choice("ABC") + "1" if rng.random() < 0.2 else None
    x = rng.choice([0, 0, 4, 8])
    return said(f"l{number}", EventType.LANDED, at, letter=None, arrow=arrow, x=x, received=500)


@st.composite
def stuttered(draw: st.DrawFn) -> list[Event]:
    """Reports at a few places near to each other, most of them within an eighth of a second of the
    one before."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    at, reports = 20.0, []
    for number in range(draw(st.integers(1, 40))):
        at += rng.choice([0.03, 0.06, 0.1, 0.11, 0.12, 0.124, 0.14, 0.4, 3])
        reports.append(_report(rng, number, at))
    return reports


@st.composite
def shot_at_meanwhile(draw: st.DrawFn) -> list[Event]:
    """Such reports, and releases of three archers around them."""
    reports = draw(stuttered())
    rng = random.Random(draw(st.integers(0, 2**32)))
    releases = [
        said(f"r{n}", EventType.RELEASE, rng.uniform(18, 30), letter=rng.choice("ABC"))
        for n in range(draw(st.integers(1, 10)))
    ]
    return [*reports, *releases]


@given(stuttered(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_every_report_is_of_one_impact_whatever_the_order(
    reports: list[Event], rng: random.Random
) -> None:
    found = grouped(reports, SHAFT)
    assert sorted(each.id for group in found for each in group) == sorted(e.id for e in reports)
    rng.shuffle(reports)
    assert grouped(reports, SHAFT) == found


@given(stuttered())
@settings(max_examples=100, deadline=None)
def test_an_impact_names_one_arrow_at_most_and_is_over_within_a_fifth_of_a_second(
    reports: list[Event],
) -> None:
    for group in grouped(reports, SHAFT):
        assert len({each.arrow_id for each in group} - {None}) <= 1
        assert group[-1].at - group[0].at <= LONGEST_IMPACT


@given(stuttered(), st.integers(0, 39))
@settings(max_examples=200, deadline=None)
def test_what_lies_further_back_than_an_impact_reaches_tells_nothing_of_it(
    reports: list[Event], number: int
) -> None:
    since = reports[min(number, len(reports) - 1)].at
    read = [each for each in reports if each.at >= since - IMPACT_REACH]
    began = [group for group in grouped(reports, SHAFT) if group[0].at >= since]
    assert [group for group in grouped(read, SHAFT) if group[0].at >= since] == began


@given(shot_at_meanwhile(), st.integers(0, 4), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_batches_of_a_stuttering_reader_end_in_what_all_at_once_gives(
    events: list[Event], count: int, rng: random.Random
) -> None:
    ruled = verdicts(one_of(rng, events, number) for number in range(count))
    coming = list(events)
    rng.shuffle(coming)
    kept = Kept(WHERE, ruled)
    while coming:
        size = rng.randint(1, 5)
        new, coming = coming[:size], coming[size:]
        kept.take(new)
    at_once = correlate(events, WHERE, LATER, ruled=ruled)
    assert kept.shots == {shot.id: shot for shot in at_once.shots}
    told = explained(at_once, events, WHERE)
    assert kept.strays == {stray.landing.id: stray for stray in told}
    taken = [shot.landing_event_id for shot in at_once.shots if shot.landing_event_id is not None]
    assert len(set(taken)) == len(taken)
