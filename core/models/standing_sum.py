"""A slot's sums, derived from its shots whenever one of them changes."""

from collections.abc import Collection
from uuid import UUID

from core.postgres import Connection

STANDING_UPSERT = """
INSERT INTO standing AS kept (
    slot_id, session_id, total, arrows, xs, elevens, tens, nines, sixes, fives, changed_at
)
SELECT slot.id, slot.session_id,
    coalesce(sum(shot.score), 0),
    count(shot.id),
    count(*) FILTER (WHERE shot.is_x),
    count(*) FILTER (WHERE shot.score = 11),
    count(*) FILTER (WHERE shot.score = 10),
    count(*) FILTER (WHERE shot.score = 9),
    count(*) FILTER (WHERE shot.score = 6),
    count(*) FILTER (WHERE shot.score = 5),
    clock_timestamp()
FROM slot
LEFT JOIN shot ON shot.slot_id = slot.id AND shot.status IN ('landed', 'missed')
    AND shot.score IS NOT NULL
    AND NOT shot.flags @> '{out_of_end}'
WHERE slot.id = ANY ($1)
GROUP BY slot.id
ORDER BY slot.id
ON CONFLICT (slot_id) DO UPDATE SET
    session_id = excluded.session_id, total = excluded.total, arrows = excluded.arrows,
    xs = excluded.xs, elevens = excluded.elevens, tens = excluded.tens, nines = excluded.nines,
    sixes = excluded.sixes, fives = excluded.fives, changed_at = excluded.changed_at
"""


async def refresh_standings(conn: Connection, slots: Collection[UUID]) -> None:
    """Sum up the shots of these slots anew."""
    await conn.execute(STANDING_UPSERT, sorted(slots))
