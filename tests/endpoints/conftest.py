"""The API in this process with its lifespan running, and callers of every kind."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from starlette.types import ASGIApp, Receive, Scope, Send

from core.models.token import create_reader_tokens, create_token
from core.postgres import Pool
from core.schema.token import Role
from core.settings import Settings
from tests.butts import set_up
from tests.conftest import ADMIN_TOKEN
from tests.serving import shared_app

type Opened = Callable[[str | None], Awaitable[AsyncClient]]
type AsRole = Callable[[Role], Awaitable[AsyncClient]]


def with_state(app: FastAPI, state: dict[str, object]) -> ASGIApp:
    """The app as a server would call it: with what its lifespan made in every request."""

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = dict(state)
        await app(scope, receive, send)

    return called


@pytest.fixture(name="opened")
async def make_opened(settings: Settings) -> AsyncIterator[Opened]:
    """Opens clients of a running API, by their token."""
    app = shared_app(settings)
    async with AsyncExitStack() as stack:
        state = await stack.enter_async_context(app.router.lifespan_context(app))
        transport = ASGITransport(app=with_state(app, dict(state or {})))

        async def opened(token: str | None) -> AsyncClient:
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            made = AsyncClient(transport=transport, base_url="http://quiver", headers=headers)
            return await stack.enter_async_context(made)

        yield opened


@pytest.fixture
async def client(opened: Opened) -> AsyncClient:
    """An administrator."""
    return await opened(ADMIN_TOKEN)


@pytest.fixture
async def anonymous(opened: Opened) -> AsyncClient:
    """Somebody without a token."""
    return await opened(None)


@pytest.fixture
async def as_role(opened: Opened, pool: Pool) -> AsRole:
    """Opens a client with a token of a role."""

    async def opened_as(role: Role) -> AsyncClient:
        async with pool.acquire() as conn:
            if role is not Role.READER:
                return await opened((await create_token(conn, role, "somebody")).token)
            reader_id = (await set_up(conn, lanes=1, letters="A")).reader_id
            tokens = await create_reader_tokens(conn, [reader_id], {reader_id: "a bow"})
            return await opened(tokens[reader_id])

    return opened_as
