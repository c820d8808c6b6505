"""Partitions drained as soon as something comes for them: past the queue, whose books cost more
than a small drain does.

A worker with a seat does what happens now. One without stands by: it does what came late, and what
is handed over to it while there is more than the other can do.

What fails is put into the queue as a job, and that one is tried again and written down in the end;
what a dying worker took with it is found by a sweep.
"""

import asyncio
import math
import random
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import batched
from time import monotonic
from typing import Any
from uuid import uuid4

from redis.exceptions import RedisError

from core.done_jobs import DoneJob
from core.gate import WOKEN
from core.inbox import handed_key
from core.log import get_logger
from core.postgres import is_migrating
from core.seats import Seating
from core.valkey import LOST
from workers.containment import limited, outcome_of
from workers.deps import Deps
from workers.drain import drain
from workers.group import Left, drain_group
from workers.late import CLAIM_MS, drain_late

FUNCTION = "correlate"
LOOK_EVERY_S, LOOK_FOR_LATE_EVERY_S = 0.25, 0.1
# What is better done together waits for this long at most, unless a worker is busy with it.
TOGETHER_EVERY_S = 0.05
# So many partitions are then locked at once: what happens at them meanwhile waits.
TOGETHER = 16
LONGEST_PAUSE_S = 2.0
# While one waits for the database the other is worked out. More would hold each other up, and each
# be smaller.
GROUPS_AT_ONCE = 2
# Somebody who is at a partition is done with it in a few milliseconds. Whoever is not is waited for
# by a drain of its own, which knows what to do when he stands still.
TRY_AGAIN_S, TRY_AGAIN_FOR_S = 0.002, 0.1
# When so many are named at once there is more than one worker does in time. Whoever stands by then
# has every other one, for some time: it, too, should remember what it knows of a butt.
MANY, SHARED_FOR_S = 16, 3.0
# Whoever stands by and had nothing to do for so long remembers what is of no use: who has the seat
# has taken those butts' turns since.
IDLE_AFTER_S = 10.0
# So many partitions that something came late for are done at once by whoever stands by: while some
# wait for the database others are worked out. Who does what happens now besides does one.
LATE_AT_ONCE = 4
# While nobody shoots whoever has the seat helps with what came late: where nothing but heartbeats
# came for so long. Few at once, since what happens then waits for a part of each.
QUIET_FOR_S, LATE_BESIDE = 2.0, 3

log = get_logger(__name__)


