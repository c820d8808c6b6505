"""No arrow is taken for another's repeated report without a judge being told."""

from copy import replace

import pytest

from core.domain.correlation import Correlation, correlate
from core.domain.outcome import shot_id
from core.domain.rulings import Verdicts
from core.domain.scoring import Face
from core.domain.values import Butt, Event, Shot, ShotFlag, Status
from tests.domain.fields import LATER, butt, derived, landed, named, release, slot, watch

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


def merged(*further: Event) -> list[Event]:
    """B's arrow lands, and A's 60 ms later and 2 mm beside."""
    hits = [landed(600 + OF_B), landed(601.36, 2)]
    return [*acquainted(), release(600, "B"), release(601.36 - OF_A), *hits, *further]


def test_a_release_whose_landing_may_have_been_taken_for_a_repeated_report_is_no_certain_miss() -> (
    None
):
    shot = shot_of(derived(merged(), WHERE), release(601.36 - OF_A))
    assert (shot.status, shot.label) == (Status.MISSED, "M")
    assert ShotFlag.DUPLICATE_SUSPECT in shot.flags


def test_so_is_one_that_is_unresolved() -> None:
    blind = replace(WHERE, watches=(watch(),))
    shot = shot_of(derived(merged(), blind), release(601.36 - OF_A))
    assert shot.status is Status.UNRESOLVED
    assert ShotFlag.DUPLICATE_SUSPECT in shot.flags


def test_while_it_is_in_flight_nothing_is_said_of_it() -> None:
    shot = shot_of(derived(merged(), WHERE, as_of=602), release(601.36 - OF_A))
    assert shot.status is Status.IN_FLIGHT
    assert ShotFlag.DUPLICATE_SUSPECT not in shot.flags


def test_a_miss_that_does_not_fit_the_repeated_report_is_certain() -> None:
    mine = release(599.5)
    shot = shot_of(derived([*merged(), mine], WHERE), mine)
    assert (shot.status, shot.confidence) == (Status.MISSED, 1.0)
    assert ShotFlag.DUPLICATE_SUSPECT not in shot.flags


def test_a_miss_beside_an_arrow_that_was_reported_once_is_certain() -> None:
    mine = release(601.36 - OF_A)
    events = [*acquainted(), release(600, "B"), mine, landed(600 + OF_B, arrow="B1")]
    assert not has_been_told(shot_of(derived(events, WHERE), mine))


def test_a_repeated_report_that_names_another_arrow_raises_no_doubt() -> None:
    mine = release(601.36 - OF_A)
    hits = [landed(600 + OF_B, arrow="B1"), landed(601.36, 2, arrow="B1")]
    events = [*acquainted(), release(600, "B"), mine, *hits]
    assert not has_been_told(shot_of(derived(events, WHERE), mine))


def test_nor_does_one_of_which_a_judge_said_whose_it_is() -> None:
    mine, other = release(601.36 - OF_A), landed(601.36, 2)
    given = Verdicts(landings={shot_id(release(600, "B").id): landed(600 + OF_B)})
    one = correlate(merged(), WHERE, LATER, ruled=given)
    assert ShotFlag.DUPLICATE_SUSPECT in shot_of(one, mine).flags
    both = replace(given, made={other.id: WHERE.slots[named("slot B")]})
    two = correlate(merged(), WHERE, LATER, ruled=both)
    assert ShotFlag.DUPLICATE_SUSPECT not in shot_of(two, mine).flags


def test_that_a_judge_said_it_missed_answers_the_doubt() -> None:
    mine = release(601.36 - OF_A)
    ruled = Verdicts(landings={shot_id(mine.id): None})
    found = correlate(merged(), WHERE, LATER, ruled=ruled)
    assert ShotFlag.DUPLICATE_SUSPECT not in shot_of(found, mine).flags


def doubted_at(where: Butt) -> set[int]:
    """The flight times, in hundredths, of a miss of A that may have been taken for B's report."""
    found = set()
    for flight in range(60, 140):
        mine = release(601.36 - flight / 100)
        hits = [landed(600 + OF_B, 500, arrow="B1"), landed(601.36, 502)]
        events = [*acquainted(), release(600, "B"), mine, *hits]
        if has_been_told(shot_of(derived(events, where), mine)):
            found.add(flight)
    return found


def test_a_hit_on_anothers_face_raises_less_of_a_doubt() -> None:
    faces = [
        Face(named("of A"), "wa_80_6ring", -500, 0, "A"),
        Face(named("of B"), "wa_80_6ring", 500, 0, "B"),
    ]
    on_anothers = doubted_at(replace(WHERE, faces=tuple(faces)))
    assert 92 in on_anothers
    assert on_anothers < doubted_at(WHERE)
