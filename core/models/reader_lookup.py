"""What the API must know of readers to take their events: their kind, and where they are now."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.postgres import Connection

# The place of now, else the latest one: it only chooses a partition, a worker knows better.
EVENTS_READER_SELECT = """
SELECT reader.id, reader.kind, latest.target_id
FROM reader
LEFT JOIN LATERAL (
    SELECT target_id FROM reader_binding
    WHERE reader_id = reader.id AND valid_from <= $2
    ORDER BY valid_from DESC LIMIT 1
) AS latest ON true
WHERE reader.id = ANY ($1) AND reader.retired_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class KnownReader:
    """A reader that may speak.

    Args:
        id: The reader.
        kind: `arrow`, `bow` or `target`.
        target_id: The butt that it is at, or was at last; None: it never was at one.
    """

    id: UUID
    kind: str
    target_id: UUID | None


async def select_known_readers(
    conn: Connection, ids: Collection[UUID], at: datetime
) -> dict[UUID, KnownReader]:
    """Those of the readers that exist and are not retired, by id."""
    rows = await conn.fetch(EVENTS_READER_SELECT, list(ids), at)
    return {row["id"]: KnownReader(row["id"], row["kind"], row["target_id"]) for row in rows}
