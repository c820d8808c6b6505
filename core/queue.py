"""The job queue: arq with our serializer, and a doorbell so that no idle worker has to poll.

A job is a wake-up or a timer and carries no truth: losing one, or running one twice, changes
nothing but the delay. So an enqueue that fails is logged and left to the sweeps.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from arq.connections import ArqRedis
from arq.constants import (
    default_queue_name,
    expires_extra_ms,
    in_progress_key_prefix,
    job_key_prefix,
    retry_key_prefix,
)
from arq.jobs import serialize_job
from arq.utils import timestamp_ms, to_unix_ms

from core.log import get_logger
from core.settings import Settings
from core.valkey import LOST, open_connections

QUEUE = default_queue_name
BELL = "quiver:bell"
# Rings beyond this number would only make idle workers look again for nothing.
BELL_LENGTH = 32
# Where the tries of a job are kept that failed, until it succeeds or fails for good.
ATTEMPTS_PREFIX = "quiver:attempts:"
# How many of its tries ended, and when the last was begun.
ENDED_PREFIX, BEGUN_PREFIX = "quiver:tries-ended:", "quiver:try-begun:"

# What arq's own enqueue does in four round trips a job, and the ring of the bell, in one that
# cannot be torn. KEYS: the queue, the bell, then where each job is kept. ARGV: the bell's length,
# then of each job its time to live, what it is, when it is due, its id and whether that rings.
ENQUEUE = """
local rings = 0
for i = 3, #KEYS do
    local at = 5 * (i - 3) + 2
    if redis.call('EXISTS', KEYS[i]) == 0 then
        redis.call('PSETEX', KEYS[i], ARGV[at], ARGV[at + 1])
        redis.call('ZADD', KEYS[1], ARGV[at + 2], ARGV[at + 3])
        rings = rings + tonumber(ARGV[at + 4])
    end
end
for _ = 1, rings do
    redis.call('LPUSH', KEYS[2], 1)
end
if rings > 0 then
    redis.call('LTRIM', KEYS[2], 0, ARGV[1])
end
"""

# Of the jobs that are due, those under way still stand in the queue and have a mark beside it; of
# those for later, the ones that were begun before have a count.
COUNT = """
local now, prefix = ARGV[1], ARGV[2]
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1000)
local running = 0
for _, id in ipairs(due) do
    running = running + redis.call('EXISTS', prefix .. id)
end
local later = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf', 'LIMIT', 0, ARGV[4])
local retrying = 0
for _, id in ipairs(later) do
    retrying = retrying + redis.call('EXISTS', ARGV[3] .. id)
end
local oldest = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', 0, 1)
return {
    redis.call('ZCOUNT', KEYS[1], '-inf', now), running,
    redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf') - retrying, retrying, oldest[2] or ''
}
"""

# What arq writes down of a job: its function, arguments, options, first try and time of asking.
PARTS: Mapping[str, type | tuple[type, ...]] = {
    "f": str,
    "a": list,
    "k": dict,
    "t": (int, type(None)),
    "et": int,
}

UNDATED_AT_ONCE = 1_000
# Jobs that are looked at to find those of a state.
LOOKED_AT = 5_000
# When a job was asked for, milliseconds since the epoch: before the year 10000, as dates go.
ASKED_BEFORE = 253_402_300_800_000

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many jobs there are.

    Args:
        due: Those whose time has come, with those under way.
        running: Those under way.
        deferred: Those for later that were never begun.
        retrying: Those for later that were: looked for among the first `LOOKED_AT` only.
        oldest_due_ms: Since when the oldest of the due ones is due, milliseconds since the epoch.
    """

    due: int
    running: int
    deferred: int
    retrying: int
    oldest_due_ms: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job that is asked for.

    Args:
        function: The task's name.
        arguments: What it takes.
        job_id: Makes it one of a kind; fresh when left out.
        defer_until: Not before this time.
        request_id: The request that caused it.
    """

    function: str
    arguments: Sequence[str | int]
    job_id: str | None = None
    defer_until: datetime | None = None
    request_id: UUID | None = None


def serialize(job: dict[str, Any]) -> bytes:
    """A job as JSON: readable by an operator, and no code runs when it is read."""
    return orjson.dumps(job, default=str)


def deserialize(stored: bytes) -> dict[str, Any]:
    """What `serialize` wrote.

    Raises:
        ValueError: It is not a job.
    """
    job = orjson.loads(stored)
    if not isinstance(job, dict):
        raise ValueError("a job is a JSON object")
    for key, kinds in PARTS.items():
        if key not in job or not isinstance(job[key], kinds):
            raise ValueError(f"the job's {key!r} is missing or of another kind")
    if "ctx" in job["k"]:
        raise ValueError("no option of a job is called 'ctx'")
    if not 0 <= job["et"] < ASKED_BEFORE:
        raise ValueError("the job's 'et' is no time")
    try:
        orjson.dumps(job["a"])
    except TypeError as error:
        raise ValueError("the job's arguments are nested too deep") from error
    return job


def due_ms(score: bytes | float) -> int:
    """When a job is due, milliseconds since the epoch; what is no date is the nearest that is."""
    return round(min(max(float(score), 0.0), ASKED_BEFORE - 1))


def open_arq(settings: Settings) -> ArqRedis:
    """arq's client on a pool of our own, with timeouts."""
    return ArqRedis(
        open_connections(settings), job_serializer=serialize, job_deserializer=deserialize
    )


