"""What a worker says of itself every few seconds, and what it is asked to do."""

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

import psutil

from core.roster import Wish, WorkerReport, report
from core.schedules import ScheduleSeen, note_schedules
from core.schema.types import rfc3339
from core.valkey import LOST
from workers.deps import Deps
from workers.worker import LastingWorker

REPORT_EVERY_S = 2.0


@dataclass(slots=True)
class Reporter:
    """Reports for one worker.

    Args:
        deps: The worker's clients.
        worker: The worker.
        wished: Set as soon as somebody asks the worker to go.
        wish: What it is asked.
    """

    deps: Deps
    worker: LastingWorker
    wished: asyncio.Event = field(default_factory=asyncio.Event)
    wish: Wish | None = None
    _started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _process: psutil.Process = field(default_factory=psutil.Process)

    async def run(self) -> None:
        """Report until cancelled; a store that is away is told later."""
        while True:
            with suppress(*LOST):
                await self._once()
            await asyncio.sleep(REPORT_EVERY_S)

    async def _once(self) -> None:
        wish = await report(self.deps.valkey, self._said())
        if wish is not None and self.wish is None:
            self.wish = wish
            self.wished.set()
        await note_schedules(self.deps.valkey, self._schedules())
        await self.deps.statistics.flush(self.deps.valkey, datetime.now(UTC))

    def _said(self) -> WorkerReport:
        statistics = self.deps.statistics
        return WorkerReport(
            id=self.deps.worker_id,
            host=self.deps.host,
            pid=os.getpid(),
            started_at=rfc3339(self._started_at),
            version=version("quiver"),
            running=self.worker.job_counter + len(self.worker.attendant.tasks),
            # Not as arq counts: a job that is written down ends well for it, and every look at a
            # task that only other workers know fails.
            done=statistics.done,
            failed=statistics.failed,
            jobs=list(statistics.running.values()),
            concurrency=self.worker.max_jobs,
            memory_bytes=self._process.memory_info().rss,
            done_per_min=statistics.done_per_min(),
        )

    def _schedules(self) -> list[ScheduleSeen]:
        """What is done regularly; when it was done last is known to the worker that did it."""
        seen: list[ScheduleSeen] = []
        for job in self.worker.cron_jobs:
            function = job.name.removeprefix("cron:")
            last = self.deps.statistics.done_at.get(function)
            seen.append(
                ScheduleSeen(
                    name=job.name,
                    function=function,
                    every="every second",
                    last_run_at=None if last is None else last[0],
                    last_duration_ms=None if last is None else last[1],
                    next_run_at=job.next_run,
                )
            )
        return seen
