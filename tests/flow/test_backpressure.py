"""A real server whose workers have stopped: what it takes it keeps, what it refuses comes again."""

import asyncio
from contextlib import AsyncExitStack

from httpx import AsyncClient

from core.postgres import Pool
from core.settings import Settings
from tests.conftest import ADMIN_TOKEN
from tests.fields import Field, put_up
from tests.flow.test_killed_worker import worker_process
from tests.resources import Json
from tests.serving import server_process
from tests.wire import said, send

SENDERS = 8
BATCHES = 10
IN_A_BATCH = 25


class Persistent:
    """A gateway that sends each batch until it is taken, as late as it is told to."""

    def __init__(self, http: AsyncClient, field: Field) -> None:
        self._http = http
        self._field = field
        self.refusals: list[int] = []
        self.accepted: set[str] = set()

    async def send(self) -> None:
        """Send all batches."""
        for _ in range(BATCHES):
            batch = [said(self._field, "1A bow", "arrow_release") for _ in range(IN_A_BATCH)]
            while not await self._taken(batch):
                pass

    async def _taken(self, batch: list[Json]) -> bool:
        answer = await send(self._http, *batch)
        if answer.status_code == 202:
            self.accepted |= {str(event["event_id"]) for event in batch}
            return True
        assert answer.status_code == 503, answer.text
        self.refusals.append(int(answer.headers["Retry-After"]))
        await asyncio.sleep(self.refusals[-1])
        return False


async def test_an_inbox_that_is_full_until_workers_come_loses_and_doubles_nothing(
    settings: Settings, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        field = await put_up(conn)
    small = settings.model_copy(update={"quiver_inbox_limit": 300})
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with AsyncExitStack() as stack:
        server = stack.enter_context(server_process(small))
        http = AsyncClient(base_url=server.url, headers=headers, timeout=30)
        http = await stack.enter_async_context(http)
        senders = [Persistent(http, field) for _ in range(SENDERS)]
        sending = asyncio.gather(*(each.send() for each in senders))
        async with asyncio.timeout(20):
            while not any(each.refusals for each in senders):
                await asyncio.sleep(0.01)
        stack.enter_context(worker_process(small))
        async with asyncio.timeout(90):
            await sending
            await _all_stored(pool, SENDERS * BATCHES * IN_A_BATCH)
    sent = set().union(*(each.accepted for each in senders))
    async with pool.acquire() as conn:
        stored = {str(row["event_id"]) for row in await conn.fetch("SELECT event_id FROM event")}
    assert stored == sent


async def _all_stored(pool: Pool, count: int) -> None:
    async with pool.acquire() as conn:
        while await conn.fetchval("SELECT count(*) FROM event") < count:
            await asyncio.sleep(0.05)
