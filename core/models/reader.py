"""Readers: never deleted, only retired, since what they said must keep its speaker."""

from collections.abc import Sequence
from uuid import UUID

from core.errors import NotFoundError
from core.postgres import Connection
from core.schema.page import Position
from core.schema.reader import Reader

READER_INSERT = """
INSERT INTO reader (id, kind, name)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])
"""

READER_SELECT = """
SELECT reader.id, reader.kind, reader.name, reader.created_at, reader.updated_at,
    binding.slot_id, binding.target_id, binding.valid_from AS bound_from,
    coalesce(status.is_online, false) AS is_online, status.last_heard_at, status.battery_pct,
    status.firmware, status.buffered, measured.clock
FROM reader
LEFT JOIN reader_binding AS binding ON binding.reader_id = reader.id
    AND binding.valid_to = 'infinity'
LEFT JOIN reader_status AS status ON status.reader_id = reader.id
LEFT JOIN LATERAL (
    -- What it says itself is believed before what a gateway says: 'reader' sorts after 'gateway'.
    SELECT jsonb_build_object(
        'offset_ms', offset_ms, 'measured_at', measured_at,
        'suspect', suspect, 'jumped_at', jumped_at
    ) AS clock
    FROM reader_clock WHERE reader_id = reader.id AND offset_ms IS NOT NULL
    ORDER BY source DESC LIMIT 1
) AS measured ON true
WHERE reader.id = $1 AND reader.retired_at IS NULL
"""

READER_SELECT_PAGE = """
SELECT reader.id, reader.kind, reader.name, reader.created_at, reader.updated_at,
    binding.slot_id, binding.target_id, binding.valid_from AS bound_from,
    coalesce(status.is_online, false) AS is_online, status.last_heard_at, status.battery_pct,
    status.firmware, status.buffered, measured.clock
FROM reader
LEFT JOIN reader_binding AS binding ON binding.reader_id = reader.id
    AND binding.valid_to = 'infinity'
LEFT JOIN target ON target.id = binding.target_id
LEFT JOIN reader_status AS status ON status.reader_id = reader.id
LEFT JOIN LATERAL (
    -- What it says itself is believed before what a gateway says: 'reader' sorts after 'gateway'.
    SELECT jsonb_build_object(
        'offset_ms', offset_ms, 'measured_at', measured_at,
        'suspect', suspect, 'jumped_at', jumped_at
    ) AS clock
    FROM reader_clock WHERE reader_id = reader.id AND offset_ms IS NOT NULL
    ORDER BY source DESC LIMIT 1
) AS measured ON true
WHERE (reader.created_at, reader.id) > ($1, $2) AND reader.retired_at IS NULL
    AND ($4::text IS NULL OR reader.kind = $4)
    AND ($5::uuid IS NULL OR target.session_id = $5)
ORDER BY reader.created_at, reader.id
LIMIT $3
"""

# Whoever stores what it says meanwhile is not held up, and may have its ways.
READER_LOCK = "SELECT id FROM reader WHERE id = $1 AND retired_at IS NULL FOR NO KEY UPDATE"

READER_UPDATE_NAME = "UPDATE reader SET name = $2, updated_at = now() WHERE id = $1"

READER_TOUCH = "UPDATE reader SET updated_at = now() WHERE id = $1"

READER_RETIRE = "UPDATE reader SET retired_at = now(), updated_at = now() WHERE id = $1"


async def insert_readers(conn: Connection, readers: Sequence[tuple[UUID, str, str]]) -> None:
    """Make readers, each of an id, a kind and a name."""
    ids, kinds, names = ([reader[column] for reader in readers] for column in range(3))
    await conn.execute(READER_INSERT, ids, kinds, names)


async def select_reader(conn: Connection, reader_id: UUID) -> Reader:
    """A reader.

    Raises:
        NotFoundError: None has this id, or it is retired.
    """
    row = await conn.fetchrow(READER_SELECT, reader_id)
    if row is None:
        raise NotFoundError("reader", reader_id)
    return Reader.model_validate(dict(row))


async def select_readers(
    conn: Connection, after: Position, limit: int, kind: str | None, session_id: UUID | None
) -> list[Reader]:
    """Readers by creation time and id, one more than `limit` where there are more."""
    rows = await conn.fetch(READER_SELECT_PAGE, after.at, after.id, limit + 1, kind, session_id)
    return [Reader.model_validate(dict(row)) for row in rows]


async def lock_reader(conn: Connection, reader_id: UUID) -> None:
    """Keep others from moving the reader meanwhile.

    Raises:
        NotFoundError: None has this id, or it is retired.
    """
    if await conn.fetchval(READER_LOCK, reader_id) is None:
        raise NotFoundError("reader", reader_id)


async def rename_reader(conn: Connection, reader_id: UUID, name: str) -> None:
    """Give a reader another name."""
    await conn.execute(READER_UPDATE_NAME, reader_id, name)


async def touch_reader(conn: Connection, reader_id: UUID) -> None:
    """Note that something about a reader changed that stands elsewhere."""
    await conn.execute(READER_TOUCH, reader_id)


async def retire_reader(conn: Connection, reader_id: UUID) -> None:
    """Hide a reader from everybody; what it said stays."""
    await conn.execute(READER_RETIRE, reader_id)
