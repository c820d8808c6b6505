"""What a failed job was about: the events it was given, and the shots these belong to."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from core.postgres import Connection
from core.schema.admin import TouchedEvent, TouchedShot

AT_MOST = 100
# Events wait before a job begins, and their correlation is tried several times.
BEFORE = timedelta(minutes=10)
AFTER = timedelta(minutes=1)

EVENT_SELECT_TOUCHED = """
SELECT event.event_id, event.type, event.occurred_at
FROM reader_binding AS binding
JOIN event ON event.reader_id = binding.reader_id
    AND event.occurred_at >= binding.valid_from AND event.occurred_at < binding.valid_to
WHERE binding.target_id = $1 AND event.received_at >= $2 AND event.received_at < $3
ORDER BY event.occurred_at DESC, event.event_id
LIMIT $4
"""

SHOT_SELECT_TOUCHED_BY_JOB = """
SELECT id, status, label, release_time
FROM shot
WHERE target_id = $1 AND (
    release_event_id = ANY ($2) OR landing_event_id = ANY ($2)
    OR (status = 'landed' AND score IS NULL)
)
ORDER BY release_time DESC, id
LIMIT $3
"""


async def select_touched_events(
    conn: Connection, target_id: UUID, first: datetime, last: datetime
) -> list[TouchedEvent]:
    """What came of a target around the tries of a job, the latest first.

    Args:
        conn: Where to ask.
        target_id: The target that the job was about.
        first: When the first try began.
        last: When the last one began.
    """
    rows = await conn.fetch(EVENT_SELECT_TOUCHED, target_id, first - BEFORE, last + AFTER, AT_MOST)
    return [TouchedEvent.model_validate(dict(row)) for row in rows]


async def select_touched_shots(
    conn: Connection, target_id: UUID, event_ids: Collection[UUID]
) -> list[TouchedShot]:
    """The shots of a target that some events belong to, and those that wait for a score, the latest
    first."""
    rows = await conn.fetch(SHOT_SELECT_TOUCHED_BY_JOB, target_id, list(event_ids), AT_MOST)
    return [TouchedShot.model_validate(dict(row)) for row in rows]