class Queue:
    """Where jobs are put.

    Args:
        arq: The client that `open_arq` made.
    """

    def __init__(self, arq: ArqRedis) -> None:
        self._arq = arq
        self._enqueue = arq.register_script(ENQUEUE)
        self._count = arq.register_script(COUNT)

    async def enqueue(
        self,
        function: str,
        *arguments: str | int,
        job_id: str | None = None,
        defer_until: datetime | None = None,
        request_id: UUID | None = None,
    ) -> None:
        """Ask for a job; one that has the same id as a job that waits is the same job.

        Args:
            function: The task's name.
            arguments: What it takes.
            job_id: Makes it one of a kind; fresh when left out.
            defer_until: Not before this time.
            request_id: The request that caused it.
        """
        await self.enqueue_all([Wanted(function, arguments, job_id, defer_until, request_id)])

    async def enqueue_all(self, wanted: Sequence[Wanted]) -> None:
        """Ask for several jobs in one call."""
        if not wanted:
            return
        now = timestamp_ms()
        keys, said = [QUEUE, BELL], list[str | int | bytes]([BELL_LENGTH - 1])
        for each in wanted:
            score = now if each.defer_until is None else to_unix_ms(each.defer_until)
            known_as = each.job_id or uuid4().hex
            options = {} if each.request_id is None else {"request_id": str(each.request_id)}
            job = serialize_job(
                each.function, tuple(each.arguments), options, None, now, serializer=serialize
            )
            keys.append(job_key_prefix + known_as)
            said += [max(score - now, 0) + expires_extra_ms, job, score, known_as]
            said.append(int(score <= now))
        try:
            await self._enqueue(keys=keys, args=said)
        except LOST as error:
            functions = sorted({each.function for each in wanted})
            log.warning(
                "jobs not enqueued, a sweep will see to it", functions=functions, error=str(error)
            )

    async def wake(self, partitions: Iterable[int], request_id: UUID | None = None) -> None:
        """Have a worker look at these partitions now."""
        await self.enqueue_all(
            [Wanted("correlate", [partition], request_id=request_id) for partition in partitions]
        )

    async def date_undated(self) -> None:
        """Have jobs begun whose time is none: arq takes a 0 for no job at all."""
        found = await self._arq.zrangebyscore(QUEUE, "-inf", 0, start=0, num=UNDATED_AT_ONCE)
        if found:
            await self._arq.zadd(QUEUE, dict.fromkeys(found, 1), xx=True)

    async def counts(self) -> Counts:
        """How many jobs there are, all at one instant."""
        said: list[str | int] = [timestamp_ms(), in_progress_key_prefix]
        said += [retry_key_prefix, LOOKED_AT]
        *counts, oldest = await self._count(keys=[QUEUE], args=said)
        due, running, deferred, retrying = counts
        return Counts(due, running, deferred, retrying, due_ms(oldest) if oldest else None)

    async def close(self) -> None:
        """Give the connections back."""
        await self._arq.aclose()


async def wait_for_bell(arq: ArqRedis) -> bool:
    """Wait until somebody rings, a second at most; whether somebody did."""
    async with arq.pipeline(transaction=False) as pipe:
        pipe.blpop([BELL], timeout=1)
        (rung,) = await pipe.execute()
        return rung is not None
