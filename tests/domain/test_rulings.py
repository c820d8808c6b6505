"""What a judge says stands, whatever the sensors say."""

from collections.abc import Iterable
from copy import replace
from uuid import UUID

import pytest

from core.domain.correlation import correlate
from core.domain.outcome import shot_id
from core.domain.rulings import MISS, Action, Ruling, Verdicts, Worth, verdicts, worth_of
from core.domain.scoring import Face
from core.domain.values import Butt, Event, Shot, ShotFlag, Slot, Status
from tests.domain.fields import LATER, butt, derived, landed, micro, named, release, slot

WHERE = butt(slot("A"), slot("B"))
NINE = Worth(9, "9", False)


def of(event: Event) -> UUID:
    """The shot of a release, or the one that is made of a landing."""
    return shot_id(event.id)


def ruling(
    action: Action,
    at: float,
    shot: UUID | None = None,
    *,
    landing: Event | None = None,
    place: Slot | None = None,
    worth: Worth | None = None,
) -> Ruling:
    """What a judge said `at` seconds."""
    ruling_id = named(f"ruling {action} {at} {shot}")
    return Ruling(ruling_id, micro(at), action, shot, landing, place, worth=worth)


def scored(event: Event, worth: Worth, at: float = 1) -> Ruling:
    """A score."""
    return ruling(Action.SCORE, at, of(event), worth=worth)


def given(event: Event, landing: Event | None, at: float = 1) -> Ruling:
    """A landing is a release's."""
    return ruling(Action.ASSIGN_LANDING, at, of(event), landing=landing)


def moved(event: Event, letter: str, at: float = 1) -> Ruling:
    """A shot is an archer's."""
    return ruling(Action.MOVE, at, of(event), place=slot(letter))


def swapped(since: float, until: float, at: float = 1, pair: str = "AB") -> Ruling:
    """Two archers' shots are each other's."""
    swap = ruling(Action.SWAP, at, place=slot(pair[0]))
    return replace(swap, other_slot=slot(pair[1]), since=micro(since), until=micro(until))


def shots(
    events: Iterable[Event], *rulings: Ruling, where: Butt = WHERE, as_of: int = LATER
) -> dict[UUID, Shot]:
    """The shots by id."""
    found = correlate(events, where, as_of, ruled=verdicts(rulings))
    return {shot.id: shot for shot in found.shots}


def letter_of(shot: Shot) -> str:
    """Whose it is."""
    return next(letter for letter in "ABC" if named(f"slot {letter}") == shot.slot_id)


HIT, HIT_AT = release(10), landed(10.4, x=3)
MISSED = release(30)


def test_a_ruled_score_stands_instead_of_the_measured_one() -> None:
    shot = shots([HIT, HIT_AT], scored(HIT, NINE))[of(HIT)]
    assert (shot.score, shot.label, shot.is_x) == (9, "9", False)
    assert (shot.status, shot.landing_event_id, shot.x) == (Status.LANDED, HIT_AT.id, 3)
    assert ShotFlag.RULED in shot.flags


def test_a_shot_without_a_landing_that_is_given_a_score_counts_as_landed() -> None:
    shot = shots([MISSED], scored(MISSED, NINE))[of(MISSED)]
    told = (shot.status, shot.score, shot.landing_event_id, shot.x, shot.is_settled)
    assert told == (Status.LANDED, 9, None, None, True)


def test_a_ruled_miss_of_an_unresolved_shot_is_a_miss() -> None:
    shot = shots([MISSED], scored(MISSED, MISS), where=replace(WHERE, watches=()))[of(MISSED)]
    assert (shot.status, shot.score, shot.label) == (Status.MISSED, 0, "M")


def test_a_landing_that_comes_later_changes_no_ruled_score() -> None:
    late = landed(30.4, received=300)
    shot = shots([MISSED, late], scored(MISSED, NINE))[of(MISSED)]
    assert (shot.score, shot.landing_event_id) == (9, late.id)


def test_of_two_rulings_of_a_kind_the_later_one_stands() -> None:
    earlier, later = scored(HIT, Worth(8, "8", False), at=1), scored(HIT, NINE, at=2)
    for rulings in ([earlier, later], [later, earlier]):
        assert shots([HIT, HIT_AT], *rulings)[of(HIT)].score == 9


