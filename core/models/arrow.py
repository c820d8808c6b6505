"""Arrows, each with the id of the tag in it."""

from core.models.table import Table
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
    page=ARROW_SELECT_PAGE,
    update=ARROW_UPDATE,
    delete=ARROW_DELETE,
)
