"""Whom the API knows: remembered, and forgotten as soon as it changes, whoever changes it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import uuid4

import asyncpg
import pytest
from httpx import AsyncClient

from api.doorkeeper import Doorkeeper
from core.models.token import create_token, revoke_token
from core.postgres import Pool, open_pool
from core.schema.token import Role
from core.settings import Settings
from tests.endpoints.conftest import Opened
from tests.fields import Field, put_up
from tests.resources import data, make
from tests.wire import landed, send

LISTENERS_SELECT = """
SELECT pid FROM pg_stat_activity WHERE query ILIKE 'listen %' AND datname = current_database()
"""
LISTENERS_END = f"SELECT pg_terminate_backend(pid) FROM ({LISTENERS_SELECT}) AS listening"
RETIRE = "UPDATE reader SET retired_at = now() WHERE id = $1"


async def _eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.01)


@pytest.fixture(name="field")
async def _field(pool: Pool) -> Field:
    async with pool.acquire() as conn:
        return await put_up(conn)


@pytest.fixture(name="keeper")
async def _keeper(settings: Settings, pool: Pool) -> AsyncIterator[Doorkeeper]:
    """One that listens."""
    ears = await open_pool(settings, minimum=0, maximum=1)
    keeper = Doorkeeper(pool, ears)
    async with keeper.listening():

        async def is_listening() -> bool:
            return bool(await pool.fetch(LISTENERS_SELECT))

        await _eventually(is_listening)
        yield keeper
    await ears.close()


async def test_a_token_is_looked_up_once(
    keeper: Doorkeeper, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pool.acquire() as conn:
        made = await create_token(conn, Role.GATEWAY, "the hall")

    async def is_remembered() -> bool:
        await keeper.caller(made.token)
        with monkeypatch.context() as patched:
            patched.setattr("api.doorkeeper.select_principal", None)
            try:
                found = await keeper.caller(made.token)
            except TypeError:
                return False
        return found is not None and found.token_id == made.id

    await _eventually(is_remembered)


async def test_what_another_process_revokes_is_forgotten(keeper: Doorkeeper, pool: Pool) -> None:
    async with pool.acquire() as conn:
        made = await create_token(conn, Role.GATEWAY, "the hall")
        assert await keeper.caller(made.token) is not None
        await revoke_token(conn, made.id)

    async def is_refused() -> bool:
        return await keeper.caller(made.token) is None

    await _eventually(is_refused)


async def test_a_reader_that_another_process_retires_is_forgotten(
    keeper: Doorkeeper, pool: Pool, field: Field
) -> None:
    reader_id, now = field.readers["1 target"], datetime.now(UTC)
    assert set(await keeper.readers([reader_id, uuid4()], now)) == {reader_id}
    await pool.execute(RETIRE, reader_id)

    async def is_gone() -> bool:
        return not await keeper.readers([reader_id], now)

    await _eventually(is_gone)


async def test_who_does_not_hear_remembers_nothing(
    keeper: Doorkeeper, pool: Pool, field: Field
) -> None:
    reader_id, now = field.readers["1 target"], datetime.now(UTC)
    assert await keeper.readers([reader_id], now)
    await pool.execute(LISTENERS_END)
    await pool.execute(RETIRE, reader_id)

    async def is_gone() -> bool:
        return not await keeper.readers([reader_id], now)

    await _eventually(is_gone)


class Line:
    """A connection that its pool takes back when it is lost."""

    def __init__(self) -> None:
        self.is_lost = False
        self.is_heard = asyncio.Event()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["Line"]:
        """The only one."""
        yield self

    async def add_listener(self, *_: object) -> None:
        """Somebody listens."""
        self.is_heard.set()

    def is_closed(self) -> bool:
        """As asyncpg says it."""
        if self.is_lost:
            raise asyncpg.InterfaceError("connection has been released back to the pool")
        return False


async def test_it_ends_though_its_line_was_just_lost(pool: Pool) -> None:
    line = Line()

    async def lose_it() -> None:
        async with Doorkeeper(pool, cast(Pool, line)).listening():
            await line.is_heard.wait()
            line.is_lost = True

    has_ended, _ = await asyncio.wait({asyncio.create_task(lose_it())}, timeout=10)
    assert has_ended


async def test_what_is_old_is_looked_up_anew(
    keeper: Doorkeeper, field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader_id, now = field.readers["1 target"], datetime.now(UTC)
    assert (await keeper.readers([reader_id], now))[reader_id].target_id == field.targets[1]
    monkeypatch.setattr("api.doorkeeper.FORGET_EVERY_S", -1.0)
    await keeper.caller("nobody's")
    # Before its first binding it was nowhere.
    before = now - timedelta(days=3650)
    assert (await keeper.readers([reader_id], before))[reader_id].target_id is None


async def test_a_token_that_is_revoked_here_is_refused_at_once(
    client: AsyncClient, opened: Opened, field: Field
) -> None:
    made = await make(client, "token", {"role": "gateway", "name": "the hall"})
    gateway = await opened(made["token"])
    assert (await send(gateway, landed(field))).status_code == 202
    data(await client.delete(f"/api/v0/token/{made['id']}"))
    assert (await send(gateway, landed(field))).status_code == 401


async def test_a_reader_that_is_retired_here_is_refused_at_once(
    client: AsyncClient, field: Field
) -> None:
    assert (await send(client, landed(field))).status_code == 202
    data(await client.delete(f"/api/v0/reader/{field.readers['1 target']}"))
    assert (await send(client, landed(field))).status_code == 422
