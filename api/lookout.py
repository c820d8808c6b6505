"""How the work stands, at a glance, and how it went over the last hour or day."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from redis.asyncio import Redis

from api.looks import DatabaseLook, Queued, Stored, look_at_queue
from api.overview import overview_of
from api.rates import bucket
from core import postgres, valkey
from core.inbox import Inbox
from core.patience import Patience
from core.pause import pause_state
from core.postgres import Pool
from core.queue import Queue
from core.roster import workers
from core.schema.admin import History, Overview
from core.schema.queue import QueueState, WorkerSeen
from core.statistics import MINUTE_S, TEN_MINUTES_S, spans

# Both stores are asked at once: what an operator waits for at most, when one is silent.
PATIENCE_S = 2.0

type Stretch = Literal["hour", "day"]
STRETCHES: dict[Stretch, tuple[int, int]] = {"hour": (MINUTE_S, 60), "day": (TEN_MINUTES_S, 144)}
SEEN = ("id", "host", "pid", "started_at", "version", "running", "done", "failed")


@dataclass(slots=True)
class Lookout:
    """Looks at the work for everybody who asks this process.

    Args:
        pool: Where shots and failures are.
        valkey: Where the inbox and the counts are.
        inbox: The inbox.
        queue: The queue.
    """

    pool: Pool
    valkey: Redis
    inbox: Inbox
    queue: Queue
    _database: DatabaseLook = field(init=False)
    _of_database: Patience = field(default_factory=lambda: Patience(PATIENCE_S), init=False)
    _of_queue: Patience = field(default_factory=lambda: Patience(PATIENCE_S), init=False)

    def __post_init__(self) -> None:
        self._database = DatabaseLook(self.pool)

    async def overview(self) -> Overview:
        """How the work stands. A store that does not answer is told of, what only it knows is None,
        and the rest is shown."""
        at = datetime.now(UTC)
        queued, stored = await asyncio.gather(self._queued(at), self._stored(at))
        return overview_of(queued, stored, self.inbox.limit, at)

    async def queue_state(self) -> QueueState:
        """Counts of the work, which no store may be silent for.

        Raises:
            TimeoutError: The database is silent: whether all is done cannot be told.
        """
        # In the order of the way: what leaves one place while we count is found in the next.
        depths = await self.inbox.depths()
        oldest_ms = await self.inbox.oldest_ms()
        jobs = await self.queue.counts()
        waiting, failed = await self._of_database.ask(self._database.waiting_and_failed())
        ages = [at for at in (oldest_ms, jobs.oldest_due_ms) if at is not None]
        now_ms = time.time_ns() // 1_000_000
        return QueueState(
            inbox=sum(depths.values()),
            queued=jobs.due - jobs.running + waiting,
            running=jobs.running,
            deferred=jobs.deferred,
            retrying=jobs.retrying,
            failed=failed,
            oldest_age_ms=max(0, now_ms - min(ages, default=now_ms)),
            workers=[_seen(each) for each in await workers(self.valkey)],
            pause=await pause_state(self.valkey),
        )

    async def history(self, stretch: Stretch) -> History:
        """What was done in the last hour, by the minute, or day, by ten minutes."""
        step_s, count = STRETCHES[stretch]
        did = await spans(self.valkey, step_s, count, datetime.now(UTC))
        return History(step_s=step_s, buckets=[bucket(span) for span in did])

    async def _queued(self, at: datetime) -> Queued | None:
        look = look_at_queue(self.valkey, self.inbox, self.queue, at)
        try:
            return await self._of_queue.ask(look)
        except valkey.LOST:
            return None

    async def _stored(self, at: datetime) -> Stored | None:
        try:
            return await self._of_database.ask(self._database.now(at))
        except postgres.LOST:
            return None


def _seen(report: Mapping[str, Any]) -> WorkerSeen:
    return WorkerSeen(**{name: report[name] for name in SEEN})
