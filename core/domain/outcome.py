"""What a release has become: its shot, with or without a landing."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID, uuid5

from core.domain.errors import DomainError
from core.domain.presence import Sight, sight
from core.domain.scoring import Score, score_landing
from core.domain.timeline import Release
from core.domain.values import Butt, Event, Shot, ShotFlag, Slot, Status

# The name space of the ids of shots: a shot's id is a version 5 UUID of its release's event id.
SHOTS = UUID("6d1c1f0e-5a0b-5c55-9a43-0d5f3a2e7b11")

# A shot that is less certain than this is for a judge to look at, and teaches nothing.
CERTAIN = 0.95


def shot_id(release_event_id: UUID) -> UUID:
    """The id of the shot that this release began."""
    return uuid5(SHOTS, str(release_event_id))


def measure(x: float, y: float, slot: Slot, butt: Butt) -> Score | None:
    """The value of a place on the butt for this archer; None: there is nothing to score it by."""
    try:
        return score_landing(
            x,
            y,
            faces=butt.faces,
            letter=slot.letter,
            shaft_diameter_mm=slot.shaft_diameter_mm,
            line_rule=butt.rules.line_rule,
        )
    except DomainError:
        return None


def outcome(
    release: Release,
    landing: Event | None,
    probability: float,
    butt: Butt,
    as_of: int,
    suspects: Collection[UUID] = (),
) -> Shot:
    """The shot of a release.

    Args:
        release: Which.
        landing: Its landing, when it has one.
        probability: Of just that.
        butt: Where.
        as_of: Now, microseconds.
        suspects: Releases and landings that may be another one reported again.
    """
    begun = _begun(release, landing, butt)
    if not {release.event.id, None if landing is None else landing.id}.isdisjoint(suspects):
        begun = _flagged(begun, ShotFlag.DUPLICATE_SUSPECT)
    if landing is not None:
        return _believed(_landed(begun, release, landing, butt), probability)
    ended = _without_landing(begun, butt, as_of)
    return _believed(ended, probability) if ended.status is Status.MISSED else ended


def _begun(release: Release, landing: Event | None, butt: Butt) -> Shot:
    slot = butt.slots[release.slot_id]
    named = [release.arrow_id, landing.arrow_id if landing is not None else None]
    arrow_id = next((arrow for arrow in named if arrow in butt.arrow_owners), None)
    flags = [] if release.engaged_at is not None else [ShotFlag.ENGAGE_MISSING]
    flags += [] if arrow_id is not None else [ShotFlag.ARROW_UNKNOWN]
    return Shot(
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


def _flagged(shot: Shot, *flags: ShotFlag) -> Shot:
    return replace(shot, flags=tuple(sorted({*shot.flags, *flags})))


def _believed(shot: Shot, probability: float) -> Shot:
    # In hundredths: what comes later must not change a shot by less than anyone would look at.
    confidence = round(probability, 2)
    shot = replace(shot, confidence=confidence)
    return _flagged(shot, ShotFlag.AMBIGUOUS) if confidence < CERTAIN else shot


def _landed(shot: Shot, release: Release, landing: Event, butt: Butt) -> Shot:
    if _called_before(shot, release, landing, butt):
        shot = _flagged(shot, ShotFlag.LATE_LANDING)
    landed = replace(
        shot,
        landing_event_id=landing.id,
        landed_at=landing.at,
        x=landing.x,
        y=landing.y,
        status=Status.LANDED,
        is_settled=True,
    )
    return valued(landed, landing, butt.slots[shot.slot_id], butt)


def valued(shot: Shot, landing: Event, slot: Slot, butt: Butt) -> Shot:
    """A shot that landed, with what that is worth for an archer.

    Args:
        shot: Which.
        landing: Its landing.
        slot: The archer's place, which may be at another butt.
        butt: Where it landed.
    """
    score = measure(landing.x, landing.y, slot, butt)
    flags = set(shot.flags) - {ShotFlag.WRONG_FACE, ShotFlag.LINE_CALL}
    if score is not None and score.is_wrong_face:
        flags.add(ShotFlag.WRONG_FACE)
    if score is not None and is_line_call(score, landing.sigma_mm):
        flags.add(ShotFlag.LINE_CALL)
    return replace(
        shot,
        score=None if score is None else score.score,
        label=None if score is None else score.label,
        is_x=score is not None and score.is_x,
        face_id=None if score is None else score.face_id,
        spot=None if score is None else score.spot,
        flags=tuple(sorted(flags)),
    )


def emptied(shot: Shot) -> Shot:
    """A shot without anything that it was, so that it counts nowhere."""
    return replace(
        shot,
        landing_event_id=None,
        landed_at=None,
        x=None,
        y=None,
        status=Status.VOIDED,
        is_settled=True,
        score=None,
        label=None,
        is_x=False,
        face_id=None,
        spot=None,
        flags=(),
    )


def is_line_call(score: Score, sigma_mm: float | None) -> bool:
    """Whether the face's own tolerance and the reader's uncertainty reach a line.

    Args:
        score: The value of a landing.
        sigma_mm: What the reader says of its uncertainty; None: nothing, so only the face's counts.
    """
    margin = score.line_margin_mm
    return margin is not None and margin < (sigma_mm or 0.0)


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
        return replace(_flagged(shot, ShotFlag.READER_OFFLINE), status=Status.UNRESOLVED)
    settled = seen is Sight.PROVEN
    return replace(shot, status=Status.MISSED, is_settled=settled, score=0, label="M")
