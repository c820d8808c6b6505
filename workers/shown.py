"""Shots as viewers see them."""

from functools import lru_cache

import msgspec
import orjson

from core.domain.review import explanation, reasons_of_shot
from core.domain.values import MILLISECOND, SECOND, ShotFlag, Status
from core.models.correlated_shot import StoredShot
from core.models.instants import instant, microseconds, optional_instant
from core.schema.shot import Shot
from core.schema.types import EARLIEST, LATEST, rfc3339

# When shots are shot, microseconds since the epoch; of other times the database keeps the nearest.
USUAL = range(microseconds(EARLIEST), microseconds(LATEST))
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


def told_from_its_release(known: StoredShot) -> tuple[orjson.Fragment, orjson.Fragment]:
    """As `told`, of the shot as it was when the arrow left, which a decided one was too, and as it
    is."""
    fields = _fields(known)
    now = _written(fields)
    if known.shot.status is Status.IN_FLIGHT:
        return now, now
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
    return _written(fields | begun), now


def told_for_review(known: StoredShot, lane: int) -> orjson.Fragment:
    """As `told`, of a `ReviewRow` of a shot that a judge must look at."""
    shot = known.shot
    reasons = reasons_of_shot(shot.status, shot.flags)
    return _written(
        {
            "id": shot.id,
            "kind": "shot",
            "reasons": reasons,
            "explanation": explanation(reasons),
            "at": _time(shot.released_at),
            "target_id": known.target_id,
            "lane": lane,
            "slot_id": shot.slot_id,
            "shot": _fields(known),
            "landing": None,
            "event": None,
        }
    )


def _written(fields: dict[str, object]) -> orjson.Fragment:
    # Ids that come from the database are of a kind of their own, which orjson would have to ask
    # about.
    return orjson.Fragment(msgspec.json.encode(fields))


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
    if at is None:
        return None
    if at not in USUAL:
        return rfc3339(instant(at))
    second, rest = divmod(at, SECOND)
    return f"{_second(second)}.{rest // MILLISECOND:03}Z"


# Of a shot three times are told, and within a few seconds those of many.
@lru_cache(maxsize=4096)
def _second(at: int) -> str:
    return rfc3339(instant(at * SECOND))[:-5]
