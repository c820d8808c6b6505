"""Archers."""

from core.models.table import Table
from core.schema.archer import Archer

ARCHER_INSERT = """
INSERT INTO archer (
    id, given_name, family_name, club, country
)
VALUES ($1, $2, $3, $4, $5)
RETURNING
    id, given_name, family_name, club, country, created_at, updated_at
"""

ARCHER_SELECT = """
SELECT
    id, given_name, family_name, club, country, created_at, updated_at
FROM archer WHERE id = $1
"""

ARCHER_LOCK = "SELECT id FROM archer WHERE id = $1 FOR NO KEY UPDATE"

ARCHER_SELECT_PAGE = """
SELECT
    id, given_name, family_name, club, country, created_at, updated_at
FROM archer
WHERE (created_at, id) > ($1, $2)
ORDER BY created_at, id
LIMIT $3
"""

ARCHER_UPDATE = """
UPDATE archer SET
    given_name = $2, family_name = $3, club = $4, country = $5, updated_at = now()
WHERE id = $1
RETURNING
    id, given_name, family_name, club, country, created_at, updated_at
"""

ARCHER_DELETE = """
DELETE FROM archer WHERE id = $1
"""

ARCHERS = Table(
    resource="archer",
    shown=Archer,
    fields=(
        "given_name",
        "family_name",
        "club",
        "country",
    ),
    insert=ARCHER_INSERT,
    select=ARCHER_SELECT,
    lock=ARCHER_LOCK,
    page=ARCHER_SELECT_PAGE,
    update=ARCHER_UPDATE,
    delete=ARCHER_DELETE,
)
