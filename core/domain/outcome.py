"""What a release has become: its shot, with or without a landing."""

from collections.abc import Collection
from copy import replace
from functools import lru_cache
from hashlib import sha1
from uuid import UUID

from core.domain.errors import DomainError
from core.domain.presence import Sight, sight
from core.domain.scoring import OFF, Score, score_landing
from core.domain.timeline import Release
from core.domain.values import Butt, Event, Shot, ShotFlag, Slot, Status

# The name space of the ids of shots: a shot's id is a version 5 UUID of its release's event id.
SHOTS = UUID("6d1c1f0e-5a0b-5c55-9a43-0d5f3a2e7b11")
_OF_SHOTS = sha1(SHOTS.bytes, usedforsecurity=False)

# A shot that is less certain than this is for a judge to look at, and teaches nothing.
CERTAIN = 0.95

# What has become of a shot whose landing nobody knows, once its time is up.
WITHOUT_A_LANDING = (Status.MISSED, Status.UNRESOLVED)

# A miss counts nothing, wherever the arrow is.
MISS = Score(OFF.score, OFF.label, False, None, None, False, None, None)

# What becomes of a shot without a landing once its time is up, and whether that is settled.
FATES = {
    Sight.PROVEN: (Status.MISSED, True),
    Sight.PRESUMED: (Status.MISSED, False),
    Sight.ABSENT: (Status.UNRESOLVED, False),
}


# A release is gone through anew with each event of its butt.
@lru_cache(maxsize=16_384)
def shot_id(release_event_id: UUID) -> UUID:
    """The id of the shot that this release began."""
    # As `uuid5` does, in half of the time: it would begin with the name space each time.
    hashed = _OF_SHOTS.copy()
    hashed.update(str(release_event_id).encode())
    return UUID(bytes=hashed.digest()[:16], version=5)


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
    score: Score | None,
    confidence: float,
    butt: Butt,
    as_of: int,
    suspects: Collection[UUID] = (),
) -> Shot:
    """The shot of a release.

    Args:
        release: Which.
        landing: Its landing, when it has one.
        score: What that is worth, as `measure` says.
        confidence: How probable just that is; of what is not decided nothing is said.
        butt: Where.
        as_of: Now, microseconds.
        suspects: Releases and landings that may be another one reported again.
    """
    slot, event = butt.slots[release.slot_id], release.event
    deadline = event.at + butt.rules.landing_window + butt.rules.late_grace
    status, is_settled = _fate(release, landing, deadline, butt, as_of)
    if status not in (Status.LANDED, Status.MISSED):
        confidence = 1.0
    arrow_id = _arrow(release, landing, butt)
    flags = _flags_of_release(release, arrow_id)
    if landing is not None:
        flags += _flags_of_score(score, landing.sigma_mm)
        # Viewers were told of a miss before it came; a replay of both at once is not late.
        if landing.received_at > max(deadline, event.received_at + butt.rules.late_grace):
            flags.append(ShotFlag.LATE_LANDING)
    if event.id in suspects or (landing is not None and landing.id in suspects):
        flags.append(ShotFlag.DUPLICATE_SUSPECT)
    if confidence < CERTAIN:
        flags.append(ShotFlag.AMBIGUOUS)
    if status is Status.UNRESOLVED:
        flags.append(ShotFlag.READER_OFFLINE)
    worth = MISS if status is Status.MISSED else score
    return Shot(
        id=shot_id(event.id),
        slot_id=slot.id,
        archer_id=slot.archer_id,
        arrow_id=arrow_id,
        release_event_id=event.id,
        landing_event_id=None if landing is None else landing.id,
        engaged_at=release.engaged_at,
        released_at=event.at,
        landed_at=None if landing is None else landing.at,
        x=None if landing is None else landing.x,
        y=None if landing is None else landing.y,
        status=status,
        deadline=deadline,
        is_settled=is_settled,
        score=None if worth is None else worth.score,
        label=None if worth is None else worth.label,
        is_x=worth is not None and worth.is_x,
        face_id=None if worth is None else worth.face_id,
        spot=None if worth is None else worth.spot,
        confidence=confidence,
        flags=tuple(sorted(flags)),
    )


def _fate(
    release: Release, landing: Event | None, deadline: int, butt: Butt, as_of: int
) -> tuple[Status, bool]:
    """What has become of a shot, and whether that is settled."""
    if landing is not None:
        return Status.LANDED, True
    if as_of < deadline:
        return Status.IN_FLIGHT, False
    begins = release.event.at
    ends = begins + butt.rules.landing_window
    seen = sight(butt.watches, begins, ends, as_of, butt.offline_after)
    if seen is Sight.PRESUMED and release.event.id in butt.unsure:
        seen = Sight.ABSENT
    return FATES[seen]


def _arrow(release: Release, landing: Event | None, butt: Butt) -> UUID | None:
    """The arrow that either names, when it is registered."""
    owners = butt.arrow_owners
    if release.arrow_id in owners:
        return release.arrow_id
    return landing.arrow_id if landing is not None and landing.arrow_id in owners else None


def _flags_of_release(release: Release, arrow_id: UUID | None) -> list[ShotFlag]:
    flags = [] if release.engaged_at is not None else [ShotFlag.ENGAGE_MISSING]
    return flags if arrow_id is not None else [*flags, ShotFlag.ARROW_UNKNOWN]


def _flags_of_score(score: Score | None, sigma_mm: float | None) -> list[ShotFlag]:
    if score is None:
        return []
    flags = [ShotFlag.WRONG_FACE] if score.is_wrong_face else []
    return [*flags, ShotFlag.LINE_CALL] if is_line_call(score, sigma_mm) else flags


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
    flags.update(_flags_of_score(score, landing.sigma_mm))
    return replace(
        shot,
        score=None if score is None else score.score,
        label=None if score is None else score.label,
        is_x=score is not None and score.is_x,
        face_id=None if score is None else score.face_id,
        spot=None if score is None else score.spot,
        flags=tuple(sorted(flags)),
    )


def suspected(shot: Shot) -> Shot:
    """A shot that may be one that is told twice, or one of two that are told as one."""
    return replace(shot, flags=tuple(sorted({*shot.flags, ShotFlag.DUPLICATE_SUSPECT})))


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
