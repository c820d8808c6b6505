"""Who stands where, and what parts those with equal totals."""

import random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.ranking import Criterion, Ranked, Tally, criteria, rank

OUTDOORS = (Criterion.TENS, Criterion.XS)


def tally(number: int, total: int, **counts: int) -> Tally:
    """A slot that counted nothing but what is given."""
    none = dict.fromkeys(("xs", "elevens", "tens", "nines", "sixes", "fives"), 0)
    return Tally(slot_id=UUID(int=number), total=total, arrows=72, **(none | counts))


def places(ranked: list[Ranked]) -> list[tuple[int, int, bool]]:
    """Rank, the slot's number, and whether it is tied."""
    return [(one.rank, one.tally.slot_id.int, one.is_tied) for one in ranked]


@pytest.mark.parametrize(
    ("is_indoor", "round_code", "order"),
    [
        (False, None, ["tens", "xs"]),
        (False, "wa_720", ["tens", "xs"]),
        (True, None, ["tens", "nines"]),
        (True, "WA 18", ["tens", "nines"]),
        (False, "wa_field_24", ["sixes", "fives"]),
        (False, "WA Field 24", ["sixes", "fives"]),
        (True, "FIELD", ["sixes", "fives"]),
        (False, "WA3D", ["elevens", "tens"]),
        (True, "3d 24", ["elevens", "tens"]),
        (False, "field and 3D", ["elevens", "tens"]),
        (False, "", ["tens", "xs"]),
    ],
)
def test_the_round_says_what_parts_equals(
    is_indoor: bool, round_code: str | None, order: list[str]
) -> None:
    assert list(criteria(is_indoor=is_indoor, round_code=round_code)) == order


def test_the_higher_total_stands_first() -> None:
    assert places(rank([tally(1, 600), tally(2, 650)], OUTDOORS)) == [(1, 2, False), (2, 1, False)]


def test_equals_share_a_place_and_the_next_place_counts_them() -> None:
    totals = [tally(1, 500), tally(2, 600), tally(3, 500), tally(4, 400)]
    assert places(rank(totals, OUTDOORS)) == [
        (1, 2, False),
        (2, 1, True),
        (2, 3, True),
        (4, 4, False),
    ]


def test_the_first_count_parts_equal_totals() -> None:
    few, many = tally(1, 600, tens=10, xs=9), tally(2, 600, tens=12, xs=1)
    assert places(rank([few, many], OUTDOORS)) == [(1, 2, False), (2, 1, False)]


def test_the_second_count_parts_what_the_first_leaves() -> None:
    few, many = tally(1, 600, tens=10, xs=3), tally(2, 600, tens=10, xs=4)
    assert places(rank([few, many], OUTDOORS)) == [(1, 2, False), (2, 1, False)]


def test_a_count_that_the_round_does_not_use_parts_nobody() -> None:
    few, many = tally(1, 600, nines=1), tally(2, 600, nines=30)
    assert places(rank([many, few], OUTDOORS)) == [(1, 1, True), (1, 2, True)]


def test_a_third_count_may_follow() -> None:
    few, many = tally(1, 600, nines=1), tally(2, 600, nines=30)
    order = (*OUTDOORS, Criterion.NINES)
    assert places(rank([few, many], order)) == [(1, 2, False), (2, 1, False)]


@pytest.mark.parametrize("criterion", Criterion)
def test_every_criterion_reads_its_own_count(criterion: Criterion) -> None:
    few, many = tally(1, 0), tally(2, 0, **{criterion.value: 7})
    assert places(rank([few, many], [criterion])) == [(1, 2, False), (2, 1, False)]


def test_a_total_below_zero_stands_under_nothing() -> None:
    assert places(rank([tally(1, -3), tally(2, 0)], OUTDOORS)) == [(1, 2, False), (2, 1, False)]


def test_nobody_ranks_to_nothing() -> None:
    assert not rank([], OUTDOORS)


TALLIES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=8).map(
    lambda pairs: [tally(n, total, tens=tens) for n, (total, tens) in enumerate(pairs)]
)


@settings(derandomize=True, deadline=None)
@given(TALLIES, st.randoms(use_true_random=False))
def test_the_order_they_come_in_changes_nothing(tallies: list[Tally], rng: random.Random) -> None:
    shuffled = rng.sample(tallies, len(tallies))
    assert rank(shuffled, OUTDOORS) == rank(tallies, OUTDOORS)


@settings(derandomize=True, deadline=None)
@given(TALLIES)
def test_a_rank_is_one_more_than_the_number_who_did_better(tallies: list[Tally]) -> None:
    results = {one.slot_id: (one.total, one.tens) for one in tallies}
    better = [
        sum(result > results[one.tally.slot_id] for result in results.values())
        for one in rank(tallies, OUTDOORS)
    ]
    assert [one.rank - 1 for one in rank(tallies, OUTDOORS)] == better