class Attendant:
    """Attends to the partitions that the API names.

    Args:
        deps: The worker's clients.
        is_free: Whether anything may be begun just now.
        seating: Where the worker stands just now.
    """

    def __init__(
        self,
        deps: Deps,
        is_free: Callable[[], bool],
        seating: Callable[[], Seating] = Seating,
    ) -> None:
        self._deps = deps
        self._is_free = is_free
        self._seating = seating
        self._shared_until = self._busy_at = 0.0
        self._shot_at = -math.inf
        self._first_named = self._first_handed = ""
        self._again: set[int] = set()
        self._slots = asyncio.Semaphore(GROUPS_AT_ONCE)
        self._patient = asyncio.Semaphore(1)
        self._groups: dict[asyncio.Task[None], Collection[int]] = {}
        # Partitions that were named again while a group of ours is at them.
        self._held: set[int] = set()
        self._takes: set[asyncio.Task[None]] = set()
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.done = 0

    async def attend(self) -> None:
        """Take what is named, all of it at once, until cancelled."""
        pause_s = 0.1
        while True:
            if not self._is_free():
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            try:
                # What is named while all are busy comes together with the next. Whoever tries once
                # more needs not wait until something is named.
                async with self._slots:
                    pass
                named = await self._named()
                pause_s = 0.1
            except (*LOST, RedisError) as error:
                log.warning("nobody says for which partitions something came", error=repr(error))
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                continue
            await self._take(named, self._slots)

    async def _named(self) -> set[int]:
        """What is to be drained next; none: nothing was named for a while."""
        inbox, host = self._deps.inbox, self._deps.host
        if self._seating().is_seated:
            named = await inbox.wait_for_woken()
            if named:
                self._shot_at = monotonic()
            if len(named) >= MANY:
                self._shared_until = monotonic() + SHARED_FOR_S
            return await self._kept(named)
        named = await inbox.wait_for_handed(host, LOOK_EVERY_S)
        if not named:
            self._first_named, named = await inbox.take_forgotten(WOKEN, self._first_named)
        if not named and not self._groups and monotonic() - self._busy_at > IDLE_AFTER_S:
            self._deps.memory.forget()
        return named

    async def _kept(self, named: Collection[int]) -> set[int]:
        """Those that are not handed to whoever stands by."""
        if not self._seating().is_relieved or monotonic() >= self._shared_until:
            return set(named)
        kept = {partition for partition in named if partition % 2 == 0}
        await self._deps.inbox.hand(self._deps.host, set(named) - kept)
        return kept

    async def attend_late(self) -> None:
        """Take what came late until cancelled; where somebody stands by, who does, only while
        nothing happens now."""
        while True:
            if not (self._may_take_late() and await self._took_late()):
                await asyncio.sleep(LOOK_FOR_LATE_EVERY_S)

    def _may_take_late(self) -> bool:
        if not self._is_free():
            return False
        return not self._seating().is_relieved or monotonic() - self._shot_at > QUIET_FOR_S

    async def _took_late(self) -> bool:
        """One round; whether anything was done, and nothing failed."""
        try:
            partitions = await self._deps.inbox.late_partitions()
        except (*LOST, RedisError) as error:
            log.warning("nobody says for which partitions something came late", error=repr(error))
            return False
        seating = self._seating()
        at_once = LATE_AT_ONCE
        if seating.is_seated:
            at_once = LATE_BESIDE if seating.has_relief else 1
        left = iter(random.sample(partitions, len(partitions)))
        taken = await asyncio.gather(*(self._take_late(left) for _ in range(at_once)))
        return any(taken) and None not in taken

    async def _take_late(self, partitions: Iterator[int]) -> bool | None:
        """Do them one after the other; whether any was done, None: the inbox is away."""
        inbox, has_done = self._deps.inbox, False
        try:
            for partition in partitions:
                if self._may_take_late() and await inbox.claim_late(partition, CLAIM_MS):
                    work = drain_late(self._deps, partition, self._may_take_late)
                    is_done = await self._counted(work, [partition])
                    has_done |= is_done
                    if is_done:
                        # What failed is nobody's until the claim ends: each try asks for a job.
                        await inbox.leave_late(partition)
        except (*LOST, RedisError) as error:
            log.warning("what came late cannot be taken", error=repr(error))
            return None
        return has_done

    async def attend_patient(self) -> None:
        """Take what can wait for others like it, until cancelled."""
        turn_ms = round(TOGETHER_EVERY_S * 1_000)
        while True:
            await asyncio.sleep(TOGETHER_EVERY_S)
            if not self._is_free() or not self._seating().is_seated:
                continue
            with suppress(*LOST, RedisError):
                kept = await self._kept(await self._deps.inbox.take_patient(turn_ms))
                for named in batched(kept, TOGETHER):
                    # One after the other, and beside what is waited for.
                    if task := await self._take(named, self._patient):
                        await asyncio.wait([task])

    async def look_around(self) -> None:
        """Have those partitions named, again and again, that nobody names since what came for them
        can wait a little, or was named to a worker that died."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self._is_free():
                with suppress(*LOST, RedisError):
                    await self._deps.inbox.wake_those_who_wait()
                    await self._take_back()

    async def _take_back(self) -> None:
        """Do what was handed to somebody who is gone, or cannot do it in time."""
        if not self._seating().is_seated:
            self._first_handed = ""
            return
        inbox, names = self._deps.inbox, handed_key(self._deps.host)
        self._first_handed, named = await inbox.take_forgotten(names, self._first_handed)
        if named:
            await self._take(named, self._slots)

    async def _take(
        self, named: Collection[int], slots: asyncio.Semaphore
    ) -> asyncio.Task[None] | None:
        """Begin to drain those that no other task of ours is at, if there are any."""
        if not self._is_free():
            # A pause began while it was waited for: jobs wait for the pause's end.
            await outcome_of(self._deps.queue.wake(sorted(named)))
            return None
        due = self._mine(named)
        if not due:
            return None
        task = asyncio.create_task(self._drain_together(due, slots))
        self._groups[task] = due
        task.add_done_callback(self._ended)
        # It takes its slot before the next look.
        await asyncio.sleep(0)
        return task

    def _ended(self, group: asyncio.Task[None]) -> None:
        """Have those of a group's partitions drained again that were named meanwhile."""
        again = self._held.intersection(self._groups.pop(group))
        self._held -= again
        if again and not group.cancelled():
            task = asyncio.create_task(self._take_again(again))
            self._takes.add(task)
            task.add_done_callback(self._takes.discard)

    async def _take_again(self, partitions: Collection[int]) -> None:
        await self._take(partitions, self._slots)

    def _mine(self, named: Collection[int]) -> set[int]:
        """Those that no other task of ours is at; the others are looked at when it is done."""
        self._again.update(partition for partition in named if partition in self.tasks)
        ours = {p for group in self._groups.values() for p in group}
        free = {p for p in named if p not in self.tasks}
        self._held |= free & ours
        return free - ours

    async def _drain_together(self, due: Collection[int], slots: asyncio.Semaphore) -> None:
        """Drain those of these partitions that nobody is at; the others soon, or each by itself.

        Args:
            due: Which.
            slots: As many are drained at once.
        """
        until, left = monotonic() + TRY_AGAIN_FOR_S, Left((), ())

        async def together() -> None:
            nonlocal left
            left = await drain_group(self._deps, due)

        while due:
            left = Left((), ())
            async with slots:
                await self._counted(together(), due)
            if left.has_arrows:
                self._shot_at = monotonic()
            waited_for = left.held if monotonic() > until else ()
            for partition in {*left.alone, *waited_for}:
                self._drain_alone(partition)
            due = set(left.held).difference(waited_for)
            if due:
                await asyncio.sleep(TRY_AGAIN_S)

    def _drain_alone(self, partition: int) -> None:
        task = asyncio.create_task(self._drain(partition))
        self.tasks[partition] = task
        task.add_done_callback(lambda _: self.tasks.pop(partition, None))

    async def _drain(self, partition: int) -> None:
        """Drain it, and again when something came meanwhile."""
        while True:
            self._again.discard(partition)
            is_done = await self._counted(drain(self._deps, partition), [partition])
            if not is_done or partition not in self._again:
                return

    async def _counted(
        self, work: Coroutine[Any, Any, object], partitions: Collection[int]
    ) -> bool:
        """Do it as a job would be done; whether that went well."""
        deps, started_at, began = self._deps, datetime.now(UTC), monotonic()
        job_id = uuid4().hex
        deps.statistics.job_begun(job_id, FUNCTION, started_at)
        try:
            error = await outcome_of(limited(work, deps.settings.quiver_job_timeout_s))
        finally:
            deps.statistics.job_ended(job_id)
            self._busy_at = monotonic()
        if error is not None:
            log.warning("a drain failed", partitions=sorted(partitions), error=repr(error))
            await deps.renew(error)
            # What waits for a migration is found by each look at all: a job for each would be many.
            if not is_migrating(error):
                await outcome_of(deps.queue.wake(sorted(partitions)))
            return False
        self.done += 1
        deps.statistics.job_done(
            DoneJob(
                id=job_id,
                function=FUNCTION,
                arguments=tuple(sorted(partitions)),
                request_id=None,
                enqueued_at=None,
                started_at=started_at,
                duration_ms=round(1000 * (monotonic() - began), 2),
                tries=1,
            )
        )
        return True

    async def end(self, within_s: float) -> None:
        """Let what is under way end, but not for longer than that."""
        if under_way := self._under_way():
            await asyncio.wait(under_way, timeout=within_s)

    async def break_off(self) -> None:
        """End what is under way: what it did not commit is read again by somebody else."""
        under_way = self._under_way()
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _under_way(self) -> list[asyncio.Task[None]]:
        return [*self.tasks.values(), *self._groups, *self._takes]
