"""Which end an arrow belongs to, and which of its arrows count there."""

from collections.abc import Iterable, Sequence
from copy import replace
from uuid import UUID

import pytest

from core.domain.ends import (
    End,
    EndControl,
    EndRules,
    Judging,
    Placed,
    faces_with_spots,
    is_shooting,
    settle,
)
from core.domain.outcome import measure
from core.domain.scoring import Face
from core.domain.values import Shot, ShotFlag, Status
from tests.domain.fields import butt, micro, named, slot

TRIPLE = Face(named("triple"), "wa_40_triple_vertical", 0, 0, None)
WHERE = butt(slot("A"), faces=[TRIPLE])
THREE = EndRules(3)
SPOT_Y = (220.0, 0.0, -220.0)
# How far beside a spot's centre an arrow scores so much; the rings are 20 mm apart.
BESIDE = {"X": 0.0, "10": 16.0, "9": 33.0, "8": 53.0, "7": 73.0, "6": 93.0, "M": 105.0}


def arrow(at: float, label: str, spot: int = 0) -> Shot:
    """An arrow of archer A, released at that second, that scores `label` in that spot."""
    place = next(iter(WHERE.slots.values()))
    x, y = BESIDE[label], SPOT_Y[spot]
    score = measure(x, y, place, WHERE)
    assert score is not None and score.label == label
    return Shot(
        id=named(f"shot {at}"),
        slot_id=place.id,
        archer_id=place.archer_id,
        arrow_id=None,
        release_event_id=named(f"release {at}"),
        landing_event_id=named(f"landing {at}"),
        engaged_at=None,
        released_at=micro(at),
        landed_at=micro(at + 0.3),
        x=x,
        y=y,
        status=Status.LANDED,
        deadline=micro(at + 3.5),
        is_settled=True,
        score=score.score,
        label=score.label,
        is_x=score.is_x,
        face_id=score.face_id,
        spot=score.spot,
        confidence=1.0,
        flags=(ShotFlag.ARROW_UNKNOWN, ShotFlag.ENGAGE_MISSING),
    )


def without_landing(shot: Shot, status: Status) -> Shot:
    """The arrow, if it had not landed."""
    is_missed = status is Status.MISSED
    return replace(
        shot,
        landing_event_id=None,
        landed_at=None,
        x=None,
        y=None,
        status=status,
        score=0 if is_missed else None,
        label="M" if is_missed else None,
        is_x=False,
        face_id=None,
        spot=None,
    )


def judging(*fixed: UUID) -> Judging:
    """How the archer's arrows are valued; the scores of some were ruled."""
    place = next(iter(WHERE.slots.values()))
    return Judging(
        measure=lambda shot: measure(shot.x or 0.0, shot.y or 0.0, place, WHERE),
        is_fixed=lambda shot: shot.id in fixed,
        spotted=frozenset({TRIPLE.id}),
    )


def settled(
    shots: Iterable[Shot], rules: EndRules = THREE, fixed: Sequence[UUID] = ()
) -> list[Placed]:
    """What becomes of the shots."""
    return settle(shots, rules, judging(*fixed))


def labels(placed: Iterable[Placed]) -> list[str | None]:
    """What they count, in the order of their release."""
    return [each.shot.label for each in placed]


def extra(placed: Iterable[Placed]) -> list[bool]:
    """Which of them are flagged as too many."""
    return [ShotFlag.EXTRA_ARROW in each.shot.flags for each in placed]


def numbers(placed: Iterable[Placed]) -> list[int]:
    """The ends that they belong to."""
    return [each.end_number for each in placed]


def manual(*spans: tuple[float, float | None], arrows_per_end: int = 3) -> EndRules:
    """Ends that a judge opened and closed at these seconds."""
    opened = tuple(
        End(number, micro(begins), None if ends is None else micro(ends))
        for number, (begins, ends) in enumerate(spans, 1)
    )
    return EndRules(arrows_per_end, None, EndControl.MANUAL, opened)


def apart(*shown: str) -> list[Shot]:
    """Arrows of these values, a minute apart, on a face that has no spots."""
    shots = [arrow(60.0 * n, label) for n, label in enumerate(shown, 1)]
    return [replace(shot, face_id=named("plain face"), spot=0) for shot in shots]


def in_one_spot(*shown: str) -> list[Shot]:
    """Arrows of these values, a minute apart, all in the middle spot."""
    return [arrow(60.0 * n, label, 1) for n, label in enumerate(shown, 1)]


def test_arrows_are_counted_into_ends_by_their_release() -> None:
    shots = apart("X", "10", "9", "8", "7", "6", "M")
    placed = settled(reversed(shots))
    assert [each.shot for each in placed] == shots
    assert numbers(placed) == [1, 1, 1, 2, 2, 2, 3]


def test_voided_shots_are_no_arrows_but_have_a_place_in_an_end() -> None:
    shots = apart("X", "10", "9", "8", "7", "6")
    for number in (1, 4, 5):
        shots[number] = replace(without_landing(shots[number], Status.VOIDED), flags=())
    placed = settled(shots)
    assert numbers(placed) == [1, 1, 1, 1, 2, 2]
    assert [each.shot for each in placed] == shots


