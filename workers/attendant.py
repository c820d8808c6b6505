"""Partitions drained as soon as something comes for them: past the queue, whose books cost more
than a small drain does.

What fails is put into the queue as a job, and that one is tried again and written down in the end;
what a dying worker took with it is found by a sweep.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from uuid import uuid4

from redis.exceptions import RedisError

from core.done_jobs import DoneJob
from core.log import get_logger
from core.valkey import LOST
from workers.containment import limited, outcome_of
from workers.correlate import correlate
from workers.deps import Deps

FUNCTION = "correlate"
LOOK_EVERY_S = 0.25
LONGEST_PAUSE_S = 2.0

log = get_logger(__name__)


class Attendant:
    """Attends to the partitions that the API names.

    Args:
        deps: The worker's clients.
        is_free: Whether anything may be begun just now.
    """

    def __init__(self, deps: Deps, is_free: Callable[[], bool]) -> None:
        self._deps = deps
        self._is_free = is_free
        self._again: set[int] = set()
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.done = 0

    async def attend(self) -> None:
        """Take one partition after the other, until cancelled."""
        pause_s = 0.1
        while True:
            if not self._is_free():
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            try:
                partition = await self._deps.inbox.next_woken()
                pause_s = 0.1
            except (*LOST, RedisError):
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                continue
            if partition is not None:
                await self._take(partition)

    async def _take(self, partition: int) -> None:
        if not self._is_free():
            # A pause began while it was waited for: a job waits for the pause's end.
            await outcome_of(self._deps.queue.wake([partition]))
        elif partition in self.tasks:
            self._again.add(partition)
        else:
            task = asyncio.create_task(self._drain(partition))
            self.tasks[partition] = task
            task.add_done_callback(lambda _: self.tasks.pop(partition, None))

    async def _drain(self, partition: int) -> None:
        """Drain it, and again when something came meanwhile."""
        while True:
            self._again.discard(partition)
            if not await self._once(partition) or partition not in self._again:
                return

    async def _once(self, partition: int) -> bool:
        """Drain it; whether that went well."""
        deps, started_at, began = self._deps, datetime.now(UTC), monotonic()
        job_id = uuid4().hex
        deps.statistics.job_begun(job_id, FUNCTION, started_at)
        work = limited(correlate(deps, partition), deps.settings.quiver_job_timeout_s)
        try:
            error = await outcome_of(work)
        finally:
            deps.statistics.job_ended(job_id)
        if error is not None:
            log.warning("a partition's drain failed", partition=partition, error=repr(error))
            await outcome_of(deps.queue.wake([partition]))
            return False
        self.done += 1
        took_ms = round(1000 * (monotonic() - began), 2)
        deps.statistics.job_done(
            DoneJob(
                id=job_id,
                function=FUNCTION,
                arguments=(partition,),
                request_id=None,
                enqueued_at=None,
                started_at=started_at,
                duration_ms=took_ms,
                tries=1,
            )
        )
        return True

    async def end(self, within_s: float) -> None:
        """Let what is under way end, but not for longer than that."""
        if self.tasks:
            await asyncio.wait(self.tasks.values(), timeout=within_s)

    async def break_off(self) -> None:
        """End what is under way: what it did not commit is read again by somebody else."""
        tasks = list(self.tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
