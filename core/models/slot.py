"""Slots: archers' places at targets."""

from collections.abc import Collection
from uuid import UUID

from core.errors import ConflictError
from core.models.conflict import reported
from core.models.table import Table
from core.postgres import Connection
from core.schema.slot import Slot

SLOT_INSERT = """
INSERT INTO slot (
    id, session_id, target_id, letter, archer_id, bow_id, bowstyle, shaft_diameter_mm
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING
    id, session_id, target_id, letter, archer_id, bow_id, bowstyle, shaft_diameter_mm,
    created_at, updated_at
"""

SLOT_SELECT = """
SELECT
    id, session_id, target_id, letter, archer_id, bow_id, bowstyle, shaft_diameter_mm,
    created_at, updated_at
FROM slot WHERE id = $1
"""

SLOT_LOCK = "SELECT id FROM slot WHERE id = $1 FOR NO KEY UPDATE"

SLOT_SELECT_PAGE = """
SELECT
    id, session_id, target_id, letter, archer_id, bow_id, bowstyle, shaft_diameter_mm,
    created_at, updated_at
FROM slot
WHERE (created_at, id) > ($1, $2)
    AND ($4::uuid IS NULL OR session_id = $4)
    AND ($5::uuid IS NULL OR target_id = $5)
ORDER BY created_at, id
LIMIT $3
"""

SLOT_UPDATE = """
UPDATE slot SET
    session_id = $2, target_id = $3, letter = $4, archer_id = $5, bow_id = $6, bowstyle = $7,
    shaft_diameter_mm = $8, updated_at = now()
WHERE id = $1
RETURNING
    id, session_id, target_id, letter, archer_id, bow_id, bowstyle, shaft_diameter_mm,
    created_at, updated_at
"""

SLOT_DELETE = """
DELETE FROM slot WHERE id = $1
"""

SLOTS = Table(
    resource="slot",
    shown=Slot,
    fields=(
        "session_id",
        "target_id",
        "letter",
        "archer_id",
        "bow_id",
        "bowstyle",
        "shaft_diameter_mm",
    ),
    insert=SLOT_INSERT,
    select=SLOT_SELECT,
    lock=SLOT_LOCK,
    page=SLOT_SELECT_PAGE,
    update=SLOT_UPDATE,
    delete=SLOT_DELETE,
)

SLOT_HAS_SHOTS = "SELECT EXISTS (SELECT FROM shot WHERE slot_id = $1)"

SLOT_HAS_EVENTS = """
SELECT EXISTS (
    SELECT FROM reader_binding AS binding
    JOIN event ON event.reader_id = binding.reader_id
        AND event.occurred_at >= binding.valid_from AND event.occurred_at < binding.valid_to
    WHERE binding.slot_id = $1
)
"""

SLOT_SELECT_HOMES = "SELECT DISTINCT target_id FROM slot WHERE id = ANY ($1)"

SLOT_CLEAR = (
    "DELETE FROM reader_binding WHERE slot_id = $1",
    "DELETE FROM standing WHERE slot_id = $1",
)

SLOT_MOVE_BINDINGS = """
UPDATE reader_binding SET target_id = $2 WHERE slot_id = $1 RETURNING reader_id
"""


async def select_homes(conn: Connection, slot_ids: Collection[UUID]) -> set[UUID]:
    """The targets that some slots stand at."""
    rows = await conn.fetch(SLOT_SELECT_HOMES, list(slot_ids))
    return {row["target_id"] for row in rows}


async def clear_slot(conn: Connection, slot_id: UUID) -> None:
    """Take away what belongs to a slot, in the transaction that deletes it.

    Raises:
        ConflictError: Something was shot from it, or a reader said something there.
    """
    if await conn.fetchval(SLOT_HAS_SHOTS, slot_id):
        raise ConflictError("slot: cannot be deleted: it has shots")
    if await conn.fetchval(SLOT_HAS_EVENTS, slot_id):
        raise ConflictError("slot: cannot be deleted: it has events of its readers")
    with reported("slot", is_deletion=True):
        for statement in SLOT_CLEAR:
            await conn.execute(statement, slot_id)


async def move_bindings(conn: Connection, slot_id: UUID, target_id: UUID) -> list[UUID]:
    """A slot stands at another target, and its readers with it.

    Returns:
        Those readers, and those that were bound to it before.
    """
    rows = await conn.fetch(SLOT_MOVE_BINDINGS, slot_id, target_id)
    return sorted({row["reader_id"] for row in rows})
