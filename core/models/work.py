"""What waits for a partition in the database: its lock, and what the API asked to have derived
anew."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg.exceptions import LockNotAvailableError

from core.domain.window import Span, joined
from core.models.instants import microseconds
from core.postgres import Connection

# The first half of our advisory locks' keys: the letters QVR and a 1.
LOCKS = 0x51565231

# One read for the usual case, in which nothing was asked.
PARTITION_TRY_UNASKED = """
SELECT CASE WHEN EXISTS (SELECT FROM recompute WHERE partition_key % $3 = $2) THEN false
    ELSE pg_try_advisory_lock($1, $2) END
"""
# The same for several. The order of the two looks is the inner query's alone to decide.
PARTITION_TRY_UNASKED_AMONG = """
SELECT partition FROM (
    SELECT partition, CASE
        WHEN EXISTS (SELECT FROM recompute WHERE partition_key % $3 = partition) THEN false
        ELSE pg_try_advisory_lock($1, partition) END AS is_taken
    FROM unnest($2::int[]) AS partition
    OFFSET 0
) AS tried
WHERE is_taken
"""
PARTITION_TRY = "SELECT pg_try_advisory_lock($1, $2)"
# By the server's clock, not by cancelling: what is cancelled may have been granted just then.
LOCK_TIMEOUT_SET = "SELECT set_config('lock_timeout', $1, true)"
PARTITION_LOCK = "SELECT pg_advisory_lock($1, $2)"
PARTITION_UNLOCK = """
SELECT pg_advisory_unlock($1, partition) FROM unnest($2::int[]) AS partition
"""

# Whoever holds one of these partitions' locks, by the names of their connections.
HOLDER_SELECT = """
SELECT activity.pid, activity.application_name AS name
FROM pg_locks AS held
JOIN pg_stat_activity AS activity ON activity.pid = held.pid
WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 2
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND held.classid = $1::bigint::oid AND held.objid = ANY ($2::bigint[]::oid[])
    AND held.pid <> pg_backend_pid() AND activity.backend_start < now() - make_interval(secs => $3)
"""
HOLDER_END = "SELECT pg_terminate_backend($1)"

RECOMPUTE_SELECT_BARRIERS = """
SELECT DISTINCT barrier % $1 AS partition
FROM recompute, unnest(barrier_keys || partition_key) AS barrier
WHERE partition_key % $1 = $2
"""

# All that asks for no lock beyond those that are held: where a reader moved from one butt to
# another its landings are free only when both are derived, whichever partition comes first.
RECOMPUTE_TAKE = """
DELETE FROM recompute
WHERE partition_key % $1 = ANY ($2)
    AND NOT EXISTS (SELECT FROM unnest(barrier_keys) AS barrier WHERE barrier % $1 <> ALL ($2))
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
    """What was asked to be derived anew.

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


async def try_unasked_partition(conn: Connection, partition: int, partitions: int) -> bool:
    """As `try_partition`, when nothing was asked of it."""
    taken: bool = await conn.fetchval(PARTITION_TRY_UNASKED, LOCKS, partition, partitions)
    return taken


async def try_unasked_partitions(
    conn: Connection, among: Collection[int], partitions: int
) -> list[int]:
    """As `try_unasked_partition` for several, without waiting for any; those that are held now."""
    rows = await conn.fetch(PARTITION_TRY_UNASKED_AMONG, LOCKS, sorted(among), partitions)
    return [row["partition"] for row in rows]


async def try_partition(conn: Connection, partition: int) -> bool:
    """Hold a partition until the connection is given back, if nobody else does."""
    taken: bool = await conn.fetchval(PARTITION_TRY, LOCKS, partition)
    return taken


async def wait_for_partition(conn: Connection, partition: int, within_s: float) -> bool:
    """As `try_partition`, and wait a while for whoever holds it."""
    try:
        async with conn.transaction():
            await conn.execute(LOCK_TIMEOUT_SET, f"{round(within_s * 1000)}ms")
            await conn.execute(PARTITION_LOCK, LOCKS, partition)
    except LockNotAvailableError:
        return False
    return True


async def select_holders(
    conn: Connection, partitions: Collection[int], older_than_s: float
) -> dict[int, str]:
    """Who else holds these partitions: names of connections that are so old, by their
    processes."""
    rows = await conn.fetch(HOLDER_SELECT, LOCKS, list(partitions), older_than_s)
    return {row["pid"]: row["name"] for row in rows}


async def end_holder(conn: Connection, pid: int) -> None:
    """End a connection: what it has not committed is undone, what it holds is free."""
    await conn.execute(HOLDER_END, pid)


async def unlock_partitions(conn: Connection, partitions: Collection[int]) -> None:
    """Let them go."""
    await conn.execute(PARTITION_UNLOCK, LOCKS, sorted(set(partitions)))


async def take_asked(conn: Connection, partitions: int, held: Collection[int]) -> Asked:
    """What was asked of the partitions that are held; it is gone once the transaction ends well."""
    rows = await conn.fetch(RECOMPUTE_TAKE, partitions, list(held))
    return Asked(
        joined(
            (r["target_id"], Span(microseconds(r["since"]), microseconds(r["until"]))) for r in rows
        ),
        {r["target_id"]: r["request_id"] for r in rows if r["request_id"] is not None},
    )


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