def test_a_voided_shot_outside_of_every_end_has_no_flag_of_that() -> None:
    shots = [replace(without_landing(shot, Status.VOIDED), flags=()) for shot in apart("X", "10")]
    rules = EndRules(3, control=EndControl.MANUAL, opened=(End(1, micro(90), micro(100)),))
    placed = settled(shots, rules)
    assert ([each.shot for each in placed], numbers(placed)) == (shots, [0, 1])


def test_arrows_in_the_air_and_unresolved_ones_are_counted() -> None:
    shots = apart("X", "10", "9", "8")
    shots[0] = without_landing(shots[0], Status.UNRESOLVED)
    shots[1] = without_landing(shots[1], Status.IN_FLIGHT)
    assert numbers(settled(shots)) == [1, 1, 1, 2]


def test_arrows_past_the_last_end_are_extra_arrows_of_it() -> None:
    placed = settled(apart("8", "9", "8", "9", "8", "7", "8"), EndRules(3, ends=2))
    assert numbers(placed) == [1, 1, 1, 2, 2, 2, 2]
    assert labels(placed) == ["8", "9", "8", "M", "8", "7", "8"]
    assert extra(placed) == [False, False, False, True, False, False, False]


def test_an_extra_arrow_is_a_miss_and_still_landed_where_it_did() -> None:
    shots = apart("8", "9", "8", "7")
    (dropped,) = [p.shot for p in settled(shots, EndRules(3, ends=1)) if p.shot.score == 0]
    assert dropped == replace(
        shots[1],
        score=0,
        label="M",
        flags=(ShotFlag.ARROW_UNKNOWN, ShotFlag.ENGAGE_MISSING, ShotFlag.EXTRA_ARROW),
    )


@pytest.mark.parametrize(
    ("shown", "counted"),
    [
        (["9", "9", "8", "9"], ["9", "9", "8", "M"]),
        (["X", "10", "8", "10"], ["M", "10", "8", "10"]),
        (["6", "6", "7", "M"], ["6", "6", "M", "M"]),
        (["7", "6", "M", "M"], ["M", "6", "M", "M"]),
    ],
)
def test_the_highest_is_dropped_and_of_equals_the_later(
    shown: Sequence[str], counted: Sequence[str]
) -> None:
    assert labels(settled(apart(*shown), EndRules(3, ends=1))) == counted


def test_an_arrow_without_a_value_is_never_the_one_that_is_dropped() -> None:
    shots = apart("9", "8", "7", "6")
    shots[3] = without_landing(shots[3], Status.IN_FLIGHT)
    placed = settled(shots, EndRules(3, ends=1))
    assert labels(placed) == ["M", "8", "7", None]
    assert extra(placed) == [True, False, False, False]


def test_where_no_arrow_has_a_value_none_is_dropped() -> None:
    shots = [without_landing(shot, Status.IN_FLIGHT) for shot in apart("9", "8", "7", "6")]
    assert extra(settled(shots, EndRules(3, ends=1))) == [False] * 4


def test_a_missed_arrow_is_one_of_the_lowest() -> None:
    shots = apart("9", "8", "7", "6")
    shots[0] = without_landing(shots[0], Status.MISSED)
    placed = settled(shots, EndRules(3, ends=1))
    assert labels(placed) == ["M", "M", "7", "6"]
    assert extra(placed) == [False, True, False, False]


def test_of_two_arrows_in_one_spot_the_lower_counts() -> None:
    placed = settled(in_one_spot("9", "10", "8"))
    assert labels(placed) == ["M", "M", "8"]
    assert [each.shot.spot for each in placed] == [1, 1, 1]
    assert extra(placed) == [True, True, False]


def test_of_two_equal_arrows_in_one_spot_the_earlier_counts() -> None:
    assert labels(settled(in_one_spot("9", "9"))) == ["9", "M"]


def test_arrows_of_different_ends_may_be_in_the_same_spot() -> None:
    placed = settled(in_one_spot("9", "8"), EndRules(1))
    assert labels(placed) == ["9", "8"]


def test_several_arrows_may_be_in_a_face_with_a_single_spot() -> None:
    plain = replace(judging(), spotted=frozenset())
    assert labels(settle(in_one_spot("9", "10", "8"), THREE, plain)) == ["9", "10", "8"]


def test_arrows_on_anothers_face_take_no_spot() -> None:
    shots = in_one_spot("9", "8")
    wrong = replace(shots[1], score=0, label="M", flags=(ShotFlag.WRONG_FACE,))
    assert labels(settled([shots[0], wrong])) == ["9", "M"]
    assert extra(settled([shots[0], wrong])) == [False, False]


def test_what_is_a_miss_by_its_spot_is_among_the_lowest() -> None:
    shots = [arrow(1, "10", 0), arrow(2, "9", 0), arrow(3, "8", 1), arrow(4, "7", 2)]
    placed = settled(shots, EndRules(3, ends=1))
    assert labels(placed) == ["M", "M", "8", "7"]
    assert extra(placed) == [True, True, False, False]


