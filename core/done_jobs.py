"""The latest jobs that were done: a stream in Valkey that holds a few hundred."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

DONE = "quiver:done"
KEPT = 500


@dataclass(frozen=True, slots=True)
class DoneJob:
    """A job that was done.

    Args:
        id: Its id in the queue.
        function: The task.
        arguments: What it was given.
        request_id: The request that caused it.
        enqueued_at: When it was asked for.
        started_at: When its last try began.
        duration_ms: How long that took.
        tries: How often it was begun.
    """

    id: str
    function: str
    arguments: Sequence[object]
    request_id: str | None
    enqueued_at: datetime | None
    started_at: datetime
    duration_ms: float
    tries: int


def note_done(pipe: Pipeline, jobs: Sequence[DoneJob]) -> None:
    """Add jobs, the oldest first, to what is sent with the pipeline."""
    for job in jobs[-KEPT:]:
        pipe.xadd(DONE, {"j": orjson.dumps(job)}, maxlen=KEPT, approximate=True)


async def select_done(valkey: Redis) -> list[DoneJob]:
    """The latest jobs that were done, the latest first."""
    found = await valkey.xrevrange(DONE, count=KEPT)
    jobs = [_job(fields[b"j"]) for _, fields in found]
    # Each worker tells of several at once.
    return sorted(jobs, key=lambda job: job.started_at, reverse=True)


def _job(stored: bytes) -> DoneJob:
    fields = orjson.loads(stored)
    asked = fields["enqueued_at"]
    times = {
        "enqueued_at": None if asked is None else datetime.fromisoformat(asked),
        "started_at": datetime.fromisoformat(fields["started_at"]),
    }
    return DoneJob(**{**fields, **times})
