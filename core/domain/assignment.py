"""Which landing is which release's: the most probable pairing of a whole cluster at once.

Arrows of one butt cross in the air, so a landing cannot be given to the first or the latest release
without putting shots on the wrong archer. Releases and landings that could belong together form a
cluster, and each cluster is solved as one: the pairing with the highest product of odds is chosen,
and what all other pairings together weigh against it says how sure that is.

A cluster is gone through release by release in the order of time. What has to be remembered between
two releases is only which of the landings that later ones could still have are taken, so the work
grows with the arrows that are in the air at once and not with the length of the cluster. Past a
number of such states only the likeliest are followed: the time stays bounded for a burst of
hundreds, and what is given up is the certainty that the pairing is the very best.
"""

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import NamedTuple

from msgspec import Struct

# Enough for eight landings that any of eight releases could have, with all that follows from it.
STATES_FOLLOWED = 256
# A burst in which everything could be everybody's: states times landings are bounded, too.
STEPS_PER_RELEASE = 2_048


class Candidate(NamedTuple):
    """A landing that may be a release's.

    Args:
        release: The release's number, in the order of time.
        landing: The landing's number, in the order of time.
    """

    release: int
    landing: int


class Pairing(Struct, frozen=True, gc=False):
    """What a release is taken to have come to.

    Args:
        landing: The landing's number; None: it has none.
        probability: Of just that, given all that the cluster says; 0 to 1.
    """

    landing: int | None
    probability: float


class Option(Struct, frozen=True, gc=False):
    """A landing that a release could have.

    Args:
        landing: The landing's number.
        odds: How many times likelier it is that both belong together than that neither has a
            partner; above 0.
    """

    landing: int
    odds: float


def clusters(candidates: Iterable[Candidate]) -> list[dict[int, list[int]]]:
    """Releases that share landings, directly or through others, each with its landings.

    Args:
        candidates: The pairs that are possible, in any order.

    Returns:
        For each cluster its landings by release, in the order of the first releases; releases and
        landings are in order.
    """
    ordered = sorted(candidates)
    parent: dict[int, int] = {}
    holder: dict[int, int] = {}
    for candidate in ordered:
        parent.setdefault(candidate.release, candidate.release)
        other = holder.setdefault(candidate.landing, candidate.release)
        one, two = _root(parent, candidate.release), _root(parent, other)
        parent[max(one, two)] = min(one, two)
    grouped: dict[int, dict[int, list[int]]] = {}
    for candidate in ordered:
        cluster = grouped.setdefault(_root(parent, candidate.release), {})
        cluster.setdefault(candidate.release, []).append(candidate.landing)
    return [grouped[first] for first in sorted(grouped)]


def _root(parent: MutableMapping[int, int], number: int) -> int:
    while parent[number] != number:
        parent[number] = parent[parent[number]]
        number = parent[number]
    return number


def assign(cluster: Mapping[int, Sequence[Option]]) -> dict[int, Pairing]:
    """The most probable pairing of a cluster, and how probable each part of it is.

    Args:
        cluster: What each release could have, by release, in the order of time. Of equally probable
            pairings always the same one is taken.
    """
    if len(cluster) == 1:
        ((release, options),) = cluster.items()
        if len(options) == 1:
            return {release: _alone(options[0])}
    steps = _steps(list(cluster.values()))
    chosen = _best(steps)
    return {
        release: Pairing(landing, share)
        for release, landing, share in zip(cluster, chosen, _shares(steps, chosen), strict=True)
    }


def _alone(option: Option) -> Pairing:
    """What most clusters are, one release and one landing, without the states of the others."""
    if option.odds > 1.0:
        return Pairing(option.landing, option.odds / (1.0 + option.odds))
    return Pairing(None, 1.0 / (1.0 + option.odds))


# From which state to which, by which landing and at which odds.
type _Move = tuple[int, int, int | None, float]


class _Step(Struct, frozen=True):
    """One release: the states before it, and all ways to the states after it.

    A state is the set of landings that are taken, as bits; those that no later release could have
    are forgotten.

    Args:
        states: Each with the weight of all ways to it, the heaviest 1.
        moves: All ways.
    """

    states: Mapping[int, float]
    moves: Sequence[_Move]


def _steps(releases: Sequence[Sequence[Option]]) -> list[_Step]:
    last = {option.landing: n for n, options in enumerate(releases) for option in options}
    bit = {landing: 1 << n for n, landing in enumerate(sorted(last))}
    states: Mapping[int, float] = {0: 1.0}
    steps: list[_Step] = []
    for number, options in enumerate(releases):
        kept = ~sum(bit[landing] for landing in last if last[landing] <= number)
        moves: list[_Move] = [(state, state & kept, None, 1.0) for state in states]
        for option in options:
            mine, landing, odds = bit[option.landing], option.landing, option.odds
            moves += [(s, (s | mine) & kept, landing, odds) for s in states if not s & mine]
        limit = max(8, min(STATES_FOLLOWED, STEPS_PER_RELEASE // len(options)))
        following = _likeliest(_weighed(states, moves), limit)
        if len(following) < len(moves):
            moves = [move for move in moves if move[1] in following]
        steps.append(_Step(states, moves))
        states = following
    return steps


def _weighed(states: Mapping[int, float], moves: Iterable[_Move]) -> dict[int, float]:
    """The states that moves lead to, with the weight of all ways to them."""
    weights: dict[int, float] = {}
    for state, following, _, odds in moves:
        weights[following] = weights.get(following, 0.0) + states[state] * odds
    return _scaled(weights)


def _scaled(weights: Mapping[int, float]) -> dict[int, float]:
    """The heaviest 1: products of odds soon leave what a number can hold."""
    scale = 1 / max(weights.values())
    return {state: weight * scale for state, weight in weights.items()}


def _likeliest(states: Mapping[int, float], limit: int) -> Mapping[int, float]:
    if len(states) <= limit:
        return states
    ordered = sorted(states, key=lambda state: (-states[state], state))
    return {state: states[state] for state in sorted(ordered[:limit])}


def _best(steps: Sequence[_Step]) -> list[int | None]:
    """The landings of the most probable pairing, release by release."""
    best: Mapping[int, float] = {0: 1.0}
    came: list[dict[int, tuple[int, int | None]]] = []
    for step in steps:
        most: dict[int, float] = {}
        by: dict[int, tuple[int, int | None]] = {}
        for state, following, landing, odds in step.moves:
            weight = best.get(state, 0.0) * odds
            if weight > most.get(following, 0.0):
                most[following] = weight
                by[following] = state, landing
        best = _scaled(most)
        came.append(by)
    state = max(best, key=lambda each: (best[each], -each), default=0)
    chosen: list[int | None] = []
    for by in reversed(came):
        state, landing = by[state]
        chosen.append(landing)
    return chosen[::-1]


def _shares(steps: Sequence[_Step], chosen: Sequence[int | None]) -> list[float]:
    """The share of all pairings that give each release what was chosen for it."""
    beyond: Mapping[int, float] = {}
    shares: list[float] = []
    for step, wanted in zip(reversed(steps), reversed(chosen), strict=True):
        states = step.states
        behind = dict.fromkeys(states, 0.0)
        with_it = 0.0
        for state, following, landing, odds in step.moves:
            # Past the last release every state weighs the same.
            rest = odds * beyond.get(following, 0.0) if beyond else odds
            behind[state] += rest
            if landing == wanted:
                with_it += states[state] * rest
        shares.append(with_it / sum(states[state] * rest for state, rest in behind.items()))
        beyond = _scaled(behind)
    return shares[::-1]
