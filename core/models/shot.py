"""Shots, read for viewers."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from core.domain.values import Status
from core.errors import NotFoundError
from core.postgres import Connection
from core.schema.page import Position
from core.schema.shot import Shot

SHOT_SELECT = """
SELECT id, session_id, target_id, slot_id, archer_id, arrow_id,
    engage_time, release_time, landing_time, x, y,
    status, score, is_x, label, face_id, spot, confidence, flags, end_number, version,
    release_event_id, landing_event_id
FROM shot
WHERE id = $1
"""

SHOT_SELECT_TOUCHED = """
SELECT id, session_id, target_id, slot_id, archer_id, arrow_id,
    engage_time, release_time, landing_time, x, y,
    status, score, is_x, label, face_id, spot, confidence, flags, end_number, version,
    release_event_id, landing_event_id
FROM shot
WHERE id = ANY ($1) OR landing_event_id = ANY ($2)
ORDER BY release_time, id
"""

SHOT_SELECT_OF_SLOTS = """
SELECT id, session_id, target_id, slot_id, archer_id, arrow_id,
    engage_time, release_time, landing_time, x, y,
    status, score, is_x, label, face_id, spot, confidence, flags, end_number, version,
    release_event_id, landing_event_id
FROM shot
WHERE slot_id = ANY ($1) AND target_id = $2 AND release_time >= $3 AND release_time < $4
ORDER BY release_time, id
"""

SHOT_SELECT_PAGE = """
SELECT id, session_id, target_id, slot_id, archer_id, arrow_id,
    engage_time, release_time, landing_time, x, y,
    status, score, is_x, label, face_id, spot, confidence, flags, end_number, version,
    release_event_id, landing_event_id
FROM shot
WHERE session_id = $1
    AND (release_time, id) > ($2, $3)
    AND ($5::uuid IS NULL OR target_id = $5)
    AND ($6::uuid IS NULL OR slot_id = $6)
    AND ($7::text IS NULL OR status = $7)
ORDER BY release_time, id
LIMIT $4
"""

SHOT_SELECT_IN_FLIGHT = """
SELECT id, session_id, target_id, slot_id, archer_id, arrow_id,
    engage_time, release_time, landing_time, x, y,
    status, score, is_x, label, face_id, spot, confidence, flags, end_number, version,
    release_event_id, landing_event_id
FROM shot
WHERE session_id = $1 AND status = 'in_flight' AND ($2::uuid IS NULL OR target_id = $2)
ORDER BY release_time, id
"""


async def select_shot(conn: Connection, shot_id: UUID) -> Shot:
    """A shot.

    Raises:
        NotFoundError: No shot has this id.
    """
    row = await conn.fetchrow(SHOT_SELECT, shot_id)
    if row is None:
        raise NotFoundError("shot", shot_id)
    return Shot.model_validate(dict(row))


async def select_touched_shots(
    conn: Connection, shot_ids: Collection[UUID], landing_event_ids: Collection[UUID]
) -> list[Shot]:
    """Those of the shots that there are, and the shots that have one of the landings, in the order
    of their release."""
    rows = await conn.fetch(SHOT_SELECT_TOUCHED, list(shot_ids), list(landing_event_ids))
    return [Shot.model_validate(dict(row)) for row in rows]


async def select_shots_of_slots(
    conn: Connection, slot_ids: Collection[UUID], target_id: UUID, since: datetime, until: datetime
) -> list[Shot]:
    """The shots of some places at a target, in the order of their release.

    Args:
        conn: Where to ask.
        slot_ids: Which places.
        target_id: The target that was shot at.
        since: Only those released from then on.
        until: Only those released before.
    """
    rows = await conn.fetch(SHOT_SELECT_OF_SLOTS, list(slot_ids), target_id, since, until)
    return [Shot.model_validate(dict(row)) for row in rows]


async def select_shots(
    conn: Connection,
    session_id: UUID,
    after: Position,
    limit: int,
    *,
    target_id: UUID | None = None,
    slot_id: UUID | None = None,
    status: Status | None = None,
) -> list[Shot]:
    """A session's shots in the order of their release, one more than `limit` where there are more.

    Args:
        conn: Where to ask.
        session_id: Whose shots.
        after: The last shot that is not wanted again.
        limit: How many.
        target_id: Only those at this target.
        slot_id: Only this slot's.
        status: Only those that stand so.
    """
    rows = await conn.fetch(
        SHOT_SELECT_PAGE, session_id, after.at, after.id, limit + 1, target_id, slot_id, status
    )
    return [Shot.model_validate(dict(row)) for row in rows]


async def select_in_flight(
    conn: Connection, session_id: UUID, target_id: UUID | None = None
) -> list[Shot]:
    """The arrows in the air, in the session or at one target, in the order of release."""
    rows = await conn.fetch(SHOT_SELECT_IN_FLIGHT, session_id, target_id)
    return [Shot.model_validate(dict(row)) for row in rows]
