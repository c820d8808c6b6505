"""Which landing is whose."""

import math
import random
from collections.abc import Mapping, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.assignment import (
    STEPS_PER_RELEASE,
    Candidate,
    Option,
    Pairing,
    assign,
    clusters,
)

type Cluster = Mapping[int, Sequence[Option]]


def cluster_of(rng: random.Random, releases: int, landings: int, share: float = 0.7) -> Cluster:
    """Some releases that could have some of some landings."""
    options = {
        release: [
            Option(landing, rng.lognormvariate(1, 3))
            for landing in range(landings)
            if rng.random() < share
        ]
        for release in range(releases)
    }
    return {release: each for release, each in options.items() if each}


def every_pairing(cluster: Cluster) -> dict[tuple[int | None, ...], float]:
    """The odds of each pairing that there is, the slow way."""
    choices = [[None, *options] for options in cluster.values()]
    found: dict[tuple[int | None, ...], float] = {}
    for chosen in product(*choices):
        landings = [option.landing for option in chosen if option is not None]
        if len(set(landings)) == len(landings):
            odds = math.prod(option.odds for option in chosen if option is not None)
            found[tuple(None if o is None else o.landing for o in chosen)] = odds
    return found


@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_a_cluster_is_solved_exactly(seed: int, releases: int, landings: int) -> None:
    cluster = cluster_of(random.Random(seed), releases, landings)
    odds = every_pairing(cluster)
    best = max(odds, key=lambda each: odds[each])
    found = assign(cluster)
    assert tuple(pairing.landing for pairing in found.values()) == best
    for number, pairing in enumerate(found.values()):
        agreeing = sum(o for each, o in odds.items() if each[number] == pairing.landing)
        assert pairing.probability == pytest.approx(agreeing / sum(odds.values()))


def test_eight_releases_and_eight_landings_are_solved_exactly() -> None:
    cluster = cluster_of(random.Random(8), 8, 8, share=1.0)
    # Too many pairings to try: but no two of them may be changed for the better.
    found = assign(cluster)
    odds = {(r, o.landing): o.odds for r, options in cluster.items() for o in options}

    def worth(release: int, landing: int | None) -> float:
        return 1.0 if landing is None else odds[release, landing]

    for one, other in product(found, found):
        mine, theirs = found[one].landing, found[other].landing
        assert worth(one, mine) * worth(other, theirs) >= worth(one, theirs) * worth(other, mine)
    assert all(0 < pairing.probability <= 1 for pairing in found.values())


def test_a_release_that_could_have_two_landings_takes_the_likelier() -> None:
    found = assign({0: [Option(0, 2.0), Option(1, 5.0)]})
    assert found == {0: Pairing(1, 5 / 8)}


def test_taking_the_second_best_can_be_better_for_all() -> None:
    found = assign({0: [Option(0, 50.0), Option(1, 40.0)], 1: [Option(0, 50.0)]})
    assert [pairing.landing for pairing in found.values()] == [1, 0]


def test_a_landing_that_hardly_fits_is_left_to_nobody() -> None:
    found = assign({0: [Option(0, 0.01)]})[0]
    assert found.landing is None
    assert found.probability == pytest.approx(1 / 1.01)


def test_nothing_to_decide_is_decided() -> None:
    assert assign({}) == {}


def test_ties_fall_the_same_way_however_often() -> None:
    even = {release: [Option(landing, 7.0) for landing in range(4)] for release in range(4)}
    assert len({str(assign(even)) for _ in range(5)}) == 1


def test_odds_beyond_all_measure_stay_numbers() -> None:
    found = assign({n: [Option(n, 1e200), Option(n + 1, 1e-200)] for n in range(6)})
    assert [pairing.landing for pairing in found.values()] == list(range(6))


@pytest.mark.parametrize("size", [30, 300])
def test_a_burst_of_hundreds_takes_steps_that_grow_with_its_length_alone(size: int) -> None:
    rng = random.Random(1)
    cluster = {
        release: [Option(n, rng.lognormvariate(1, 3)) for n in range(size)]
        for release in range(size)
    }
    found = assign(cluster)
    landings = [pairing.landing for pairing in found.values() if pairing.landing is not None]
    assert len(set(landings)) == len(landings)
    assert len(landings) > 0.9 * size
    assert STEPS_PER_RELEASE < 10_000


def test_clusters_are_what_shares_landings() -> None:
    pairs = [(5, 4), (0, 1), (2, 1), (2, 2), (3, 3), (7, 4)]
    random.Random(3).shuffle(pairs)
    found = clusters(Candidate(release, landing) for release, landing in pairs)
    assert found == [{0: [1], 2: [1, 2]}, {3: [3]}, {5: [4], 7: [4]}]
