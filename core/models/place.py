"""Places where a reader can be bound: a slot, or all of a target."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.errors import InvalidInputError
from core.postgres import Connection
from core.schema.reader import Whereabouts

# Shared: a slot that is being moved to another target is waited for.
PLACE_SELECT_SLOT = """
SELECT slot.id AS slot_id, slot.target_id, session.start_time
FROM slot JOIN session ON session.id = slot.session_id
WHERE slot.id = $1 FOR SHARE OF slot
"""

PLACE_SELECT_TARGET = """
SELECT NULL::uuid AS slot_id, target.id AS target_id, session.start_time
FROM target JOIN session ON session.id = target.session_id
WHERE target.id = $1
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


async def select_place(conn: Connection, wanted: Whereabouts) -> Place | None:
    """The place that a request names; None: it names none.

    Args:
        conn: In the transaction that binds a reader there.
        wanted: What the request names.

    Raises:
        InvalidInputError: There is no such place.
    """
    if wanted.slot_id is not None:
        row = await conn.fetchrow(PLACE_SELECT_SLOT, wanted.slot_id)
        kind = "slot"
    elif wanted.target_id is not None:
        row = await conn.fetchrow(PLACE_SELECT_TARGET, wanted.target_id)
        kind = "target"
    else:
        return None
    if row is None:
        raise InvalidInputError(f"body.{kind}_id", f"no such {kind}")
    return Place(row["slot_id"], row["target_id"], row["start_time"])
