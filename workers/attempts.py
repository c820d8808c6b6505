"""The tries of a job that is not given up yet, kept until it succeeds or fails for good."""

from datetime import datetime

import orjson
from redis.asyncio import Redis

from core.models.failed_job import Attempt
from core.queue import ATTEMPTS_PREFIX

KEEP_FOR_S = 24 * 3600


def _key(job_id: str) -> str:
    return ATTEMPTS_PREFIX + job_id


async def note_attempt(valkey: Redis, job_id: str, attempt: Attempt) -> None:
    """Keep a try that failed."""
    async with valkey.pipeline(transaction=True) as pipe:
        pipe.rpush(_key(job_id), orjson.dumps(attempt))
        pipe.expire(_key(job_id), KEEP_FOR_S)
        await pipe.execute()


async def select_attempts(valkey: Redis, job_id: str) -> list[Attempt]:
    """The tries so far, oldest first."""
    found: list[Attempt] = []
    async with valkey.pipeline(transaction=False) as pipe:
        pipe.lrange(_key(job_id), 0, -1)
        (kept,) = await pipe.execute()
    for stored in kept:
        fields = orjson.loads(stored)
        found.append(
            Attempt(**{**fields, "started_at": datetime.fromisoformat(fields["started_at"])})
        )
    return found


async def forget_attempts(valkey: Redis, job_id: str) -> None:
    """The job is done, one way or the other."""
    await valkey.delete(_key(job_id))
