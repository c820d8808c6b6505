"""What an API process has while it runs: made by the lifespan, reached by dependencies."""

from typing import TypedDict

from redis.asyncio import Redis

from api.broadcast import Broadcast
from api.doorkeeper import Doorkeeper
from api.hub import Hub
from api.logins import Logins
from api.lookout import Lookout
from api.metrics import Metrics
from api.snapshot import Openings
from api.web.sources import Sources
from core.feed import Feed
from core.inbox import Inbox
from core.postgres import Pool
from core.queue import Queue
from core.settings import Settings


class State(TypedDict):
    """The process's pools and clients."""

    settings: Settings
    pool: Pool
    valkey: Redis
    doorkeeper: Doorkeeper
    inbox: Inbox
    queue: Queue
    feed: Feed
    hub: Hub
    openings: Openings
    metrics: Metrics
    logins: Logins
    lookout: Lookout
    sources: Sources
    broadcast: Broadcast
