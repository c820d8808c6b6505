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
from dataclasses import dataclass

# Enough for eight landings that any of eight releases could have, with all that follows from it.
STATES_FOLLOWED = 256
# A burst in which everything could be everybody's: states times landings are bounded, too.
STEPS_PER_RELEASE = 2_048


@dataclass(frozen=True, slots=True)
class Candidate:
    """A landing that may be a release's.

    Args:
        release: The release's number, in the order of time.
        landing: The landing's number, in the order of time.
    """

    release: int
    landing: int


@dataclass(frozen=True, slots=True)
class Pairing:
    """What a release is taken to have come to.

    Args:
        landing: The landing's number; None: it has none.
        probability: Of just that, given all that the cluster says; 0 to 1.
    """

    landing: int | None
    probability: float


@dataclass(frozen=True, slots=True)
class Option:
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
    ordered = sorted(candidates, key=lambda each: (each.release, each.landing))
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
            pairings the one that leaves a landing to the later release is taken last.
    """
    if not cluster:
        return {}
    steps = _Steps.of(list(cluster.values()))
    chosen = steps.best()
    shares = steps.shares(chosen)
    return {
        release: Pairing(landing, share)
        for release, landing, share in zip(cluster, chosen, shares, strict=True)
    }


# From which state, to which, by which landing and at which odds.
type _Move = tuple[int, int, int | None, float]


@dataclass(frozen=True, slots=True)
class _Steps:
    """The states between releases, and the ways from one to the next.

    A state is the set of landings that are taken, as bits; those that no later release could have
    are forgotten.
    """

    states: Sequence[Mapping[int, float]]
    moves: Sequence[Sequence[_Move]]

    @staticmethod
    def of(releases: Sequence[Sequence[Option]]) -> "_Steps":
        """All states and moves, each state with the weight of all ways to it."""
        last = {option.landing: n for n, options in enumerate(releases) for option in options}
        bit = {landing: 1 << n for n, landing in enumerate(sorted(last))}
        states: list[Mapping[int, float]] = [{0: 1.0}]
        moves: list[list[_Move]] = []
        for number, options in enumerate(releases):
            forgotten = ~sum(bit[landing] for landing in last if last[landing] <= number)
            ways = [(bit[option.landing], option) for option in options]
            step = [
                (state, (state | mine) & forgotten, option.landing, option.odds)
                for state in states[-1]
                for mine, option in ways
                if not state & mine
            ] + [(state, state & forgotten, None, 1.0) for state in states[-1]]
            follow = _weighed(states[-1], step)
            kept = _likeliest(follow, max(8, min(STATES_FOLLOWED, STEPS_PER_RELEASE // len(ways))))
            states.append(kept)
            moves.append([move for move in step if move[1] in kept])
        return _Steps(states, moves)

    def best(self) -> list[int | None]:
        """The landings of the most probable pairing, release by release."""
        best: Mapping[int, float] = {0: 1.0}
        came: list[dict[int, tuple[int, int | None]]] = []
        for step in self.moves:
            most: dict[int, float] = {}
            by: dict[int, tuple[int, int | None]] = {}
            for state, following, landing, odds in step:
                weight = best.get(state, 0.0) * odds
                if weight > most.get(following, 0.0):
                    most[following] = weight
                    by[following] = state, landing
            scale = max(most.values())
            best = {state: weight / scale for state, weight in most.items()}
            came.append(by)
        state, chosen = max(best, key=lambda each: (best[each], -each)), []
        for by in reversed(came):
            state, landing = by[state]
            chosen.append(landing)
        return chosen[::-1]

    def shares(self, chosen: Sequence[int | None]) -> list[float]:
        """The share of all pairings that give each release what was chosen for it."""
        beyond: Mapping[int, float] = dict.fromkeys(self.states[-1], 1.0)
        shares: list[float] = []
        for states, step, wanted in reversed(
            list(zip(self.states, self.moves, chosen, strict=False))
        ):
            behind: dict[int, float] = {}
            with_it = whole = 0.0
            for state, following, landing, odds in step:
                rest = odds * beyond.get(following, 0.0)
                behind[state] = behind.get(state, 0.0) + rest
                weight = states[state] * rest
                whole += weight
                if landing == wanted:
                    with_it += weight
            shares.append(with_it / whole)
            scale = max(behind.values())
            beyond = {state: weight / scale for state, weight in behind.items()}
        return shares[::-1]


def _weighed(states: Mapping[int, float], step: Iterable[_Move]) -> dict[int, float]:
    """The states that moves lead to, the heaviest of them 1."""
    weights: dict[int, float] = {}
    for state, following, _, odds in step:
        weights[following] = weights.get(following, 0.0) + states[state] * odds
    scale = max(weights.values())
    return {state: weight / scale for state, weight in weights.items()}


def _likeliest(states: Mapping[int, float], limit: int) -> Mapping[int, float]:
    if len(states) <= limit:
        return states
    ordered = sorted(states, key=lambda state: (-states[state], state))
    return {state: states[state] for state in sorted(ordered[:limit])}
