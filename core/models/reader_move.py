"""A reader moved: from when on, and what that touches."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.models.place import Place, select_place
from core.models.reader_binding import bind_from
from core.models.reader_way import change_ways, way_of
from core.postgres import Connection
from core.schema.reader import Whereabouts

BINDING_SELECT_TARGETS = "SELECT DISTINCT target_id FROM reader_binding WHERE reader_id = $1"

BINDING_SELECT_LATEST = """
SELECT binding.valid_from, nullif(binding.valid_to, 'infinity') AS left_at, session.end_time
FROM reader_binding AS binding
JOIN target ON target.id = binding.target_id
JOIN session ON session.id = target.session_id
WHERE binding.reader_id = $1
ORDER BY binding.valid_from DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Moved:
    """What binding a reader elsewhere came to.

    Args:
        reader_id: The reader.
        begin: From when on its places are others.
        targets: Those that it leaves or comes to.
        ever: Every target that it was ever bound to: its events may still be on the way there.
    """

    reader_id: UUID
    begin: datetime
    targets: Collection[UUID]
    ever: Collection[UUID]


async def move_reader(
    conn: Connection,
    reader_id: UUID,
    wanted: Whereabouts,
    bound_from: datetime | None,
    now: datetime,
) -> Moved:
    """Have a reader at a place, or nowhere, from a time on.

    Args:
        conn: In the transaction that locked the reader.
        reader_id: Which.
        wanted: Where.
        bound_from: From when on; None: as `usual_start` has it.
        now: When it is asked for.

    Raises:
        InvalidInputError: There is no such place.
    """
    place = await select_place(conn, wanted)
    begin = bound_from or await usual_start(conn, reader_id, place, now)
    ever = [row["target_id"] for row in await conn.fetch(BINDING_SELECT_TARGETS, reader_id)]
    before = await way_of(conn, reader_id, now)
    touched = await bind_from(conn, reader_id, place, begin)
    await change_ways(conn, reader_id, before, now)
    return Moved(reader_id, begin, touched, ever)


async def usual_start(
    conn: Connection, reader_id: UUID, place: Place | None, now: datetime
) -> datetime:
    """From when on a reader is at a place when nobody says.

    A reader in the middle of an open session is moved now. One that was never bound was there from
    the session's start; one whose last session or binding is over, from then on or from the start.
    """
    latest = await conn.fetchrow(BINDING_SELECT_LATEST, reader_id)
    if place is None:
        return now
    if latest is None:
        return place.starts_at
    left_at, end_time = latest["left_at"], latest["end_time"]
    over = left_at if left_at is not None and left_at < now else end_time
    if over is None or over > now:
        return now
    begin: datetime = max(place.starts_at, over, latest["valid_from"])
    return begin
