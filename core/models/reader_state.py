"""Readers of open sessions as operators look at them: those with trouble first."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from core.postgres import Connection

LOW_BATTERY_PCT = 15
MANY_BUFFERED = 20

# What is bound to an open session now. Many archers have no readers on their arrows: of those
# only one that was heard before can be silent. A clock is told by a reader itself or by a gateway;
# its own words are believed: 'reader' sorts after 'gateway'.
READER_SELECT_STATES = """
WITH place AS (
    SELECT binding.reader_id, target.session_id, target.lane, slot.letter,
        session.start_time <= $1 AS is_open
    FROM session
    JOIN target ON target.session_id = session.id
    JOIN reader_binding AS binding ON binding.target_id = target.id
        AND binding.valid_from <= $1 AND binding.valid_to > $1
    LEFT JOIN slot ON slot.id = binding.slot_id
    WHERE session.end_time IS NULL OR session.end_time > $1
), state AS (
    SELECT reader.id, reader.kind, reader.name, place.session_id, place.lane, place.letter,
        status.is_online, status.last_heard_at, status.battery_pct::integer AS battery_pct,
        status.buffered, status.firmware, clock.offset_ms AS clock_offset_ms,
        clock.suspect AS clock_suspect,
        place.is_open AND NOT coalesce(status.is_online, reader.kind = 'arrow') AS is_silent,
        reader.id = ANY ($2) AS is_stuttering,
        clock.suspect IS NOT NULL AS has_odd_clock,
        coalesce(status.battery_pct < $3, false) AS is_low,
        coalesce(status.buffered >= $4, false) AS is_buffering
    FROM place
    JOIN reader ON reader.id = place.reader_id AND reader.retired_at IS NULL
    LEFT JOIN reader_status AS status ON status.reader_id = reader.id
    LEFT JOIN LATERAL (
        SELECT offset_ms, suspect FROM reader_clock
        WHERE reader_clock.reader_id = reader.id AND offset_ms IS NOT NULL
        ORDER BY source DESC LIMIT 1
    ) AS clock ON true
)
SELECT * FROM state
WHERE NOT $5 OR is_silent OR is_stuttering OR has_odd_clock OR is_low OR is_buffering
ORDER BY is_silent DESC, is_stuttering DESC, has_odd_clock DESC, is_low DESC, is_buffering DESC,
    session_id, lane, letter NULLS LAST, id
LIMIT $6 OFFSET $7
"""

READER_COUNT_PRESENT = """
SELECT count(*) FILTER (WHERE status.is_online) AS online,
    count(*) FILTER (
        WHERE session.start_time <= $1 AND NOT coalesce(status.is_online, reader.kind = 'arrow')
    ) AS silent
FROM session
JOIN target ON target.session_id = session.id
JOIN reader_binding AS binding ON binding.target_id = target.id
    AND binding.valid_from <= $1 AND binding.valid_to > $1
JOIN reader ON reader.id = binding.reader_id AND reader.retired_at IS NULL
LEFT JOIN reader_status AS status ON status.reader_id = binding.reader_id
WHERE session.end_time IS NULL OR session.end_time > $1
"""

TARGET_SELECT_OPEN = """
SELECT target.id FROM session
JOIN target ON target.session_id = session.id
WHERE session.end_time IS NULL OR session.end_time > $1
"""


async def select_reader_states(
    conn: Connection,
    stuttering: Collection[UUID],
    at: datetime,
    *,
    only_trouble: bool,
    limit: int,
    offset: int,
) -> Sequence[Record]:
    """Readers that are bound to an open session, one more than `limit` where there are more."""
    return await conn.fetch(
        READER_SELECT_STATES,
        at,
        list(stuttering),
        LOW_BATTERY_PCT,
        MANY_BUFFERED,
        only_trouble,
        limit + 1,
        offset,
    )


async def count_present(conn: Connection, at: datetime) -> tuple[int, int]:
    """How many readers of open sessions are online, and how many are silent."""
    row = await conn.fetchrow(READER_COUNT_PRESENT, at)
    assert row is not None
    return row["online"], row["silent"]


async def select_open_targets(conn: Connection, at: datetime) -> list[UUID]:
    """The targets of the sessions that are open, or will be."""
    return [row["id"] for row in await conn.fetch(TARGET_SELECT_OPEN, at)]