def test_what_a_judge_ruled_is_compared_and_never_changed() -> None:
    shots = apart("9", "8", "7", "6")
    assert labels(settled(shots, EndRules(3, ends=1), [shots[0].id])) == ["9", "8", "7", "6"]
    lower = in_one_spot("9", "8")
    assert labels(settled(lower, THREE, [lower[0].id])) == ["9", "8"]
    assert labels(settled(lower, THREE, [lower[1].id])) == ["M", "8"]


def test_an_arrow_that_is_no_longer_too_many_has_its_value_again() -> None:
    shots = apart("8", "X", "8", "7")
    narrow = [each.shot for each in settled(shots, EndRules(3, ends=1))]
    assert narrow != shots
    assert [each.shot for each in settled(narrow, EndRules(3))] == shots
    assert [each.shot for each in settled(narrow[:3], EndRules(3, ends=1))] == shots[:3]


def test_an_extra_arrow_that_nothing_values_any_more_has_no_value() -> None:
    shots = [each.shot for each in settled(apart("8", "X", "8", "7"), EndRules(3, ends=1))]
    blind = replace(judging(), measure=lambda _: None)
    again = settle(shots, EndRules(3), blind)
    assert labels(again) == ["8", None, "8", "7"]


def test_an_extra_miss_that_is_no_longer_too_many_is_a_miss() -> None:
    shots = [without_landing(shot, Status.MISSED) for shot in apart("9", "8")]
    extra_miss = [each.shot for each in settled(shots, EndRules(1, ends=1))]
    assert [ShotFlag.EXTRA_ARROW in shot.flags for shot in extra_miss] == [False, True]
    assert [each.shot for each in settled(extra_miss, EndRules(1))] == shots


def test_an_arrow_belongs_to_the_end_that_a_judge_had_opened() -> None:
    shots = apart("9", "8", "7")
    placed = settled(shots, manual((60, 61), (120, 181)))
    assert (numbers(placed), [each.shot for each in placed]) == ([1, 2, 2], shots)


def test_an_end_begins_with_its_opening_and_its_closing_is_past_it() -> None:
    placed = settled([arrow(10, "9"), arrow(20, "8", 1)], manual((10, 20)))
    assert [ShotFlag.OUT_OF_END in each.shot.flags for each in placed] == [False, True]


def test_an_arrow_outside_of_every_end_keeps_its_value_and_is_flagged() -> None:
    shots = apart("9", "8", "7")
    placed = settled(shots, manual((100, 150)))
    assert numbers(placed) == [0, 1, 1]
    assert labels(placed) == ["9", "8", "7"]
    assert [ShotFlag.OUT_OF_END in each.shot.flags for each in placed] == [True, False, True]


def test_an_arrow_of_which_a_judge_said_what_it_counts_is_not_out_of_an_end() -> None:
    shots = apart("9", "8", "7")
    known = replace(judging(), is_fixed=lambda shot: shot.id == shots[0].id)
    placed = settle(shots, manual((100, 150)), known)
    assert numbers(placed) == [0, 1, 1]
    assert [ShotFlag.OUT_OF_END in each.shot.flags for each in placed] == [False, False, True]


def test_an_end_that_is_open_holds_what_comes() -> None:
    assert numbers(settled(apart("9", "8", "7"), manual((10, 20), (100, None)))) == [1, 2, 2]


def test_more_arrows_than_a_judges_end_allows_are_extra() -> None:
    placed = settled(apart("9", "8", "7", "6"), manual((0, 1000)))
    assert (labels(placed), numbers(placed)) == (["M", "8", "7", "6"], [1] * 4)


def test_an_arrow_outside_of_the_end_is_not_compared_with_those_within() -> None:
    shots = [arrow(10, "X", 1), arrow(70, "9", 1), arrow(80, "8", 0), arrow(90, "7", 2)]
    placed = settled(shots, manual((60, None)))
    assert labels(placed) == ["X", "9", "8", "7"]


def test_bounds_that_move_take_an_arrow_in_again() -> None:
    shots = apart("9", "8")
    outside = [each.shot for each in settled(shots, manual((100, None)))]
    assert [each.shot for each in settled(outside, manual((10, None)))] == shots


def test_arrows_are_shot_while_a_judges_end_is_open() -> None:
    rules = manual((10, 20), (30, None))
    assert [is_shooting(rules)(micro(at)) for at in (9, 10, 20, 30, 99)] == [
        False,
        True,
        False,
        True,
        True,
    ]
    assert [is_shooting(rules)(micro(5)) for rules in (None, THREE)] == [True, True]


def test_faces_with_several_spots_are_known_by_their_type() -> None:
    plain = Face(named("plain"), "wa_122_full", 0, 0, None)
    unknown = Face(named("unknown"), "a_deer", 0, 0, None)
    assert faces_with_spots([TRIPLE, plain, unknown]) == {TRIPLE.id}
