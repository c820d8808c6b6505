"""The tries of a job that is not given up yet, kept until it succeeds or fails for good.

The queue counts how often a job was begun. When a try ends and another is to come, that count is
copied beside: a job that is begun and whose last try was not counted so had its worker die.
"""

from contextlib import suppress
from datetime import UTC, datetime

import orjson
from arq.constants import retry_key_prefix
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from core.models.failed_job import Attempt
from core.queue import ATTEMPTS_PREFIX, BEGUN_PREFIX, ENDED_PREFIX

KEEP_FOR_S = 24 * 3600
DIED = "WorkerDiedError: the worker died, or stood still for long, while it was at it"


def _key(job_id: str) -> str:
    return ATTEMPTS_PREFIX + job_id


def _ended_key(job_id: str) -> str:
    return ENDED_PREFIX + job_id


def _begun_key(job_id: str) -> str:
    return BEGUN_PREFIX + job_id


def note_end(pipe: Pipeline, job_id: str) -> None:
    """A try ends and another is to come: what is sent with the pipeline."""
    pipe.copy(retry_key_prefix + job_id, _ended_key(job_id), replace=True)


async def death_before(
    valkey: Redis, job_id: str, tries: int, due_at: datetime, now: datetime
) -> Attempt | None:
    """Note that a further try begins, and whether the one before it did not end.

    Args:
        valkey: The queue's store.
        job_id: Whose.
        tries: Which try this is.
        due_at: When the first could begin.
        now: When this one begins.

    Returns:
        The try that did not end, until it was found; None: it did.
    """
    async with valkey.pipeline(transaction=True) as pipe:
        pipe.get(_ended_key(job_id))
        pipe.set(_begun_key(job_id), now.isoformat(), ex=KEEP_FOR_S, get=True)
        ended, begun = await pipe.execute()
    if int(ended or 0) >= tries - 1:
        return None
    started_at = due_at if begun is None else datetime.fromisoformat(begun.decode())
    duration_ms = max((now - started_at).total_seconds() * 1000, 0.0)
    return Attempt(started_at.astimezone(UTC), round(duration_ms, 2), DIED, "")


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
        # Of none of ours is anything else there; it must not keep the job from its end.
        with suppress(ValueError, TypeError, LookupError):
            fields = orjson.loads(stored)
            started_at = datetime.fromisoformat(fields["started_at"])
            found.append(Attempt(**{**fields, "started_at": started_at}))
    return found


async def forget_attempts(valkey: Redis, job_id: str) -> None:
    """The job is done, one way or the other."""
    await valkey.delete(_key(job_id), _ended_key(job_id), _begun_key(job_id))
