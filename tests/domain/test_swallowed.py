"""No arrow is taken for another's repeated report without a judge being told."""

import pytest

from core.domain.correlation import Correlation
from core.domain.values import Event, Shot, ShotFlag, Status
from tests.domain.fields import butt, derived, landed, named, release, slot

WHERE = butt(slot("A", "compound"), slot("B"), distance=70, arrows=["A1", "B1"])
# How long their arrows fly.
OF_A, OF_B = 0.92, 1.3


def acquainted() -> list[Event]:
    """Ten shots of each, so that their flight times are known."""
    events = []
    for number in range(10):
        at = 10 + 40 * number
        events += [release(at), landed(at + OF_A, 100, 50 + 20 * number)]
        events += [release(at + 20, "B"), landed(at + 20 + OF_B, -100, 50 + 20 * number)]
    return events


def shot_of(found: Correlation, event: Event) -> Shot:
    """The shot of a release."""
    (shot,) = (shot for shot in found.shots if shot.release_event_id == event.id)
    return shot


def has_been_told(shot: Shot) -> bool:
    """Whether a judge is told of it."""
    told = {ShotFlag.AMBIGUOUS, ShotFlag.DUPLICATE_SUSPECT}
    return not told.isdisjoint(shot.flags)


@pytest.mark.parametrize("every", [0.1, 0.11, 0.03])
def test_an_arrow_is_found_among_what_a_stuttering_reader_says(every: float) -> None:
    stutter = [landed(600 + OF_B + n * every) for n in range(30)]
    late = stutter[-1].at / 1_000_000 - 0.05
    mine = release(late - OF_A)
    events = [*acquainted(), release(600, "B"), *stutter, mine, landed(late, 2)]
    shot = shot_of(derived(events, WHERE), mine)
    assert (shot.status, shot.label) == (Status.LANDED, "X")
    assert has_been_told(shot)


def test_an_arrow_whose_tag_was_read_is_found_behind_a_repeated_report_without_one() -> None:
    mine, theirs = release(600.54), release(600, "B")
    hits = [landed(601.3, arrow="B1"), landed(601.4, 0.5), landed(601.46, 2, arrow="A1")]
    found = derived([*acquainted(), mine, theirs, *hits], WHERE)
    assert shot_of(found, mine).landing_event_id == named("l601.46")
    assert shot_of(found, theirs).landing_event_id == named("l601.3")
