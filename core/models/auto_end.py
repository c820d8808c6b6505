"""The ends that the arrows of a butt fill by their count: rows that follow the shots, and what
viewers were told of them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from asyncpg import Record
from msgspec import Struct

from core.models.instants import instant
from core.postgres import Connection
from core.schema.end import End

# Who has not shot at all, and an arrow of which nobody knows whether it landed, are waited for in
# the newest end only: once the next one is open, they are no longer.
AUTO_END_REFRESH = """
WITH wanted AS (
    SELECT target.id AS target_id, target.session_id,
        (session.rules ->> 'arrows_per_end')::integer AS arrows_per_end
    FROM target JOIN session ON session.id = target.session_id
    WHERE target.id = ANY ($1) AND session.rules ->> 'arrows_per_end' IS NOT NULL
        AND session.rules ->> 'end_control' IS DISTINCT FROM 'manual'
), share AS (
    SELECT shot.target_id, shot.end_number, shot.slot_id, wanted.arrows_per_end,
        count(*) AS arrows, min(shot.release_time) AS first,
        max(greatest(coalesce(shot.landing_time, shot.deadline), shot.release_time)) AS last,
        bool_or(shot.status = 'in_flight') AS is_flying,
        bool_or(shot.status = 'unresolved') AS is_unresolved
    FROM wanted JOIN shot ON shot.target_id = wanted.target_id AND shot.status <> 'voided'
    GROUP BY shot.target_id, shot.end_number, shot.slot_id, wanted.arrows_per_end
), butt AS (
    SELECT target_id, count(DISTINCT slot_id) AS shooting, max(end_number) AS newest,
        (SELECT count(*) FROM slot WHERE slot.target_id = share.target_id) AS slots
    FROM share GROUP BY target_id
), found AS (
    SELECT share.target_id, share.end_number AS number, min(share.first) AS opened_at,
        CASE WHEN NOT bool_or(share.is_flying)
            AND count(*) FILTER (WHERE share.arrows >= share.arrows_per_end) = butt.shooting
            AND (
                share.end_number < butt.newest
                OR butt.shooting >= butt.slots AND NOT bool_or(share.is_unresolved)
            )
        THEN max(share.last) END AS closed_at
    FROM share JOIN butt ON butt.target_id = share.target_id
    GROUP BY share.target_id, share.end_number, butt.shooting, butt.slots, butt.newest
), gone AS (
    DELETE FROM shooting_end AS held USING wanted
    WHERE held.target_id = wanted.target_id AND NOT EXISTS (
        SELECT FROM found WHERE found.target_id = held.target_id AND found.number = held.number
    )
)
INSERT INTO shooting_end AS held (
    id, session_id, target_id, number, control, opened_at, closed_at
)
SELECT gen_random_uuid(), wanted.session_id, found.target_id, found.number, 'auto',
    found.opened_at, found.closed_at
FROM found JOIN wanted ON wanted.target_id = found.target_id
ORDER BY found.opened_at, found.target_id, found.number
ON CONFLICT (target_id, number) DO UPDATE SET
    opened_at = excluded.opened_at, closed_at = excluded.closed_at, updated_at = now()
WHERE (held.opened_at, held.closed_at) IS DISTINCT FROM (excluded.opened_at, excluded.closed_at)
RETURNING held.*
"""

AUTO_END_SELECT_UNTOLD = """
SELECT * FROM shooting_end
WHERE (NOT is_opening_told OR (closed_at IS NOT NULL AND NOT is_closing_told)) AND updated_at < $1
ORDER BY opened_at, id
FOR UPDATE SKIP LOCKED
"""

AUTO_END_COUNT_UNTOLD = """
SELECT count(*) FROM shooting_end
WHERE (NOT is_opening_told OR (closed_at IS NOT NULL AND NOT is_closing_told)) AND updated_at < $1
"""

AUTO_END_MARK_TOLD = """
UPDATE shooting_end SET is_opening_told = true, is_closing_told = is_closing_told OR told.is_closed
FROM unnest($1::uuid[], $2::boolean[]) AS told (id, is_closed)
WHERE shooting_end.id = told.id
"""


class AutoEnd(Struct, frozen=True):
    """An end by the count of the arrows.

    Args:
        end: As viewers see it.
        is_opening_told: Whether they were told that it opened.
        is_closing_told: Whether they were told that it closed.
    """

    end: End
    is_opening_told: bool
    is_closing_told: bool


def _stored(row: Record) -> AutoEnd:
    end = End(
        id=row["id"],
        session_id=row["session_id"],
        target_id=row["target_id"],
        number=row["number"],
        control=row["control"],
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
        opened_by=None,
        closed_by=None,
        changed_by=None,
        changed_at=None,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
    return AutoEnd(end, row["is_opening_told"], row["is_closing_told"])


async def refresh_auto_ends(conn: Connection, target_ids: Collection[UUID]) -> list[AutoEnd]:
    """Write the ends that the shots of these targets fill, where they differ.

    An end opens with its first release, and closes when everyone who shoots at the target has their
    arrows of it and each is decided. Targets whose session has no ends by count are passed over.

    Args:
        conn: In the transaction that wrote the shots.
        target_ids: Which.

    Returns:
        What is new or other than before, by its opening.
    """
    rows = await conn.fetch(AUTO_END_REFRESH, sorted(target_ids))
    return sorted(map(_stored, rows), key=lambda each: (each.end.opened_at, each.end.id))


async def select_untold_ends(conn: Connection, before: int) -> list[AutoEnd]:
    """Ends that changed before this time and that viewers were not told all of; locked
    meanwhile."""
    return [_stored(row) for row in await conn.fetch(AUTO_END_SELECT_UNTOLD, instant(before))]


async def count_untold_ends(conn: Connection, before: int) -> int:
    """How many ends changed before this time without viewers being told."""
    count: int = await conn.fetchval(AUTO_END_COUNT_UNTOLD, instant(before))
    return count


async def mark_ends_told(conn: Connection, ends: Sequence[AutoEnd]) -> None:
    """Note that viewers were told of these as they stand here."""
    closed = [each.end.closed_at is not None for each in ends]
    await conn.execute(AUTO_END_MARK_TOLD, [each.end.id for each in ends], closed)
