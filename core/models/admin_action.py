"""What operators did: who, what, to what, when."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID, uuid4

from asyncpg import Record

from core.postgres import Connection
from core.schema.admin import AdminAction
from core.schema.page import Position

ADMIN_ACTION_INSERT = """
INSERT INTO admin_action (id, token_id, by, action, subject, count, failed_job_ids, request_id)
SELECT
    $1, $2, coalesce((SELECT name FROM token WHERE id = $2), 'the environment'),
    $3, $4, $5, $6, $7
"""

ADMIN_ACTION_SELECT_PAGE = """
SELECT id, at, by, action, subject, count, request_id
FROM admin_action
WHERE $1::timestamptz IS NULL OR (at, id) < ($1, $2)
ORDER BY at DESC, id DESC
LIMIT $3
"""

ADMIN_ACTION_SELECT_OF_JOB = """
SELECT id, at, by, action, subject, count, request_id
FROM admin_action
WHERE failed_job_ids @> ARRAY[$1::uuid]
ORDER BY at DESC, id DESC
LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class Action:
    """Something that an operator did.

    Args:
        token_id: Whose token it was; None for the one of the environment.
        name: What was done, such as `retry` or `stop_worker`.
        subject: What it was done to, for people.
        count: To how many.
        failed_job_ids: The failed jobs among them.
        request_id: The request.
    """

    token_id: UUID | None
    name: str
    subject: str
    count: int = 1
    failed_job_ids: Collection[UUID] = ()
    request_id: UUID | None = None


async def insert_action(conn: Connection, action: Action) -> None:
    """Write down what an operator did, in the transaction that does it."""
    await conn.execute(
        ADMIN_ACTION_INSERT,
        uuid4(),
        action.token_id,
        action.name,
        action.subject,
        action.count,
        list(action.failed_job_ids),
        action.request_id,
    )


async def select_actions(
    conn: Connection, before: Position | None, limit: int
) -> list[AdminAction]:
    """What operators did, the latest first, one more than `limit` where there is more."""
    at, last = (None, None) if before is None else (before.at, before.id)
    return _shown(await conn.fetch(ADMIN_ACTION_SELECT_PAGE, at, last, limit + 1))


async def select_actions_of_job(conn: Connection, failed_job_id: UUID) -> list[AdminAction]:
    """What operators did with a failed job, the latest first."""
    return _shown(await conn.fetch(ADMIN_ACTION_SELECT_OF_JOB, failed_job_id))


def _shown(rows: list[Record]) -> list[AdminAction]:
    return [AdminAction.model_validate(dict(row)) for row in rows]
