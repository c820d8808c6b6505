"""One look at each store: what it tells of the work, and how it fares itself."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from redis.asyncio import Redis

from core import valkey_health
from core.inbox import Inbox
from core.lanes import StreamState
from core.models import postgres_health
from core.models.failed_job import count_failed_jobs
from core.models.instants import FOREVER
from core.models.reader_state import count_present
from core.models.untold import count_untold
from core.models.work import count_asked
from core.pause import pause_state
from core.postgres import Connection, Pool, lent
from core.queue import Counts, Queue
from core.roster import workers
from core.schema.admin import PauseState, PostgresHealth, RedisHealth
from core.statistics import MINUTE_S, Span, spans

OVER_MINUTES = 5
LOOK_AT_SIZE_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Queued:
    """What the queue's store tells."""

    health: RedisHealth
    streams: Sequence[StreamState]
    counts: Counts
    workers: int
    pause: PauseState
    did: Sequence[Span]

    @property
    def inbox(self) -> int:
        """Entries in all partitions."""
        return sum(stream.depth for stream in self.streams)

    def oldest_age_ms(self, at: datetime) -> int:
        """How long the oldest of all that waits has waited."""
        now_ms = round(at.timestamp() * 1000)
        waits = [*(stream.oldest_ms for stream in self.streams), self.counts.oldest_due_ms]
        return max(0, now_ms - min((each for each in waits if each is not None), default=now_ms))


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database tells."""

    health: PostgresHealth
    waiting: int
    failed: int
    online: int
    silent: int


async def look_at_queue(valkey: Redis, inbox: Inbox, queue: Queue, at: datetime) -> Queued:
    """What the queue's store tells now."""
    return Queued(
        health=await valkey_health.redis_health(valkey),
        streams=await inbox.states(),
        counts=await queue.counts(),
        workers=len(await workers(valkey)),
        pause=await pause_state(valkey),
        did=await spans(valkey, MINUTE_S, OVER_MINUTES + 1, at),
    )


async def count_waiting(conn: Connection) -> int:
    """How much is to be derived or published."""
    return await count_asked(conn) + await count_untold(conn, FOREVER)


@dataclass(slots=True)
class DatabaseLook:
    """Looks at the database.

    Args:
        pool: Connections to it.
    """

    pool: Pool
    _size_bytes: int | None = field(default=None, init=False)
    _size_from: float = field(default=-LOOK_AT_SIZE_EVERY_S, init=False)

    async def now(self, at: datetime) -> Stored:
        """What it tells now; how large it is, as it was a minute ago at most."""
        async with lent(self.pool) as conn:
            if time.monotonic() - self._size_from >= LOOK_AT_SIZE_EVERY_S:
                self._size_bytes = await postgres_health.select_size(conn)
                self._size_from = time.monotonic()
            online, silent = await count_present(conn, at)
            return Stored(
                health=await postgres_health.select_health(conn, self._size_bytes),
                waiting=await count_waiting(conn),
                failed=await count_failed_jobs(conn),
                online=online,
                silent=silent,
            )

    async def waiting_and_failed(self) -> tuple[int, int]:
        """How much is to be derived or published, and how many jobs failed."""
        async with lent(self.pool) as conn:
            return await count_waiting(conn), await count_failed_jobs(conn)
