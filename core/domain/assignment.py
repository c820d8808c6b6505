"""Which landing is which release's: the most probable pairing of a whole cluster at once.

Arrows of one butt cross in the air, so a landing cannot be given to the first or the latest release
without putting shots on the wrong archer. Releases and landings that could belong together form a
cluster, and each cluster is solved exactly.
"""

import math
from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.domain.flight import FlightTime
from core.domain.values import SECOND

# An arrow now and then flies unlike its archer's others: any time within the window is possible.
UNLIKE_THE_OTHERS = 0.1
# How often an arrow truly misses, and how often a second of a butt brings a landing that is
# nobody's.
MISS_RATE = 0.02
STRAY_RATE_PER_S = 0.005
LEAST_REASON = -0.001


@dataclass(frozen=True, slots=True)
class Candidate:
    """A landing that may be a release's.

    Args:
        release: The release's number.
        landing: The landing's number.
        cost: Against leaving both alone; the lower, the likelier, and always negative.
    """

    release: int
    landing: int
    cost: float


def pairing_cost(flight: int, expected: FlightTime, window: int, prior: float) -> float:
    """Minus the log of how much likelier it is that both belong together than that neither has a
    partner.

    Args:
        flight: Microseconds between release and landing.
        expected: The archer's flight time.
        window: The landing window, microseconds.
        prior: How probable it is that this archer hits the face that was hit, 0 to 1.
    """
    z = (flight - expected.mean) / expected.sigma
    like_the_others = math.exp(-0.5 * z * z) / (expected.sigma / SECOND * math.sqrt(2 * math.pi))
    unlike = 1 / max(window / SECOND, 0.001)
    density = (1 - UNLIKE_THE_OTHERS) * like_the_others + UNLIKE_THE_OTHERS * unlike
    together = math.log((1 - MISS_RATE) * density * prior)
    # However unlikely: a landing that can be somebody's is not left over, and nobody is given a
    # miss for it.
    return min(math.log(MISS_RATE * STRAY_RATE_PER_S) - together, LEAST_REASON)


def assign(candidates: Iterable[Candidate]) -> dict[int, int]:
    """The landing of each release that has one, at the least total cost.

    Args:
        candidates: The pairs that are possible, in any order. Ties fall to the lower numbers.

    Returns:
        Landing numbers by release number.
    """
    chosen: dict[int, int] = {}
    for cluster in _clusters(sorted(candidates, key=lambda c: (c.release, c.landing))):
        if len(cluster) == 1:
            chosen[cluster[0].release] = cluster[0].landing
        else:
            chosen.update(_solve(cluster))
    return chosen


def _solve(cluster: Sequence[Candidate]) -> dict[int, int]:
    rows = {number: row for row, number in enumerate(sorted({c.release for c in cluster}))}
    columns = {number: column for column, number in enumerate(sorted({c.landing for c in cluster}))}
    costs = np.zeros((len(rows), len(columns)))
    for candidate in cluster:
        costs[rows[candidate.release], columns[candidate.landing]] = candidate.cost
    release_of, landing_of = list(rows), list(columns)
    picked = zip(*linear_sum_assignment(costs), strict=True)
    return {release_of[row]: landing_of[column] for row, column in picked if costs[row, column] < 0}


def _clusters(candidates: Sequence[Candidate]) -> Iterable[list[Candidate]]:
    """Candidates that share releases or landings, directly or through others, in stable order."""
    parent: dict[int, int] = {}
    holder: dict[int, int] = {}
    for candidate in candidates:
        release = candidate.release
        parent.setdefault(release, release)
        other = holder.setdefault(candidate.landing, release)
        one, two = _root(parent, release), _root(parent, other)
        parent[max(one, two)] = min(one, two)
    grouped: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        grouped.setdefault(_root(parent, candidate.release), []).append(candidate)
    return grouped.values()


def _root(parent: MutableMapping[int, int], number: int) -> int:
    while parent[number] != number:
        parent[number] = parent[parent[number]]
        number = parent[number]
    return number
