"""What the API changed and a worker must recompute: written in the transaction of the change
itself."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from core.inbox import partition_key
from core.postgres import Connection

RECOMPUTE_INSERT = """
INSERT INTO recompute (target_id, partition_key, barrier_keys, since, until, request_id)
SELECT target_id, partition_key, $3, $4, $5, $6
FROM unnest($1::uuid[], $2::integer[]) AS changed (target_id, partition_key)
"""


async def request_recompute(
    conn: Connection,
    target_ids: Collection[UUID],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    moved_readers: Collection[UUID] = (),
    together: bool = False,
    request_id: UUID | None = None,
) -> None:
    """Have the shots of these targets derived anew; wake their partitions after the commit.

    Args:
        conn: In the transaction that makes the change.
        target_ids: The targets whose shots may differ now.
        since: Only shots released from here on; None: all.
        until: Only shots released before; None: all.
        moved_readers: Readers whose place changed. Events of theirs that are being processed under
            the old place are waited for.
        together: Whether it must be in one transaction, since landings go from one to another.
        request_id: The request that caused it.
    """
    targets = sorted(target_ids)
    barriers = sorted({partition_key(owner) for owner in (*targets, *moved_readers)})
    await conn.execute(
        RECOMPUTE_INSERT,
        targets,
        [partition_key(target) for target in targets],
        barriers if moved_readers or together else [],
        since or datetime.min,
        until or datetime.max,
        request_id,
    )