def test_a_voided_shot_counts_nowhere_whatever_else_was_ruled() -> None:
    void = ruling(Action.VOID, 1, of(HIT))
    shot = shots([HIT, HIT_AT], void, scored(HIT, NINE, at=2))[of(HIT)]
    assert (shot.status, shot.score, shot.landing_event_id) == (Status.VOIDED, None, None)
    assert shot.flags == (ShotFlag.RULED,)


def test_the_landing_of_a_voided_shot_is_not_somebody_elses() -> None:
    other = release(10.1, "B")
    void = ruling(Action.VOID, 1, of(HIT))
    before = shots([HIT, HIT_AT, other])[of(other)]
    assert shots([HIT, HIT_AT, other], void)[of(other)] == before
    assert not derived([HIT, HIT_AT], WHERE).strays
    assert not correlate([HIT, HIT_AT], WHERE, LATER, ruled=verdicts([void])).strays


def test_a_landing_goes_to_the_release_that_it_is_given_to_and_its_own_is_assigned_anew() -> None:
    other, second = release(10.1, "B"), landed(10.5, x=100)
    events = [HIT, HIT_AT, other, second]
    before = shots(events)
    assert before[of(HIT)].landing_event_id == HIT_AT.id
    after = shots(events, given(other, HIT_AT))
    assert after[of(other)].landing_event_id == HIT_AT.id
    assert after[of(HIT)].landing_event_id == second.id
    assert (after[of(other)].confidence, after[of(other)].score) == (1.0, 10)
    assert (ShotFlag.RULED in after[of(other)].flags, ShotFlag.RULED in after[of(HIT)].flags) == (
        True,
        False,
    )


def test_a_landing_far_outside_the_window_can_be_given() -> None:
    far = landed(200, x=5)
    found = correlate([MISSED, far], WHERE, LATER, ruled=verdicts([given(MISSED, far)]))
    (shot,) = found.shots
    assert (shot.landed_at, shot.x, shot.status) == (micro(200), 5, Status.LANDED)
    assert not found.strays


def test_a_release_can_be_told_to_have_no_landing() -> None:
    found = correlate([HIT, HIT_AT], WHERE, LATER, ruled=verdicts([given(HIT, None)]))
    (shot,) = found.shots
    assert (shot.status, shot.score, shot.label, shot.x) == (Status.MISSED, 0, "M", None)
    assert found.strays == (HIT_AT,)


def test_a_shot_that_is_told_to_have_no_landing_is_a_miss_though_nobody_watched() -> None:
    where = replace(WHERE, watches=())
    shot = shots([HIT], given(HIT, None), where=where)[of(HIT)]
    assert (shot.status, shot.is_settled) == (Status.MISSED, True)
    assert ShotFlag.READER_OFFLINE not in shot.flags


def test_all_reports_of_an_impact_go_with_the_one_that_is_given() -> None:
    again = landed(10.45, x=3.5)
    other = release(10.1, "B")
    events = [HIT, HIT_AT, again, other]
    found = correlate(events, WHERE, LATER, ruled=verdicts([given(other, again)]))
    assert not found.strays
    by_id = {shot.id: shot for shot in found.shots}
    assert (by_id[of(other)].x, by_id[of(HIT)].status) == (3.5, Status.MISSED)


def test_two_reports_of_an_impact_can_be_given_to_two_shots() -> None:
    again, other = landed(10.45, x=3.5), release(10.1, "B")
    rulings = [given(other, again), given(HIT, HIT_AT)]
    found = shots([HIT, HIT_AT, again, other], *rulings)
    assert (found[of(HIT)].x, found[of(other)].x) == (3, 3.5)


def test_of_two_shots_that_are_given_a_landing_the_later_one_has_it() -> None:
    other = release(10.1, "B")
    rulings = [given(HIT, HIT_AT, at=1), given(other, HIT_AT, at=2)]
    found = shots([HIT, HIT_AT, other], *rulings)
    assert found[of(other)].landing_event_id == HIT_AT.id
    assert found[of(HIT)].landing_event_id is None
    assert ShotFlag.RULED not in found[of(HIT)].flags


