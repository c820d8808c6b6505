"""What operators see while PostgreSQL is silent: its process is stopped, and refuses nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

import pytest
from httpx import ASGITransport, AsyncClient
from redis.asyncio import Redis

from api import broadcast, logins, lookout
from core.models.token import create_token
from core.postgres import Pool
from core.roster import WorkerReport, report
from core.schema.token import Role
from core.settings import Settings
from tests.chaos.tap import Tap
from tests.conftest import ADMIN_TOKEN
from tests.endpoints.conftest import with_state
from tests.endpoints.test_admin_live import events, watching
from tests.endpoints.test_login import log_in
from tests.resources import data, failure
from tests.serving import serving, shared_app

OVERVIEW, QUEUE = "/api/v0/admin/overview", "/api/v0/admin/queue"
SAID = "PostgreSQL does not answer: events are still taken, and none becomes a shot"
UNKNOWN = ("queued", "failed", "readers_online", "readers_silent")
WORKER = WorkerReport("a", "range", 7, "2026-05-01T10:00:00.000Z", "0.1.0", 0, 0, 0)
WITHIN_S = 10.0
# Sooner than a statement is given up, however slow the machine is.
SOON_S = 6.0

type Visits = Callable[[str | None], AsyncClient]


@pytest.fixture(name="tap")
async def make_tap(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tap]:
    """The line to the database; nobody is patient."""
    monkeypatch.setattr(logins, "PATIENCE_S", 0.3)
    monkeypatch.setattr(lookout, "PATIENCE_S", 1.0)
    monkeypatch.setattr(broadcast, "FRESH_S", 0.0)
    tap = Tap(settings.database_url or "")
    yield tap
    await tap.close()


@pytest.fixture(name="behind_tap")
async def make_behind_tap(settings: Settings, tap: Tap) -> Settings:
    """Settings that lead through the tap."""
    return settings.model_copy(update={"database_url": await tap.open()})


@asynccontextmanager
async def silence(tap: Tap) -> AsyncIterator[None]:
    """The database is silent meanwhile."""
    tap.hold()
    try:
        yield
    finally:
        tap.let_go()


@pytest.fixture(name="visits")
async def make_visits(behind_tap: Settings) -> AsyncIterator[Visits]:
    """Opens clients of the API, by their token."""
    app = shared_app(behind_tap)
    async with app.router.lifespan_context(app) as state:
        transport = ASGITransport(app=with_state(app, dict(state or {})))

        def visit(token: str | None) -> AsyncClient:
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            return AsyncClient(transport=transport, base_url="http://quiver", headers=headers)

        yield visit


async def test_the_rest_is_shown_soon_and_what_only_the_database_knows_is_unknown(
    visits: Visits, tap: Tap, valkey: Redis
) -> None:
    await report(valkey, WORKER)
    admin = visits(ADMIN_TOKEN)
    async with silence(tap):
        asked_at = monotonic()
        told = data(await admin.get(OVERVIEW))
        assert monotonic() - asked_at < SOON_S
    assert [told[name] for name in UNKNOWN] == [None] * len(UNKNOWN)
    assert (told["inbox"], told["running"], told["workers"]) == (0, 0, 1)
    assert (told["postgres"]["is_up"], told["redis"]["is_up"]) == (False, True)
    assert told["behind"] == [SAID]


async def test_when_it_answers_again_all_is_known_at_once(visits: Visits, tap: Tap) -> None:
    admin = visits(ADMIN_TOKEN)
    async with silence(tap):
        for _ in range(3):
            assert data(await admin.get(OVERVIEW))["failed"] is None
    async with asyncio.timeout(WITHIN_S):
        while data(await admin.get(OVERVIEW))["failed"] is None:
            pass


async def test_whether_all_is_done_cannot_be_told_and_nobody_waits_for_it(
    visits: Visits, tap: Tap
) -> None:
    admin = visits(ADMIN_TOKEN)
    async with silence(tap), asyncio.timeout(SOON_S):
        assert failure(await admin.get(QUEUE))[0] == 503


async def test_who_is_logged_in_stays_so_and_is_told_what_is_wrong(
    visits: Visits, tap: Tap, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        token = (await create_token(conn, Role.VIEWER, "Ana")).token
    browser = visits(None)
    await log_in(browser, token)
    assert (await browser.get("/admin")).status_code == 200
    async with silence(tap), asyncio.timeout(SOON_S):
        page = await browser.get("/admin")
        workers = await browser.get("/api/v0/admin/worker")
    assert (page.status_code, workers.status_code) == (200, 200)
    assert SAID in page.text
    assert '<b data-value="failed" data-most="10000">–</b>' in page.text


async def test_a_token_that_was_shown_before_is_known(visits: Visits, tap: Tap, pool: Pool) -> None:
    async with pool.acquire() as conn:
        token = (await create_token(conn, Role.VIEWER, "Ana")).token
    viewer = visits(token)
    data(await viewer.get(OVERVIEW))
    async with silence(tap):
        assert data(await viewer.get(OVERVIEW))["failed"] is None


async def test_who_was_never_seen_is_asked_to_come_again(visits: Visits, tap: Tap) -> None:
    stranger = visits("nobody knows it")
    async with silence(tap), asyncio.timeout(SOON_S):
        assert failure(await stranger.get(OVERVIEW))[0] == 503


async def test_who_was_revoked_before_stays_out(visits: Visits, tap: Tap, pool: Pool) -> None:
    async with pool.acquire() as conn:
        token = await create_token(conn, Role.VIEWER, "Ana")
    browser, viewer = visits(None), visits(token.token)
    await log_in(browser, token.token)
    for known in (browser, viewer):
        data(await known.get(OVERVIEW))
    await pool.execute("UPDATE token SET revoked_at = now() WHERE id = $1", token.id)
    for revoked in (browser, viewer):
        assert failure(await revoked.get(OVERVIEW))[0] == 401
    async with silence(tap):
        for revoked in (browser, viewer):
            assert failure(await revoked.get(OVERVIEW))[0] == 503


async def test_a_cookie_that_is_not_ours_is_refused_all_the_same(
    visits: Visits, tap: Tap, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        token = (await create_token(conn, Role.VIEWER, "Ana")).token
    browser = visits(None)
    await log_in(browser, token)
    data(await browser.get(OVERVIEW))
    forger = visits(None)
    forger.cookies.set("quiver_operator", "W10.forged.signature")
    async with silence(tap):
        assert failure(await forger.get(OVERVIEW))[0] == 401


async def test_what_is_remembered_is_forgotten_in_the_end(
    visits: Visits, tap: Tap, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pool.acquire() as conn:
        token = (await create_token(conn, Role.VIEWER, "Ana")).token
    viewer = visits(token)
    data(await viewer.get(OVERVIEW))
    monkeypatch.setattr(logins, "REMEMBERED_FOR_S", 0.0)
    async with silence(tap):
        assert failure(await viewer.get(OVERVIEW))[0] == 503


async def test_who_watches_is_told_on(
    behind_tap: Settings, tap: Tap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "EVERY_S", 0.05)
    async with asyncio.timeout(WITHIN_S), serving(behind_tap) as served, watching(served) as answer:
        told = events(answer)
        await anext(told)
        async with silence(tap):
            kinds = set()
            async for kind, said in told:
                kinds.add(kind)
                if SAID in said:
                    break
            assert kinds == {"overview"}
