"""Ways on which a reader's words came before it was moved: some of them may still wait there."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core.inbox import partition_key
from core.models.reader_lookup import select_known_readers
from core.postgres import Connection

READER_WAY_UPSERT = """
INSERT INTO reader_way (reader_id, partition_key, left_at) VALUES ($1, $2, $3)
ON CONFLICT (reader_id, partition_key) DO UPDATE SET left_at = excluded.left_at
"""

READER_WAY_DELETE = """
DELETE FROM reader_way USING unnest($1::uuid[], $2::integer[]) AS gone (reader_id, partition_key)
WHERE reader_way.reader_id = gone.reader_id AND reader_way.partition_key = gone.partition_key
"""


async def way_of(conn: Connection, reader_id: UUID, at: datetime) -> int:
    """The key of the partition that what a reader says at a time goes to: its target's, or its own
    when it never was at one."""
    known = (await select_known_readers(conn, [reader_id], at)).get(reader_id)
    target_id = None if known is None else known.target_id
    return partition_key(target_id or reader_id)


async def change_way(
    conn: Connection, reader_id: UUID, before: int, after: int, at: datetime
) -> None:
    """Note that what a reader says goes another way from a time on.

    Args:
        conn: In the transaction that moves it.
        reader_id: Which.
        before: The key of the partition that it went to.
        after: That of the one that it goes to.
        at: From when on.
    """
    if before != after:
        await conn.execute(READER_WAY_UPSERT, reader_id, before, at)
        await forget_ways(conn, [(reader_id, after)])


async def forget_ways(conn: Connection, ways: Sequence[tuple[UUID, int]]) -> None:
    """Nothing waits there any more, of each reader with a partition's key."""
    await conn.execute(READER_WAY_DELETE, [reader for reader, _ in ways], [key for _, key in ways])
