"""A partition's lock: waited for while its holder works, taken from one that stands still."""

import asyncio
from collections.abc import AsyncIterator
from copy import replace

import pytest

from core.breath import breathing
from core.models.work import try_partition, unlock_partitions
from workers.deps import Deps
from workers.holding import take_partitions
from workers.main import close_deps, open_deps

BACKEND_EXISTS = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)"


@pytest.fixture(name="quick")
def make_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for seconds."""
    monkeypatch.setattr("workers.holding.LOOK_EVERY_S", 0.2)
    monkeypatch.setattr("workers.holding.BREATHLESS_AFTER_S", 0.0)


@pytest.fixture(name="other")
async def make_other(deps: Deps) -> AsyncIterator[Deps]:
    """Another worker's clients."""
    made = await open_deps(deps.settings)
    yield made
    await close_deps(made)


async def takes(deps: Deps, *partitions: int) -> bool:
    """Whether a worker gets hold of partitions, within a second and a half."""
    patient = replace(deps, settings=deps.settings.model_copy(update={"quiver_job_timeout_s": 1.5}))
    async with deps.pool.acquire() as conn:
        try:
            await take_partitions(conn, patient, partitions)
        except TimeoutError:
            return False
        await unlock_partitions(conn, partitions)
        return True


async def is_alive(pid: int, deps: Deps) -> bool:
    """Whether a connection is still the database's."""
    async with deps.pool.acquire() as conn:
        alive: bool = await conn.fetchval(BACKEND_EXISTS, pid)
    return alive


@pytest.mark.usefixtures("quick")
async def test_a_worker_that_stands_still_loses_what_it_holds(deps: Deps, other: Deps) -> None:
    async with other.pool.acquire() as conn:
        assert await try_partition(conn, 3)
        pid = conn.get_server_pid()
        with breathing(deps.settings, deps.worker_id):
            assert await takes(deps, 3)
        assert not await is_alive(pid, deps)


@pytest.mark.usefixtures("quick")
async def test_a_worker_that_is_busy_keeps_what_it_holds(deps: Deps, other: Deps) -> None:
    async with other.pool.acquire() as conn:
        assert await try_partition(conn, 3)
        pid = conn.get_server_pid()
        with (
            breathing(deps.settings, deps.worker_id),
            breathing(deps.settings, other.worker_id),
        ):
            assert not await takes(deps, 3)
        assert await is_alive(pid, deps)
        await unlock_partitions(conn, [3])


@pytest.mark.usefixtures("quick")
async def test_who_cannot_be_heard_itself_judges_nobody(deps: Deps, other: Deps) -> None:
    async with other.pool.acquire() as conn:
        assert await try_partition(conn, 3)
        pid = conn.get_server_pid()
        assert not await takes(deps, 3)
        assert await is_alive(pid, deps)
        await unlock_partitions(conn, [3])


@pytest.mark.usefixtures("quick")
async def test_who_does_not_get_all_keeps_none(deps: Deps, other: Deps) -> None:
    async with other.pool.acquire() as conn:
        assert await try_partition(conn, 5)
        assert not await takes(deps, 3, 5)
        assert await takes(other, 3)
        await unlock_partitions(conn, [5])
    assert await takes(other, 3, 5)


@pytest.mark.usefixtures("quick")
async def test_what_is_let_go_is_taken_by_who_waits(deps: Deps, other: Deps) -> None:
    async with other.pool.acquire() as conn:
        assert await try_partition(conn, 3)
        waiting = asyncio.create_task(takes(deps, 3))
        await asyncio.wait([waiting], timeout=0.3)
        assert not waiting.done()
        await unlock_partitions(conn, [3])
    assert await waiting
