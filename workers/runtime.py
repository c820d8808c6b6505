"""The wrapper that every task runs in: our timeout, our retries, and a record before a job is
given up."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from arq.worker import Function, Retry, func

from core.done_jobs import DoneJob
from core.log import bind_request, get_logger
from core.models.failed_job import Attempt, Failure, attempt, insert_failed_job
from workers.attempts import forget_attempts, note_attempt, select_attempts
from workers.deps import Deps
from workers.errors import is_passing

# Ours is the last word on retries: arq's own limit skips every hook when it is reached.
ARQ_TRIES = 1_000_000
LONGEST_BACKOFF_S = 30.0

type Task = Callable[..., Awaitable[None]]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One try of a job.

    Args:
        function: The task's name.
        job_id: Its id in the queue.
        tries: Which try this is, from 1.
        arguments: What the task was given.
        request_id: The request that caused it.
    """

    function: str
    job_id: str
    tries: int
    arguments: tuple[str | int, ...]
    request_id: str | None


def backoff_s(first_s: float, tries: int, rng: random.Random) -> float:
    """Seconds until the next try: doubling, with jitter, so that what failed together does not
    return so."""
    longest = min(first_s * 2.0 ** min(tries - 1, 16), LONGEST_BACKOFF_S)
    return longest * rng.uniform(0.5, 1.0)


def task(function: Task, *, name: str, timeout_s: float) -> Function:
    """A task as arq runs it.

    Args:
        function: Takes the worker's `Deps` and the job's arguments.
        name: What jobs call it.
        timeout_s: Seconds after which it is cancelled and tried again; below arq's own limit.
    """

    async def run(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> None:
        deps: Deps = ctx["deps"]
        request_id: str | None = kwargs.get("request_id")
        job = Job(name, ctx["job_id"], ctx["job_try"], args, request_id)
        started_at = datetime.now(UTC)
        deps.statistics.job_begun(job.job_id, name, started_at)
        with bind_request(request_id=request_id):
            limited = asyncio.wait_for(function(deps, *args), timeout_s)
            (error,) = await asyncio.gather(limited, return_exceptions=True)
            deps.statistics.job_ended(job.job_id)
            if isinstance(error, Exception):
                await _on_error(deps, job, error, started_at)
            elif isinstance(error, BaseException):
                raise error
            else:
                deps.statistics.job_done(_done(job, ctx.get("enqueue_time"), started_at))
                if job.tries > 1:
                    await forget_attempts(deps.valkey, job.job_id)

    return func(run, name=name, timeout=timeout_s + 10, keep_result=0, max_tries=ARQ_TRIES)


def _ms_since(started_at: datetime) -> float:
    return round((datetime.now(UTC) - started_at).total_seconds() * 1000, 2)


def _done(job: Job, enqueued_at: datetime | None, started_at: datetime) -> DoneJob:
    return DoneJob(
        id=job.job_id,
        function=job.function,
        arguments=job.arguments,
        request_id=job.request_id,
        enqueued_at=enqueued_at,
        started_at=started_at,
        duration_ms=_ms_since(started_at),
        tries=job.tries,
    )


async def _on_error(deps: Deps, job: Job, error: Exception, started_at: datetime) -> None:
    """Try again later, or write the failure down; then the job is done.

    Raises:
        Retry: It is to be tried again.
    """
    later = backoff_s(deps.settings.quiver_job_backoff_s, job.tries, random.Random())
    what = {"function": job.function, "job_id": job.job_id, "tries": job.tries}
    took_ms = _ms_since(started_at)
    if is_passing(error) and not isinstance(error, TimeoutError):
        # A store that is away is no fault of the job: it does not use up its tries.
        log.warning("job put off, a store did not answer", error=str(error), **what)
        deps.statistics.job_retried(job.function, took_ms)
        raise Retry(defer=later) from error
    this = attempt(error, started_at, datetime.now(UTC))
    if job.tries < deps.settings.quiver_job_tries:
        log.warning("job failed, will be tried again", error=this.error, **what)
        deps.statistics.job_retried(job.function, took_ms)
        await note_attempt(deps.valkey, job.job_id, this)
        raise Retry(defer=later) from error
    log.error("job failed for good", error=this.error, **what)
    deps.statistics.job_failed(job.function, took_ms)
    await _give_up(deps, job, this)


async def _give_up(deps: Deps, job: Job, last: Attempt) -> None:
    """Write the failure down before the job is gone from the queue."""
    attempts = [*await select_attempts(deps.valkey, job.job_id), last]
    failure = Failure(
        job_id=job.job_id,
        function=job.function,
        arguments={"arguments": list(job.arguments)},
        attempts=attempts,
        request_id=None if job.request_id is None else UUID(job.request_id),
    )
    async with deps.pool.acquire() as conn:
        await insert_failed_job(conn, failure)
    await forget_attempts(deps.valkey, job.job_id)
