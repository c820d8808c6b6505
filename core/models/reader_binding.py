"""Where readers are and were: a history, so that what a reader said stays at its place of then."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from core.models.conflict import reported
from core.models.place import Place
from core.postgres import Connection

BINDING_INSERT = """
INSERT INTO reader_binding (id, reader_id, slot_id, target_id, valid_from)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[])
"""

# From a moment on history is written anew: what began later is gone, what spans it ends there.
BINDING_DELETE_FROM = """
DELETE FROM reader_binding WHERE reader_id = $1 AND valid_from >= $2
RETURNING target_id
"""

BINDING_END_AT = """
UPDATE reader_binding SET valid_to = $2
WHERE reader_id = $1 AND valid_from < $2 AND valid_to > $2
RETURNING target_id
"""

# A place that a reader never really left goes on, instead of beginning anew.
BINDING_GO_ON = """
UPDATE reader_binding SET valid_to = 'infinity'
WHERE reader_id = $1 AND valid_from < $2 AND valid_to >= $2
    AND target_id = $3 AND slot_id IS NOT DISTINCT FROM $4
RETURNING target_id
"""

# As far back as the reader was nowhere else.
BINDING_FOLLOW_START = """
UPDATE reader_binding AS binding
SET valid_from = greatest($3, (
    SELECT max(earlier.valid_to) FROM reader_binding AS earlier
    WHERE earlier.reader_id = binding.reader_id AND earlier.valid_from < binding.valid_from
))
FROM target
WHERE target.id = binding.target_id AND target.session_id = $1
    AND binding.valid_from = $2 AND $3::timestamptz < $2
"""


async def follow_start(
    conn: Connection, session_id: UUID, before: datetime, after: datetime
) -> None:
    """Readers that were at their places from a session's start on were so when it began earlier.

    Args:
        conn: In the transaction that changes the start.
        session_id: Whose.
        before: The start until now.
        after: The start from now on; a later one changes nothing.
    """
    await conn.execute(BINDING_FOLLOW_START, session_id, before, after)


async def bind_from(
    conn: Connection, reader_id: UUID, place: Place | None, begin: datetime
) -> set[UUID]:
    """Have a reader at a place, or at none, from a moment on.

    Args:
        conn: In the transaction that locked the reader.
        reader_id: Which.
        place: Where; None: nowhere.
        begin: From when on; what was known of its places after that is written anew.

    Returns:
        The targets that it leaves or comes to.
    """
    gone = await conn.fetch(BINDING_DELETE_FROM, reader_id, begin)
    touched = {row["target_id"] for row in gone}
    if place is not None:
        touched.add(place.target_id)
        where = (place.target_id, place.slot_id)
        if await conn.fetch(BINDING_GO_ON, reader_id, begin, *where):
            return touched
    ended = await conn.fetch(BINDING_END_AT, reader_id, begin)
    touched |= {row["target_id"] for row in ended}
    if place is not None:
        await insert_bindings(conn, [(reader_id, place, begin)])
    return touched


async def insert_bindings(
    conn: Connection, bindings: Sequence[tuple[UUID, Place, datetime]]
) -> None:
    """Have readers at places, each from a moment on; they were nowhere from there on before."""
    with reported("reader"):
        await conn.execute(
            BINDING_INSERT,
            [uuid4() for _ in bindings],
            [reader for reader, _, _ in bindings],
            [place.slot_id for _, place, _ in bindings],
            [place.target_id for _, place, _ in bindings],
            [begin for _, _, begin in bindings],
        )
