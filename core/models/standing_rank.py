"""The ranks that viewers were told last, so that only what changed is told again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from core.domain.ranking import Ranked
from core.postgres import Connection

# From 1, and whether others share it.
type Rank = tuple[int, bool]

# Who has not shot yet has a rank too, and it moves as others shoot.
STANDING_INSERT_MISSING = """
INSERT INTO standing (
    slot_id, session_id, total, arrows, xs, elevens, tens, nines, sixes, fives, changed_at
)
SELECT slot.id, slot.session_id, 0, 0, 0, 0, 0, 0, 0, 0, clock_timestamp()
FROM slot
WHERE slot.session_id = $1
    AND NOT EXISTS (SELECT FROM standing WHERE standing.slot_id = slot.id)
ORDER BY slot.id
ON CONFLICT DO NOTHING
"""

STANDING_SELECT_UNTOLD = """
SELECT slot_id, changed_at FROM standing
WHERE session_id = $1 AND (ranked_at IS NULL OR ranked_at < changed_at)
"""

STANDING_SELECT_RANKS = """
SELECT slot_id, rank, is_tied FROM standing WHERE session_id = $1
"""

# A row that a worker is just changing is left for the next time, rather than waited for: two that
# wait for each other's rows would stand still until the database notices.
STANDING_UPDATE_RANKS = """
WITH ranked AS (
    SELECT * FROM unnest($2::uuid[], $3::integer[], $4::boolean[], $5::timestamptz[])
        AS ranked (slot_id, rank, is_tied, changed_at)
), free AS (
    SELECT standing.slot_id, ranked.rank, ranked.is_tied, ranked.changed_at
    FROM standing JOIN ranked ON ranked.slot_id = standing.slot_id
    WHERE standing.session_id = $1
        AND (
            standing.rank IS DISTINCT FROM ranked.rank
            OR standing.is_tied IS DISTINCT FROM ranked.is_tied
            OR ranked.changed_at IS NOT NULL
        )
    ORDER BY standing.slot_id
    FOR UPDATE OF standing SKIP LOCKED
)
UPDATE standing
SET rank = free.rank, is_tied = free.is_tied, ranked_at = coalesce(free.changed_at, standing.ranked_at)
FROM free
WHERE standing.slot_id = free.slot_id
RETURNING standing.slot_id
"""

STANDING_SELECT_UNRANKED = """
SELECT DISTINCT session_id FROM standing
WHERE (ranked_at IS NULL OR ranked_at < changed_at) AND changed_at < $1
"""


async def select_untold(conn: Connection, session_id: UUID) -> dict[UUID, datetime]:
    """Slots whose sums changed since viewers were told, and when they did."""
    await conn.execute(STANDING_INSERT_MISSING, session_id)
    rows = await conn.fetch(STANDING_SELECT_UNTOLD, session_id)
    return {row["slot_id"]: row["changed_at"] for row in rows}


async def select_ranks(conn: Connection, session_id: UUID) -> dict[UUID, Rank]:
    """What viewers were told last of each slot; without those that they were told nothing of."""
    rows = await conn.fetch(STANDING_SELECT_RANKS, session_id)
    return {slot: (rank, is_tied) for slot, rank, is_tied in rows if rank is not None}


async def note_ranks(
    conn: Connection,
    session_id: UUID,
    ranked: Sequence[Ranked],
    untold: Mapping[UUID, datetime],
) -> set[UUID]:
    """Keep the ranks of a session's slots.

    Args:
        conn: In a transaction.
        session_id: The session.
        ranked: Places that may be new, worked out after `untold` was read.
        untold: Slots whose sums changed, and when: a later change is told another time.

    Returns:
        The slots whose rank or sums are new to viewers.
    """
    slots = [each.tally.slot_id for each in ranked]
    rows = await conn.fetch(
        STANDING_UPDATE_RANKS,
        session_id,
        slots,
        [each.rank for each in ranked],
        [each.is_tied for each in ranked],
        [untold.get(slot) for slot in slots],
    )
    return {row["slot_id"] for row in rows}


async def select_unranked_sessions(conn: Connection, before: datetime) -> list[UUID]:
    """Sessions with sums that changed before this time and are not ranked since."""
    rows = await conn.fetch(STANDING_SELECT_UNRANKED, before)
    return [row["session_id"] for row in rows]
