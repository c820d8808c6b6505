"""Jobs in the queue and those done, as operators see them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import orjson
from redis.asyncio import Redis

from core.done_jobs import DoneJob, select_done
from core.models.session import select_targets_of_session
from core.postgres import Connection
from core.queue_jobs import QueuedJob, get_queued, list_queued
from core.schema.admin import Job, JobFilter, JobState

# For one list.
LOOKED_AT = 1_000
# Tasks whose first argument is the id of what they are about.
OF_TARGET = frozenset({"score_shots"})
OF_SESSION = frozenset({"leaderboard"})


async def list_waiting(
    conn: Connection, valkey: Redis, wanted: JobFilter, state: JobState
) -> list[Job]:
    """Jobs in the queue that a filter lets pass, the next one first."""
    found = await list_queued(valkey, state, LOOKED_AT)
    return await _passing(conn, wanted, [shown(job) for job in found])


async def find_queued(valkey: Redis, job_id: str) -> Job | None:
    """A job in the queue; None: it is not there."""
    found = await get_queued(valkey, job_id)
    return None if found is None else shown(found)


def shown(job: QueuedJob) -> Job:
    """A job in the queue."""
    function = job.function or "unreadable"
    about = _about(function, job.arguments)
    return Job(
        id=job.id,
        state=job.state,
        function=function,
        arguments=job.arguments,
        session_id=about if function in OF_SESSION else None,
        target_id=about if function in OF_TARGET else None,
        request_id=job.request_id,
        tries=job.tries,
        error=job.error,
        fingerprint=None,
        enqueued_at=job.enqueued_at,
        due_at=job.due_at,
        failed_at=None,
        duration_ms=None,
        updated_at=None,
    )


async def list_done(conn: Connection, valkey: Redis, wanted: JobFilter, _: JobState) -> list[Job]:
    """The latest jobs that were done and a filter lets pass, the latest first."""
    return await _passing(conn, wanted, [_done(job) for job in await select_done(valkey)])


def _done(job: DoneJob) -> Job:
    arguments = {"arguments": list(job.arguments)}
    about = _about(job.function, arguments)
    return Job(
        id=job.id,
        state=JobState.DONE,
        function=job.function,
        arguments=arguments,
        session_id=about if job.function in OF_SESSION else None,
        target_id=about if job.function in OF_TARGET else None,
        request_id=None if job.request_id is None else UUID(job.request_id),
        tries=job.tries,
        error=None,
        fingerprint=None,
        enqueued_at=job.enqueued_at,
        due_at=None,
        failed_at=None,
        duration_ms=job.duration_ms,
        updated_at=job.started_at + timedelta(milliseconds=job.duration_ms),
    )


def _about(function: str, arguments: Mapping[str, object]) -> UUID | None:
    """The target or session that a job is about."""
    said = arguments.get("arguments")
    if function not in OF_TARGET | OF_SESSION or not isinstance(said, list) or not said:
        return None
    try:
        return UUID(str(said[0]))
    except ValueError:
        return None


async def _passing(conn: Connection, wanted: JobFilter, jobs: Sequence[Job]) -> list[Job]:
    session = wanted.session_id
    targets = set() if session is None else set(await select_targets_of_session(conn, session))
    return [job for job in jobs if _passes(job, wanted, targets)]


def _passes(job: Job, wanted: JobFilter, targets: Collection[UUID]) -> bool:
    """Whether a filter lets a job pass, of which the database knows nothing."""
    at = job.due_at or job.updated_at
    text = f"{job.id} {job.error or ''} {orjson.dumps(job.arguments, default=str).decode()}".lower()
    return (
        wanted.function in (None, job.function)
        and wanted.target_id in (None, job.target_id)
        and (
            wanted.session_id in (None, job.session_id)
            or (job.target_id is not None and job.target_id in targets)
        )
        and wanted.fingerprint is None
        and (wanted.q is None or wanted.q.lower() in text)
        and (wanted.since is None or (at is not None and at >= wanted.since))
        and (wanted.until is None or (at is not None and at < wanted.until))
    )
