"""Requests that are in each other's way."""

from asyncpg import DeadlockDetectedError
from httpx import ASGITransport, AsyncClient

from api.main import create_app
from core.settings import Settings
from tests.endpoints.conftest import with_state
from tests.resources import failure


async def test_whoever_gives_way_is_told_to_try_again(settings: Settings) -> None:
    async def crossed() -> None:
        raise DeadlockDetectedError("deadlock detected")

    app = create_app(settings)
    app.add_api_route("/crossed", crossed)
    async with app.router.lifespan_context(app) as state:
        transport = ASGITransport(app=with_state(app, dict(state or {})))
        async with AsyncClient(transport=transport, base_url="http://quiver") as http:
            answer = await http.get("/crossed")
    reason = "another request changes the same just now: nothing was kept, try again"
    assert failure(answer) == (503, [reason])
    assert answer.headers["Retry-After"] == "1"
