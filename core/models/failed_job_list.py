"""Kept failures as operators look at them."""

from collections.abc import Mapping
from uuid import UUID

from asyncpg import Record

from core.errors import NotFoundError
from core.models.instants import EPOCH, LAST
from core.postgres import Connection
from core.schema.admin import Job, JobAttempt, JobFilter, JobGroup, JobState
from core.schema.page import Position

# What a look takes into account is bounded, whatever it filters: the latest of a state, in the
# order of an index. Only then it is filtered: for what is rare the whole table would be read.
LOOKED_AT = 20_000
GROUPS = 100
# A traceback is not to be read for a line of a list.
KEPT = (JobState.FAILED, JobState.RESTARTED, JobState.MENDED, JobState.DISCARDED)

FAILED_JOB_SELECT_PAGE = """
SELECT id, state, function, arguments, session_id, target_id, request_id, error, fingerprint,
    enqueued_at, updated_at, jsonb_array_length(attempts) AS tries,
    (attempts -> -1 ->> 'duration_ms')::double precision AS duration_ms,
    (attempts -> -1 ->> 'started_at')::timestamptz AS tried_at
FROM (
    SELECT id, state, function, arguments, session_id, target_id, request_id, error, fingerprint,
        enqueued_at, updated_at, attempts
    FROM failed_job
    WHERE state = $1 AND updated_at >= $2 AND (updated_at, id) < ($3, $4)
    ORDER BY updated_at DESC, id DESC
    LIMIT $5
) AS latest
WHERE ($6::text IS NULL OR function = $6)
    AND ($7::uuid IS NULL OR session_id = $7)
    AND ($8::uuid IS NULL OR target_id = $8)
    AND ($9::text IS NULL OR fingerprint = $9)
    AND ($10::text IS NULL OR position(lower($10) IN lower(error || ' ' || arguments::text)) > 0)
ORDER BY updated_at DESC, id DESC
LIMIT $11
"""

FAILED_JOB_SELECT_GROUPS = """
SELECT fingerprint, function, (array_agg(error ORDER BY updated_at DESC))[1] AS error,
    count(*) AS count, min(created_at) AS first_at, max(updated_at) AS last_at
FROM (
    SELECT fingerprint, function, session_id, target_id, arguments, error, created_at, updated_at
    FROM failed_job
    WHERE state = $1 AND updated_at >= $2 AND (updated_at, id) < ($3, $4)
    ORDER BY updated_at DESC, id DESC
    LIMIT $5
) AS latest
WHERE ($6::text IS NULL OR function = $6)
    AND ($7::uuid IS NULL OR session_id = $7)
    AND ($8::uuid IS NULL OR target_id = $8)
    AND ($9::text IS NULL OR fingerprint = $9)
    AND ($10::text IS NULL OR position(lower($10) IN lower(error || ' ' || arguments::text)) > 0)
GROUP BY fingerprint, function
ORDER BY count DESC, last_at DESC
LIMIT $11
"""

FAILED_JOB_SELECT = """
SELECT id, state, function, arguments, session_id, target_id, request_id, error, fingerprint,
    enqueued_at, updated_at, jsonb_array_length(attempts) AS tries, attempts,
    (attempts -> -1 ->> 'duration_ms')::double precision AS duration_ms,
    (attempts -> -1 ->> 'started_at')::timestamptz AS tried_at
FROM failed_job
WHERE id = $1
"""


FAILED_JOB_SELECT_IDS = """
SELECT id
FROM (
    SELECT id, function, session_id, target_id, fingerprint, error, arguments
    FROM failed_job
    WHERE state = $1 AND updated_at >= $2 AND (updated_at, id) < ($3, $4)
    ORDER BY updated_at DESC, id DESC
    LIMIT $5
) AS latest
WHERE ($6::text IS NULL OR function = $6)
    AND ($7::uuid IS NULL OR session_id = $7)
    AND ($8::uuid IS NULL OR target_id = $8)
    AND ($9::text IS NULL OR fingerprint = $9)
    AND ($10::text IS NULL OR position(lower($10) IN lower(error || ' ' || arguments::text)) > 0)
"""


def _parameters(
    wanted: JobFilter, state: JobState, before: Position | None = None
) -> tuple[object, ...]:
    """A filter as every statement about failed jobs takes it first.

    Whatever is left out has a bound all the same: so the index is gone through in its order, and no
    further than need be.
    """
    until = Position(wanted.until or LAST, UUID(int=0))
    first = until if before is None else min(until, before, key=lambda each: (each.at, each.id))
    return (
        state,
        wanted.since or EPOCH,
        first.at,
        first.id,
        LOOKED_AT,
        wanted.function,
        wanted.session_id,
        wanted.target_id,
        wanted.fingerprint,
        wanted.q,
    )


async def select_failed_jobs(
    conn: Connection, wanted: JobFilter, state: JobState, before: Position | None, limit: int
) -> list[Job]:
    """Kept failures, the one that changed last first, one more than `limit` where there are more;
    looked for among the latest `LOOKED_AT` of the state and time."""
    rows = await conn.fetch(FAILED_JOB_SELECT_PAGE, *_parameters(wanted, state, before), limit + 1)
    return [Job.model_validate(_shown(row)) for row in rows]


async def select_failed_job_ids(conn: Connection, wanted: JobFilter, state: JobState) -> list[UUID]:
    """The failures that are wanted, of the latest `LOOKED_AT` of the state and time."""
    rows = await conn.fetch(FAILED_JOB_SELECT_IDS, *_parameters(wanted, state))
    return [row["id"] for row in rows]


async def select_failed_job_groups(
    conn: Connection, wanted: JobFilter, state: JobState
) -> list[JobGroup]:
    """Failures by kind and place, the most frequent first, counted among the latest
    `LOOKED_AT`."""
    rows = await conn.fetch(FAILED_JOB_SELECT_GROUPS, *_parameters(wanted, state), GROUPS)
    return [JobGroup.model_validate(dict(row)) for row in rows]


async def select_failed_job(conn: Connection, failed_job_id: UUID) -> tuple[Job, list[JobAttempt]]:
    """A kept failure with its tries, the first one first.

    Raises:
        NotFoundError: There is none with this id.
    """
    row = await conn.fetchrow(FAILED_JOB_SELECT, failed_job_id)
    if row is None:
        raise NotFoundError("job", failed_job_id)
    return Job.model_validate(_shown(row)), [
        JobAttempt.model_validate(each) for each in row["attempts"]
    ]


def _shown(row: Record) -> Mapping[str, object]:
    said = {name: row[name] for name in row.keys() if name not in ("attempts", "tried_at")}
    return {**said, "id": str(row["id"]), "due_at": None, "failed_at": row["tried_at"]}
