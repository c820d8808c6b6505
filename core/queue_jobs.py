"""The jobs that stand in the queue, one by one: for operators, who look at them, call one off that
is for later, or have it done now.

Whatever the queue holds, a look reads so many of its jobs and no more.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson
from arq.constants import in_progress_key_prefix, job_key_prefix, retry_key_prefix
from arq.utils import ms_to_datetime, timestamp_ms
from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from core.queue import (
    ATTEMPTS_PREFIX,
    BEGUN_PREFIX,
    BELL,
    BELL_LENGTH,
    ENDED_PREFIX,
    LOOKED_AT,
    QUEUE,
    deserialize,
    due_ms,
)
from core.schema.admin import JobAttempt, JobState

# Of the jobs that are due those under way have a mark beside them; of those for later the ones that
# were begun before have a count. KEYS: the queue. ARGV: the least and the greatest due time, the
# prefix of the mark or the count, whether there must be one, how many matches to skip, how many to
# answer, how many to look at, and the prefixes of jobs, marks, counts and tries that failed.
# What stands there under another kind reads as nothing.
LIST = """
local function text(key)
    local found = redis.pcall('GET', key)
    return type(found) == 'string' and found
end
local function last(key)
    local found = redis.pcall('LINDEX', key, -1)
    return type(found) == 'string' and found
end
local skip, limit = tonumber(ARGV[5]), tonumber(ARGV[6])
local found = {}
local pairs_ = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[2], 'WITHSCORES', 'LIMIT', 0, ARGV[7])
for place = 1, #pairs_, 2 do
    local id = pairs_[place]
    if redis.call('EXISTS', ARGV[3] .. id) == tonumber(ARGV[4]) then
        if skip > 0 then
            skip = skip - 1
        else
            found[#found + 1] = {
                id, pairs_[place + 1], text(ARGV[8] .. id),
                redis.call('EXISTS', ARGV[9] .. id), text(ARGV[10] .. id), last(ARGV[11] .. id)
            }
            if #found == limit then
                break
            end
        end
    end
end
return found
"""

# KEYS: the queue, the job, its mark, its count, its attempts, how many of them ended, and when the
# last was begun.
CANCEL = """
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) <= tonumber(ARGV[2]) or redis.call('EXISTS', KEYS[3]) == 1 then
    return 0
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2], KEYS[4], KEYS[5], KEYS[6], KEYS[7])
return 1
"""

# KEYS: the queue, the job's mark, the bell.
RUN = """
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) <= tonumber(ARGV[2]) or redis.call('EXISTS', KEYS[2]) == 1 then
    return 0
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('LPUSH', KEYS[3], 1)
redis.call('LTRIM', KEYS[3], 0, ARGV[3])
return 1
"""


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job in the queue.

    Args:
        id: Its id there.
        state: Queued, running, deferred or retrying (deferred, with a try behind it).
        function: The task; empty when the job cannot be read.
        arguments: What it takes, as a failed job has it; of one that cannot be read its bytes.
        request_id: The request that caused it.
        enqueued_at: When it was asked for.
        due_at: Not before this time.
        tries: How often it was begun.
        error: What the last try failed with; None: none did, as far as is kept.
    """

    id: str
    state: JobState
    function: str
    arguments: Mapping[str, object]
    request_id: UUID | None
    enqueued_at: datetime | None
    due_at: datetime
    tries: int
    error: str | None


async def list_queued(arq: Redis, state: JobState, limit: int, offset: int = 0) -> list[QueuedJob]:
    """Jobs of a state, the earliest due first; looked for among the first `LOOKED_AT` only.

    Args:
        arq: The queue's client.
        state: Queued, running, deferred or retrying.
        limit: How many at most.
        offset: How many of them to leave out first.

    Raises:
        ValueError: No job in the queue has such a state.
    """
    now = timestamp_ms()
    due, later = ("-inf", str(now)), (f"({now}", "+inf")
    ranges: Mapping[JobState, tuple[tuple[str, str], str, int]] = {
        JobState.QUEUED: (due, in_progress_key_prefix, 0),
        JobState.RUNNING: (due, in_progress_key_prefix, 1),
        JobState.DEFERRED: (later, retry_key_prefix, 0),
        JobState.RETRYING: (later, retry_key_prefix, 1),
    }
    if state not in ranges:
        raise ValueError(f"no job in the queue is {state}")
    between, prefix, is_there = ranges[state]
    prefixes = (job_key_prefix, in_progress_key_prefix, retry_key_prefix, ATTEMPTS_PREFIX)
    found = await arq.register_script(LIST)(
        keys=[QUEUE], args=[*between, prefix, is_there, offset, limit, LOOKED_AT, *prefixes]
    )
    return [_queued(now, _Kept(*each)) for each in found]


