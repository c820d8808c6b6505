"""Where a request comes from: what a proxy says of it counts when that proxy is trusted."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from httpx import AsyncClient

from api.server import Server, config_of
from api.web import throttle
from core.settings import Settings
from tests.serving import shared_app, until


@asynccontextmanager
async def browsing(settings: Settings) -> AsyncIterator[AsyncClient]:
    """A visitor from this machine, of a server as it is run."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = Server(config_of(shared_app(settings), settings, "127.0.0.1", 0))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await until(lambda: server.started or task.done())
        async with AsyncClient(base_url=url, headers={"Origin": url}, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        await task


async def guess(browser: AsyncClient, number: int) -> int:
    """Show a wrong token, as if from another address each time."""
    said = {"X-Forwarded-For": f"203.0.113.{number}"}
    answer = await browser.post("/admin/login", data={"token": "wrong"}, headers=said)
    return answer.status_code


@pytest.mark.parametrize("trusted", [None, "10.0.0.1, 192.168.0.0/16"])
async def test_who_says_that_they_come_from_elsewhere_has_no_more_guesses(
    settings: Settings, trusted: str | None
) -> None:
    here = settings.model_copy(update={"quiver_trusted_proxies": trusted})
    async with browsing(here) as browser:
        told = [await guess(browser, number) for number in range(throttle.WRONG_AT_MOST + 1)]
    assert told == [401] * throttle.WRONG_AT_MOST + [429]


@pytest.mark.parametrize("trusted", ["127.0.0.1", "10.0.0.1, 127.0.0.0/8", "*"])
async def test_behind_a_proxy_that_is_trusted_each_visitor_is_one(
    settings: Settings, trusted: str
) -> None:
    here = settings.model_copy(update={"quiver_trusted_proxies": trusted})
    async with browsing(here) as browser:
        told = [await guess(browser, number) for number in range(throttle.WRONG_AT_MOST + 1)]
    assert set(told) == {401}
