"""The rows that a shot needs, written by hand, an event at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import orjson

from core.postgres import Connection, Row

CHANNEL = "quiver:feed"
PLACE_SELECT = """
SELECT binding.reader_id, binding.target_id, binding.slot_id, target.session_id, slot.archer_id
FROM reader_binding AS binding
JOIN target ON target.id = binding.target_id
LEFT JOIN slot ON slot.id = binding.slot_id
"""
EVENT_INSERT = """
INSERT INTO event (event_id, reader_id, type, ts, received_at, offset_ms, occurred_at, x, y)
VALUES ($1, $2, $3, $4, now(), 0, $4, $5, $6) ON CONFLICT DO NOTHING
"""
SHOT_INSERT = """
INSERT INTO shot (
    id, session_id, target_id, slot_id, archer_id, release_event_id, release_time, deadline,
    status, is_settled, version
)
VALUES ($1, $2, $3, $4, $5, $1, $6, $6::timestamptz + interval '3 seconds', 'in_flight', false, 1)
ON CONFLICT (id) DO NOTHING
"""
SHOT_UPDATE_LANDED = """
UPDATE shot SET status = 'landed', landing_event_id = $2, landing_time = $3, x = $4, y = $5,
    score = 9, label = '9', is_settled = true, version = 2
WHERE id = (
    SELECT id FROM shot
    WHERE target_id = $1 AND status = 'in_flight' AND release_time < $3 AND deadline >= $3
    ORDER BY release_time DESC LIMIT 1
)
RETURNING *
"""
STANDING_UPSERT = """
INSERT INTO standing (
    slot_id, session_id, total, arrows, xs, elevens, tens, nines, sixes, fives, changed_at
)
VALUES ($1, $2, 9, 1, 0, 0, 0, 1, 0, 0, now())
ON CONFLICT (slot_id) DO UPDATE SET total = standing.total + 9, arrows = standing.arrows + 1,
    nines = standing.nines + 1, changed_at = now()
"""


class NoReleaseYet(Exception):
    """The landing came before its release."""


@dataclass(frozen=True, slots=True)
class Said:
    """An event as it waits to be written."""

    event_id: str
    reader_id: str
    type: str
    at: float
    x: float | None
    y: float | None

    @property
    def moment(self) -> datetime:
        """When it happened."""
        return datetime.fromtimestamp(self.at, UTC)


async def select_places(conn: Connection) -> Mapping[UUID, Row]:
    """Where each reader is."""
    return {row["reader_id"]: row for row in await conn.fetch(PLACE_SELECT)}


async def write_event(conn: Connection, places: Mapping[UUID, Row], said: Said) -> bytes | None:
    """Write what comes of an event, in one transaction; the frame that viewers get, if any.

    Raises:
        NoReleaseYet: It must be tried again later.
    """
    event_id, reader_id, moment = UUID(said.event_id), UUID(said.reader_id), said.moment
    place = places[reader_id]
    async with conn.transaction():
        given = (event_id, reader_id, said.type, moment, said.x, said.y)
        await conn.execute(EVENT_INSERT, *given)
        if said.type == "arrow_release":
            where = (place["session_id"], place["target_id"], place["slot_id"], place["archer_id"])
            await conn.execute(SHOT_INSERT, event_id, *where, moment)
        if said.type != "arrow_landed":
            return None
        landed = (place["target_id"], event_id, moment, said.x, said.y)
        shot = await conn.fetchrow(SHOT_UPDATE_LANDED, *landed)
        if shot is None:
            raise NoReleaseYet
        await conn.execute(STANDING_UPSERT, shot["slot_id"], shot["session_id"])
    return orjson.dumps({"type": "shot.landed", "data": {"shot": dict(shot)}}, default=str)
