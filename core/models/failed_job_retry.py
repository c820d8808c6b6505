"""Failed jobs that an operator wants tried again: taken, mended or failed once more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.models.failed_job import Attempt, fingerprint, written
from core.postgres import Connection

FAILED_JOB_SELECT_RESTARTED = """
SELECT id, job_id, function, arguments, target_id
FROM failed_job
WHERE id = $1 AND state = 'restarted'
"""

FAILED_JOB_UPDATE_RESTARTED = """
UPDATE failed_job SET state = 'restarted', updated_at = now() WHERE id = ANY ($1)
"""

FAILED_JOB_UPDATE_MENDED = """
UPDATE failed_job SET state = 'mended', updated_at = now() WHERE id = $1 AND state = 'restarted'
"""

FAILED_JOB_UPDATE_FAILED = """
UPDATE failed_job
SET state = 'failed',
    attempts = jsonb_path_query_array(attempts || $2, '$[last - 49 to last]'),
    error = $3,
    fingerprint = $4,
    updated_at = now()
WHERE id = $1 AND state = 'restarted'
"""

FAILED_JOB_UPDATE_UNSTORED = """
UPDATE failed_job
SET arguments = arguments || jsonb_build_object('unstored', $2::jsonb), updated_at = now()
WHERE id = $1 AND state = 'restarted'
"""

TARGET_EXISTS = "SELECT EXISTS (SELECT FROM target WHERE id = $1)"

# With the request of the operator who wished it last.
FAILED_JOB_SELECT_LEFT = """
SELECT id, (
    SELECT request_id
    FROM admin_action
    WHERE failed_job_ids @> ARRAY[failed_job.id] AND action = 'retry'
    ORDER BY at DESC
    LIMIT 1
) AS request_id
FROM failed_job
WHERE state = 'restarted' AND updated_at < now() - interval '5 seconds'
ORDER BY updated_at, id
LIMIT $1
"""

FAILED_JOB_DELETE_OLD = """
DELETE FROM failed_job
WHERE id IN (
    SELECT id FROM failed_job
    WHERE state IN ('mended', 'discarded') AND updated_at < now() - interval '30 days'
    LIMIT $1
)
"""


@dataclass(frozen=True, slots=True)
class Restarted:
    """A failed job that is to be tried again.

    Args:
        id: The row's.
        job_id: Its id in the queue, back then.
        function: The task.
        arguments: What it was given, as they are kept.
        target_id: The target that it was about.
    """

    id: UUID
    job_id: str
    function: str
    arguments: Mapping[str, object]
    target_id: UUID | None


async def select_restarted(conn: Connection, failed_job_id: UUID) -> Restarted | None:
    """A failed job, when an operator wants it tried again and it was not yet."""
    row = await conn.fetchrow(FAILED_JOB_SELECT_RESTARTED, failed_job_id)
    return None if row is None else Restarted(**dict(row))


async def mark_restarted(conn: Connection, failed_job_ids: Sequence[UUID]) -> None:
    """They are to be tried again, by no operator's wish."""
    await conn.execute(FAILED_JOB_UPDATE_RESTARTED, list(failed_job_ids))


async def mark_mended(conn: Connection, failed_job_id: UUID) -> None:
    """It was tried again and succeeded, unless it was written down as failed meanwhile."""
    await conn.execute(FAILED_JOB_UPDATE_MENDED, failed_job_id)


async def mark_failed_again(
    conn: Connection, failed_job_id: UUID, function: str, attempts: Sequence[Attempt]
) -> None:
    """It was tried again and failed: these tries come to those before."""
    last = attempts[-1]
    tries = [written(each) for each in attempts]
    kind = fingerprint(function, last)
    await conn.execute(FAILED_JOB_UPDATE_FAILED, failed_job_id, tries, last.error, kind)


async def is_target(conn: Connection, owner_id: UUID) -> bool:
    """Whether events whose correlation failed belong to a target, and not to a reader alone."""
    found: bool = await conn.fetchval(TARGET_EXISTS, owner_id)
    return found


async def keep_unstored(conn: Connection, failed_job_id: UUID, unstored: Sequence[str]) -> None:
    """What of a target's events is still nowhere but in this row."""
    await conn.execute(FAILED_JOB_UPDATE_UNSTORED, failed_job_id, list(unstored))


async def select_left(conn: Connection, limit: int) -> Mapping[UUID, UUID | None]:
    """Failed jobs that an operator wanted tried again a while ago, the longest waiting first, each
    with the request that did."""
    rows = await conn.fetch(FAILED_JOB_SELECT_LEFT, limit)
    return {row["id"]: row["request_id"] for row in rows}


async def delete_old(conn: Connection, limit: int) -> None:
    """Forget failures that were mended or put aside a month ago, so many at most."""
    await conn.execute(FAILED_JOB_DELETE_OLD, limit)
