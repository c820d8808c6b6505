"""Jobs that failed for good: what they were, and each attempt with its error."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID, uuid4

from core.models.lossless import readable, storable_arguments
from core.postgres import Connection
from core.schema.types import rfc3339

FAILED_JOB_INSERT = """
INSERT INTO failed_job (
    id, job_id, function, arguments, attempts, error, fingerprint, request_id, target_id,
    enqueued_at, session_id
)
VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
    coalesce($11, (SELECT target.session_id FROM target WHERE target.id = $9))
)
"""

# The same job, failed before and not mended, is the same failure: what an operator wished to try
# again has failed again, and what failed twice by itself needs to be mended once. Of its tries the
# latest are kept. What a target could not store is kept from every time.
FAILED_JOB_UPDATE_AGAIN = """
UPDATE failed_job
SET state = 'failed',
    attempts = jsonb_path_query_array(attempts || $4, '$[last - 49 to last]'),
    error = $5,
    fingerprint = $6,
    arguments = CASE
        WHEN arguments = $3 THEN arguments
        ELSE arguments || jsonb_build_object('unstored', (
            SELECT coalesce(jsonb_agg(DISTINCT event), '[]')
            FROM jsonb_array_elements((arguments -> 'unstored') || ($3::jsonb -> 'unstored')) AS event
        ))
    END,
    updated_at = now()
WHERE id = (
    SELECT id FROM failed_job
    WHERE job_id = $1 AND function = $2 AND state IN ('failed', 'restarted')
        AND (arguments = $3 OR function = 'correlate_target')
    ORDER BY state = 'restarted' DESC, created_at
    LIMIT 1
    FOR UPDATE
)
RETURNING id
"""

FAILED_JOB_COUNT = """
SELECT count(*)
FROM (
    SELECT FROM failed_job WHERE state = 'failed' ORDER BY updated_at DESC, id DESC LIMIT $1
) AS latest
"""
# It is counted every other second while somebody looks on.
COUNTED_AT_MOST = 10_000

LONGEST = 8_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a job.

    Args:
        started_at: When it began.
        duration_ms: How long it took.
        error: What it failed with, in one line.
        traceback: Where.
    """

    started_at: datetime
    duration_ms: float
    error: str
    traceback: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A job that will not be tried again by itself.

    Args:
        job_id: Its id in the queue.
        function: The task.
        arguments: What it was given, enough to do it again.
        attempts: Every try.
        request_id: The request that caused it.
        target_id: The target that it was about.
        enqueued_at: When it was asked for.
        session_id: The session that it was about; that of the target when left out.
    """

    job_id: str
    function: str
    arguments: dict[str, object]
    attempts: Sequence[Attempt]
    request_id: UUID | None = None
    target_id: UUID | None = None
    enqueued_at: datetime | None = None
    session_id: UUID | None = None


def attempt(error: BaseException, started_at: datetime, ended_at: datetime) -> Attempt:
    """A try that ended with an error."""
    where = readable("".join(traceback.format_exception(error)))
    duration_ms = (ended_at - started_at).total_seconds() * 1000
    # As the interpreter says it, which no error can make fail.
    said = "".join(traceback.format_exception_only(error)).strip()
    line = readable(said.removeprefix(f"{type(error).__module__}."))
    return Attempt(started_at, round(duration_ms, 2), line[:LONGEST], where[-LONGEST:])


def fingerprint(function: str, last: Attempt) -> str:
    """Equal for failures of the same kind at the same place."""
    place = [line.strip() for line in last.traceback.splitlines() if line.startswith("  File ")]
    kind = last.error.partition(":")[0]
    return sha256("\n".join([function, kind, *place[-1:]]).encode()).hexdigest()[:16]


async def insert_failed_job(conn: Connection, failure: Failure) -> UUID:
    """Keep a failure for the operators.

    Returns:
        The row's id: of a new one, or of the one that has this job's earlier failure.
    """
    last = failure.attempts[-1]
    tries = [written(each) for each in failure.attempts]
    kind = fingerprint(failure.function, last)
    arguments = storable_arguments(failure.arguments)
    job_id, function = readable(failure.job_id), readable(failure.function)
    same = (job_id, function, arguments, tries, last.error, kind)
    again: UUID | None = await conn.fetchval(FAILED_JOB_UPDATE_AGAIN, *same)
    if again is not None:
        return again
    failure_id = uuid4()
    about = (failure.request_id, failure.target_id, failure.enqueued_at, failure.session_id)
    await conn.execute(FAILED_JOB_INSERT, failure_id, *same, *about)
    return failure_id


def written(tried: Attempt) -> dict[str, object]:
    """A try as it stands in the database."""
    return {
        "started_at": rfc3339(tried.started_at),
        "duration_ms": tried.duration_ms,
        "error": tried.error,
        "traceback": tried.traceback,
    }


async def count_failed_jobs(conn: Connection) -> int:
    """How many failures wait for an operator; more than `COUNTED_AT_MOST` are one more."""
    count: int = await conn.fetchval(FAILED_JOB_COUNT, COUNTED_AT_MOST + 1)
    return count
