"""What holds for any events and any rulings whatever."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.correlation import correlate
from core.domain.outcome import shot_id
from core.domain.rulings import Action, Ruling, Worth, verdicts
from core.domain.values import Event, EventType, ShotFlag, Slot
from tests.domain.fields import LATER, micro, named, slot
from tests.domain.kept import Kept
from tests.domain.test_correlation_properties import WHERE, heard


def one_of(rng: random.Random, events: list[Event], number: int) -> Ruling:
    """A ruling on one of the shots or landings, also on what makes no shot."""
    action = rng.choice([action for action in Action if action is not Action.RESTORE])
    landings = [event for event in events if event.type is EventType.LANDED]
    landing = rng.choice(landings) if landings and rng.random() < 0.8 else None
    made = action is Action.SHOT and landing is not None
    about = landing if made else rng.choice(events)
    slots: list[Slot] = rng.sample([slot(letter) for letter in "ABCD"], 2)
    since = rng.uniform(0, 200)
    return Ruling(
        id=named(f"ruling {number}"),
        made_at=micro(rng.randint(500, 510)),
        action=action,
        shot_id=None if about is None else shot_id(about.id),
        landing=landing,
        slot=slots[0],
        other_slot=slots[1],
        worth=Worth(rng.randint(0, 10), "x", False),
        since=micro(since),
        until=micro(since + rng.uniform(0, 200)),
    )


@st.composite
def judged(draw: st.DrawFn) -> tuple[list[Event], list[Ruling]]:
    """Events, and what a judge said of them."""
    events = draw(heard())
    rng = random.Random(draw(st.integers(0, 2**32)))
    return events, [one_of(rng, events, number) for number in range(draw(st.integers(1, 8)))]


@given(judged(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_the_order_of_events_and_rulings_changes_nothing(
    case: tuple[list[Event], list[Ruling]], rng: random.Random
) -> None:
    events, rulings = case
    expected = correlate(events, WHERE, LATER, ruled=verdicts(rulings))
    mixed = events + rng.choices(events, k=len(events) // 2)
    rng.shuffle(mixed)
    rng.shuffle(rulings)
    assert correlate(mixed, WHERE, LATER, ruled=verdicts(rulings)) == expected


@given(judged())
@settings(max_examples=200, deadline=None)
def test_every_release_ends_in_one_shot_and_every_landing_in_at_most_one(
    case: tuple[list[Event], list[Ruling]],
) -> None:
    events, rulings = case
    ruled = verdicts(rulings)
    plain, found = correlate(events, WHERE, LATER), correlate(events, WHERE, LATER, ruled=ruled)
    releases = {shot.release_event_id for shot in plain.shots}
    assert {s.release_event_id for s in found.shots if s.release_event_id} == releases
    landings = Counter(s.landing_event_id for s in found.shots if s.landing_event_id)
    assert set(landings.values()) <= {1}
    assert not {stray.id for stray in found.strays} & (set(landings) | ruled.taken)
    assert len({shot.id for shot in found.shots}) == len(found.shots)


@given(judged())
@settings(max_examples=200, deadline=None)
def test_what_a_judge_said_of_a_shot_is_so(case: tuple[list[Event], list[Ruling]]) -> None:
    events, rulings = case
    ruled = verdicts(rulings)
    for shot in correlate(events, WHERE, LATER, ruled=ruled).shots:
        assert (shot.release_event_id is None or ruled.is_ruled(shot.id)) == (
            ShotFlag.RULED in shot.flags
        )
        if shot.id in ruled.voided:
            continue
        if shot.id in ruled.landings:
            landing = ruled.landings[shot.id]
            assert shot.landing_event_id == (None if landing is None else landing.id)
            assert shot.confidence == 1
        if shot.id in ruled.worths:
            assert shot.score == ruled.worths[shot.id].score
        if shot.id in ruled.places:
            assert shot.slot_id == ruled.places[shot.id].id


@given(judged())
@settings(max_examples=200, deadline=None)
def test_scores_places_and_voids_change_no_other_shot(
    case: tuple[list[Event], list[Ruling]],
) -> None:
    events, rulings = case
    alone = [r for r in rulings if r.action in (Action.SCORE, Action.MOVE, Action.VOID)]
    ruled = verdicts(alone)
    before = {shot.id: shot for shot in correlate(events, WHERE, LATER).shots}
    for shot in correlate(events, WHERE, LATER, ruled=ruled).shots:
        assert ruled.is_ruled(shot.id) or shot == before[shot.id]


@given(judged(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_batches_derived_by_their_windows_alone_end_in_what_all_at_once_gives(
    case: tuple[list[Event], list[Ruling]], rng: random.Random
) -> None:
    events, rulings = case
    ruled = verdicts(rulings)
    coming = list(events)
    rng.shuffle(coming)
    kept = Kept(WHERE, ruled)
    while coming:
        size = rng.randint(1, 5)
        new, coming = coming[:size], coming[size:]
        kept.take(new)
    at_once = correlate(events, WHERE, LATER, ruled=ruled)
    assert kept.shots == {shot.id: shot for shot in at_once.shots}
    assert kept.lessons == {lesson.shot_id: lesson for lesson in at_once.lessons}
