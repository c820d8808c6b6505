"""What a worker process has while it runs, made once and passed to every task."""

import asyncio
import socket
from dataclasses import dataclass, field

from redis.asyncio import Redis

from core.domain.clock import Bounds
from core.feed import Feed
from core.inbox import Inbox
from core.postgres import Pool, has_stale_types
from core.queue import Queue
from core.settings import Settings
from workers.following import Appointments
from workers.memory import Memory
from workers.statistics import Statistics
from workers.told import Told

# More batches at once would only be smaller ones: what waits comes with the next.
BATCHES_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Deps:
    """The process's pools and clients."""

    settings: Settings
    pool: Pool
    valkey: Redis
    inbox: Inbox
    queue: Queue
    feed: Feed
    statistics: Statistics = field(default_factory=Statistics)
    told: Told = field(default_factory=Told)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(BATCHES_AT_ONCE))
    appointments: Appointments = field(default_factory=Appointments)
    memory: Memory = field(default_factory=Memory)
    worker_id: str = ""
    host: str = field(default_factory=socket.gethostname)

    async def renew(self, error: BaseException) -> None:
        """Forget what is known of a database that was migrated since, when something failed by
        that."""
        if has_stale_types(error):
            self.memory.forget()
            await self.pool.expire_connections()

    @property
    def offline_after(self) -> int:
        """Silence after which a reader is offline, microseconds."""
        return round(self.settings.quiver_reader_offline_after_s * 1_000_000)

    @property
    def clock_bounds(self) -> Bounds:
        """What is believed of readers' clocks."""
        return Bounds(
            jump=round(self.settings.quiver_clock_jump_ms * 1_000),
            implausible=round(self.settings.quiver_clock_implausible_s * 1_000_000),
            oldest=round(self.settings.quiver_event_max_age_days * 86_400_000_000),
            ahead=round(self.settings.quiver_event_max_ahead_s * 1_000_000),
        )
