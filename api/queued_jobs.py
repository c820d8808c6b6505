"""Jobs in the queue and those done, as operators see them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from redis.asyncio import Redis

from core.models.target import select_targets_of_session
from core.postgres import Connection
from core.queue_jobs import QueuedJob, get_queued, list_queued
from core.schema.admin import Job, JobFilter, JobState

# Tasks whose first argument is the id of what they are about.
OF_TARGET = frozenset({"score_shots"})
OF_SESSION = frozenset({"leaderboard"})


async def list_waiting(
    conn: Connection, valkey: Redis, wanted: JobFilter, state: JobState
) -> list[Job]:
    """Jobs in the queue that a filter lets pass, the next one first."""
    return await _passing(conn, wanted, [shown(job) for job in await list_queued(valkey, state)])


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
        arguments={"arguments": list(job.arguments)},
        session_id=about if function in OF_SESSION else None,
        target_id=about if function in OF_TARGET else None,
        request_id=None if job.request_id is None else UUID(job.request_id),
        tries=job.tries,
        error=None,
        fingerprint=None,
        enqueued_at=job.enqueued_at,
        due_at=job.due_at,
        failed_at=None,
        duration_ms=None,
        updated_at=None,
    )
