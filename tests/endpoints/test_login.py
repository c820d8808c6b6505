"""Logging in to the operators' page: who gets a cookie, what it is good for, and how it ends."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from api import main
from api.cookie import COOKIE_NAME
from api.main import create_app
from api.web import throttle
from core.models.token import create_token
from core.postgres import Pool
from core.schema.token import Role, TokenCreated
from core.settings import Settings
from tests.conftest import ADMIN_TOKEN
from tests.endpoints.conftest import Opened, with_state
from tests.operating import MadeUp
from tests.resources import failure

OWN = {"Origin": "http://quiver"}
FOREIGN = {"Origin": "http://elsewhere"}
QUEUE = "/api/v0/admin/queue"
type Tokens = Callable[[Role], Awaitable[TokenCreated]]


@pytest.fixture(autouse=True)
def _made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that have something to show."""
    monkeypatch.setattr(main, "open_sources", lambda *_: MadeUp())


@pytest.fixture(name="browser")
async def _browser(opened: Opened) -> AsyncClient:
    """Somebody who keeps cookies and sends no token."""
    return await opened(None)


@pytest.fixture(name="token_of")
async def _token_of(pool: Pool) -> Tokens:
    """Makes tokens."""

    async def made(role: Role) -> TokenCreated:
        async with pool.acquire() as conn:
            return await create_token(conn, role, "Ana")

    return made


async def log_in(
    browser: AsyncClient,
    token: str,
    following: str | None = None,
    origin: Mapping[str, str] | None = None,
) -> Response:
    """Send the form."""
    fields = {"token": token} if following is None else {"token": token, "next": following}
    return await browser.post(
        "/admin/login", data=fields, headers=OWN if origin is None else origin
    )


@asynccontextmanager
async def another_api(settings: Settings) -> AsyncIterator[AsyncClient]:
    """A caller of another process with other settings on the same stores."""
    app: FastAPI = create_app(settings)
    async with app.router.lifespan_context(app) as state:
        transport = ASGITransport(app=with_state(app, dict(state or {})))
        async with AsyncClient(transport=transport, base_url="http://quiver") as client:
            yield client


@pytest.mark.parametrize("role", [Role.ADMIN, Role.JUDGE, Role.VIEWER])
async def test_operators_are_let_in(browser: AsyncClient, token_of: Tokens, role: Role) -> None:
    answer = await log_in(browser, (await token_of(role)).token)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin")
    page = await browser.get("/admin")
    assert page.status_code == 200
    assert f"Ana <span>{role}</span>" in page.text


async def test_what_nobody_would_type_is_not_read(browser: AsyncClient) -> None:
    answer = await log_in(browser, "x" * 10_000)
    assert answer.status_code == 413


async def test_the_environments_token_lets_in(browser: AsyncClient) -> None:
    await log_in(browser, ADMIN_TOKEN)
    assert (await browser.get("/admin")).status_code == 200


async def test_a_gateway_has_nothing_to_see(browser: AsyncClient, token_of: Tokens) -> None:
    answer = await log_in(browser, (await token_of(Role.GATEWAY)).token)
    assert answer.status_code == 403
    assert "the role gateway has no access" in answer.text
    assert COOKIE_NAME not in browser.cookies


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: AsyncClient) -> None:
    said = (await log_in(browser, ADMIN_TOKEN)).headers["set-cookie"]
    parts = {part.strip().lower() for part in said.split(";")[1:]}
    assert parts == {"httponly", "max-age=43200", "path=/", "samesite=strict"}
    assert ADMIN_TOKEN not in said


async def test_with_tls_the_cookie_is_not_sent_without(opened: Opened) -> None:
    browser = await opened(None)
    browser.base_url = "https://quiver"
    answer = await log_in(browser, ADMIN_TOKEN, origin={"Origin": "https://quiver"})
    assert "; Secure" in answer.headers["set-cookie"]


async def test_who_is_not_logged_in_is_sent_to_the_form_and_back(browser: AsyncClient) -> None:
    answer = await browser.get("/admin/job?state=done")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/admin/login?next=%2Fadmin%2Fjob%3Fstate%3Ddone"
    form = await browser.get(answer.headers["location"])
    assert 'value="/admin/job?state=done"' in form.text
    answer = await log_in(browser, ADMIN_TOKEN, "/admin/job?state=done")
    assert answer.headers["location"] == "/admin/job?state=done"


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.org", "https://evil.org", "/admin.evil.org", "/administer", "/admin/\\evil.org", ""],
)
async def test_nobody_is_sent_elsewhere(browser: AsyncClient, elsewhere: str) -> None:
    answer = await log_in(browser, ADMIN_TOKEN, elsewhere)
    assert answer.headers["location"] == "/admin"


