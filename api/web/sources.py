"""Where the operators' pages take what they show: the same functions as the JSON beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from redis.asyncio import Redis

from api.actions import list_actions
from api.jobs import job_detail, job_groups, list_jobs
from api.lookout import Lookout
from api.operations import partitions, readers, schedules, workers
from api.web.filter import job_filter
from api.web.wanted import Wanted
from core.inbox import Inbox
from core.postgres import Pool, lent
from core.schema.admin import (
    AdminAction,
    Job,
    JobDetail,
    JobFilter,
    JobGroup,
    Overview,
    PartitionState,
    ReaderState,
    Schedule,
    WorkerDetail,
)
from core.schema.page import Page


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

    async def readers(
        self, cursor: str | None, limit: int, *, only_trouble: bool
    ) -> Page[ReaderState]:
        """Of open sessions, those with trouble first."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The sources of a process: its stores.

    Args:
        pool: Connections, of which each question takes one.
        valkey: Where the queue is.
        inbox: The inbox.
        lookout: Looks at the work.
    """

    pool: Pool
    valkey: Redis
    inbox: Inbox
    lookout: Lookout

    async def overview(self) -> Overview:
        """How the work stands."""
        return await self.lookout.overview()

    async def jobs(self, wanted: Wanted, cursor: str | None, limit: int) -> Page[Job]:
        """The jobs that are wanted."""
        async with lent(self.pool) as conn:
            return await list_jobs(conn, self.valkey, _filter(wanted), cursor, limit)

    async def job(self, job_id: str) -> JobDetail:
        """One with all that is known of it."""
        async with lent(self.pool) as conn:
            return await job_detail(conn, self.valkey, job_id)

    async def job_groups(self, wanted: Wanted) -> Sequence[JobGroup]:
        """Failures by their kind and place."""
        async with lent(self.pool) as conn:
            return await job_groups(conn, _filter(wanted))

    async def actions(self, cursor: str | None, limit: int) -> Page[AdminAction]:
        """What operators did, the newest first."""
        async with lent(self.pool) as conn:
            return await list_actions(conn, cursor, limit)

    async def workers(self) -> Sequence[WorkerDetail]:
        """Those that are alive."""
        return await workers(self.valkey)

    async def schedules(self) -> Sequence[Schedule]:
        """What is done regularly."""
        return await schedules(self.valkey)

    async def partitions(self) -> Sequence[PartitionState]:
        """The streams of the inbox."""
        async with lent(self.pool) as conn:
            return await partitions(conn, self.inbox, datetime.now(UTC))

    async def readers(
        self, cursor: str | None, limit: int, *, only_trouble: bool
    ) -> Page[ReaderState]:
        """Of open sessions, those with trouble first."""
        now = datetime.now(UTC)
        async with lent(self.pool) as conn:
            return await readers(conn, self.valkey, cursor, limit, now, only_trouble=only_trouble)


def _filter(wanted: Wanted) -> JobFilter:
    return job_filter(wanted, datetime.now(UTC))


def open_sources(pool: Pool, valkey: Redis, inbox: Inbox, lookout: Lookout) -> Sources:
    """Those of a process."""
    return Stores(pool, valkey, inbox, lookout)
