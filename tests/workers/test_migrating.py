"""A database that is migrated while workers are at it."""

import asyncio

from core import migrate
from core.domain.values import Status
from tests.workers.conftest import Range, eventually

FAILED_COUNT = "SELECT count(*) FROM failed_job"


async def test_what_comes_while_the_newest_migration_is_gone_waits_until_it_is_back(
    line: Range, working: None
) -> None:
    del working
    await line.put(line.field.release(10))

    async def is_there() -> bool:
        return len(await line.shots()) == 1

    await eventually(is_there)
    await asyncio.to_thread(migrate.down, line.deps.settings)
    await line.put(line.field.landed(10.4))

    async def is_put_off() -> bool:
        counted = await line.deps.queue.counts()
        return counted.due + counted.retrying > 0

    await eventually(is_put_off)
    assert [known.shot.landing_event_id for known in await line.shots()] == [None]
    await asyncio.to_thread(migrate.up, line.deps.settings)

    async def has_landed() -> bool:
        return [known.shot.status for known in await line.shots()] == [Status.LANDED]

    await eventually(has_landed)
    async with line.deps.pool.acquire() as conn:
        assert await conn.fetchval(FAILED_COUNT) == 0
