"""A tournament as it is shot: who shoots when, what the readers say of it, and what happened."""

import random
from collections.abc import Iterator, Sequence
from copy import replace
from dataclasses import dataclass
from uuid import UUID, uuid5

from simulators.arrow_reader import identified
from simulators.bow_reader import drawn_and_released
from simulators.target_reader import landed
from simulators.tournament import BUTT_MM, CENTRES, SHAFT_MM, Archer, Plan
from simulators.truth import TrueShot, worth
from simulators.wire import WireEvent

MISS_SHARE = 0.02
LET_DOWN_SHARE = 0.05
WALK_S = 20.0
# Longer than any arrow may fly: then nothing but the order tells whose landing it is.
CLEAR_GAP_S = 3.3
GAP_SPREAD_S = 1.7
# No archer shoots two arrows faster than this.
OWN_GAP_S = 12.5
DENSE_GAP_S = (14.0, 26.0)


@dataclass(frozen=True, slots=True)
class Played:
    """What was shot, and what the readers said of it, in the order of time."""

    events: Sequence[WireEvent]
    shots: Sequence[TrueShot]

    @property
    def lasts_s(self) -> float:
        """Seconds until the last event."""
        return max((event.at for event in self.events), default=0.0)

    def of_session(self, session_id: UUID) -> "Played":
        """The tournament with event ids of its own: the same seed may be shot twice at one API."""
        ids = {each.event_id: str(uuid5(session_id, each.event_id)) for each in self.events}
        events = [replace(event, event_id=ids[event.event_id]) for event in self.events]
        return Played(events, [shot.renamed(ids) for shot in self.shots])


def play(plan: Plan, field: Sequence[Archer], begin: float = 5.0) -> Played:
    """Shoot the tournament.

    Args:
        plan: What kind.
        field: Who shoots.
        begin: Seconds after the start at which the shooting begins; the first bows are drawn
            before.
    """
    events: list[WireEvent] = []
    shots: list[TrueShot] = []
    lanes = sorted({archer.lane for archer in field})
    for lane in lanes:
        rng = random.Random(f"{plan.seed} lane {lane}")
        line = [archer for archer in field if archer.lane == lane]
        for archer, number, released_at in _releases(plan, line, begin, rng):
            said, shot = _shoot(plan, archer, number, released_at, rng)
            events += said
            shots.append(shot)
    return Played(
        sorted(events, key=lambda event: (event.at, event.event_id)),
        sorted(shots, key=lambda shot: (shot.released_at, shot.release_event_id)),
    )


def _releases(
    plan: Plan, line: Sequence[Archer], begin: float, rng: random.Random
) -> Iterator[tuple[Archer, int, float]]:
    """Who releases which arrow of an end when, at one butt."""
    at = begin + rng.uniform(0.0, 3.0)
    for _ in range(plan.ends):
        end = list((_in_turn if plan.spacing == "clear" else _at_once)(plan, line, at, rng))
        yield from end
        at = max(released_at for _, _, released_at in end) + WALK_S


def _in_turn(
    plan: Plan, line: Sequence[Archer], at: float, rng: random.Random
) -> Iterator[tuple[Archer, int, float]]:
    gap = max(CLEAR_GAP_S, OWN_GAP_S / len(line))
    for number in range(plan.arrows_per_end):
        for archer in line:
            at += gap + rng.uniform(0, GAP_SPREAD_S)
            yield archer, number, round(at, 3)


def _at_once(
    plan: Plan, line: Sequence[Archer], at: float, rng: random.Random
) -> Iterator[tuple[Archer, int, float]]:
    for archer in line:
        own = at + rng.uniform(0, DENSE_GAP_S[1])
        for number in range(plan.arrows_per_end):
            yield archer, number, round(own, 3)
            own += rng.uniform(*DENSE_GAP_S)


def _shoot(
    plan: Plan, archer: Archer, number: int, released_at: float, rng: random.Random
) -> tuple[list[WireEvent], TrueShot]:
    """One arrow: what the readers say, and what really happened."""
    let_down = rng.random() < LET_DOWN_SHARE
    engage, release, given_up = drawn_and_released(
        archer.bow_reader, released_at, rng, let_down=let_down
    )
    arrow_id = archer.arrows[number % len(archer.arrows)] if archer.arrows else None
    said = [engage, release, *given_up]
    if arrow_id is not None:
        said.append(identified(archer.arrow_reader, arrow_id, engage.at, rng))
    hit, shot = _fly(plan, archer, release, arrow_id, rng)
    return ([*said, hit] if hit is not None else said), shot


def _fly(
    plan: Plan, archer: Archer, release: WireEvent, arrow_id: str | None, rng: random.Random
) -> tuple[WireEvent | None, TrueShot]:
    flight_s = archer.bow.flight_s(rng)
    shot = TrueShot(archer.slot_id, arrow_id, release.event_id, None, release.at, 0)
    hit = landed(archer.target_reader, release.at, flight_s, archer.group_mm, rng)
    centre = CENTRES[archer.letter] if plan.own_faces else (0.0, 0.0)
    off_x, off_y = hit.x or 0.0, hit.y or 0.0
    x, y = round(centre[0] + off_x, 1), round(centre[1] + off_y, 1)
    hit = replace(hit, x=x, y=y)
    # Beyond the butt's edge there is nothing to land in.
    if rng.random() < MISS_SHARE or max(abs(x), abs(y)) > BUTT_MM / 2:
        return None, shot
    score = worth(off_x, off_y, SHAFT_MM, plan.face)
    return hit, replace(
        shot, landing_event_id=hit.event_id, landed_at=hit.at, x=x, y=y, score=score
    )
