"""From what the readers of a butt said to its shots: a function of a set of events.

The same events give the same shots, in whatever order, batch or repetition they came: everything is
sorted first and derived anew.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from core.domain.assignment import Candidate, assign, pairing_cost
from core.domain.errors import DomainError
from core.domain.flight import FlightTime, first_guess, shortest
from core.domain.impacts import impacts
from core.domain.presence import Sight, sight
from core.domain.scoring import Score, score_landing
from core.domain.timeline import Release, releases
from core.domain.values import Butt, Event, EventType, Shot, ShotFlag, Slot, Status

# The name space of the ids of shots: a shot's id is a version 5 UUID of its release's event id.
SHOTS = UUID("6d1c1f0e-5a0b-5c55-9a43-0d5f3a2e7b11")

# What an arrow's own word weighs against any flight time.
SAME_ARROW = -10_000.0
SAME_ARCHER = -1_000.0
# How probable a hit on a face is, by whose face it is: a prior, not a proof.
OWN_FACE = 0.97
OTHERS_FACE = 0.03


@dataclass(frozen=True, slots=True)
class Correlation:
    """What the events of a butt come to.

    Args:
        shots: One for each release, in the order of the releases.
        strays: Impacts during the session that are nobody's.
    """

    shots: tuple[Shot, ...]
    strays: tuple[Event, ...]


def shot_id(release_event_id: UUID) -> UUID:
    """The id of the shot that this release began."""
    return uuid5(SHOTS, str(release_event_id))


def correlate(events: Iterable[Event], butt: Butt, as_of: int) -> Correlation:
    """Derive the shots of one butt.

    Args:
        events: What its readers said, in any order; one with an id that came before is the same
            event.
        butt: The butt and its archers.
        as_of: Now: it decides only what is still in flight, missed or unresolved.
    """
    known = list({event.id: event for event in events}.values())
    shot = [r for r in _releases(known, butt) if _is_open(r.event.at, butt)]
    landed = _impacts(known, butt)
    pairs = assign(_candidates(shot, landed, butt))
    shots = tuple(
        _shot(release, landed[pairs[number]] if number in pairs else None, butt, as_of)
        for number, release in enumerate(shot)
    )
    taken = set(pairs.values())
    return Correlation(shots, tuple(e for n, e in enumerate(landed) if n not in taken))


def _is_open(at: int, butt: Butt, grace: int = 0) -> bool:
    return butt.opens_at <= at and (butt.closes_at is None or at <= butt.closes_at + grace)


def _releases(events: Sequence[Event], butt: Butt) -> list[Release]:
    by_slot: dict[UUID, list[Event]] = {}
    slot_of_archer = {slot.archer_id: slot.id for slot in butt.slots.values()}
    for event in events:
        slot_id = event.slot_id
        if slot_id is None and event.arrow_id is not None and event.type is EventType.IDENTIFIED:
            # An arrow reader that serves a whole butt: the arrow's owner says whose it is.
            owner = butt.arrow_owners.get(event.arrow_id)
            slot_id = slot_of_archer.get(owner) if owner is not None else None
        if slot_id is None or slot_id not in butt.slots:
            continue
        if event.type is not EventType.LANDED:
            by_slot.setdefault(slot_id, []).append(event)
    found = [r for slot, said in by_slot.items() for r in releases(slot, said, butt.rules)]
    return sorted(found, key=lambda release: release.event.order)


def _impacts(events: Sequence[Event], butt: Butt) -> list[Event]:
    shaft_mm = max((slot.shaft_diameter_mm for slot in butt.slots.values()), default=0.0)
    landings = [event for event in events if event.type is EventType.LANDED]
    # What was shot in time may land after the end of the session.
    grace = butt.rules.landing_window
    return [e for e in impacts(landings, shaft_mm) if _is_open(e.at, butt, grace)]


def _candidates(
    shot: Sequence[Release], landed: Sequence[Event], butt: Butt
) -> Iterable[Candidate]:
    least, window = shortest(butt.distance_m), butt.rules.landing_window
    expected = {s.id: first_guess(s.bowstyle, butt.distance_m) for s in butt.slots.values()}
    prior = _priors(landed, butt)
    begin = 0
    for number, landing in enumerate(landed):
        while begin < len(shot) and shot[begin].event.at < landing.at - window:
            begin += 1
        for release in range(begin, len(shot)):
            flight = landing.at - shot[release].event.at
            if flight < least:
                break
            cost = _cost(shot[release], landing, flight, butt, expected, prior(number))
            if cost is not None:
                yield Candidate(release, number, cost)


def _cost(
    release: Release,
    landing: Event,
    flight: int,
    butt: Butt,
    expected: Mapping[UUID, FlightTime],
    prior: Callable[[UUID], float],
) -> float | None:
    """The cost of the pair; None when the arrow's own word speaks against it."""
    slot = release.slot_id
    cost = pairing_cost(flight, expected[slot], butt.rules.landing_window, prior(slot))
    if landing.arrow_id is None:
        return cost
    if landing.arrow_id == release.arrow_id:
        return cost + SAME_ARROW
    owner = butt.arrow_owners.get(landing.arrow_id)
    if owner == butt.slots[slot].archer_id:
        return cost + SAME_ARCHER if release.arrow_id is None else cost
    if owner in {other.archer_id for other in butt.slots.values()}:
        return None
    return cost if release.arrow_id is None else None


