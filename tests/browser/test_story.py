"""An evening of an operator, with real stores and a real worker."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from playwright.async_api import expect
from websockets.asyncio.client import ClientConnection

from core.gate import Incoming
from core.models.failed_job import Failure, attempt, insert_failed_job
from core.models.target import TARGETS, change_target
from core.postgres import Pool
from core.schema.inbox import encode
from core.schema.target import FaceWish, TargetUpdate
from core.schema.token import Role
from core.settings import Settings
from tests.browser.conftest import HISTORY, Visiting
from tests.endpoints.test_page import KEPT, PAGES
from tests.fields import Field, now, put_up, target_of
from tests.serving import receive, viewing
from workers.deps import Deps
from workers.main import build_worker, close_deps, open_deps

pytestmark = pytest.mark.browser

MANY = 500
EMPTY = [path for path in PAGES if path != KEPT]


@pytest.fixture(name="deps")
async def _deps(settings: Settings) -> AsyncIterator[Deps]:
    """A worker's clients, with little patience."""
    fast = settings.model_copy(update={"quiver_job_backoff_s": 0.01, "quiver_job_tries": 2})
    made = await open_deps(fast)
    yield made
    await close_deps(made)


@pytest.fixture(name="working")
async def _working(deps: Deps) -> AsyncIterator[None]:
    """A worker."""
    worker = build_worker(deps, handle_signals=False)
    task = asyncio.create_task(worker.async_run())
    yield
    await worker.finish()
    await asyncio.gather(task, return_exceptions=True)


async def shoot(deps: Deps, field: Field) -> None:
    """An arrow into the middle of lane 1, as the API accepts it."""
    since = (now() - field.starts_at) / 1_000_000
    said = [field.release(since - 2), field.landed(since - 1.6)]
    entries = [
        Incoming(deps.inbox.partition_of(target_of(field, each)), encode(each)) for each in said
    ]
    await deps.queue.wake(await deps.inbox.append(entries))


async def hang_a_face(pool: Pool, target_id: UUID) -> None:
    """Mend a butt and tell no worker: whatever comes of it, the retry did."""
    async with pool.acquire() as conn, conn.transaction():
        face = FaceWish(face_type="wa_122_full", x=0, y=0)
        before = await TARGETS.one(conn, target_id)
        await change_target(conn, before, TargetUpdate(faces=[face]))


async def test_a_failed_scoring_is_seen_mended_and_retried(
    visiting: Visiting, deps: Deps, working: None, pool: Pool
) -> None:
    del working
    async with pool.acquire() as conn:
        field = await put_up(conn, faces=False)
    visitor = await visiting()
    failed = visitor.page.locator(".tile.failed b")
    await expect(failed).to_have_text("0")
    async with viewing(visitor.url, field.session_id) as viewer:
        assert (await receive(viewer))["type"] == "snapshot"
        await shoot(deps, field)
        await expect(failed).to_have_text("1")

        await visitor.page.get_by_role("link", name="Failures").click()
        await visitor.page.get_by_role("link", name="score_shots").click()
        await visitor.page.get_by_role("link", name="score_shots").click()
        await visitor.sees("NoFace")
        await expect(visitor.page.locator(".attempts li")).to_have_count(2)
        await expect(visitor.page.locator(".attempts pre").first).to_contain_text("Traceback")
        shot = visitor.page.locator("table:has-text('Released') tbody tr")
        await expect(shot).to_contain_text("–")

        await hang_a_face(pool, field.targets[1])
        await visitor.button("Retry").click()
        await expect(visitor.page.locator("h1 .badge")).to_have_text("mended")
        await expect(shot).to_contain_text("X")
        assert await labels(viewer, 3) == [None, None, "X"]
    await visitor.go("/admin/action")
    await visitor.sees("retry")
    await visitor.go("/admin")
    await expect(failed).to_have_text("0")


