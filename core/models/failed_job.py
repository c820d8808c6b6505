"""Jobs that failed for good: what they were, and each attempt with its error."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID, uuid4

from core.postgres import Connection
from core.schema.types import rfc3339

FAILED_JOB_INSERT = """
INSERT INTO failed_job
    (id, job_id, function, arguments, attempts, error, fingerprint, request_id, target_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

FAILED_JOB_COUNT = "SELECT count(*) FROM failed_job WHERE state = 'failed'"

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
    """

    job_id: str
    function: str
    arguments: dict[str, object]
    attempts: Sequence[Attempt]
    request_id: UUID | None = None
    target_id: UUID | None = None


def attempt(error: BaseException, started_at: datetime, ended_at: datetime) -> Attempt:
    """A try that ended with an error."""
    written = "".join(traceback.format_exception(error))
    duration_ms = (ended_at - started_at).total_seconds() * 1000
    line = f"{type(error).__name__}: {error}"
    return Attempt(started_at, round(duration_ms, 2), line[:LONGEST], written[-LONGEST:])


def fingerprint(function: str, last: Attempt) -> str:
    """Equal for failures of the same kind at the same place."""
    place = [line.strip() for line in last.traceback.splitlines() if line.startswith("  File ")]
    kind = last.error.partition(":")[0]
    return sha256("\n".join([function, kind, *place[-1:]]).encode()).hexdigest()[:16]


async def insert_failed_job(conn: Connection, failure: Failure) -> UUID:
    """Keep a failure for the operators."""
    failure_id = uuid4()
    last = failure.attempts[-1]
    tries = [
        {
            "started_at": rfc3339(each.started_at),
            "duration_ms": each.duration_ms,
            "error": each.error,
            "traceback": each.traceback,
        }
        for each in failure.attempts
    ]
    await conn.execute(
        FAILED_JOB_INSERT,
        failure_id,
        failure.job_id,
        failure.function,
        failure.arguments,
        tries,
        last.error,
        fingerprint(failure.function, last),
        failure.request_id,
        failure.target_id,
    )
    return failure_id


async def count_failed_jobs(conn: Connection) -> int:
    """How many failures wait for an operator."""
    count: int = await conn.fetchval(FAILED_JOB_COUNT)
    return count
