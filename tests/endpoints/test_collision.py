"""Requests that are in the way of each other, or of a migration."""

import pytest
from asyncpg import DeadlockDetectedError, UndefinedColumnError, UndefinedTableError
from httpx import ASGITransport, AsyncClient, Response

from api.main import create_app
from core.settings import Settings
from tests.endpoints.conftest import with_state
from tests.resources import failure


async def failing(settings: Settings, error: Exception) -> Response:
    """What is answered when this happens in the middle of a request."""

    async def fail() -> None:
        raise error

    app = create_app(settings)
    app.add_api_route("/failing", fail)
    async with app.router.lifespan_context(app) as state:
        transport = ASGITransport(app=with_state(app, dict(state or {})))
        async with AsyncClient(transport=transport, base_url="http://quiver") as http:
            return await http.get("/failing")


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
