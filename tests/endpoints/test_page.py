"""The operators' pages as the server sends them."""

import re
from collections.abc import Awaitable, Callable

import pytest
from httpx import AsyncClient

from api import main
from api.web.rendering import STATIC
from api.web.wanted import Wanted
from core.models.token import create_token
from core.postgres import Pool
from core.schema.admin import Job, JobDetail, JobState
from core.schema.page import Page
from core.schema.token import Role
from tests.endpoints.conftest import Opened
from tests.operating import MadeUp, job

KEPT = "/admin/job/01000000-0000-0000-0000-000000000003"
PAGES = {
    "/admin": "Overview",
    "/admin/job": "Failed jobs",
    "/admin/job?state=deferred": "Deferred jobs",
    "/admin/job?state=discarded&q=face&within=24h": "Discarded jobs",
    KEPT: "score_shots",
    "/admin/failure": "Failures",
    "/admin/worker": "Workers",
    "/admin/schedule": "Schedules",
    "/admin/partition": "Partitions",
    "/admin/reader": "Readers",
    "/admin/reader?trouble=true": "Readers",
    "/admin/action": "Audit log",
}
LARGEST_BYTES = 100_000
SCRIPT = '"></script><script>alert(1)</script>'
type AsOperator = Callable[[Role], Awaitable[AsyncClient]]


@pytest.fixture(name="shown")
def _shown(monkeypatch: pytest.MonkeyPatch) -> MadeUp:
    """What the pages show."""
    made_up = MadeUp()
    monkeypatch.setattr(main, "open_sources", lambda *_: made_up)
    return made_up


@pytest.fixture(name="as_operator")
async def _as_operator(shown: MadeUp, opened: Opened, pool: Pool) -> AsOperator:
    """Logs somebody of a role in."""
    assert shown

    async def logged_in(role: Role) -> AsyncClient:
        async with pool.acquire() as conn:
            token = await create_token(conn, role, "Ana")
        browser = await opened(None)
        headers = {"Origin": "http://quiver"}
        await browser.post("/admin/login", data={"token": token.token}, headers=headers)
        return browser

    return logged_in


@pytest.fixture(name="admin")
async def _admin(as_operator: AsOperator) -> AsyncClient:
    """An administrator who is logged in."""
    return await as_operator(Role.ADMIN)


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_shown(admin: AsyncClient, path: str) -> None:
    answer = await admin.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert f"<title>{PAGES[path]} · Quiver</title>" in answer.text


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_with_all_it_needs_is_small(admin: AsyncClient, path: str) -> None:
    files = sum(len(file.read_bytes()) for file in STATIC.iterdir())
    assert len((await admin.get(path)).content) + files < LARGEST_BYTES


def enormous(detail: JobDetail, text: str) -> JobDetail:
    """A job with as much of everything as there can be, and more."""
    tried = detail.attempts[0].model_copy(update={"error": text * 500, "traceback": text * 2_000})
    return detail.model_copy(
        update={
            "function": text * 1_000,
            "error": text * 8_000,
            "arguments": {"arguments": ["1", text * 500_000]},
            "attempts": [tried] * 50,
            "events": [detail.events[0]] * 100,
            "shots": [detail.shots[0]] * 100,
            "actions": [detail.actions[0]] * 100,
        }
    )


