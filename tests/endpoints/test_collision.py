"""Requests that are in the way of each other, or of a migration."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from asyncpg import (
    DeadlockDetectedError,
    InternalServerError,
    UndefinedColumnError,
    UndefinedTableError,
)
from fastapi import Request
from httpx import ASGITransport, AsyncClient, Response

from api.main import create_app
from core.postgres import Pool
from core.settings import Settings
from tests.endpoints.conftest import with_state
from tests.resources import failure


@asynccontextmanager
async def asking(settings: Settings, route: Callable[..., object]) -> AsyncIterator[AsyncClient]:
    """A client of an API that has this route, too."""
    app = create_app(settings)
    app.add_api_route("/asked", route)
    async with app.router.lifespan_context(app) as state:
        transport = ASGITransport(
            app=with_state(app, dict(state or {})), raise_app_exceptions=False
        )
        async with AsyncClient(transport=transport, base_url="http://quiver") as http:
            yield http


async def failing(settings: Settings, error: Exception) -> Response:
    """What is answered when this happens in the middle of a request."""

    async def fail() -> None:
        raise error

    async with asking(settings, fail) as http:
        return await http.get("/asked")


async def test_whoever_gives_way_is_told_to_try_again(settings: Settings) -> None:
    answer = await failing(settings, DeadlockDetectedError("deadlock detected"))
    reason = "another request changes the same just now: nothing was kept, try again"
    assert failure(answer) == (503, [reason])
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("error", [UndefinedTableError("no table"), UndefinedColumnError("no row")])
async def test_whoever_comes_in_the_middle_of_a_migration_is_told_to_try_again(
    settings: Settings, error: Exception
) -> None:
    answer = await failing(settings, error)
    reason = "the database is being migrated just now: nothing was kept, try again"
    assert failure(answer) == (503, [reason])
    assert answer.headers["Retry-After"] == "5"


async def test_a_type_that_was_made_anew_fails_one_request_at_most(
    settings: Settings, pool: Pool
) -> None:
    async def asked(request: Request) -> str:
        async with request.state.pool.acquire() as conn:
            mood: str = await conn.fetchval("SELECT $1::mood", "calm")
            return mood

    async with pool.acquire() as conn, asking(settings, asked) as http:
        await conn.execute("CREATE TYPE mood AS ENUM ('calm')")
        assert (await http.get("/asked")).status_code == 200
        await conn.execute("DROP TYPE mood; CREATE TYPE mood AS ENUM ('calm')")
        answer = await http.get("/asked")
        reason = "the database is being migrated just now: nothing was kept, try again"
        assert failure(answer) == (503, [reason])
        assert (await http.get("/asked")).status_code == 200


async def test_what_else_the_database_fails_at_is_our_failure(settings: Settings) -> None:
    answer = await failing(settings, InternalServerError("could not read block 7"))
    assert answer.status_code == 500
    assert "the server failed" in failure(answer)[1][0]
