"""arq's worker, made to outlive its stores' restarts and to wait at the doorbell instead of
polling."""

import asyncio
import signal
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from arq.constants import in_progress_key_prefix
from arq.worker import Worker

from core.log import get_logger
from core.queue import wait_for_bell
from core.valkey import LOST

# Without a ring of the bell an idle worker looks for jobs this often.
FALLBACK_POLL_S = 0.25
LONGEST_PAUSE_S = 2.0
FINISH_WITHIN_S = 2.0
# A killed worker's jobs are taken over after this time; arq waits for the longest timeout of all.
CLAIM_S = 6.0
RENEW_EVERY_S = 1.5

log = get_logger(__name__)


class LastingWorker(Worker):
    """A worker that a lost connection does not end.

    arq's own stops at the first Redis error in its loop, and looks for jobs every half second only.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._nudge = asyncio.Event()
        self.in_progress_timeout_s = CLAIM_S

    async def main(self) -> None:
        """Look for jobs whenever the bell rings, until cancelled."""
        if self.on_startup:
            await self.on_startup(self.ctx)
        beside = [asyncio.create_task(self._listen()), asyncio.create_task(self._renew_claims())]
        try:
            while True:
                await self._look()
                await self._pause()
        finally:
            for task in beside:
                task.cancel()

    async def _look(self) -> None:
        """One round of arq's loop; what is lost on the way is tried again in the next."""
        try:
            await self._poll_iteration()
        except LOST as error:
            log.warning("the queue cannot be read, trying again", error=str(error))
            await asyncio.sleep(FALLBACK_POLL_S)

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._nudge.wait(), FALLBACK_POLL_S)
        except TimeoutError:
            return
        self._nudge.clear()

    async def _listen(self) -> None:
        """Wait at the doorbell; its ring makes the loop look at once."""
        pause = 0.1
        while True:
            try:
                if await wait_for_bell(self.pool):
                    self._nudge.set()
                pause = 0.1
            except LOST:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _renew_claims(self) -> None:
        """Keep the marks of the jobs that run: a mark that is not renewed is a dead worker's."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            running = [job_id for job_id, task in self.tasks.items() if not task.done()]
            with suppress(*LOST):
                async with self.pool.pipeline(transaction=False) as pipe:
                    for job_id in running:
                        pipe.pexpire(in_progress_key_prefix + job_id, round(CLAIM_S * 1000))
                    await pipe.execute()

    async def run_job(self, job_id: str, score: int) -> None:
        """Run a job; a store lost meanwhile leaves it in the queue, and does not end the worker."""
        try:
            await super().run_job(job_id, score)
        except LOST as error:
            log.warning("a job's end could not be noted", job_id=job_id, error=str(error))
        finally:
            # There may be more than could be started at once.
            self._nudge.set()

    async def run_cron(self, n: datetime, delay: float, num_windows: int = 2) -> None:
        """Put due schedules into the queue, none of which lies in the past after a long sleep."""
        for job in self.cron_jobs:
            if job.next_run is not None and job.next_run < n - timedelta(seconds=2):
                job.calculate_next(n)
        await super().run_cron(n, delay, num_windows)

    async def drain(self, within_s: float) -> None:
        """Begin nothing more, and let what runs end."""
        self.allow_pick_jobs = False
        if self.tasks:
            await asyncio.wait(self.tasks.values(), timeout=within_s)

    async def finish(self) -> None:
        """Take no more jobs, let those that run end within `FINISH_WITHIN_S`, and close."""
        await self.drain(FINISH_WITHIN_S)
        self.handle_sig(signal.SIGTERM)
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        with suppress(*LOST):
            await self.pool.aclose()
