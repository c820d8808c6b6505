"""Landings, as a judge names them: an event and the butt that was hit."""

from dataclasses import dataclass
from uuid import UUID

from core.domain.values import Event, EventType
from core.errors import ConflictError, NotFoundError
from core.models.instants import microseconds
from core.postgres import Connection

# What was shot in time may land after the end.
LANDING_SELECT = """
SELECT event.event_id, event.occurred_at, event.received_at, event.arrow_id, event.x, event.y,
    event.sigma_mm, event.reader_id, binding.target_id,
    event.occurred_at >= session.start_time AND (
        session.end_time IS NULL OR event.occurred_at <= session.end_time + make_interval(
            secs => coalesce((session.rules ->> 'landing_window_ms')::double precision, 3000) / 1000
        )
    ) AS is_in_time
FROM event
LEFT JOIN reader_binding AS binding ON binding.reader_id = event.reader_id
    AND binding.valid_from <= event.occurred_at AND event.occurred_at < binding.valid_to
LEFT JOIN target ON target.id = binding.target_id
LEFT JOIN session ON session.id = target.session_id
WHERE event.event_id = $1 AND event.type = 'arrow_landed'
"""


@dataclass(frozen=True, slots=True)
class Landing:
    """Something that hit a butt.

    Args:
        event: What its reader said.
        target_id: The butt.
    """

    event: Event
    target_id: UUID


async def select_landing(conn: Connection, event_id: UUID) -> Landing:
    """A landing.

    Raises:
        NotFoundError: No landing has this id.
        ConflictError: It belongs to no session.
    """
    row = await conn.fetchrow(LANDING_SELECT, event_id)
    if row is None:
        raise NotFoundError("landing", event_id)
    if row["target_id"] is None:
        raise ConflictError(
            f"landing {event_id}: its reader was bound to nothing at that time; bind it to its "
            "target for that time"
        )
    if not row["is_in_time"]:
        raise ConflictError(
            f"landing {event_id}: lies outside the session's start and end; put these right"
        )
    event = Event(
        id=row["event_id"],
        type=EventType.LANDED,
        at=microseconds(row["occurred_at"]),
        received_at=microseconds(row["received_at"]),
        arrow_id=row["arrow_id"],
        x=row["x"],
        y=row["y"],
        sigma_mm=row["sigma_mm"],
        reader_id=row["reader_id"],
    )
    return Landing(event, row["target_id"])
