"""The overview as a stream of events, by a real server."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from httpx import AsyncClient, Response

from api import broadcast, main
from core.models.token import create_token
from core.postgres import Pool
from core.schema.admin import Overview
from core.schema.token import Role
from core.settings import Settings
from tests.conftest import ADMIN_TOKEN
from tests.operating import MadeUp
from tests.resources import failure
from tests.serving import Served, serving, until

LIVE = "/api/v0/admin/live"
WITHIN_S = 10.0


@dataclass
class Counted(MadeUp):
    """Counts how often it was asked, and may be away."""

    asked: int = 0
    is_away: bool = False
    said: list[Overview] = field(default_factory=list)

    async def overview(self) -> Overview:
        """How the work stands."""
        self.asked += 1
        if self.is_away:
            raise ConnectionError("gone")
        return await super().overview()


@pytest.fixture(name="shown")
def _shown(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """What there is to tell, told often."""
    made_up = Counted()
    monkeypatch.setattr(main, "open_sources", lambda *_: made_up)
    monkeypatch.setattr(broadcast, "EVERY_S", 0.05)
    monkeypatch.setattr(broadcast, "FRESH_S", 0.0)
    return made_up


@pytest.fixture(name="served")
async def _served(settings: Settings, shown: Counted) -> AsyncIterator[Served]:
    """A server."""
    assert shown
    async with serving(settings) as served:
        yield served


@asynccontextmanager
async def watching(served: Served, token: str = ADMIN_TOKEN) -> AsyncIterator[Response]:
    """A stream."""
    headers = {"Authorization": f"Bearer {token}"}
    async with AsyncClient(base_url=served.url, headers=headers, trust_env=False) as client:
        async with client.stream("GET", LIVE) as answer:
            yield answer


async def events(answer: Response) -> AsyncIterator[tuple[str, str]]:
    """Its events: their kinds and data."""
    kind = ""
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, value


async def test_an_overview_comes_again_and_again(served: Served) -> None:
    async with asyncio.timeout(WITHIN_S), watching(served) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = events(answer)
        for _ in range(3):
            kind, data = await anext(told)
            assert kind == "overview"
            assert Overview.model_validate_json(data).workers == json.loads(data)["workers"] == 2


async def test_many_who_watch_are_told_the_same_that_was_computed_once(served: Served) -> None:
    async with asyncio.timeout(WITHIN_S), watching(served) as one, watching(served) as other:
        ours, theirs = events(one), events(other)
        told = [(await anext(ours), await anext(theirs)) for _ in range(6)]
    # No two looks give the same, and who came later missed what was told before.
    assert len({ours for ours, _ in told} & {theirs for _, theirs in told}) >= 4


async def test_while_nobody_watches_nothing_is_computed(served: Served, shown: Counted) -> None:
    async with asyncio.timeout(WITHIN_S), watching(served) as answer:
        await anext(events(answer))
    tasks = [each for each in asyncio.all_tasks() if each.get_name() == "overview"]
    await until(lambda: all(each.done() for each in tasks))
    asked = shown.asked
    async with AsyncClient(base_url=served.url, trust_env=False) as client:
        for _ in range(20):
            await client.get("/healthz")
    assert shown.asked == asked


async def test_a_store_that_is_away_is_told_and_comes_back(served: Served, shown: Counted) -> None:
    async with asyncio.timeout(WITHIN_S), watching(served) as answer:
        told = events(answer)
        await anext(told)
        for is_away, wanted in ((True, "trouble"), (False, "overview")):
            shown.is_away = is_away
            while (await anext(told))[0] != wanted:
                pass


async def test_who_is_revoked_hears_no_more(served: Served, pool: Pool) -> None:
    async with pool.acquire() as conn:
        token = await create_token(conn, Role.VIEWER, "Ana")
    async with asyncio.timeout(WITHIN_S), watching(served, token.token) as answer:
        told = events(answer)
        await anext(told)
        await pool.execute("UPDATE token SET revoked_at = now() WHERE id = $1", token.id)
        last = [kind async for kind, _ in told][-1]
        assert last == "end"


async def test_a_stream_takes_no_turn_from_others(settings: Settings, shown: Counted) -> None:
    assert shown
    one_at_once = settings.model_copy(update={"api_max_concurrent_requests": 1})
    async with serving(one_at_once) as served, asyncio.timeout(WITHIN_S):
        async with watching(served) as answer:
            told = events(answer)
            await anext(told)
            async with AsyncClient(base_url=served.url, trust_env=False) as client:
                assert (await client.get("/healthz")).status_code == 200


async def test_one_too_many_is_told_to_come_later(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "WATCHERS_AT_MOST", 1)
    async with asyncio.timeout(WITHIN_S), watching(served) as one:
        told = events(one)
        await anext(told)
        async with watching(served) as other:
            await other.aread()
            assert failure(other) == (503, ["too many watch already: close a tab"])
            assert other.headers["retry-after"] == "10"


async def test_a_gateway_hears_nothing(served: Served, pool: Pool) -> None:
    async with pool.acquire() as conn:
        token = (await create_token(conn, Role.GATEWAY, "a hub")).token
    async with watching(served, token) as answer:
        await answer.aread()
        assert failure(answer)[0] == 403


async def test_without_a_token_nobody_hears_anything(served: Served) -> None:
    async with AsyncClient(base_url=served.url, trust_env=False) as client:
        assert failure(await client.get(LIVE))[0] == 401


async def test_a_server_ends_at_once_though_somebody_watches(
    settings: Settings, shown: Counted, caplog: pytest.LogCaptureFixture
) -> None:
    assert shown
    async with asyncio.timeout(WITHIN_S):
        async with AsyncExitStack() as ends:
            served = await ends.enter_async_context(serving(settings))
            async with watching(served) as answer:
                told = events(answer)
                await anext(told)
                await ends.aclose()
                assert {kind async for kind, _ in told} <= {"overview"}
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
