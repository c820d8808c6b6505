"""Who works: each worker says every few seconds that it is there, and what it is doing."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from redis.asyncio import Redis

ALL = "quiver:workers"
ALIVE_FOR_S = 10


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """What a worker says of itself.

    Args:
        id: Made when it started.
        host: Where it runs.
        pid: Its process there.
        started_at: RFC 3339.
        version: Of Quiver.
        running: Jobs it is at.
        done: Jobs it has done since it started.
        failed: Jobs it has given up since it started.
    """

    id: str
    host: str
    pid: int
    started_at: str
    version: str
    running: int
    done: int
    failed: int


def _key(worker_id: str) -> str:
    return f"quiver:worker:{worker_id}"


async def report(valkey: Redis, said: WorkerReport) -> None:
    """Say that a worker is there; it counts as gone after `ALIVE_FOR_S` seconds of silence."""
    now = time.time()
    async with valkey.pipeline(transaction=True) as pipe:
        pipe.set(_key(said.id), orjson.dumps(said), ex=ALIVE_FOR_S)
        pipe.zadd(ALL, {said.id: now})
        pipe.zremrangebyscore(ALL, 0, now - 10 * ALIVE_FOR_S)
        await pipe.execute()


async def sign_off(valkey: Redis, worker_id: str) -> None:
    """Say that a worker goes."""
    async with valkey.pipeline(transaction=True) as pipe:
        pipe.delete(_key(worker_id))
        pipe.zrem(ALL, worker_id)
        await pipe.execute()


async def workers(valkey: Redis) -> Sequence[Mapping[str, str | int]]:
    """The reports of all workers that are alive, in the order of their ids."""
    ids = await valkey.zrangebyscore(ALL, time.time() - ALIVE_FOR_S, "+inf")
    if not ids:
        return []
    found = await valkey.mget([_key(each.decode()) for each in ids])
    reports = [orjson.loads(each) for each in found if each is not None]
    return sorted(reports, key=lambda each: str(each["id"]))