def _priors(landed: Sequence[Event], butt: Butt) -> Callable[[int], Callable[[UUID], float]]:
    """How probable it is, by landing and slot, that the slot's archer hits there."""
    if all(face.letter is None for face in butt.faces):
        return lambda number: lambda slot: 1.0

    def of_landing(number: int) -> Callable[[UUID], float]:
        def of_slot(slot: UUID) -> float:
            score = _score(landed[number], butt.slots[slot], butt)
            return OTHERS_FACE if score is not None and score.is_wrong_face else OWN_FACE

        return of_slot

    return of_landing


def _score(landing: Event, slot: Slot, butt: Butt) -> Score | None:
    """The landing's value for this archer; None: there is nothing to score it by."""
    try:
        return score_landing(
            landing.x,
            landing.y,
            faces=butt.faces,
            letter=slot.letter,
            shaft_diameter_mm=slot.shaft_diameter_mm,
            line_rule=butt.rules.line_rule,
        )
    except DomainError:
        return None


def _shot(release: Release, landing: Event | None, butt: Butt, as_of: int) -> Shot:
    slot = butt.slots[release.slot_id]
    named = [release.arrow_id, landing.arrow_id if landing is not None else None]
    arrow_id = next((arrow for arrow in named if arrow in butt.arrow_owners), None)
    flags = [] if release.engaged_at is not None else [ShotFlag.ENGAGE_MISSING]
    flags += [] if arrow_id is not None else [ShotFlag.ARROW_UNKNOWN]
    begun = Shot(
        id=shot_id(release.event.id),
        slot_id=slot.id,
        archer_id=slot.archer_id,
        arrow_id=arrow_id,
        release_event_id=release.event.id,
        landing_event_id=None,
        engaged_at=release.engaged_at,
        released_at=release.event.at,
        landed_at=None,
        x=None,
        y=None,
        status=Status.IN_FLIGHT,
        deadline=release.event.at + butt.rules.landing_window + butt.rules.late_grace,
        is_settled=False,
        score=None,
        label=None,
        is_x=False,
        face_id=None,
        spot=None,
        confidence=1.0,
        flags=tuple(sorted(flags)),
    )
    return (
        _without_landing(begun, butt, as_of)
        if landing is None
        else _landed(begun, release, landing, butt)
    )


def _landed(shot: Shot, release: Release, landing: Event, butt: Butt) -> Shot:
    score = _score(landing, butt.slots[shot.slot_id], butt)
    flags = set(shot.flags)
    if score is not None and score.is_wrong_face:
        flags.add(ShotFlag.WRONG_FACE)
    if _called_before(shot, release, landing, butt):
        flags.add(ShotFlag.LATE_LANDING)
    return replace(
        shot,
        landing_event_id=landing.id,
        landed_at=landing.at,
        x=landing.x,
        y=landing.y,
        status=Status.LANDED,
        is_settled=True,
        score=None if score is None else score.score,
        label=None if score is None else score.label,
        is_x=score is not None and score.is_x,
        face_id=None if score is None else score.face_id,
        spot=None if score is None else score.spot,
        flags=tuple(sorted(flags)),
    )


def _called_before(shot: Shot, release: Release, landing: Event, butt: Butt) -> bool:
    """Whether viewers were told of a miss before the landing came: a replay of both at once is not
    late."""
    known_since = max(shot.deadline, release.event.received_at + butt.rules.late_grace)
    return landing.received_at > known_since


def _without_landing(shot: Shot, butt: Butt, as_of: int) -> Shot:
    if as_of < shot.deadline:
        return shot
    window_ends = shot.released_at + butt.rules.landing_window
    seen = sight(butt.watches, shot.released_at, window_ends, as_of, butt.offline_after)
    if seen is Sight.ABSENT:
        flags = tuple(sorted({*shot.flags, ShotFlag.READER_OFFLINE}))
        return replace(shot, status=Status.UNRESOLVED, flags=flags)
    settled = seen is Sight.PROVEN
    return replace(shot, status=Status.MISSED, is_settled=settled, score=0, label="M")
