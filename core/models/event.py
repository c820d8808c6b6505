"""Events: what readers said, kept as they said it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from core.domain.values import Event, EventType
from core.domain.window import Reading
from core.models.instants import instant, microseconds
from core.models.shared import shared, shared_if_any
from core.postgres import Connection
from core.schema.event import StoredEvent
from core.schema.page import Position

# Told apart by a look-up: calling the enumeration takes three times as long, for hundreds of rows.
TYPES = {str(each): each for each in EventType}

# An event belongs to the place that its reader was bound to when it happened.
EVENT_SELECT_OF_TARGETS = """
SELECT span.target_id, event.event_id, event.type, event.occurred_at, event.received_at,
    binding.slot_id, event.arrow_id, event.x, event.y, event.sigma_mm, event.reader_id
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[])
    AS span (target_id, begins, ends, landings_from)
JOIN reader_binding AS binding ON binding.target_id = span.target_id
    AND binding.valid_from <= span.ends AND binding.valid_to > span.begins
JOIN event ON event.reader_id = binding.reader_id
    AND event.occurred_at >= greatest(binding.valid_from, span.begins)
    AND event.occurred_at <= span.ends AND event.occurred_at < binding.valid_to
    AND (event.type <> 'arrow_landed' OR event.occurred_at >= span.landings_from)
"""

EVENT_SELECT_PAGE = """
SELECT event.event_id, event.reader_id, event.type, event.ts, event.sent_at, event.received_at,
    event.offset_ms, event.occurred_at, event.arrow_id, event.x, event.y, event.sigma_mm,
    event.request_id, target.session_id, binding.target_id, binding.slot_id,
    CASE
        WHEN binding.id IS NULL THEN 'unbound'
        WHEN event.occurred_at < session.start_time OR event.occurred_at > session.end_time + grace
            THEN 'outside_session'
        ELSE 'placed'
    END AS place
FROM event
LEFT JOIN reader_binding AS binding ON binding.reader_id = event.reader_id
    AND binding.valid_from <= event.occurred_at AND event.occurred_at < binding.valid_to
LEFT JOIN target ON target.id = binding.target_id
LEFT JOIN session ON session.id = target.session_id
-- What was shot in time may land after the end.
LEFT JOIN LATERAL (
    SELECT CASE WHEN event.type = 'arrow_landed'
        THEN make_interval(
            secs => coalesce((session.rules ->> 'landing_window_ms')::double precision, 3000) / 1000
        )
        ELSE interval '0' END AS grace
) AS allowed ON true
WHERE (event.occurred_at, event.event_id) > ($1, $2)
    AND ($3::uuid IS NULL OR event.reader_id = $3)
    AND ($4::uuid IS NULL OR target.session_id = $4)
    AND ($5::boolean IS NULL OR $5 = (
        binding.id IS NOT NULL
        AND event.occurred_at >= session.start_time
        AND (session.end_time IS NULL OR event.occurred_at <= session.end_time + grace)
    ))
ORDER BY event.occurred_at, event.event_id
LIMIT $6
"""


async def select_events_of_targets(
    conn: Connection, readings: Mapping[UUID, Reading]
) -> dict[UUID, list[Event]]:
    """What is to be read of what some targets' readers said, by target."""
    rows = await conn.fetch(
        EVENT_SELECT_OF_TARGETS,
        list(readings),
        [instant(reading.span.begin) for reading in readings.values()],
        [instant(reading.span.end) for reading in readings.values()],
        [instant(reading.landings_from) for reading in readings.values()],
    )
    found: dict[UUID, list[Event]] = {target: [] for target in readings}
    for row in rows:
        found[row["target_id"]].append(
            Event(
                id=row["event_id"],
                type=TYPES[row["type"]],
                at=microseconds(row["occurred_at"]),
                received_at=microseconds(row["received_at"]),
                slot_id=shared_if_any(row["slot_id"]),
                arrow_id=row["arrow_id"],
                x=row["x"] or 0.0,
                y=row["y"] or 0.0,
                sigma_mm=row["sigma_mm"],
                reader_id=shared(row["reader_id"]),
            )
        )
    return found


async def select_events(
    conn: Connection,
    after: Position,
    limit: int,
    *,
    reader_id: UUID | None = None,
    session_id: UUID | None = None,
    is_placed: bool | None = None,
) -> list[StoredEvent]:
    """Events in the order of their corrected time, one more than `limit` where there are more."""
    at: datetime = after.at
    rows = await conn.fetch(
        EVENT_SELECT_PAGE, at, after.id, reader_id, session_id, is_placed, limit + 1
    )
    return [StoredEvent.model_validate(dict(row)) for row in rows]
