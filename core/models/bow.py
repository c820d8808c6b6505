"""Bows."""

from uuid import UUID

from core.errors import ConflictError
from core.models.table import Table
from core.postgres import Connection
from core.schema.bow import Bow

BOW_INSERT = """
INSERT INTO bow (
    id, archer_id, bowstyle, name, draw_weight_lb
)
VALUES ($1, $2, $3, $4, $5)
RETURNING
    id, archer_id, bowstyle, name, draw_weight_lb, created_at, updated_at
"""

BOW_SELECT = """
SELECT
    id, archer_id, bowstyle, name, draw_weight_lb, created_at, updated_at
FROM bow WHERE id = $1
"""

BOW_LOCK = "SELECT id FROM bow WHERE id = $1 FOR NO KEY UPDATE"

BOW_SELECT_PAGE = """
SELECT
    id, archer_id, bowstyle, name, draw_weight_lb, created_at, updated_at
FROM bow
WHERE (created_at, id) > ($1, $2)
    AND ($4::uuid IS NULL OR archer_id = $4)
ORDER BY created_at, id
LIMIT $3
"""

BOW_UPDATE = """
UPDATE bow SET
    archer_id = $2, bowstyle = $3, name = $4, draw_weight_lb = $5, updated_at = now()
WHERE id = $1
RETURNING
    id, archer_id, bowstyle, name, draw_weight_lb, created_at, updated_at
"""

BOW_DELETE = """
DELETE FROM bow WHERE id = $1
"""

BOWS = Table(
    resource="bow",
    shown=Bow,
    fields=(
        "archer_id",
        "bowstyle",
        "name",
        "draw_weight_lb",
    ),
    insert=BOW_INSERT,
    select=BOW_SELECT,
    lock=BOW_LOCK,
    page=BOW_SELECT_PAGE,
    update=BOW_UPDATE,
    delete=BOW_DELETE,
)

BOW_HAS_SLOTS = "SELECT EXISTS (SELECT FROM slot WHERE bow_id = $1)"


async def check_no_slot_has(conn: Connection, bow_id: UUID) -> None:
    """Whether a bow may be given to another archer.

    Raises:
        ConflictError: It stands in a slot of its archer's.
    """
    if await conn.fetchval(BOW_HAS_SLOTS, bow_id):
        raise ConflictError("body.archer_id: a slot of the archer's has this bow")
