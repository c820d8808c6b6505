"""A job that is not tried again by itself: written down before the queue forgets it."""

from collections.abc import Mapping, Sequence

from core.models.failed_job import Attempt, Failure, insert_failed_job
from core.models.failed_job_retry import mark_failed_again, select_restarted
from core.postgres import Connection
from workers.attempts import forget_attempts
from workers.deps import Deps
from workers.job import Job


async def give_up(
    deps: Deps, job: Job, attempts: Sequence[Attempt], arguments: Mapping[str, object] | None = None
) -> None:
    """Write a job down with all its tries.

    Args:
        deps: The worker's clients.
        job: Which.
        attempts: Every try of it.
        arguments: What is kept of it instead of the task's arguments.
    """
    failure = Failure(
        job_id=job.job_id,
        function=job.function,
        arguments=dict(arguments or {"arguments": list(job.arguments)}),
        attempts=attempts,
        request_id=job.request_id,
        target_id=job.target_id,
        session_id=job.session_id,
        enqueued_at=job.enqueued_at,
    )
    async with deps.pool.acquire() as conn, conn.transaction():
        if not await _was_a_retry(conn, job, attempts):
            await insert_failed_job(conn, failure)
    deps.statistics.job_failed(job.function, attempts[-1].duration_ms)
    await forget_attempts(deps.valkey, job.job_id)


async def _was_a_retry(conn: Connection, job: Job, attempts: Sequence[Attempt]) -> bool:
    """When it tried a failed job again, it is that one which failed once more."""
    failed_job_id = job.failed_job_id
    row = None if failed_job_id is None else await select_restarted(conn, failed_job_id)
    if row is None:
        return failed_job_id is not None
    await mark_failed_again(conn, row.id, row.function, attempts)
    return True