@pytest.mark.parametrize("text", ["face", "<\"'>", "Üñ🏹!"])
async def test_the_page_of_an_enormous_job_is_small_and_says_what_is_left_out(
    admin: AsyncClient, shown: MadeUp, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    detail = enormous(await shown.job(KEPT.rpartition("/")[2]), text)

    async def given(_: str) -> JobDetail:
        return detail

    monkeypatch.setattr(shown, "job", given)
    answer = await admin.get(KEPT)
    files = sum(len(file.read_bytes()) for file in STATIC.iterdir())
    assert len(answer.content) + files < LARGEST_BYTES
    for said in (
        r"\d\u202f\d{3}\u202f\d{3} characters after this are",
        "42 attempts before these are",
    ):
        assert re.search(said, answer.text), said
    assert "170 rows here are" in answer.text and "92 entries before these are" in answer.text
    assert f'<a href="/api/v0{KEPT}">the JSON</a>' in answer.text


async def test_the_page_of_a_usual_job_leaves_nothing_out(admin: AsyncClient) -> None:
    page = (await admin.get(KEPT)).text
    assert "left out" not in page
    assert page.count("core.domain.errors.UnknownFaceType") == 5


@pytest.mark.parametrize("path", [*PAGES, "/admin/login"])
async def test_pages_need_nobody_else(admin: AsyncClient, path: str) -> None:
    page = (await admin.get(path)).text
    assert re.findall(r'(?:src|href|action)="(?!/admin|#|/api/v0/)[^"]*"', page) == []
    assert re.findall(r"<script(?! type=\"module\" src=)|<style|style=|\son\w+=", page) == []


def test_the_files_need_nobody_else() -> None:
    for file in STATIC.iterdir():
        known = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert re.findall(r"https?://|url\(|@import|innerHTML|eval\(", known) == [], file.name


@pytest.mark.parametrize(
    "path", ["/admin", "/admin/login", "/admin/nowhere", "/admin/static/page.js"]
)
async def test_browsers_are_told_to_run_nothing_else(admin: AsyncClient, path: str) -> None:
    headers = (await admin.get(path)).headers
    policy = dict(each.split(" ", 1) for each in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"


async def test_pages_are_not_kept_and_files_are_asked_for_again(admin: AsyncClient) -> None:
    assert (await admin.get("/admin")).headers["cache-control"] == "no-store"
    file = await admin.get("/admin/static/page.css")
    assert file.headers["cache-control"] == "no-cache"
    again = await admin.get(
        "/admin/static/page.css", headers={"If-None-Match": file.headers["etag"]}
    )
    assert again.status_code == 304


async def test_an_administrator_has_buttons(admin: AsyncClient) -> None:
    page = (await admin.get(KEPT)).text
    assert re.findall(r'data-act="(\w+)"', page) == ["resume", "retry", "discard"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.JUDGE])
async def test_others_have_none(as_operator: AsOperator, role: Role) -> None:
    browser = await as_operator(role)
    for path in PAGES:
        page = (await browser.get(path)).text
        assert re.findall(r'data-(?:act|bulk)=|type="checkbox"', page) == [], path


async def test_what_others_wrote_is_text(
    admin: AsyncClient, shown: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def jobs(wanted: Wanted, _: str | None, __: int) -> Page[Job]:
        hostile = job(1, wanted.state).model_copy(
            update={"error": SCRIPT, "function": SCRIPT, "arguments": {SCRIPT: SCRIPT}}
        )
        return Page(items=[hostile], next_cursor=SCRIPT)

    monkeypatch.setattr(shown, "jobs", jobs)
    page = (await admin.get("/admin/job", params={"q": SCRIPT, "fingerprint": SCRIPT})).text
    assert "alert(1)" in page
    assert page.count("<script") == 1


async def test_a_filter_that_means_nothing_is_named(admin: AsyncClient) -> None:
    answer = await admin.get("/admin/job?state=nonsense")
    assert answer.status_code == 422
    assert "<p>state: " in answer.text


async def test_an_empty_field_asks_for_nothing(admin: AsyncClient) -> None:
    assert (await admin.get("/admin/job?state=failed&session_id=&q=+")).status_code == 200


async def test_all_of_a_filter_is_what_is_shown(admin: AsyncClient) -> None:
    page = (await admin.get("/admin/job?state=failed&function=score_shots&q=a%22b")).text
    found = re.search(r'data-filter="([^"]*)"', page)
    assert found is not None
    expected = '{"state":"failed","function":"score_shots","q":"a\\"b"}'
    assert found[1].replace("&#34;", '"') == expected


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.MENDED, JobState.DONE])
async def test_what_cannot_be_acted_on_cannot_be_ticked(admin: AsyncClient, state: str) -> None:
    assert 'type="checkbox"' not in (await admin.get(f"/admin/job?state={state}")).text


@pytest.mark.parametrize(
    "path", ["/admin/nowhere", "/admin/job/unknown", "/admin/static/nothing.js"]
)
async def test_what_is_not_there_is_a_page_that_says_so(admin: AsyncClient, path: str) -> None:
    answer = await admin.get(path)
    assert answer.status_code == 404
    assert "Nothing is here" in answer.text


async def test_a_store_that_is_away_is_a_page_that_says_so(
    admin: AsyncClient, shown: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost() -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(shown, "workers", lost)
    answer = await admin.get("/admin/worker")
    assert answer.status_code == 503
    assert "a store is not reachable just now" in answer.text


@pytest.mark.parametrize(("kept", "shown_as"), [("dark", ' data-theme="dark"'), ("<b>", "")])
async def test_the_theme_is_kept(admin: AsyncClient, kept: str, shown_as: str) -> None:
    admin.cookies.set("quiver_theme", kept)
    assert f'<html lang="en"{shown_as}>' in (await admin.get("/admin")).text


async def test_pages_are_not_in_the_apis_document(anonymous: AsyncClient) -> None:
    paths = (await anonymous.get("/api/openapi.json")).json()["paths"]
    assert [path for path in paths if path.startswith("/admin")] == []


async def test_who_did_something_sees_at_once_what_came_of_it(
    admin: AsyncClient, shown: MadeUp
) -> None:
    assert "<b>Work is paused</b>" in (await admin.get("/admin")).text
    shown.is_calm = True
    page = (await admin.get("/admin", headers={"Cache-Control": "no-cache"})).text
    assert "<b>Work is paused</b>" not in page
