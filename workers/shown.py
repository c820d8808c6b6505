"""Shots as viewers see them."""

from core.models.correlated_shot import StoredShot
from core.models.instants import instant, optional_instant
from core.schema.shot import Shot


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
