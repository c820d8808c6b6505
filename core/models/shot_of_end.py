"""Shots of some slots, as many as it takes to settle whole ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from core.domain.window import Span
from core.models.correlated_shot import StoredShot, stored
from core.models.instants import instant
from core.postgres import Connection

# What lies before a window is not derived with it, so it can be counted here. A slot that has moved
# to another target is derived there as a whole, so only its shots at this one count. What a judge
# voided has a place among them; a shot whose release is gone keeps the one it had.
SHOT_SELECT_FROM_END = """
SELECT wanted.slot_id AS of_slot_id, skipped.arrows AS before, shot.*
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::integer[], $5::integer[])
    AS wanted (slot_id, target_id, begins, arrows_per_end, ends)
CROSS JOIN LATERAL (
    SELECT least(count(*) / wanted.arrows_per_end, wanted.ends - 1) * wanted.arrows_per_end
        AS arrows
    FROM shot
    WHERE shot.slot_id = wanted.slot_id AND shot.target_id = wanted.target_id
        AND shot.status <> 'voided' AND shot.release_time < wanted.begins
) AS skipped
LEFT JOIN LATERAL (
    SELECT * FROM shot
    WHERE shot.slot_id = wanted.slot_id AND shot.target_id = wanted.target_id
        AND shot.status <> 'voided'
    ORDER BY shot.release_time, shot.id
    OFFSET skipped.arrows
) AS shot ON true
UNION ALL
SELECT wanted.slot_id, NULL, shot.*
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS wanted (slot_id, target_id, begins)
JOIN shot ON shot.slot_id = wanted.slot_id AND shot.target_id = wanted.target_id
    AND shot.status = 'voided' AND 'ruled' = ANY (shot.flags)
    AND shot.release_time >= wanted.begins
"""

SHOT_SELECT_WITHIN = """
SELECT shot.*
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS wanted (slot_id, begins, ends)
JOIN shot ON shot.slot_id = wanted.slot_id AND shot.status <> 'voided'
    AND shot.release_time >= wanted.begins AND shot.release_time <= wanted.ends
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """From when on a slot's shots are counted into ends.

    Args:
        target_id: Where it shoots.
        since: The first shot that may be another one than before was not released earlier.
        arrows_per_end: The session's rule.
        ends: How many ends there are; None: as many as are shot.
    """

    target_id: UUID
    since: int
    arrows_per_end: int
    ends: int | None


@dataclass(frozen=True, slots=True)
class Arrows:
    """A slot's shots from the beginning of an end on.

    Args:
        before: How many arrows were shot before these.
        shots: As they are kept.
    """

    before: int
    shots: Sequence[StoredShot]


async def select_from_end(conn: Connection, slots: Mapping[UUID, Counted]) -> dict[UUID, Arrows]:
    """Slots' shots from the first one of the end on that something falls in; all of them lie before
    the last end or in it."""
    wanted = slots.values()
    rows = await conn.fetch(
        SHOT_SELECT_FROM_END,
        list(slots),
        [each.target_id for each in wanted],
        [instant(each.since) for each in wanted],
        [each.arrows_per_end for each in wanted],
        [each.ends for each in wanted],
    )
    before = {r["of_slot_id"]: r["before"] for r in rows if r["before"] is not None}
    shots = _by_slot([row for row in rows if row["id"] is not None])
    return {slot: Arrows(count, shots.get(slot, [])) for slot, count in before.items()}


async def select_within(
    conn: Connection, slots: Mapping[UUID, Span]
) -> dict[UUID, list[StoredShot]]:
    """Slots' shots within a span of each, whatever butt they hit."""
    rows = await conn.fetch(
        SHOT_SELECT_WITHIN,
        list(slots),
        [instant(span.begin) for span in slots.values()],
        [instant(span.end) for span in slots.values()],
    )
    return _by_slot(rows)


def _by_slot(rows: Sequence[Record]) -> dict[UUID, list[StoredShot]]:
    by_slot: dict[UUID, list[StoredShot]] = {}
    for row in rows:
        by_slot.setdefault(row["slot_id"], []).append(stored(row))
    return by_slot