def test_what_a_later_ruling_pushed_aside_stands_again_without_it() -> None:
    far = landed(200)
    earlier, later = given(MISSED, far, at=1), given(MISSED, None, at=2)
    events = [MISSED, far]
    assert shots(events, earlier, later)[of(MISSED)].status is Status.MISSED
    assert shots(events, earlier)[of(MISSED)].landing_event_id == far.id


def test_a_moved_shot_is_valued_for_its_new_archer() -> None:
    mine = Face(named("face A"), "wa_40_full", -200, 0, "A")
    theirs = Face(named("face B"), "wa_40_full", 200, 0, "B")
    where = butt(slot("A"), slot("B"), faces=[mine, theirs])
    hit = landed(10.4, x=200)
    before, after = (
        shots([HIT, hit], *rulings, where=where)[of(HIT)] for rulings in ([], [moved(HIT, "B")])
    )
    assert (before.score, ShotFlag.WRONG_FACE in before.flags) == (0, True)
    assert (after.score, ShotFlag.WRONG_FACE in after.flags, letter_of(after)) == (10, False, "B")
    assert after.archer_id == named("archer B")


def test_a_thicker_shaft_counts_when_a_shot_is_moved() -> None:
    where = butt(slot("A", shaft=4), slot("B", shaft=9.3))
    hit = landed(10.4, x=64)
    found = [
        shots([HIT, hit], *rulings, where=where)[of(HIT)].score
        for rulings in ([], [ruling(Action.MOVE, 1, of(HIT), place=slot("B", shaft=9.3))])
    ]
    assert found == [9, 10]


def test_a_shot_can_be_moved_to_a_place_at_another_butt() -> None:
    shot = shots([HIT, HIT_AT], moved(HIT, "C"))[of(HIT)]
    assert (letter_of(shot), shot.score) == ("C", 10)


def test_the_timeline_stays_with_the_place_that_the_sensors_are_at() -> None:
    second = release(12)
    found = shots([HIT, HIT_AT, second], moved(second, "B"))
    assert (letter_of(found[of(HIT)]), letter_of(found[of(second)])) == ("A", "B")


def test_swapped_places_have_each_others_shots_from_then_until_then() -> None:
    events = [release(at, letter) for at in (10, 20, 30) for letter in "AB"]
    found = shots(events, swapped(20, 30))
    stays = {(event.at, event.slot_id == found[of(event)].slot_id) for event in events}
    assert stays == {(micro(10), True), (micro(20), False), (micro(30), True)}


def test_two_swaps_of_the_same_places_undo_each_other() -> None:
    events = [HIT, HIT_AT, release(20, "B")]
    assert shots(events, swapped(0, 100, at=1), swapped(0, 100, at=2)) == shots(events)


def test_a_move_stands_above_a_swap() -> None:
    found = shots([HIT, HIT_AT], moved(HIT, "A", at=1), swapped(0, 100, at=2))
    assert letter_of(found[of(HIT)]) == "A"


def test_a_swap_alone_takes_no_shot_off_the_review_list() -> None:
    assert ShotFlag.RULED not in shots([HIT, HIT_AT], swapped(0, 100))[of(HIT)].flags


def test_a_landing_can_be_made_a_shot() -> None:
    alone = landed(50, x=3)
    made = ruling(Action.SHOT, 1, of(alone), landing=alone, place=slot("B"))
    found = correlate([alone], WHERE, LATER, ruled=verdicts([made]))
    (shot,) = found.shots
    assert (shot.id, shot.release_event_id) == (shot_id(alone.id), None)
    assert (shot.released_at, shot.landed_at, letter_of(shot)) == (micro(50), micro(50), "B")
    assert (shot.status, shot.score, shot.landing_event_id) == (Status.LANDED, 10, alone.id)
    assert ShotFlag.RULED in shot.flags
    assert not found.strays


