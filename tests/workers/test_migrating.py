"""A database that is migrated while workers are at it."""

import asyncio

import pytest

from core import migrate
from core.domain.values import Status
from core.queue import QUEUE
from tests.workers.conftest import WITHIN_S, Range, eventually
from workers.deps import Deps

FAILED_COUNT = "SELECT count(*) FROM failed_job"


async def test_what_comes_while_the_newest_migrations_are_gone_waits_until_they_are_back(
    line: Range, working: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del working
    failed, renew = asyncio.Event(), Deps.renew

    async def renew_and_tell(deps: Deps, error: BaseException) -> None:
        failed.set()
        await renew(deps, error)

    monkeypatch.setattr(Deps, "renew", renew_and_tell)
    await line.put(line.field.release(10))

    async def is_there() -> bool:
        return len(await line.shots()) == 1

    await eventually(is_there)
    # Of one of them only an index goes, which no statement needs.
    for _ in range(3):
        await asyncio.to_thread(migrate.down, line.deps.settings)
    await line.put(line.field.landed(10.4))
    async with asyncio.timeout(WITHIN_S):
        await failed.wait()
    assert [known.shot.landing_event_id for known in await line.shots()] == [None]
    await asyncio.to_thread(migrate.up, line.deps.settings)

    async def has_landed() -> bool:
        return [known.shot.status for known in await line.shots()] == [Status.LANDED]

    await eventually(has_landed)
    async with line.deps.pool.acquire() as conn:
        assert await conn.fetchval(FAILED_COUNT) == 0
    # No job for each try, but one at most for whoever found the partition unattended: those that
    # have a name are timers, leaderboards and sweeps.
    queued = await line.deps.valkey.zrange(QUEUE, 0, -1)
    assert sum(b":" not in job_id for job_id in queued) <= 1
