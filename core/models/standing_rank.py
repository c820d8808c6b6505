"""The ranks that viewers were told last, so that only what changed is told again."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from core.postgres import Connection

STANDING_SELECT_UNTOLD = """
SELECT slot_id FROM standing
WHERE session_id = $1 AND (ranked_at IS NULL OR ranked_at < changed_at)
FOR UPDATE
"""

STANDING_UPDATE_RANKS = """
WITH ranked AS (SELECT * FROM unnest($2::uuid[], $3::integer[]) AS ranked (slot_id, rank))
UPDATE standing SET rank = ranked.rank, ranked_at = clock_timestamp()
FROM ranked
WHERE standing.session_id = $1 AND standing.slot_id = ranked.slot_id
    AND (standing.rank IS DISTINCT FROM ranked.rank OR standing.slot_id = ANY ($4::uuid[]))
RETURNING standing.slot_id
"""

STANDING_SELECT_UNRANKED = """
SELECT DISTINCT session_id FROM standing
WHERE (ranked_at IS NULL OR ranked_at < changed_at) AND changed_at < $1
"""


async def select_untold_slots(conn: Connection, session_id: UUID) -> set[UUID]:
    """Slots whose sums changed since viewers were told; locked, so that no change slips in between."""
    return {row["slot_id"] for row in await conn.fetch(STANDING_SELECT_UNTOLD, session_id)}


async def note_ranks(
    conn: Connection, session_id: UUID, ranks: Mapping[UUID, int], untold: set[UUID]
) -> set[UUID]:
    """Keep the ranks of a session's slots.

    Args:
        conn: In the transaction that locked the slots.
        session_id: The session.
        ranks: Of every slot.
        untold: Slots whose sums changed.

    Returns:
        The slots whose rank or sums are new to viewers.
    """
    rows = await conn.fetch(
        STANDING_UPDATE_RANKS, session_id, list(ranks), list(ranks.values()), list(untold)
    )
    return {row["slot_id"] for row in rows}


async def select_unranked_sessions(conn: Connection, before: datetime) -> list[UUID]:
    """Sessions with sums that changed before this time and are not ranked since."""
    rows = await conn.fetch(STANDING_SELECT_UNRANKED, before)
    return [row["session_id"] for row in rows]
