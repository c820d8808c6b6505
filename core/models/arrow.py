"""Arrows, each with the id of the tag in it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.models.table import Table
from core.postgres import Connection
from core.schema.arrow import Arrow

ARROW_INSERT = """
INSERT INTO arrow (
    id, archer_id, identifier, shaft_diameter_mm, length_mm, mass_grain, spine
)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING
    id, archer_id, identifier, shaft_diameter_mm, length_mm, mass_grain, spine, created_at,
    updated_at
"""

ARROW_SELECT = """
SELECT
    id, archer_id, identifier, shaft_diameter_mm, length_mm, mass_grain, spine, created_at,
    updated_at
FROM arrow WHERE id = $1
"""

ARROW_LOCK = "SELECT id FROM arrow WHERE id = $1 FOR NO KEY UPDATE"

ARROW_SELECT_PAGE = """
SELECT
    id, archer_id, identifier, shaft_diameter_mm, length_mm, mass_grain, spine, created_at,
    updated_at
FROM arrow
WHERE (created_at, id) > ($1, $2)
    AND ($4::uuid IS NULL OR archer_id = $4)
ORDER BY created_at, id
LIMIT $3
"""

ARROW_UPDATE = """
UPDATE arrow SET
    archer_id = $2, identifier = $3, shaft_diameter_mm = $4, length_mm = $5, mass_grain = $6,
    spine = $7, updated_at = now()
WHERE id = $1
RETURNING
    id, archer_id, identifier, shaft_diameter_mm, length_mm, mass_grain, spine, created_at,
    updated_at
"""

ARROW_DELETE = """
DELETE FROM arrow WHERE id = $1
"""

ARROWS = Table(
    resource="arrow",
    shown=Arrow,
    fields=(
        "archer_id",
        "identifier",
        "shaft_diameter_mm",
        "length_mm",
        "mass_grain",
        "spine",
    ),
    insert=ARROW_INSERT,
    select=ARROW_SELECT,
    lock=ARROW_LOCK,
    page=ARROW_SELECT_PAGE,
    update=ARROW_UPDATE,
    delete=ARROW_DELETE,
)

EVENT_SELECT_NAMING = """
SELECT binding.target_id, min(event.occurred_at) AS first, max(event.occurred_at) AS last
FROM event
JOIN reader_binding AS binding ON binding.reader_id = event.reader_id
    AND binding.valid_from <= event.occurred_at AND event.occurred_at < binding.valid_to
WHERE event.arrow_id = ANY ($1)
GROUP BY binding.target_id
"""


@dataclass(frozen=True, slots=True)
class Named:
    """When an arrow was named at a target.

    Args:
        first: The first time.
        last: The last time.
    """

    first: datetime
    last: datetime


async def select_naming(conn: Connection, arrow_ids: Collection[UUID]) -> Mapping[UUID, Named]:
    """The targets whose readers named one of these arrows, registered or not."""
    rows = await conn.fetch(EVENT_SELECT_NAMING, list(arrow_ids))
    return {row["target_id"]: Named(row["first"], row["last"]) for row in rows}
