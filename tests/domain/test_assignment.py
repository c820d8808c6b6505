"""Which landing is whose."""

import random
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.assignment import Candidate, assign, pairing_cost
from core.domain.flight import first_guess
from tests.domain.fields import micro


def total(pairs: dict[int, int], costs: dict[tuple[int, int], float]) -> float:
    """What these pairs cost together."""
    return sum(costs[pair] for pair in pairs.items())


def best_by_trying(costs: dict[tuple[int, int], float], size: int) -> float:
    """The least total, found the slow way."""
    options = list(range(size)) + [None] * size
    return min(
        sum(
            costs[release, landing]
            for release, landing in enumerate(chosen[:size])
            if landing is not None and (release, landing) in costs
        )
        for chosen in set(permutations(options, size))
    )


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_a_cluster_is_solved_at_the_least_cost(seed: int) -> None:
    rng = random.Random(seed)
    costs = {
        (release, landing): -rng.uniform(0.1, 9)
        for release in range(3)
        for landing in range(3)
        if rng.random() < 0.7
    }
    pairs = assign(Candidate(r, n, cost) for (r, n), cost in costs.items())
    assert round(total(pairs, costs), 9) == round(best_by_trying(costs, 3), 9)


def test_a_release_that_could_have_two_landings_takes_the_likelier() -> None:
    assert assign([Candidate(0, 0, -2), Candidate(0, 1, -5)]) == {0: 1}


def test_taking_the_second_best_can_be_better_for_all() -> None:
    costs = [Candidate(0, 0, -5), Candidate(0, 1, -4), Candidate(1, 0, -5)]
    assert assign(costs) == {0: 1, 1: 0}


def test_the_order_of_the_candidates_does_not_matter() -> None:
    candidates = [Candidate(r, n, -1.0) for r in range(4) for n in range(4)]
    expected = assign(candidates)
    random.Random(3).shuffle(candidates)
    assert assign(candidates) == expected


def test_an_expected_flight_time_is_likelier_than_any_other() -> None:
    expected = first_guess("recurve", 70)
    costs = [
        pairing_cost(round(expected.mean) + micro(late), expected, micro(3), 1.0)
        for late in (0, 0.05, 0.2, 1)
    ]
    assert costs == sorted(costs)


def test_no_flight_time_within_the_window_is_unlikely_enough_to_be_left_alone() -> None:
    expected = first_guess("compound", 18)
    assert pairing_cost(micro(600), expected, micro(600), 0.0001) < 0


def test_a_burst_of_hundreds_in_one_cluster_is_solved() -> None:
    rng = random.Random(1)
    size = 300
    candidates = [
        Candidate(r, n, -rng.uniform(1, 9))
        for r in range(size)
        for n in range(max(0, r - 6), min(size, r + 6))
    ]
    assert len(assign(candidates)) >= size - 10
