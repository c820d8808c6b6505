"""Sessions."""

from uuid import UUID

from core.errors import ConflictError
from core.models.conflict import reported
from core.models.table import Table
from core.postgres import Connection
from core.schema.session import Session

SESSION_INSERT = """
INSERT INTO session (
    id, name, location, kind, is_indoor, distance, round_code, results_public, rules, start_time,
    end_time
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
RETURNING
    id, name, location, kind, is_indoor, distance, round_code, results_public, rules, start_time,
    end_time, created_at, updated_at, end_time IS NULL AS is_opened
"""

SESSION_SELECT = """
SELECT
    id, name, location, kind, is_indoor, distance, round_code, results_public, rules, start_time,
    end_time, created_at, updated_at, end_time IS NULL AS is_opened
FROM session WHERE id = $1
"""

SESSION_LOCK = "SELECT id FROM session WHERE id = $1 FOR NO KEY UPDATE"

SESSION_SELECT_PAGE = """
SELECT
    id, name, location, kind, is_indoor, distance, round_code, results_public, rules, start_time,
    end_time, created_at, updated_at, end_time IS NULL AS is_opened
FROM session
WHERE (created_at, id) > ($1, $2)
    AND ($4::boolean IS NULL OR (end_time IS NULL) = $4)
ORDER BY created_at, id
LIMIT $3
"""

SESSION_UPDATE = """
UPDATE session SET
    name = $2, location = $3, kind = $4, is_indoor = $5, distance = $6, round_code = $7,
    results_public = $8, rules = $9, start_time = $10, end_time = $11, updated_at = now()
WHERE id = $1
RETURNING
    id, name, location, kind, is_indoor, distance, round_code, results_public, rules, start_time,
    end_time, created_at, updated_at, end_time IS NULL AS is_opened
"""

SESSION_DELETE = """
DELETE FROM session WHERE id = $1
"""

SESSION_SELECT_TARGETS = """
SELECT id FROM target WHERE session_id = $1
"""

SESSION_HAS_SHOTS = """
SELECT EXISTS (SELECT FROM shot WHERE session_id = $1)
"""

SESSION_HAS_EVENTS = """
SELECT EXISTS (
    SELECT FROM target
    JOIN reader_binding AS binding ON binding.target_id = target.id
    JOIN event ON event.reader_id = binding.reader_id
        AND event.occurred_at >= binding.valid_from AND event.occurred_at < binding.valid_to
    WHERE target.session_id = $1
)
"""

SESSION_CLEAR = (
    "DELETE FROM standing WHERE session_id = $1",
    "DELETE FROM unmatched_landing WHERE session_id = $1",
    "DELETE FROM shooting_end WHERE session_id = $1",
    """
    DELETE FROM recompute USING target
    WHERE target.id = recompute.target_id AND target.session_id = $1
    """,
    """
    DELETE FROM butt_turn USING target
    WHERE target.id = butt_turn.target_id AND target.session_id = $1
    """,
    """
    DELETE FROM reader_binding USING target
    WHERE target.id = reader_binding.target_id AND target.session_id = $1
    """,
    "DELETE FROM slot WHERE session_id = $1",
    "DELETE FROM face USING target WHERE target.id = face.target_id AND target.session_id = $1",
    "DELETE FROM target WHERE session_id = $1",
)

SESSIONS = Table(
    resource="session",
    shown=Session,
    fields=(
        "name",
        "location",
        "kind",
        "is_indoor",
        "distance",
        "round_code",
        "results_public",
        "rules",
        "start_time",
        "end_time",
    ),
    insert=SESSION_INSERT,
    select=SESSION_SELECT,
    lock=SESSION_LOCK,
    page=SESSION_SELECT_PAGE,
    update=SESSION_UPDATE,
    delete=SESSION_DELETE,
)


async def select_session(conn: Connection, session_id: UUID) -> Session:
    """A session.

    Raises:
        NotFoundError: None has this id.
    """
    return await SESSIONS.one(conn, session_id)


async def select_targets_of_session(conn: Connection, session_id: UUID) -> list[UUID]:
    """The ids of a session's targets."""
    rows = await conn.fetch(SESSION_SELECT_TARGETS, session_id)
    return [row["id"] for row in rows]


async def clear_session(conn: Connection, session_id: UUID) -> None:
    """Take a session's places away, in the transaction that deletes it.

    Raises:
        ConflictError: Something was shot there, or a reader said something there.
    """
    if await conn.fetchval(SESSION_HAS_SHOTS, session_id):
        raise ConflictError("session: cannot be deleted: it has shots; end it instead")
    if await conn.fetchval(SESSION_HAS_EVENTS, session_id):
        raise ConflictError(
            "session: cannot be deleted: it has events of its readers; end it instead"
        )
    with reported("session", is_deletion=True):
        for statement in SESSION_CLEAR:
            await conn.execute(statement, session_id)
