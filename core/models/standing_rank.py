"""The ranks that viewers were told last, so that only what changed is told again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.domain.ranking import Criterion, Ranked, Tally
from core.postgres import Connection

# Who has not shot yet has a rank too, and it moves as others shoot. Mostly nobody is missing, and
# to count is quicker than to look for each.
STANDING_INSERT_MISSING = """
INSERT INTO standing (
    slot_id, session_id, total, arrows, xs, elevens, tens, nines, sixes, fives, changed_at
)
SELECT slot.id, slot.session_id, 0, 0, 0, 0, 0, 0, 0, 0, clock_timestamp()
FROM slot
WHERE (SELECT count(*) FROM slot WHERE session_id = $1)
        > (SELECT count(*) FROM standing WHERE session_id = $1)
    AND slot.session_id = $1
    AND NOT EXISTS (SELECT FROM standing WHERE standing.slot_id = slot.id)
ORDER BY slot.id
ON CONFLICT DO NOTHING
"""

# What `rank` in `core/domain/ranking.py` says, worked out where the sums are: of a large field few
# rows come out of this, and each costs more to be read than to be ranked. Total and counts are one
# number, which sorts all at once: no slot shoots half a million arrows in a session. Whose sums
# changed come first; of the others chance decides, so that nobody is always among those left.
STANDING_SELECT_NEW = """
WITH counted AS (
    SELECT standing.*, ranked_at IS NULL OR ranked_at < changed_at AS is_untold,
        (total * 1048576::bigint
        + CASE $2 WHEN 'elevens' THEN elevens WHEN 'xs' THEN xs WHEN 'tens' THEN tens
            WHEN 'nines' THEN nines WHEN 'sixes' THEN sixes WHEN 'fives' THEN fives END) * 1048576
        + CASE $3 WHEN 'elevens' THEN elevens WHEN 'xs' THEN xs WHEN 'tens' THEN tens
            WHEN 'nines' THEN nines WHEN 'sixes' THEN sixes WHEN 'fives' THEN fives END AS merit
    FROM standing WHERE session_id = $1
), ranked AS (
    SELECT counted.*, rank() OVER best AS place,
        coalesce(merit IN (lag(merit) OVER best, lead(merit) OVER best), false) AS is_shared
    FROM counted WINDOW best AS (ORDER BY merit DESC)
)
SELECT slot_id, total, arrows, xs, elevens, tens, nines, sixes, fives, place, is_shared,
    CASE WHEN is_untold THEN changed_at END AS changed_at
FROM ranked
WHERE is_untold OR place IS DISTINCT FROM rank OR is_shared IS DISTINCT FROM is_tied
ORDER BY is_untold DESC, random()
LIMIT $4
"""

# A row that a worker is just changing is left for the next time, rather than waited for: two that
# wait for each other's rows would stand still until the database notices.
STANDING_UPDATE_RANKS = """
WITH ranked AS (
    SELECT * FROM unnest($1::uuid[], $2::integer[], $3::boolean[], $4::timestamptz[])
        AS ranked (slot_id, rank, is_tied, changed_at)
), free AS (
    SELECT standing.slot_id, ranked.rank, ranked.is_tied, ranked.changed_at
    FROM standing JOIN ranked ON ranked.slot_id = standing.slot_id
    WHERE standing.rank IS DISTINCT FROM ranked.rank
        OR standing.is_tied IS DISTINCT FROM ranked.is_tied
        OR ranked.changed_at IS NOT NULL
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


@dataclass(frozen=True, slots=True)
class NewRank:
    """A place of which viewers do not know.

    Args:
        ranked: The place, and the sums that it is by.
        changed_at: When those changed; None: they did not since viewers were told.
    """

    ranked: Ranked
    changed_at: datetime | None


async def select_new_ranks(
    conn: Connection, session_id: UUID, order: tuple[Criterion, Criterion], at_most: int
) -> list[NewRank]:
    """The places of a session's slots that viewers do not know, or with other sums: those with
    other sums first.

    Args:
        conn: In a transaction.
        session_id: The session.
        order: What parts equal totals in its round.
        at_most: How many are read.
    """
    await conn.execute(STANDING_INSERT_MISSING, session_id)
    rows = await conn.fetch(STANDING_SELECT_NEW, session_id, *order, at_most)
    return [
        NewRank(Ranked(place, Tally(*tally), is_tied), changed_at)
        for *tally, place, is_tied, changed_at in rows
    ]


async def note_ranks(conn: Connection, new: Sequence[NewRank]) -> set[UUID]:
    """Keep the ranks of slots, as viewers are told of them now: a later change of the
    sums is told another time.

    Args:
        conn: In a transaction.
        new: Places, each of another slot.

    Returns:
        The slots whose rank or sums are new to viewers.
    """
    rows = await conn.fetch(
        STANDING_UPDATE_RANKS,
        [each.ranked.tally.slot_id for each in new],
        [each.ranked.rank for each in new],
        [each.ranked.is_tied for each in new],
        [each.changed_at for each in new],
    )
    return {row["slot_id"] for row in rows}


async def select_unranked_sessions(conn: Connection, before: datetime) -> list[UUID]:
    """Sessions with sums that changed before this time and are not ranked since."""
    rows = await conn.fetch(STANDING_SELECT_UNRANKED, before)
    return [row["session_id"] for row in rows]
