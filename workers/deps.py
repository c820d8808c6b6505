"""What a worker process has while it runs, made once and passed to every task."""

from dataclasses import dataclass

from redis.asyncio import Redis

from core.feed import Feed
from core.inbox import Inbox
from core.postgres import Pool
from core.queue import Queue
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Deps:
    """The process's pools and clients."""

    settings: Settings
    pool: Pool
    valkey: Redis
    inbox: Inbox
    queue: Queue
    feed: Feed

    @property
    def offline_after(self) -> int:
        """Silence after which a reader is offline, microseconds."""
        return round(self.settings.quiver_reader_offline_after_s * 1_000_000)
