"""How the work stands, at a glance, and how it went over the last hour or day."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from redis.asyncio import Redis

from api.behind import STUCK_MS, Counted, in_words
from api.rates import bucket, function_rates, per_min
from core import postgres, valkey, valkey_health
from core.inbox import Inbox
from core.lanes import StreamState
from core.models import postgres_health
from core.models.correlated_shot import count_unpublished
from core.models.failed_job import count_failed_jobs
from core.models.instants import FOREVER
from core.models.reader_state import count_present
from core.models.work import count_asked
from core.pause import GOING_ON, pause_state
from core.postgres import Pool
from core.queue import Counts, Queue
from core.queue_jobs import list_queued
from core.roster import workers
from core.schema.admin import (
    History,
    JobState,
    Overview,
    PauseState,
    PostgresHealth,
    RedisHealth,
)
from core.statistics import (
    DONE,
    FAILED,
    LATENCY,
    MINUTE_S,
    TEN_MINUTES_S,
    Span,
    duration_quantile,
    spans,
    total,
)

OVER_MINUTES = 5
LOOK_AT_SIZE_EVERY_S = 60.0

type Stretch = Literal["hour", "day"]
STRETCHES: dict[Stretch, tuple[int, int]] = {"hour": (MINUTE_S, 60), "day": (TEN_MINUTES_S, 144)}


@dataclass(frozen=True, slots=True)
class _Queued:
    """What the queue's store tells."""

    health: RedisHealth
    streams: Sequence[StreamState] = ()
    counts: Counts = Counts(0, 0, 0, None)
    retrying: int = 0
    workers: int = 0
    pause: PauseState = GOING_ON
    did: Sequence[Span] = ()


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the database tells."""

    health: PostgresHealth
    waiting: int = 0
    failed: int = 0
    online: int = 0
    silent: int = 0


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
    _size_bytes: int | None = field(default=None, init=False)
    _size_from: float = field(default=-LOOK_AT_SIZE_EVERY_S, init=False)

    async def overview(self) -> Overview:
        """How the work stands. A store that does not answer is told of, and the rest is shown."""
        at = datetime.now(UTC)
        queued, stored = await asyncio.gather(self._queued(at), self._stored(at))
        counted = self._counted(queued, stored, at)
        return Overview(
            at=at,
            inbox=counted.inbox,
            queued=counted.queued,
            running=queued.counts.running,
            deferred=queued.counts.deferred,
            retrying=queued.retrying,
            failed=stored.failed,
            done_per_min=per_min(queued.did, DONE, at),
            oldest_age_ms=counted.oldest_age_ms,
            latency_p50_ms=duration_quantile(queued.did, LATENCY, 0.5),
            latency_p99_ms=duration_quantile(queued.did, LATENCY, 0.99),
            paused_at=queued.pause.paused_at,
            paused_by=queued.pause.paused_by,
            workers=queued.workers,
            readers_online=stored.online,
            readers_silent=stored.silent,
            functions=function_rates(queued.did, at),
            redis=queued.health,
            postgres=stored.health,
            behind=in_words(counted),
        )

    async def history(self, stretch: Stretch) -> History:
        """What was done in the last hour, by the minute, or day, by ten minutes."""
        step_s, count = STRETCHES[stretch]
        did = await spans(self.valkey, step_s, count, datetime.now(UTC))
        return History(step_s=step_s, buckets=[bucket(span) for span in did])

    def _counted(self, queued: _Queued, stored: _Stored, at: datetime) -> Counted:
        oldest = [stream.oldest_ms for stream in queued.streams if stream.oldest_ms is not None]
        oldest += [] if queued.counts.oldest_due_ms is None else [queued.counts.oldest_due_ms]
        now_ms = round(at.timestamp() * 1000)
        return Counted(
            inbox=sum(stream.depth for stream in queued.streams),
            fullest=max((stream.depth for stream in queued.streams), default=0),
            limit=self.inbox.limit,
            queued=queued.counts.due - queued.counts.running + stored.waiting,
            oldest_age_ms=max(0, now_ms - min(oldest, default=now_ms)),
            stuck=[each.partition for each in queued.streams if _is_stuck(each, now_ms)],
            failed=stored.failed,
            failed_lately=total(queued.did[-OVER_MINUTES:], FAILED),
            retrying=queued.retrying,
            silent=stored.silent,
            workers=queued.workers,
            pause=queued.pause,
            latency_p99_ms=duration_quantile(queued.did, LATENCY, 0.99),
            warnings=[*queued.health.warnings, *stored.health.warnings],
            is_redis_up=queued.health.is_up,
        )

    async def _queued(self, at: datetime) -> _Queued:
        try:
            return _Queued(
                health=await valkey_health.redis_health(self.valkey),
                streams=await self.inbox.states(),
                counts=await self.queue.counts(),
                retrying=len(await list_queued(self.valkey, JobState.RETRYING, 1_000)),
                workers=len(await workers(self.valkey)),
                pause=await pause_state(self.valkey),
                did=await spans(self.valkey, MINUTE_S, OVER_MINUTES + 1, at),
            )
        except valkey.LOST:
            return _Queued(valkey_health.AWAY)

    async def _stored(self, at: datetime) -> _Stored:
        try:
            async with self.pool.acquire() as conn:
                if time.monotonic() - self._size_from >= LOOK_AT_SIZE_EVERY_S:
                    self._size_bytes = await postgres_health.select_size(conn)
                    self._size_from = time.monotonic()
                online, silent = await count_present(conn, at)
                return _Stored(
                    health=await postgres_health.select_health(conn, self._size_bytes),
                    waiting=await count_asked(conn) + await count_unpublished(conn, FOREVER),
                    failed=await count_failed_jobs(conn),
                    online=online,
                    silent=silent,
                )
        except postgres.LOST:
            return _Stored(postgres_health.AWAY)


def _is_stuck(stream: StreamState, now_ms: int) -> bool:
    return stream.oldest_ms is not None and now_ms - stream.oldest_ms > STUCK_MS