async def labels(viewer: ClientConnection, number: int) -> list[str | None]:
    """What a shot was worth in so many of its versions, as a viewer heard it."""
    heard: list[str | None] = []
    while len(heard) < number:
        frame = await receive(viewer)
        if "shot" in frame["data"]:
            heard.append(frame["data"]["shot"]["label"])
    return heard


async def fail(pool: Pool, number: int) -> None:
    """Leave so many failures behind, of which each would go well now."""
    async with pool.acquire() as conn, conn.transaction():
        field = await put_up(conn)
        for _ in range(number):
            at = datetime.now(UTC)
            failure = Failure(
                job_id=uuid4().hex,
                function="score_shots",
                arguments={"arguments": [str(field.targets[1])]},
                attempts=[attempt(ValueError("no face hangs there"), at, at)],
                target_id=field.targets[1],
            )
            await insert_failed_job(conn, failure)


async def test_500_failures_are_retried_by_one_press(
    visiting: Visiting, working: None, pool: Pool
) -> None:
    del working
    await fail(pool, MANY)
    visitor = await visiting()
    await visitor.go("/admin/job?state=failed&function=score_shots")
    await visitor.page.get_by_label("Select all on this page").check()
    await visitor.button("Select all of this filter").click()
    await visitor.page.locator("#bulk").get_by_role("button", name="Retry").click()
    await visitor.sees("Retry 500 jobs?")
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    await visitor.sees("To be tried again: 500 jobs")
    await visitor.sees("Nothing fits this filter.")
    await visitor.go("/admin")
    await expect(visitor.page.locator(".tile.failed b")).to_have_text("0")
    await until_all_mended(pool)
    await visitor.go("/admin/action")
    await expect(visitor.page.get_by_role("row", name="retry")).to_contain_text("500")


async def until_all_mended(pool: Pool) -> None:
    """Wait until every failure was tried again with success."""
    async with asyncio.timeout(60):
        while await pool.fetchval("SELECT count(*) FROM failed_job WHERE state <> 'mended'"):
            await asyncio.sleep(0.05)


async def test_work_is_paused_and_goes_on(
    visiting: Visiting, deps: Deps, working: None, pool: Pool
) -> None:
    del working
    async with pool.acquire() as conn:
        field = await put_up(conn)
    visitor, onlooker = await visiting(), await visiting(Role.VIEWER)
    await visitor.button("Pause work").click()
    await visitor.page.get_by_label("Why").fill("new butts")
    await visitor.button("Pause").click()
    for each in (visitor, onlooker):
        await each.sees("Work is paused")
        await each.sees("by Ana")
    await expect(onlooker.button("Resume")).to_have_count(0)

    await shoot(deps, field)
    inbox = visitor.page.locator(".tile.inbox b")
    await expect(inbox).to_have_text("2")
    assert await pool.fetchval("SELECT count(*) FROM shot") == 0
    await visitor.button("Resume").click()
    await expect(inbox).to_have_text("0")
    async with asyncio.timeout(15):
        while await pool.fetchval("SELECT count(*) FROM shot WHERE label = 'X'") != 1:
            await asyncio.sleep(0.02)
    await expect(onlooker.page.get_by_text("Work is paused")).to_have_count(0)


async def test_who_may_only_read_is_refused_by_the_server_too(visiting: Visiting) -> None:
    visitor = await visiting(Role.VIEWER)
    headers = "{method: 'POST', headers: {'X-Quiver-Page': '1'}}"
    status = f"fetch('/api/v0/admin/queue/resume', {headers}).then((answer) => answer.status)"
    assert await visitor.page.evaluate(status) == 403
    visitor.forgive("403")


async def test_every_page_is_whole_when_nothing_has_happened(visiting: Visiting) -> None:
    visitor = await visiting()
    await visitor.page.context.unroute(HISTORY)
    for path in EMPTY:
        await visitor.go(path)
        await expect(visitor.page.locator("h1")).to_be_visible()
