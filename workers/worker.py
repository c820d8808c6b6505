"""arq's worker, made to outlive its stores' restarts and to wait at the doorbell instead of
polling."""

import asyncio
import signal
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from arq.constants import in_progress_key_prefix
from arq.utils import timestamp_ms
from arq.worker import Worker
from redis.exceptions import RedisError

from core.log import get_logger
from core.pause import pause_state
from core.queue import wait_for_bell
from core.seats import Seating, Seats, seats_of_machine
from core.valkey import LOST
from workers.attempts import note_end
from workers.attendant import Attendant
from workers.containment import outcome_of
from workers.deps import Deps
from workers.dropped import is_unusable, keep_dropped, keep_nameless, keep_unusable

# Without a ring of the bell an idle worker looks for jobs this often; one for whom somebody else
# does them, this often.
FALLBACK_POLL_S, RELIEVED_POLL_S = 0.25, 1.0
LONGEST_PAUSE_S = 2.0
FINISH_WITHIN_S = 2.0
# A killed worker's jobs are taken over after this time; arq waits for the longest timeout of all.
CLAIM_S = 6.0
RENEW_EVERY_S = 1.5
PAUSE_LOOK_S = 0.25
# A seat that its worker leaves without a word is free after 1.5 s, and taken at the next look.
SEAT_LOOK_S = 0.5
NOTE_EVERY_S = 0.2
# What the queue's store answers or does not, and passes.
AWAY = (*LOST, RedisError)

log = get_logger(__name__)


