"""Jobs that no task is run for: the queue would forget them without a word."""

import random
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

import orjson
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix, retry_key_prefix
from arq.utils import ms_to_datetime
from redis.exceptions import ResponseError

from core.log import get_logger
from core.models.failed_job import Attempt, attempt
from core.models.lossless import kept_bytes, readable
from core.queue import QUEUE, deserialize
from workers.attempts import note_attempt, select_attempts
from workers.deps import Deps
from workers.errors import LostJobError, UnknownTaskError
from workers.giving_up import give_up
from workers.job import Job, as_id
from workers.runtime import backoff_s

# While workers are replaced one by one another one may know a task that this one does not.
KNOWN_ELSEWHERE_FOR = timedelta(seconds=30)

# What the store says of a key of another kind.
OTHER_KINDS = ("WRONGTYPE", "not an integer")
PREFIXES = (job_key_prefix, retry_key_prefix, in_progress_key_prefix)

log = get_logger(__name__)


async def keep_dropped(
    deps: Deps, arq: ArqRedis, job_id: str, known: Collection[str], said: bytes | None
) -> float | None:
    """Write a job down before the queue forgets it.

    Args:
        deps: The worker's clients.
        arq: The queue's client.
        job_id: Which.
        known: The tasks that this worker knows.
        said: How the queue would have kept its end.

    Returns:
        Seconds until another worker may look at it; None: it may go.
    """
    async with arq.pipeline(transaction=True) as pipe:
        pipe.get(job_key_prefix + job_id)
        pipe.zscore(QUEUE, job_id)
        stored, due_ms = await pipe.execute()
    if stored is None and due_ms is None:
        # Somebody has done it meanwhile.
        return None
    if stored is None:
        error = LostJobError("nothing is left of the job but its id: what it was about has expired")
        await _keep(deps, Job("read_job", job_id, 1, ()), _now(error), {"job_id": readable(job_id)})
        return None
    try:
        fields = deserialize(stored)
    except ValueError as unreadable:
        await _keep(deps, Job("read_job", job_id, 1, ()), _now(unreadable), kept_bytes(stored))
        return None
    job = Job(
        function=fields["f"],
        job_id=job_id,
        tries=1,
        arguments=tuple(fields["a"]),
        request_id=as_id(fields["k"].get("request_id")),
        enqueued_at=ms_to_datetime(fields["et"]),
    )
    if job.function not in known:
        return await _perhaps_later(deps, job)
    await _keep(deps, job, _now(LostJobError(_reason(said))))
    return None


def is_unusable(error: BaseException) -> bool:
    """Whether the queue's store could not do what is done with every job, since what stands there
    under the job's name is of another kind."""
    return isinstance(error, ResponseError) and any(kind in str(error) for kind in OTHER_KINDS)


async def keep_unusable(deps: Deps, arq: ArqRedis, job_id: str, error: Exception) -> None:
    """Write a job down that the queue can neither begin nor end, and forget it."""
    await _keep(deps, Job("read_job", job_id, 1, ()), _now(error), {"job_id": readable(job_id)})
    async with arq.pipeline(transaction=True) as pipe:
        pipe.delete(*(prefix + job_id for prefix in PREFIXES))
        pipe.zrem(QUEUE, job_id)
        await pipe.execute()


async def keep_nameless(deps: Deps, job_id: bytes) -> None:
    """Write a job down whose id is no text: nothing can be said of it but that."""
    name = job_id.decode(errors="backslashreplace")
    error = LostJobError("the job's id is no text")
    await _keep(deps, Job("read_job", name, 1, ()), _now(error), kept_bytes(job_id))


async def _perhaps_later(deps: Deps, job: Job) -> float | None:
    this = _now(UnknownTaskError(job.function))
    before = await select_attempts(deps.valkey, job.job_id)
    if before and this.started_at - before[0].started_at > KNOWN_ELSEWHERE_FOR:
        await _keep(deps, job, this)
        return None
    await note_attempt(deps.valkey, job.job_id, this)
    return backoff_s(deps.settings.quiver_job_backoff_s, len(before) + 1, random.Random())


async def _keep(
    deps: Deps, job: Job, last: Attempt, arguments: Mapping[str, object] | None = None
) -> None:
    log.error("a job cannot be done", function=job.function, job_id=job.job_id, error=last.error)
    attempts = [*await select_attempts(deps.valkey, job.job_id), last]
    await give_up(deps, job, attempts, arguments)


def _now(error: Exception) -> Attempt:
    now = datetime.now(UTC)
    return attempt(error, now, now)


def _reason(said: bytes | None) -> str:
    """Why the queue would let it go, as it would have kept it."""
    if said is None:
        return "the queue let it go without a word"
    result = orjson.loads(said)
    return f"the queue let it go: {result.get('r')}" if isinstance(result, dict) else "it ended"
