"""Where the operators' pages take what they show: the same functions as the JSON beside them."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Never, Protocol

from redis.asyncio import Redis

from api.web.wanted import Wanted
from core.errors import UnavailableError
from core.inbox import Inbox
from core.postgres import Pool
from core.queue import Queue
from core.schema.admin import (
    AdminAction,
    Job,
    JobDetail,
    JobGroup,
    Overview,
    PartitionState,
    ReaderState,
    Schedule,
    WorkerDetail,
)
from core.schema.page import Page
from core.settings import Settings


class Sources(Protocol):
    """What there is to show. A list that goes on gives a cursor for what follows."""

    async def overview(self) -> Overview:
        """How the work stands."""

    async def jobs(self, wanted: Wanted, cursor: str | None, limit: int) -> Page[Job]:
        """The jobs that are wanted."""

    async def job(self, job_id: str) -> JobDetail:
        """One with all that is known of it."""

    async def job_groups(self, wanted: Wanted) -> Sequence[JobGroup]:
        """Failures by their kind and place."""

    async def actions(self, cursor: str | None, limit: int) -> Page[AdminAction]:
        """What operators did, the newest first."""

    async def workers(self) -> Sequence[WorkerDetail]:
        """Those that are alive."""

    async def schedules(self) -> Sequence[Schedule]:
        """What is done regularly."""

    async def partitions(self) -> Sequence[PartitionState]:
        """The streams of the inbox."""

    async def readers(self, cursor: str | None, limit: int) -> Page[ReaderState]:
        """Of open sessions, those with trouble first."""


def open_sources(
    pool: Pool, valkey: Redis, inbox: Inbox, queue: Queue, settings: Settings
) -> Sources:
    """Those of a process."""
    return _NotYet()


class _NotYet:
    """Says to every question that there is no answer yet."""

    def __getattr__(self, _: str) -> Callable[..., Coroutine[Any, Any, Never]]:
        async def refuse(*_: object) -> Never:
            raise UnavailableError("nothing can be shown yet", 60)

        return refuse
