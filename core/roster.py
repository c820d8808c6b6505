"""Who works: each worker says every few seconds that it is there, and what it is doing."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import orjson
from redis.asyncio import Redis

ALL = "quiver:workers"
ALIVE_FOR_S = 10
# A wish that nobody heard is forgotten.
WISH_FOR_S = 60


class Wish(StrEnum):
    """What a worker can be asked: to end what it is at, begin nothing more, and go; then to stay
    away, or to be started again."""

    STOP = "stop"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Running:
    """A job that a worker is at.

    Args:
        id: Its id in the queue.
        function: The task.
        started_at: RFC 3339.
    """

    id: str
    function: str
    started_at: str


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
        jobs: What it is at.
        concurrency: Jobs it does at once, at most.
        memory_bytes: What it takes of the machine's memory.
        done_per_min: Jobs it has done in the last minute.
    """

    id: str
    host: str
    pid: int
    started_at: str
    version: str
    running: int
    done: int
    failed: int
    jobs: Sequence[Running] = ()
    concurrency: int = 0
    memory_bytes: int = 0
    done_per_min: float = 0.0


def _key(worker_id: str) -> str:
    return f"quiver:worker:{worker_id}"


def _wish_key(worker_id: str) -> str:
    return f"quiver:worker:wish:{worker_id}"


async def report(valkey: Redis, said: WorkerReport) -> Wish | None:
    """Say that a worker is there; it counts as gone after `ALIVE_FOR_S` seconds of silence.

    Returns:
        What it is asked to do.
    """
    now = time.time()
    async with valkey.pipeline(transaction=True) as pipe:
        pipe.set(_key(said.id), orjson.dumps(said), ex=ALIVE_FOR_S)
        pipe.zadd(ALL, {said.id: now})
        pipe.zremrangebyscore(ALL, 0, now - 10 * ALIVE_FOR_S)
        pipe.get(_wish_key(said.id))
        *_, wish = await pipe.execute()
        return None if wish is None else Wish(wish.decode())


async def sign_off(valkey: Redis, worker_id: str) -> None:
    """Say that a worker goes."""
    async with valkey.pipeline(transaction=True) as pipe:
        pipe.delete(_key(worker_id), _wish_key(worker_id))
        pipe.zrem(ALL, worker_id)
        await pipe.execute()


async def ask(valkey: Redis, worker_id: str, wish: Wish) -> bool:
    """Ask a worker to go; False: there is none with this id, or it was asked before.

    It hears of it with its next report.
    """
    if not await valkey.exists(_key(worker_id)):
        return False
    return bool(await valkey.set(_wish_key(worker_id), wish, nx=True, ex=WISH_FOR_S))


async def wishes(valkey: Redis, worker_ids: Sequence[str]) -> Mapping[str, Wish]:
    """What workers are asked to do, by their ids."""
    if not worker_ids:
        return {}
    found = await valkey.mget([_wish_key(each) for each in worker_ids])
    asked = zip(worker_ids, found, strict=True)
    return {worker_id: Wish(wish.decode()) for worker_id, wish in asked if wish is not None}


async def seen(valkey: Redis, worker_ids: Sequence[str]) -> Mapping[str, datetime]:
    """When workers reported last, by their ids."""
    if not worker_ids:
        return {}
    found = await valkey.zmscore(ALL, list(worker_ids))
    told = zip(worker_ids, found, strict=True)
    return {each: datetime.fromtimestamp(at, UTC) for each, at in told if at is not None}


async def workers(valkey: Redis) -> Sequence[Mapping[str, Any]]:
    """The reports of all workers that are alive, in the order of their ids."""
    ids = await valkey.zrangebyscore(ALL, time.time() - ALIVE_FOR_S, "+inf")
    if not ids:
        return []
    found = await valkey.mget([_key(each.decode()) for each in ids])
    reports = [orjson.loads(each) for each in found if each is not None]
    return sorted(reports, key=lambda each: str(each["id"]))
