"""Readers that were moved to a butt of another partition: what they said before may still wait on
the way that it came, and what they say now tells of them only after that.

A landing that waits there may be the hit of what would be called a miss, a heartbeat may say that
more is still to be sent.
"""

from collections.abc import Collection
from uuid import UUID

from core.domain.values import SECOND
from core.models.known_reader import KnownReaders
from core.models.reader_way import forget_ways
from core.postgres import Connection
from workers.deps import Deps

# An API process that has not heard of it yet, or a request that was under way, goes the old way.
SETTLED_AFTER = 60 * SECOND


async def waiting_elsewhere(
    conn: Connection,
    deps: Deps,
    partitions: Collection[int],
    known: KnownReaders,
    as_of: int,
) -> dict[UUID, int]:
    """The readers of whom something waits on a way that they came before; the partition where.

    Ways on which nothing does any more are forgotten.

    Args:
        conn: In a transaction, with the readers locked.
        deps: The worker's clients.
        partitions: Those that are drained.
        known: The readers whose word has come.
        as_of: Now, microseconds.
    """
    inbox = deps.inbox
    ways = [
        (reader_id, way)
        for reader_id, left in known.ways.items()
        for way in left
        if way.key % inbox.partitions not in partitions
    ]
    if not ways:
        return {}
    asked: dict[UUID, set[int]] = {}
    for reader_id, way in ways:
        asked.setdefault(reader_id, set()).add(way.key % inbox.partitions)
    held = await inbox.holding(asked)
    settled = [
        (reader_id, way.key)
        for reader_id, way in ways
        if reader_id not in held and way.left_at < as_of - SETTLED_AFTER
    ]
    if settled:
        await forget_ways(conn, settled)
    return held
