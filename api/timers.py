"""Deferred jobs as operators handle them."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from redis.asyncio import Redis

from api.dependencies import ValkeyOf
from api.jobs import job_detail
from api.operating import Operating, OperatingOf
from core.errors import ConflictError
from core.queue_jobs import cancel_deferred, run_now
from core.schema.admin import JobDetail, JobState


@dataclass(frozen=True, slots=True)
class Timers:
    """An operator at the deferred jobs in one request.

    Args:
        operating: Keeps what they do.
        valkey: Where the queue is.
    """

    operating: Operating
    valkey: Redis

    async def cancel(self, job_id: str) -> JobDetail:
        """Take a job out of the queue.

        Raises:
            NotFoundError: There is no such job.
            ConflictError: It is not deferred any more.
        """
        job = await self._deferred(job_id)
        async with self.operating.conn.transaction():
            await self.operating.note("cancel", f"{job.function} {job_id}")
            if not await cancel_deferred(self.valkey, job_id):
                raise _too_late(job_id)
        return job

    async def run(self, job_id: str) -> JobDetail:
        """Have a job done now.

        Raises:
            NotFoundError: There is no such job.
            ConflictError: It is not deferred any more.
        """
        job = await self._deferred(job_id)
        async with self.operating.conn.transaction():
            await self.operating.note("run", f"{job.function} {job_id}")
            if not await run_now(self.valkey, job_id):
                raise _too_late(job_id)
        return job

    async def _deferred(self, job_id: str) -> JobDetail:
        job = await job_detail(self.operating.conn, self.valkey, job_id)
        if job.state not in (JobState.DEFERRED, JobState.RETRYING):
            raise ConflictError(f"job {job_id}: is {job.state}, not deferred")
        return job


def _too_late(job_id: str) -> ConflictError:
    return ConflictError(f"job {job_id}: has begun, or was taken away by somebody else")


async def get_timers(operating: OperatingOf, valkey: ValkeyOf) -> Timers:
    """For this request."""
    return Timers(operating, valkey)


TimersOf = Annotated[Timers, Depends(get_timers)]
