"""Jobs in arq's queue, looked at one by one: bounded reads, and changes that cannot be torn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from arq.constants import (
    default_queue_name,
    in_progress_key_prefix,
    job_key_prefix,
    retry_key_prefix,
)
from arq.jobs import DeserializationError, deserialize_job_raw
from arq.utils import timestamp_ms
from redis.asyncio import Redis

from core.queue import BELL, deserialize
from core.schema.admin import JobState

# Looked at for one list.
LOOKED_AT = 1_000

CANCEL = """
if redis.call('EXISTS', KEYS[3]) == 1 then
    return 0
end
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) <= tonumber(ARGV[2]) then
    return 0
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2], KEYS[4])
return 1
"""

RUN_NOW = """
if redis.call('EXISTS', KEYS[2]) == 1 then
    return 0
end
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) <= tonumber(ARGV[2]) then
    return 0
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('LPUSH', KEYS[3], 1)
return 1
"""


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job in the queue.

    Args:
        id: Its id there.
        state: Queued, running, deferred, or retrying: deferred with a try behind it.
        function: The task; None: what stands there cannot be read.
        arguments: What the task takes.
        request_id: The request that caused it.
        enqueued_at: When it was asked for.
        due_at: Not before this time.
        tries: How often it was begun.
    """

    id: str
    state: JobState
    function: str | None
    arguments: Sequence[object]
    request_id: str | None
    enqueued_at: datetime | None
    due_at: datetime
    tries: int


async def list_queued(valkey: Redis, state: JobState) -> list[QueuedJob]:
    """Jobs of one of the queue's states among the first `LOOKED_AT` by their time.

    Args:
        valkey: A client that answers bytes.
        state: Queued, running, deferred or retrying.
    """
    now = timestamp_ms()
    is_due = state in (JobState.QUEUED, JobState.RUNNING)
    least, most = ("-inf", now) if is_due else (f"({now}", "+inf")
    found = await valkey.zrangebyscore(
        default_queue_name, least, most, start=0, num=LOOKED_AT, withscores=True
    )
    jobs = await _described(valkey, found, now)
    return [job for job in jobs if job.state is state]


async def get_queued(valkey: Redis, job_id: str) -> QueuedJob | None:
    """One job; None: it is not in the queue."""
    due = await valkey.zscore(default_queue_name, job_id)
    if due is None:
        return None
    (job,) = await _described(valkey, [(job_id.encode(), due)], timestamp_ms())
    return job


async def cancel_deferred(valkey: Redis, job_id: str) -> bool:
    """Take a job for later out of the queue; False: it is due, under way or gone."""
    keys = [default_queue_name, job_key_prefix + job_id]
    keys += [in_progress_key_prefix + job_id, retry_key_prefix + job_id]
    return bool(await valkey.register_script(CANCEL)(keys=keys, args=[job_id, timestamp_ms()]))


async def run_now(valkey: Redis, job_id: str) -> bool:
    """Have a job for later done now; False: it is due, under way or gone."""
    keys = [default_queue_name, in_progress_key_prefix + job_id, BELL]
    return bool(await valkey.register_script(RUN_NOW)(keys=keys, args=[job_id, timestamp_ms()]))


async def _described(
    valkey: Redis, found: Sequence[tuple[bytes, float]], now: int
) -> list[QueuedJob]:
    async with valkey.pipeline(transaction=False) as pipe:
        for job_id, _ in found:
            pipe.get(job_key_prefix.encode() + job_id)
            pipe.exists(in_progress_key_prefix.encode() + job_id)
            pipe.get(retry_key_prefix.encode() + job_id)
        said = await pipe.execute() if found else []
    each = zip(found, said[::3], said[1::3], said[2::3], strict=True)
    return [
        _job(job_id, _state(due > now, bool(running), int(tries or 0)), due, stored, tries)
        for (job_id, due), stored, running, tries in each
    ]


def _state(is_later: bool, is_running: bool, tries: int) -> JobState:
    if is_running:
        return JobState.RUNNING
    if is_later:
        return JobState.RETRYING if tries else JobState.DEFERRED
    return JobState.QUEUED


def _job(
    job_id: bytes, state: JobState, due: float, stored: bytes | None, tries: bytes | None
) -> QueuedJob:
    function, arguments, options, asked_ms = _read(stored)
    request_id = options.get("request_id")
    return QueuedJob(
        id=job_id.decode(errors="backslashreplace"),
        state=state,
        function=function,
        arguments=arguments,
        request_id=None if request_id is None else str(request_id),
        enqueued_at=None if asked_ms is None else _instant(asked_ms),
        due_at=_instant(due),
        tries=int(tries or 0),
    )


def _read(
    stored: bytes | None,
) -> tuple[str | None, Sequence[object], Mapping[str, object], int | None]:
    if stored is None:
        return None, (), {}, None
    try:
        function, arguments, options, _, asked_ms = deserialize_job_raw(
            stored, deserializer=deserialize
        )
    except DeserializationError:
        return _unreadable(stored)
    is_ours = (
        isinstance(function, str) and isinstance(arguments, list) and isinstance(options, dict)
    )
    if not is_ours or not isinstance(asked_ms, int):
        return _unreadable(stored)
    return function, arguments, options, asked_ms


def _unreadable(
    stored: bytes,
) -> tuple[None, Sequence[object], Mapping[str, object], None]:
    return None, (stored.decode(errors="backslashreplace"),), {}, None


def _instant(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