class LastingWorker(Worker):
    """A worker that a lost connection does not end.

    arq's own stops at the first Redis error in its loop, and looks for jobs every half second only.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._nudge = asyncio.Event()
        self._is_paused = False
        self.in_progress_timeout_s = CLAIM_S
        deps: Deps = self.ctx["deps"]
        self._worker_id = deps.worker_id
        self._seats = Seats(self.pool, deps.host, seats_of_machine())
        self._seating = Seating()
        self.attendant = Attendant(self.ctx["deps"], self._may_begin, lambda: self._seating)

    async def main(self) -> None:
        """Look for jobs whenever the bell rings, until cancelled."""
        if self.on_startup:
            await self.on_startup(self.ctx)
        await self._look_for_pause()
        await self._look_for_seat()
        beside = [
            asyncio.create_task(each)
            for each in (
                self._listen(),
                self._renew_claims(),
                self._heed_pause(),
                self._keep_seat(),
                self.attendant.attend(),
                self.attendant.attend_patient(),
                self.attendant.attend_late(),
                self.attendant.look_around(),
                self._note_told(),
            )
        ]
        try:
            while True:
                await self._look()
                await self._wait()
        finally:
            for task in beside:
                task.cancel()

    def _may_begin(self) -> bool:
        return self.allow_pick_jobs and not self._is_paused

    async def _look(self) -> None:
        """One round of arq's loop; what fails on the way is tried again in the next."""
        error = await outcome_of(self._poll_iteration())
        if error is not None:
            log.warning("the queue cannot be read, trying again", error=repr(error))
            await asyncio.sleep(FALLBACK_POLL_S)

    async def _wait(self) -> None:
        within_s = RELIEVED_POLL_S if self._seating.is_relieved else FALLBACK_POLL_S
        try:
            await asyncio.wait_for(self._nudge.wait(), within_s)
        except TimeoutError:
            return
        self._nudge.clear()

    async def _listen(self) -> None:
        """Wait at the doorbell; its ring makes the loop look at once."""
        pause = 0.1
        while True:
            if self._seating.is_relieved:
                # Whoever stands by hears it.
                await asyncio.sleep(SEAT_LOOK_S)
                continue
            try:
                if await wait_for_bell(self.pool):
                    self._nudge.set()
                pause = 0.1
            except AWAY:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _heed_pause(self) -> None:
        """Know within `PAUSE_LOOK_S` whether an operator wants no job begun."""
        while True:
            await asyncio.sleep(PAUSE_LOOK_S)
            await self._look_for_pause()

    async def _keep_seat(self) -> None:
        """Have a seat, or stand by, until cancelled."""
        while True:
            await asyncio.sleep(SEAT_LOOK_S)
            await self._look_for_seat()

    async def _look_for_seat(self) -> None:
        if not self.allow_pick_jobs:
            return
        with suppress(*AWAY):
            before, self._seating = self._seating, await self._seats.take(self._worker_id)
            if before.is_seated and not self._seating.is_seated:
                log.info("the worker stands by")
            if self._seating.is_seated and not before.is_seated:
                log.info("the worker takes what happens now")
        if not self.allow_pick_jobs:
            # It was told to go meanwhile.
            await self._leave_seat()

    async def _note_told(self) -> None:
        """Note what viewers were told, again and again; what fails is told once more."""
        while True:
            await asyncio.sleep(NOTE_EVERY_S)
            await self._note_once()

    async def _note_once(self) -> None:
        deps = self.ctx["deps"]
        error = await outcome_of(deps.told.note(deps.pool))
        if error is not None:
            log.warning("what viewers were told cannot be noted", error=repr(error))

    async def _look_for_pause(self) -> None:
        with suppress(*AWAY):
            state = await pause_state(self.pool)
            was_paused, self._is_paused = self._is_paused, state.paused_at is not None
            if was_paused and not self._is_paused:
                self._nudge.set()
            if was_paused != self._is_paused:
                log.info("no job is begun" if self._is_paused else "jobs are begun again")

    async def _renew_claims(self) -> None:
        """Keep the marks of the jobs that run: a mark that is not renewed is a dead worker's."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            running = [job_id for job_id, task in self.tasks.items() if not task.done()]
            with suppress(*AWAY):
                async with self.pool.pipeline(transaction=False) as pipe:
                    for job_id in running:
                        pipe.pexpire(in_progress_key_prefix + job_id, round(CLAIM_S * 1000))
                    await pipe.execute()

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Begin jobs, unless an operator wants none begun."""
        for job_id in job_ids:
            if self._is_paused or self.job_counter >= self.max_jobs:
                return
            if not _is_text(job_id):
                await self._put_aside(job_id)
                continue
            error = await outcome_of(super().start_jobs([job_id]))
            if error is not None:
                # arq counts a job before it claims it, and does not take that back.
                self.job_counter -= 1
                self.sem.release()
                raise error

    async def _put_aside(self, job_id: bytes) -> None:
        """Write a job down whose id is no text, and forget it: arq would fail at it each time."""
        await keep_nameless(self.ctx["deps"], job_id)
        await self.pool.zrem(self.queue_name, job_id)

    async def run_job(self, job_id: str, score: int) -> None:
        """Run a job; what fails besides its task leaves it in the queue, and does not end the
        worker."""
        error = await outcome_of(super().run_job(job_id, score))
        if error is not None:
            log.warning("a job's end could not be noted", job_id=job_id, error=repr(error))
            if is_unusable(error):
                await outcome_of(keep_unusable(self.ctx["deps"], self.pool, job_id, error))
        # There may be more than could be started at once.
        self._nudge.set()

    async def finish_job(  # pylint: disable=too-many-arguments,too-many-positional-arguments
        self,
        job_id: str,
        finish: bool,
        result_data: bytes | None,
        result_timeout_s: float | None,
        keep_result_forever: bool,
        incr_score: int | None,
        keep_in_progress: float | None,
    ) -> None:
        """Note that a try ended; one that is not the last counts as ended, and not as a death."""
        if finish:
            await super().finish_job(
                job_id,
                finish,
                result_data,
                result_timeout_s,
                keep_result_forever,
                incr_score,
                keep_in_progress,
            )
            return
        async with self.pool.pipeline(transaction=True) as pipe:
            note_end(pipe, job_id)
            if incr_score:
                # Only where it still stands: a worker that stood still for long learns here that
                # another has done the job, and must not put back an id of which nothing is left.
                pipe.zadd(self.queue_name, {job_id: incr_score}, xx=True, incr=True)
            pipe.delete(in_progress_key_prefix + job_id)
            await pipe.execute()

    async def finish_failed_job(self, job_id: str, result_data: bytes | None) -> None:
        """Write a job down that no task is run for, before the queue forgets it."""
        deps, known = self.ctx["deps"], set(self.functions)
        later_s = await keep_dropped(deps, self.pool, job_id, known, result_data)
        if later_s is None:
            await super().finish_failed_job(job_id, result_data)
            return
        async with self.pool.pipeline(transaction=True) as pipe:
            note_end(pipe, job_id)
            pipe.zadd(self.queue_name, {job_id: timestamp_ms() + round(later_s * 1000)}, xx=True)
            pipe.delete(in_progress_key_prefix + job_id)
            await pipe.execute()

    async def run_cron(self, n: datetime, delay: float, num_windows: int = 2) -> None:
        """Put due schedules into the queue, none of which lies in the past after a long sleep; none
        while there is a pause."""
        if self._is_paused:
            return
        for job in self.cron_jobs:
            if job.next_run is not None and job.next_run < n - timedelta(seconds=2):
                job.calculate_next(n)
        await super().run_cron(n, delay, num_windows)

    async def drain(self, within_s: float) -> None:
        """Begin nothing more, and let what runs end."""
        self.allow_pick_jobs = False
        await asyncio.gather(
            self._leave_seat(), self.attendant.end(within_s), self._end_jobs(within_s)
        )

    async def _leave_seat(self) -> None:
        # Of a store that does not answer the seat is free by itself soon.
        with suppress(*AWAY, TimeoutError):
            async with asyncio.timeout(SEAT_LOOK_S):
                await self._seats.leave(self._worker_id)

    async def _end_jobs(self, within_s: float) -> None:
        if self.tasks:
            await asyncio.wait(self.tasks.values(), timeout=within_s)

    async def finish(self) -> None:
        """Take no more jobs, let those that run end within `FINISH_WITHIN_S`, and close."""
        await self.drain(FINISH_WITHIN_S)
        self.handle_sig(signal.SIGTERM)
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        await self.attendant.break_off()
        await self._note_once()
        with suppress(*AWAY):
            await self.pool.aclose()


def _is_text(job_id: bytes) -> bool:
    try:
        job_id.decode()
    except UnicodeDecodeError:
        return False
    return True
