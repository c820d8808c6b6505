"""Ends as judges make them and viewers see them."""

from uuid import UUID, uuid4

from core.errors import ConflictError, NotFoundError
from core.models.conflict import reported
from core.postgres import Connection
from core.schema.end import Bounds, End
from core.schema.page import Position
from core.schema.session import Session

# A judge without a token in the table showed the one of the environment.
END_SELECT = """
SELECT held.id, held.session_id, held.target_id, held.number, held.control, held.opened_at,
    held.closed_at,
    CASE WHEN held.control = 'manual' THEN coalesce(opener.name, 'environment') END AS opened_by,
    CASE WHEN held.control = 'manual' AND held.closed_at IS NOT NULL
        THEN coalesce(closer.name, 'environment') END AS closed_by,
    CASE WHEN held.changed_at IS NOT NULL THEN coalesce(changer.name, 'environment') END
        AS changed_by,
    held.changed_at, held.created_at, held.updated_at
FROM shooting_end AS held
LEFT JOIN token AS opener ON opener.id = held.opened_by
LEFT JOIN token AS closer ON closer.id = held.closed_by
LEFT JOIN token AS changer ON changer.id = held.changed_by
WHERE held.id = $1
"""

END_SELECT_PAGE = """
SELECT held.id, held.session_id, held.target_id, held.number, held.control, held.opened_at,
    held.closed_at,
    CASE WHEN held.control = 'manual' THEN coalesce(opener.name, 'environment') END AS opened_by,
    CASE WHEN held.control = 'manual' AND held.closed_at IS NOT NULL
        THEN coalesce(closer.name, 'environment') END AS closed_by,
    CASE WHEN held.changed_at IS NOT NULL THEN coalesce(changer.name, 'environment') END
        AS changed_by,
    held.changed_at, held.created_at, held.updated_at
FROM shooting_end AS held
LEFT JOIN token AS opener ON opener.id = held.opened_by
LEFT JOIN token AS closer ON closer.id = held.closed_by
LEFT JOIN token AS changer ON changer.id = held.changed_by
WHERE held.session_id = $1 AND held.control = $2
    AND (held.opened_at, held.id) > ($3, $4)
    AND ($6::uuid IS NULL OR held.target_id IS NULL OR held.target_id = $6)
ORDER BY held.opened_at, held.id
LIMIT $5
"""

END_SELECT_JUDGED = """
SELECT id, session_id, target_id, number, control, opened_at, closed_at, NULL AS opened_by,
    NULL AS closed_by, NULL AS changed_by, changed_at, created_at, updated_at
FROM shooting_end
WHERE session_id = $1 AND control = 'manual'
ORDER BY number
"""

END_INSERT = """
INSERT INTO shooting_end (
    id, session_id, number, control, opened_at, closed_at, opened_by, closed_by, is_opening_told,
    is_closing_told
)
VALUES (
    $1, $2, $3, 'manual', $4, $5::timestamptz, $6::uuid,
    CASE WHEN $5::timestamptz IS NOT NULL THEN $6::uuid END, true, true
)
"""

END_CLOSE = """
UPDATE shooting_end SET closed_at = $2, closed_by = $3, updated_at = now() WHERE id = $1
"""

END_UPDATE = """
UPDATE shooting_end SET
    opened_at = $2, closed_at = $3::timestamptz,
    closed_by = CASE
        WHEN $3::timestamptz IS NULL THEN NULL
        WHEN closed_at IS NULL THEN $4::uuid
        ELSE closed_by
    END,
    changed_by = $4::uuid, changed_at = now(), updated_at = now()
WHERE id = $1
"""

END_DELETE = "DELETE FROM shooting_end WHERE id = $1"


async def select_end(conn: Connection, end_id: UUID) -> End:
    """An end.

    Raises:
        NotFoundError: None has this id.
    """
    row = await conn.fetchrow(END_SELECT, end_id)
    if row is None:
        raise NotFoundError("end", end_id)
    return End.model_validate(dict(row))


async def select_ends(
    conn: Connection, session: Session, after: Position, limit: int, target_id: UUID | None = None
) -> list[End]:
    """A session's ends by their opening, one more than `limit` where there are more; none while no
    rule about ends applies.

    Args:
        conn: Where to ask.
        session: Whose, and who controls them now.
        after: The last end that is not wanted again.
        limit: How many.
        target_id: Only those that are of this target, or of all.
    """
    if session.rules.arrows_per_end is None:
        return []
    control = session.rules.end_control
    rows = await conn.fetch(
        END_SELECT_PAGE, session.id, control, after.at, after.id, limit + 1, target_id
    )
    return [End.model_validate(dict(row)) for row in rows]


async def select_judged_ends(conn: Connection, session_id: UUID) -> list[End]:
    """All ends that judges opened in a session, by their number, without anybody's name."""
    rows = await conn.fetch(END_SELECT_JUDGED, session_id)
    return [End.model_validate(dict(row)) for row in rows]


async def open_end(conn: Connection, session_id: UUID, bounds: Bounds, by: UUID | None) -> End:
    """Keep an end that a judge opened.

    Args:
        conn: In a transaction that locked the session.
        session_id: Where.
        bounds: Checked against the session and its other ends.
        by: The judge's token; None: that of the environment.
    """
    end_id = uuid4()
    with reported("end"):
        await conn.execute(
            END_INSERT, end_id, session_id, bounds.number, bounds.opened_at, bounds.closed_at, by
        )
    return await select_end(conn, end_id)


async def close_end(conn: Connection, end: End, bounds: Bounds, by: UUID | None) -> End:
    """Close an end.

    Args:
        conn: In a transaction that locked the session.
        end: As it is.
        bounds: As it is to be; checked.
        by: The judge's token; None: that of the environment.

    Raises:
        ConflictError: It is closed.
    """
    if end.closed_at is not None:
        raise ConflictError(f"end {end.number}: is closed already; its times can be changed")
    with reported("end"):
        await conn.execute(END_CLOSE, end.id, bounds.closed_at, by)
    return await select_end(conn, end.id)


async def change_end(conn: Connection, end: End, bounds: Bounds, by: UUID | None) -> End:
    """Change an end's times.

    Args:
        conn: In a transaction that locked the session.
        end: As it is.
        bounds: As it is to be; checked.
        by: The judge's token; None: that of the environment.
    """
    if (bounds.opened_at, bounds.closed_at) == (end.opened_at, end.closed_at):
        return end
    with reported("end"):
        await conn.execute(END_UPDATE, end.id, bounds.opened_at, bounds.closed_at, by)
    return await select_end(conn, end.id)


async def delete_end(conn: Connection, end_id: UUID) -> None:
    """Take an end back."""
    await conn.execute(END_DELETE, end_id)
