"""What waits for a partition in the database: its lock, and what the API asked to have derived
anew."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.domain.window import Span
from core.models.instants import microseconds
from core.postgres import Connection

# The first half of our advisory locks' keys: the letters QVR and a 1.
LOCKS = 0x51565231

PARTITION_LOCK = "SELECT pg_advisory_lock($1, $2)"
PARTITION_UNLOCK = "SELECT pg_advisory_unlock($1, $2)"

RECOMPUTE_SELECT_BARRIERS = """
SELECT DISTINCT barrier % $1 AS partition
FROM recompute, unnest(barrier_keys || partition_key) AS barrier
WHERE partition_key % $1 = $2
"""

# Only what asks for no lock beyond those that are held.
RECOMPUTE_TAKE = """
DELETE FROM recompute
WHERE partition_key % $1 = $2
    AND NOT EXISTS (SELECT FROM unnest(barrier_keys) AS barrier WHERE barrier % $1 <> ALL ($3))
RETURNING target_id, since, until, request_id
"""

RECOMPUTE_SELECT_PARTITIONS = """
SELECT DISTINCT partition_key % $1 AS partition FROM recompute WHERE created_at < $2
"""

RECOMPUTE_COUNT_BY_PARTITION = """
SELECT partition_key % $1 AS partition, count(*) AS count FROM recompute GROUP BY 1
"""

RECOMPUTE_COUNT = "SELECT count(*) FROM recompute"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the API asked a partition to derive anew.

    Args:
        spans: When the releases lie, by target.
        requests: The request that asked, by target.
    """

    spans: Mapping[UUID, Span]
    requests: Mapping[UUID, UUID]


async def select_barriers(conn: Connection, partition: int, partitions: int) -> list[int]:
    """The partitions that must stand still while this one does what was asked of it; none: nothing
    was."""
    rows = await conn.fetch(RECOMPUTE_SELECT_BARRIERS, partitions, partition)
    return [row["partition"] for row in rows]


async def lock_partitions(conn: Connection, partitions: Collection[int], timeout_s: float) -> None:
    """Hold partitions until the connection is given back; always in one order, so nobody waits in
    a ring."""
    for partition in sorted(set(partitions)):
        await conn.execute(PARTITION_LOCK, LOCKS, partition, timeout=timeout_s)


async def unlock_partitions(conn: Connection, partitions: Collection[int]) -> None:
    """Let them go."""
    for partition in sorted(set(partitions)):
        await conn.execute(PARTITION_UNLOCK, LOCKS, partition)


async def take_asked(
    conn: Connection, partition: int, partitions: int, held: Collection[int]
) -> Asked:
    """What was asked of this partition; it is gone once the transaction ends well."""
    spans: dict[UUID, Span] = {}
    requests: dict[UUID, UUID] = {}
    for row in await conn.fetch(RECOMPUTE_TAKE, partitions, partition, list(held)):
        target, span = row["target_id"], Span(
            microseconds(row["since"]), microseconds(row["until"])
        )
        spans[target] = span.joined(spans.get(target, span))
        if row["request_id"] is not None:
            requests[target] = row["request_id"]
    return Asked(spans, requests)


async def select_asked_partitions(conn: Connection, partitions: int, before: datetime) -> list[int]:
    """Partitions that were asked something before this time."""
    rows = await conn.fetch(RECOMPUTE_SELECT_PARTITIONS, partitions, before)
    return [row["partition"] for row in rows]


async def count_asked(conn: Connection) -> int:
    """How much was asked and not done yet."""
    count: int = await conn.fetchval(RECOMPUTE_COUNT)
    return count


async def count_asked_by_partition(conn: Connection, partitions: int) -> dict[int, int]:
    """How much was asked of each partition and is not done yet."""
    rows = await conn.fetch(RECOMPUTE_COUNT_BY_PARTITION, partitions)
    return {row["partition"]: row["count"] for row in rows}
