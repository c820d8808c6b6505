"""The wrapper that every task runs in: our timeout, our retries, and a record before a job is
given up.

What it lets out is a wish to be tried again, or a cancellation: whatever else came out of it, the
queue would forget the job.
"""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from arq.utils import ms_to_datetime
from arq.worker import Function, Retry, func

from core.done_jobs import DoneJob
from core.log import bind_request, get_logger
from core.models.failed_job import attempt
from core.postgres import is_migrating
from workers.attempts import death_before, forget_attempts, note_attempt, select_attempts
from workers.containment import limited, outcome_of
from workers.deps import Deps
from workers.errors import is_passing
from workers.giving_up import give_up
from workers.job import RETRY, Job, as_id

# Ours is the last word on retries: arq's own limit skips every hook when it is reached.
ARQ_TRIES = 1_000_000
# And on timeouts: this is for what comes after a task, such as writing its failure down.
ARQ_TIMEOUT_S = 60.0
LONGEST_BACKOFF_S = 30.0
# What workers died over is not tried often because an operator wished it once.
TRIES_OF_A_RETRY = 2

type Task = Callable[..., Awaitable[None]]

log = get_logger(__name__)


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
        said = kwargs.get("request_id")
        due_ms = ctx.get("score")
        job = Job(
            function=name,
            job_id=ctx["job_id"],
            tries=ctx["job_try"],
            arguments=args,
            request_id=as_id(said),
            enqueued_at=ctx.get("enqueue_time"),
            due_at=None if due_ms is None else ms_to_datetime(due_ms),
        )
        with bind_request(request_id=None if said is None else str(said)):
            error = await outcome_of(_try(deps, job, function, timeout_s))
        if isinstance(error, Retry):
            raise error
        if error is not None:
            log.error("a job's end cannot be noted, it will be tried again", **_named(job, error))
            raise Retry(defer=_pause_s(deps, job)) from error

    limit_s = timeout_s + ARQ_TIMEOUT_S
    return func(run, name=name, timeout=limit_s, keep_result=0, max_tries=ARQ_TRIES)


async def _try(deps: Deps, job: Job, function: Task, timeout_s: float) -> None:
    """Do it.

    Raises:
        Retry: It is to be tried again.
    """
    started_at = datetime.now(UTC)
    if job.tries > 1 and await _is_deadly(deps, job, started_at):
        return

    async def do() -> None:
        await function(deps, *job.arguments)

    deps.statistics.job_begun(job.job_id, job.function, started_at)
    try:
        error = await outcome_of(limited(do(), timeout_s))
    finally:
        deps.statistics.job_ended(job.job_id)
    if error is not None:
        await _on_error(deps, job, error, started_at)
        return
    deps.statistics.job_done(_done(job, started_at))
    if job.tries > 1:
        await forget_attempts(deps.valkey, job.job_id)


async def _is_deadly(deps: Deps, job: Job, now: datetime) -> bool:
    """Whether workers died over it so often that it was given up."""
    died = await death_before(deps.valkey, job.job_id, job.tries, job.due_at or now, now)
    if died is None:
        return False
    attempts = [*await select_attempts(deps.valkey, job.job_id), died]
    if len(attempts) < _tries(deps, job):
        log.warning("the worker died that was at the job", **_named(job))
        await note_attempt(deps.valkey, job.job_id, died)
        return False
    log.error("job failed for good, workers die over it", **_named(job))
    await give_up(deps, job, attempts)
    return True


def _ms_since(started_at: datetime) -> float:
    return round((datetime.now(UTC) - started_at).total_seconds() * 1000, 2)


def _done(job: Job, started_at: datetime) -> DoneJob:
    return DoneJob(
        id=job.job_id,
        function=job.function,
        arguments=job.arguments,
        request_id=None if job.request_id is None else str(job.request_id),
        enqueued_at=job.enqueued_at,
        started_at=started_at,
        duration_ms=_ms_since(started_at),
        tries=job.tries,
    )


async def _on_error(deps: Deps, job: Job, error: Exception, started_at: datetime) -> None:
    """Try again later, or write the failure down; then the job is done.

    Raises:
        Retry: It is to be tried again.
    """
    took_ms = _ms_since(started_at)
    if is_passing(error):
        # A store that is away is no fault of the job: it does not use up its tries.
        deps.statistics.job_retried(job.function, took_ms)
        why = "the database is not migrated" if is_migrating(error) else "a store did not answer"
        log.warning(f"job put off, {why}", **_named(job, error))
        await deps.renew(error)
        raise Retry(defer=_pause_s(deps, job)) from error
    this = attempt(error, started_at, datetime.now(UTC))
    attempts = [*await select_attempts(deps.valkey, job.job_id), this]
    if len(attempts) < _tries(deps, job):
        log.warning("job failed, will be tried again", **_named(job, error))
        deps.statistics.job_retried(job.function, took_ms)
        await note_attempt(deps.valkey, job.job_id, this)
        raise Retry(defer=_pause_s(deps, job)) from error
    log.error("job failed for good", **_named(job, error))
    await give_up(deps, job, attempts)


def _tries(deps: Deps, job: Job) -> int:
    most = deps.settings.quiver_job_tries
    return min(most, TRIES_OF_A_RETRY) if job.function == RETRY else most


def _pause_s(deps: Deps, job: Job) -> float:
    return backoff_s(deps.settings.quiver_job_backoff_s, job.tries, random.Random())


def _named(job: Job, error: Exception | None = None) -> dict[str, object]:
    """A job as a line of the log says it."""
    named: dict[str, object] = {
        "function": job.function,
        "job_id": job.job_id,
        "tries": job.tries,
    }
    return named if error is None else {**named, "error": repr(error)}