def test_a_shot_that_was_made_can_be_ruled_on_like_any_other() -> None:
    alone = landed(50, x=3)
    made = ruling(Action.SHOT, 1, of(alone), landing=alone, place=slot("B"))
    found = shots([alone], made, scored(alone, NINE, at=2), moved(alone, "A", at=3))[of(alone)]
    assert (found.score, letter_of(found)) == (9, "A")
    void = ruling(Action.VOID, 4, of(alone))
    assert shots([alone], made, void)[of(alone)].status is Status.VOIDED


def test_a_release_that_comes_late_beside_a_shot_that_was_made_is_for_a_judge_to_look_at() -> None:
    late, alone = release(9.6), landed(10)
    made = ruling(Action.SHOT, 1, of(alone), landing=alone, place=slot("A"))
    found = shots([late, alone], made)
    assert found[of(late)].status is Status.MISSED
    assert ShotFlag.DUPLICATE_SUSPECT in found[of(late)].flags
    assert ShotFlag.DUPLICATE_SUSPECT not in found[of(alone)].flags


def test_a_release_of_somebody_else_or_long_before_is_no_second_report_of_it() -> None:
    others, before, alone = release(9.6, "B"), release(2), landed(10)
    made = ruling(Action.SHOT, 1, of(alone), landing=alone, place=slot("A"))
    found = shots([others, before, alone], made)
    flags = {*found[of(others)].flags, *found[of(before)].flags}
    assert ShotFlag.DUPLICATE_SUSPECT not in flags


def test_swaps_do_not_concern_a_shot_that_was_made() -> None:
    alone = landed(50)
    made = ruling(Action.SHOT, 1, of(alone), landing=alone, place=slot("B"))
    assert letter_of(shots([alone], made, swapped(0, 100, at=2))[of(alone)]) == "B"


def test_no_shot_is_made_of_a_landing_outside_the_session() -> None:
    alone = landed(50)
    made = ruling(Action.SHOT, 1, of(alone), landing=alone, place=slot("B"))
    assert not shots([alone], made, where=replace(WHERE, closes_at=micro(20)))


def test_a_ruling_on_a_shot_whose_release_is_gone_waits() -> None:
    assert not shots([HIT_AT], scored(HIT, NINE))
    assert shots([HIT_AT, HIT], scored(HIT, NINE))[of(HIT)].score == 9


def test_what_a_shot_is_fixed_to_is_known() -> None:
    ruled = verdicts([scored(HIT, NINE), moved(MISSED, "B")])
    assert [ruled.is_fixed(of(e)) for e in (HIT, MISSED)] == [True, False]
    assert [ruled.is_ruled(of(e)) for e in (HIT, MISSED, HIT_AT)] == [True, True, False]


def test_who_was_given_a_landing_is_known() -> None:
    alone = landed(50)
    made = ruling(Action.SHOT, 1, of(alone), landing=alone, place=slot("B"))
    ruled = verdicts([given(HIT, HIT_AT), made])
    holders = [ruled.holder(e.id) for e in (HIT_AT, alone, HIT)]
    assert holders == [of(HIT), of(alone), None]


def test_nothing_ruled_is_no_verdict() -> None:
    assert verdicts([]) == Verdicts()


FULL = Face(named("face"), "wa_122_full", 0, 0, None)


@pytest.mark.parametrize(
    ("score", "label", "is_x", "worth"),
    [
        (10, None, None, Worth(10, "10", False)),
        (10, "X", None, Worth(10, "X", True)),
        (10, None, True, Worth(10, "X", True)),
        (0, None, None, MISS),
        (0, "M", False, MISS),
        (9, "X", None, None),
        (9, None, True, None),
        (11, None, None, None),
        (-1, None, None, None),
    ],
)
def test_a_score_must_be_possible_on_the_faces(
    score: int, label: str | None, is_x: bool | None, worth: Worth | None
) -> None:
    assert worth_of([FULL], score, label, is_x) == worth


def test_an_x_may_count_more() -> None:
    face = Face(named("face"), "lancaster_40", 0, 0, None)
    assert worth_of([face], 11) == Worth(11, "X", True)


def test_without_a_face_only_a_miss_is_possible() -> None:
    assert (worth_of([], 0), worth_of([], 9)) == (MISS, None)
