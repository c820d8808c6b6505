"""What holds for the strays of any events whatever."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from copy import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.correlation import correlate
from core.domain.strays import Stray, explained
from core.domain.values import Butt, Event, EventType, Rules
from tests.domain.fields import LATER, micro
from tests.domain.kept import Kept
from tests.domain.test_correlation_properties import WHERE, heard

# One with holds so short that a stray looks further back than a timeline does.
HASTY = replace(WHERE, rules=Rules(hold_max=micro(0.5), association_window=micro(0.1)))


def strays(events: Iterable[Event], where: Butt = WHERE) -> Mapping[UUID, Stray]:
    """All strays, by their landing."""
    said = list(events)
    found = explained(correlate(said, where, LATER), said, where)
    return {stray.landing.id: stray for stray in found}


@given(heard(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_order_and_repetition_change_no_stray(events: list[Event], rng: random.Random) -> None:
    mixed = events + rng.choices(events, k=len(events) // 2)
    rng.shuffle(mixed)
    assert strays(mixed) == strays(events)


@given(heard())
@settings(max_examples=200, deadline=None)
def test_every_landing_is_a_shots_or_a_strays_or_repeats_one_of_them(events: list[Event]) -> None:
    found = strays(events)
    shots = correlate(events, WHERE, LATER).shots
    taken = {shot.landing_event_id for shot in shots if shot.landing_event_id is not None}
    repeated = [report for stray in found.values() for report in stray.duplicates]
    landings = {event.id for event in events if event.type is EventType.LANDED}
    assert taken.isdisjoint(found) and set(Counter(repeated).values()) <= {1}
    assert taken.isdisjoint(repeated) and set(found).isdisjoint(repeated)
    assert taken | set(found) | set(repeated) <= landings


@pytest.mark.parametrize("where", [WHERE, HASTY], ids=["usual", "hasty"])
@given(events=heard(), rng=st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_batches_looked_at_by_their_windows_alone_end_in_what_all_at_once_gives(
    where: Butt, events: list[Event], rng: random.Random
) -> None:
    coming = list(events)
    rng.shuffle(coming)
    kept = Kept(where)
    while coming:
        size = rng.randint(1, 5)
        new, coming = coming[:size], coming[size:]
        kept.take(new)
    assert kept.strays == strays(events, where)
