"""Ways on which a reader's words came before it was moved: some of them may still wait there."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from core.inbox import partition_key
from core.models.instants import LAST
from core.models.reader_lookup import select_known_readers
from core.postgres import Connection

READER_WAY_UPSERT = """
INSERT INTO reader_way (reader_id, partition_key, left_at)
SELECT reader_id, partition_key, left_at
FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[]) AS way (reader_id, partition_key, left_at)
ON CONFLICT (reader_id, partition_key) DO UPDATE
    SET left_at = greatest(reader_way.left_at, excluded.left_at)
"""

# One that was left once more since it was read stays.
READER_WAY_DELETE = """
DELETE FROM reader_way
USING unnest($1::uuid[], $2::integer[], $3::timestamptz[]) AS way (reader_id, partition_key, left_at)
WHERE reader_way.reader_id = way.reader_id AND reader_way.partition_key = way.partition_key
    AND reader_way.left_at <= way.left_at
"""

READER_WAY_SELECT_KEYS = """
SELECT reader_id, partition_key FROM reader_way WHERE reader_id = ANY ($1)
"""

READER_WAY_SELECT_COMING = """
SELECT target_id, valid_from FROM reader_binding
WHERE reader_id = $1 AND valid_from > $2 ORDER BY valid_from
"""

# A reader, the key of a partition that its words went to, and until when.
type LeftWay = tuple[UUID, int, datetime]


async def select_ways(conn: Connection, readers: Collection[UUID]) -> dict[UUID, set[int]]:
    """The keys of the ways that are noted of some readers, of those that have any."""
    found: dict[UUID, set[int]] = {}
    for row in await conn.fetch(READER_WAY_SELECT_KEYS, list(readers)):
        found.setdefault(row["reader_id"], set()).add(row["partition_key"])
    return found


async def way_of(conn: Connection, reader_id: UUID, at: datetime) -> int:
    """The key of the partition that what a reader says at a time goes to: its target's, or its own
    when it never was at one."""
    known = (await select_known_readers(conn, [reader_id], at)).get(reader_id)
    target_id = None if known is None else known.target_id
    return partition_key(target_id or reader_id)


async def change_ways(conn: Connection, reader_id: UUID, before: int, now: datetime) -> None:
    """Note that what a reader says goes other ways from now on, or will by what is known now.

    Args:
        conn: In the transaction that moved it.
        reader_id: Which.
        before: The key of the partition that it went to until now.
        now: Now.
    """
    way = await way_of(conn, reader_id, now)
    left: dict[int, datetime] = {}
    if before != way:
        left[before] = now
        await forget_ways(conn, [(reader_id, way, LAST)])
    for target_id, since in await conn.fetch(READER_WAY_SELECT_COMING, reader_id, now):
        if (coming := partition_key(target_id)) != way:
            left[way], way = since, coming
    await note_ways(conn, [(reader_id, key, at) for key, at in left.items()])


async def note_ways(conn: Connection, ways: Sequence[LeftWay]) -> None:
    """Readers' words go there no more from a time on."""
    if ways:
        await conn.execute(READER_WAY_UPSERT, *map(list, zip(*ways, strict=True)))


async def forget_ways(conn: Connection, ways: Sequence[LeftWay]) -> None:
    """Nothing waits there any more, as far as it was left by that time."""
    await conn.execute(READER_WAY_DELETE, *map(list, zip(*ways, strict=True)))