async def get_queued(arq: Redis, job_id: str) -> QueuedJob | None:
    """A job in the queue; None: there is none with this id, or it is done."""
    async with arq.pipeline(transaction=True) as pipe:
        pipe.zscore(QUEUE, job_id)
        pipe.get(job_key_prefix + job_id)
        pipe.exists(in_progress_key_prefix + job_id)
        pipe.get(retry_key_prefix + job_id)
        pipe.lindex(ATTEMPTS_PREFIX + job_id, -1)
        due, stored, is_marked, *kept = await pipe.execute(raise_on_error=False)
    if due is None:
        return None
    stored, begun, last = (
        None if isinstance(each, ResponseError) else each for each in (stored, *kept)
    )
    found = _Kept(job_id.encode(), due, stored, is_marked, begun, last)
    return _queued(timestamp_ms(), found)


async def attempts_so_far(arq: Redis, job_id: str) -> Sequence[JobAttempt]:
    """The tries of a job in the queue that failed, the oldest first."""
    async with arq.pipeline(transaction=False) as pipe:
        pipe.lrange(ATTEMPTS_PREFIX + job_id, 0, -1)
        (kept,) = await pipe.execute(raise_on_error=False)
    tried = map(_attempt, () if isinstance(kept, ResponseError) else kept)
    return [each for each in tried if each is not None]


def _attempt(stored: bytes) -> JobAttempt | None:
    """A try; None: none of ours is kept there."""
    with suppress(ValidationError):
        return JobAttempt.model_validate_json(stored)
    return None


async def cancel_deferred(arq: Redis, job_id: str) -> bool:
    """Take a job out of the queue that is for later.

    Returns:
        Whether it was still there, for later, and nobody was at it.
    """
    keys = [
        QUEUE,
        job_key_prefix + job_id,
        in_progress_key_prefix + job_id,
        retry_key_prefix + job_id,
        ATTEMPTS_PREFIX + job_id,
        ENDED_PREFIX + job_id,
        BEGUN_PREFIX + job_id,
    ]
    return bool(await arq.register_script(CANCEL)(keys=keys, args=[job_id, timestamp_ms()]))


async def run_now(arq: Redis, job_id: str) -> bool:
    """Have a job done now that is for later.

    Returns:
        Whether it was still there, for later, and nobody was at it.
    """
    keys = [QUEUE, in_progress_key_prefix + job_id, BELL]
    run = arq.register_script(RUN)
    return bool(await run(keys=keys, args=[job_id, timestamp_ms(), BELL_LENGTH - 1]))


class _Kept(NamedTuple):
    """What the store keeps of a job, in the order in which `LIST` tells it."""

    job_id: bytes
    due: bytes | float
    stored: bytes | None
    is_marked: int
    begun: bytes | None
    last: bytes | None


def _queued(now: int, kept: _Kept) -> QueuedJob:
    function, arguments, request_id, enqueued_at = _read(kept.stored)
    due_at_ms, tries = due_ms(kept.due), _count(kept.begun)
    if due_at_ms > now:
        state = JobState.RETRYING if tries else JobState.DEFERRED
    else:
        state = JobState.RUNNING if kept.is_marked else JobState.QUEUED
    return QueuedJob(
        id=kept.job_id.decode(errors="replace"),
        state=state,
        function=function,
        arguments=arguments,
        request_id=request_id,
        enqueued_at=enqueued_at,
        due_at=ms_to_datetime(due_at_ms),
        tries=tries,
        error=_error_of(kept.last),
    )


def _error_of(last: bytes | None) -> str | None:
    """What a try failed with; None: there was none, or none of ours."""
    tried = None if last is None else _attempt(last)
    return None if tried is None else tried.error


def _count(begun: bytes | None) -> int:
    """How often a job was begun; none of our own counts is no number."""
    return int(begun) if begun is not None and begun.isdigit() else 0


def _read(
    stored: bytes | None,
) -> tuple[str, Mapping[str, object], UUID | None, datetime | None]:
    """What a job is; of one that cannot be read, how it looks."""
    if stored is None:
        return "", {}, None, None
    try:
        job = deserialize(stored)
        request_id = job["k"].get("request_id")
        return (
            str(job["f"]),
            {"arguments": list(job["a"])},
            None if request_id is None else UUID(request_id),
            ms_to_datetime(job["et"]),
        )
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError, AttributeError):
        return "", {"payload": stored.decode(errors="backslashreplace")}, None, None
