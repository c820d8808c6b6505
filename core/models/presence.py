"""Readers' presence: who is silent, where they are, and how a start is told that nobody said."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from core.models.instants import FIRST, microseconds
from core.postgres import Connection

# `-infinity` stands for "it does not say when it was started".
UNSAID = FIRST

STATUS_UPDATE_SILENT = """
UPDATE reader_status SET is_online = false
WHERE is_online AND last_heard_at < $1 AND reader_id IN (
    SELECT reader_id FROM reader_status WHERE is_online AND last_heard_at < $1
    ORDER BY reader_id FOR UPDATE
)
RETURNING reader_id, last_heard_at
"""

READER_SELECT_PLACES_NOW = """
SELECT binding.reader_id, binding.target_id, binding.slot_id, target.session_id, reader.kind
FROM unnest($1::uuid[]) AS asked (reader_id)
CROSS JOIN LATERAL (
    SELECT * FROM reader_binding
    WHERE reader_id = asked.reader_id AND valid_from <= $2
    ORDER BY valid_from DESC LIMIT 1
) AS binding
JOIN reader ON reader.id = binding.reader_id
JOIN target ON target.id = binding.target_id
WHERE binding.valid_to > $2
"""


class ReaderPlace(Struct, frozen=True):
    """Where a reader is bound.

    Args:
        reader_id: The reader.
        kind: `arrow`, `bow` or `target`.
        session_id: Whose viewers may care.
        target_id: The butt.
        slot_id: The archer's place, when it is bound to one.
    """

    reader_id: UUID
    kind: str
    session_id: UUID
    target_id: UUID
    slot_id: UUID | None


async def mark_silent(conn: Connection, heard_before: datetime) -> list[UUID]:
    """Readers that counted as online and were last heard before this time: offline from now on."""
    rows = await conn.fetch(STATUS_UPDATE_SILENT, heard_before)
    return [row["reader_id"] for row in rows]


async def select_reader_places(
    conn: Connection, readers: Collection[UUID], at: datetime
) -> list[ReaderPlace]:
    """Where readers are bound at a time; those bound to nothing are left out."""
    rows = await conn.fetch(READER_SELECT_PLACES_NOW, list(readers), at)
    return [
        ReaderPlace(r["reader_id"], r["kind"], r["session_id"], r["target_id"], r["slot_id"])
        for r in rows
    ]


def is_unsaid(started_at: datetime) -> bool:
    """Whether this stands for a start that the reader does not tell."""
    return microseconds(started_at) <= microseconds(UNSAID)