async def test_a_wrong_token_is_refused_in_words(browser: AsyncClient) -> None:
    answer = await log_in(browser, "wrong")
    assert answer.status_code == 401
    assert "This token is unknown or was revoked." in answer.text
    assert "wrong" not in answer.text.replace('id="wrong"', "").replace('="wrong"', "")


async def test_no_token_is_asked_for(browser: AsyncClient) -> None:
    assert (await log_in(browser, " ")).status_code == 422


async def test_guessing_has_to_wait(browser: AsyncClient) -> None:
    for _ in range(throttle.WRONG_AT_MOST):
        assert (await log_in(browser, "a guess")).status_code == 401
    answer = await log_in(browser, ADMIN_TOKEN)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= throttle.WITHIN_S


async def test_a_right_token_forgives_wrong_ones(browser: AsyncClient) -> None:
    for _ in range(2):
        for _ in range(throttle.WRONG_AT_MOST - 1):
            assert (await log_in(browser, "a typo")).status_code == 401
        assert (await log_in(browser, ADMIN_TOKEN)).status_code == 303


async def test_a_revoked_token_is_out_at_once(
    browser: AsyncClient, client: AsyncClient, token_of: Tokens
) -> None:
    token = await token_of(Role.ADMIN)
    await log_in(browser, token.token)
    assert (await browser.get(QUEUE)).status_code == 200
    await client.delete(f"/api/v0/token/{token.id}")
    assert (await browser.get("/admin")).status_code == 303
    assert failure(await browser.get(QUEUE))[0] == 401


async def test_another_token_of_the_environment_ends_the_cookies_of_the_last(
    browser: AsyncClient, settings: Settings
) -> None:
    await log_in(browser, ADMIN_TOKEN)
    changed = settings.model_copy(update={"quiver_admin_token": "another-token-of-the-admin"})
    for other, status in ((settings, 200), (changed, 401)):
        async with another_api(other) as elsewhere:
            elsewhere.cookies = browser.cookies
            assert (await elsewhere.get(QUEUE)).status_code == status


async def test_a_cookie_ends_after_its_time(browser: AsyncClient, settings: Settings) -> None:
    await log_in(browser, ADMIN_TOKEN)
    async with another_api(settings.model_copy(update={"quiver_login_s": -1.0})) as later:
        later.cookies = browser.cookies
        assert failure(await later.get(QUEUE)) == (
            401,
            ["Cookie: the login has ended: log in again at /admin/login"],
        )


async def test_without_its_key_a_cookie_is_nothing(browser: AsyncClient, pool: Pool) -> None:
    await log_in(browser, ADMIN_TOKEN)
    await pool.execute("DELETE FROM signing_key")
    assert (await browser.get(QUEUE)).status_code == 401


@pytest.mark.parametrize("forged", ["", "x", "a.b.c", "WyJlbnZpcm9ubWVudCIsIiJd.aSLp.AAAA"])
async def test_a_forged_cookie_is_nothing(browser: AsyncClient, forged: str) -> None:
    await log_in(browser, ADMIN_TOKEN)
    browser.cookies.clear()
    headers = {"Cookie": f"{COOKIE_NAME}={forged}"}
    assert (await browser.get(QUEUE, headers=headers)).status_code == 401
    assert (await browser.get("/admin", headers=headers)).status_code == 303


async def test_a_cookie_counts_nowhere_but_for_operators(browser: AsyncClient) -> None:
    await log_in(browser, ADMIN_TOKEN)
    assert (await browser.get("/api/v0/token")).status_code == 401


async def test_logging_out_takes_the_cookie_away(browser: AsyncClient) -> None:
    await log_in(browser, ADMIN_TOKEN)
    answer = await browser.post("/admin/logout", headers=OWN)
    assert answer.headers["location"] == "/admin/login"
    assert (await browser.get("/admin")).status_code == 303


async def test_no_other_site_logs_anybody_in_or_out(browser: AsyncClient) -> None:
    assert (await log_in(browser, ADMIN_TOKEN, origin=FOREIGN)).status_code == 403
    await log_in(browser, ADMIN_TOKEN)
    assert (await browser.post("/admin/logout", headers=FOREIGN)).status_code == 403
    assert (await browser.get("/admin")).status_code == 200
