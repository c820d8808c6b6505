"""Slots: archers' places at targets."""

from uuid import UUID

from core.errors import InvalidInputError
from core.models.table import Table
from core.postgres import Connection
from core.schema.slot import Slot, SlotCreate

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
    page=SLOT_SELECT_PAGE,
    update=SLOT_UPDATE,
    delete=SLOT_DELETE,
)

SLOT_SELECT_FITS = """
SELECT EXISTS (SELECT FROM target WHERE id = $1 AND session_id = $2) AS target_fits,
    $3::uuid IS NULL OR EXISTS (SELECT FROM bow WHERE id = $3 AND archer_id = $4) AS bow_fits
"""

SLOT_CLEAR = (
    "DELETE FROM reader_binding WHERE slot_id = $1",
    "DELETE FROM standing WHERE slot_id = $1",
)

SLOT_SELECT_READERS = "SELECT DISTINCT reader_id FROM reader_binding WHERE slot_id = $1"

SLOT_MOVE_BINDINGS = "UPDATE reader_binding SET target_id = $2 WHERE slot_id = $1"


async def check_fits(conn: Connection, slot: SlotCreate) -> None:
    """Whether what a slot refers to belongs together.

    Raises:
        InvalidInputError: Its target is of another session, or its bow another archer's.
    """
    fits = await conn.fetchrow(
        SLOT_SELECT_FITS, slot.target_id, slot.session_id, slot.bow_id, slot.archer_id
    )
    assert fits is not None
    if not fits["target_fits"]:
        raise InvalidInputError("body.target_id", "no such target in this session")
    if not fits["bow_fits"]:
        raise InvalidInputError("body.bow_id", "no such bow of this archer")


async def clear_slot(conn: Connection, slot_id: UUID) -> None:
    """Take away what belongs to a slot, in the transaction that deletes it."""
    for statement in SLOT_CLEAR:
        await conn.execute(statement, slot_id)


async def move_bindings(conn: Connection, slot_id: UUID, target_id: UUID) -> None:
    """A slot stands at another target now, and its readers with it."""
    await conn.execute(SLOT_MOVE_BINDINGS, slot_id, target_id)


async def select_readers_of_slot(conn: Connection, slot_id: UUID) -> list[UUID]:
    """The readers that are or were bound to a slot."""
    rows = await conn.fetch(SLOT_SELECT_READERS, slot_id)
    return [row["reader_id"] for row in rows]
