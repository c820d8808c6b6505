"""Shots as viewers see them."""

import orjson

from core.domain.values import ShotFlag, Status
from core.models.correlated_shot import StoredShot
from core.models.instants import instant, optional_instant
from core.schema.shot import Shot
from core.schema.types import rfc3339

SEEN_AT_RELEASE = (ShotFlag.ARROW_UNKNOWN, ShotFlag.ENGAGE_MISSING, ShotFlag.OUT_OF_END)


def shown(known: StoredShot) -> Shot:
    """A shot as viewers see it; not validated, since all of it is our own."""
    shot = known.shot
    return Shot.model_construct(
        id=shot.id,
        session_id=known.session_id,
        target_id=known.target_id,
        slot_id=shot.slot_id,
        archer_id=shot.archer_id,
        arrow_id=shot.arrow_id,
        engage_time=optional_instant(shot.engaged_at),
        release_time=instant(shot.released_at),
        landing_time=optional_instant(shot.landed_at),
        x=shot.x,
        y=shot.y,
        status=shot.status,
        score=shot.score,
        is_x=shot.is_x,
        label=shot.label,
        face_id=shot.face_id,
        spot=shot.spot,
        confidence=shot.confidence,
        flags=shot.flags,
        end_number=known.end_number,
        version=known.version,
        release_event_id=shot.release_event_id,
        landing_event_id=shot.landing_event_id,
    )


def told(known: StoredShot) -> orjson.Fragment:
    """What `shown` gives, as JSON: without the model, which takes three times as long, and of every
    shot two are written."""
    return _written(_fields(known))


def told_at_release(known: StoredShot) -> orjson.Fragment:
    """As `told`, of the shot as it was when the arrow left: a decided one was that too."""
    if known.shot.status is Status.IN_FLIGHT:
        return told(known)
    begun: dict[str, object] = {
        "landing_time": None,
        "x": None,
        "y": None,
        "status": Status.IN_FLIGHT,
        "score": None,
        "is_x": False,
        "label": None,
        "face_id": None,
        "spot": None,
        "flags": [flag for flag in known.shot.flags if flag in SEEN_AT_RELEASE],
        "version": 1,
        "landing_event_id": None,
    }
    return _written(_fields(known) | begun)


def _written(fields: dict[str, object]) -> orjson.Fragment:
    # Ids that come from the database are of a kind of their own.
    return orjson.Fragment(orjson.dumps(fields, default=str))


def _fields(known: StoredShot) -> dict[str, object]:
    shot = known.shot
    return {
        "id": shot.id,
        "session_id": known.session_id,
        "target_id": known.target_id,
        "slot_id": shot.slot_id,
        "archer_id": shot.archer_id,
        "arrow_id": shot.arrow_id,
        "engage_time": _time(shot.engaged_at),
        "release_time": _time(shot.released_at),
        "landing_time": _time(shot.landed_at),
        "x": shot.x,
        "y": shot.y,
        "status": shot.status,
        "score": shot.score,
        "is_x": shot.is_x,
        "label": shot.label,
        "face_id": shot.face_id,
        "spot": shot.spot,
        "confidence": shot.confidence,
        "flags": shot.flags,
        "end_number": known.end_number,
        "version": known.version,
        "release_event_id": shot.release_event_id,
        "landing_event_id": shot.landing_event_id,
    }


def _time(at: int | None) -> str | None:
    return None if at is None else rfc3339(instant(at))
