"""Where readers are and were: a history, so that what a reader said stays at its place of then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from core.errors import InvalidInputError
from core.postgres import Connection

BINDING_INSERT = """
INSERT INTO reader_binding (id, reader_id, slot_id, target_id, valid_from)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[])
"""

# From a moment on history is written anew: what began later is gone, what spans it ends there.
BINDING_DELETE_FROM = """
DELETE FROM reader_binding WHERE reader_id = $1 AND valid_from >= $2
RETURNING target_id
"""

BINDING_END_AT = """
UPDATE reader_binding SET valid_to = $2
WHERE reader_id = $1 AND valid_from < $2 AND valid_to > $2
RETURNING target_id
"""

BINDING_SELECT_LATEST = """
SELECT binding.valid_from, binding.valid_to, session.end_time
FROM reader_binding AS binding
JOIN target ON target.id = binding.target_id
JOIN session ON session.id = target.session_id
WHERE binding.reader_id = $1
ORDER BY binding.valid_from DESC LIMIT 1
"""

PLACE_SELECT_SLOT = """
SELECT slot.id AS slot_id, slot.target_id, session.start_time
FROM slot JOIN session ON session.id = slot.session_id WHERE slot.id = $1
"""

PLACE_SELECT_TARGET = """
SELECT NULL::uuid AS slot_id, target.id AS target_id, session.start_time
FROM target JOIN session ON session.id = target.session_id WHERE target.id = $1
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader can be bound.

    Args:
        slot_id: The archer's place; None: the whole butt.
        target_id: The butt.
        starts_at: The start of the session that it stands in.
    """

    slot_id: UUID | None
    target_id: UUID
    starts_at: datetime


async def select_place(
    conn: Connection, slot_id: UUID | None, target_id: UUID | None
) -> Place | None:
    """The place that a request names; None: it names none.

    Raises:
        InvalidInputError: There is no such place.
    """
    if slot_id is not None:
        row = await conn.fetchrow(PLACE_SELECT_SLOT, slot_id)
        field = "body.slot_id"
    elif target_id is not None:
        row = await conn.fetchrow(PLACE_SELECT_TARGET, target_id)
        field = "body.target_id"
    else:
        return None
    if row is None:
        raise InvalidInputError(field, f"no such {field.removeprefix('body.').removesuffix('_id')}")
    return Place(row["slot_id"], row["target_id"], row["start_time"])


async def usual_start(
    conn: Connection, reader_id: UUID, place: Place | None, now: datetime
) -> datetime:
    """From when on a reader is at a place when nobody says.

    A reader in the middle of an open session is moved now. One that was never bound was there from the
    session's start; one whose last session or binding is over, from then on or from the start.
    """
    latest = await conn.fetchrow(BINDING_SELECT_LATEST, reader_id)
    if place is None:
        return now
    if latest is None:
        return place.starts_at
    over = latest["valid_to"] if latest["valid_to"] < now else latest["end_time"]
    if over is None or over > now:
        return now
    return max(place.starts_at, over, latest["valid_from"])


async def bind_from(
    conn: Connection, reader_id: UUID, place: Place | None, begin: datetime
) -> set[UUID]:
    """Have a reader at a place, or at none, from a moment on.

    Returns:
        The targets that it leaves or comes to.
    """
    gone = await conn.fetch(BINDING_DELETE_FROM, reader_id, begin)
    ended = await conn.fetch(BINDING_END_AT, reader_id, begin)
    touched = {row["target_id"] for row in (*gone, *ended)}
    if place is not None:
        await insert_bindings(conn, [(reader_id, place, begin)])
        touched.add(place.target_id)
    return touched


async def insert_bindings(
    conn: Connection, bindings: Sequence[tuple[UUID, Place, datetime]]
) -> None:
    """Have readers at places, each from a moment on; they were nowhere from there on before."""
    await conn.execute(
        BINDING_INSERT,
        [uuid4() for _ in bindings],
        [reader for reader, _, _ in bindings],
        [place.slot_id for _, place, _ in bindings],
        [place.target_id for _, place, _ in bindings],
        [begin for _, _, begin in bindings],
    )
