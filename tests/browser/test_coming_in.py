"""Coming in and going out, and pages of others that would like to."""

import pytest
from playwright.async_api import Route, expect

from core.models.token import create_token
from core.postgres import Pool
from core.schema.token import Role
from tests.browser.conftest import Visiting
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("shown")]

# The same host on another port: to a browser the same site, so that it sends the cookie there.
ELSEWHERE = "http://127.0.0.1:9/"
FORM = '<form method="post" action="{url}/admin/logout"><button>Win a bow</button></form>'
FRAME = '<iframe src="{url}/admin"></iframe>'


async def test_a_wrong_token_is_said_and_a_right_one_leads_on(
    visiting: Visiting, pool: Pool
) -> None:
    visitor = await visiting(None)
    await visitor.page.goto(f"{visitor.url}/admin/worker")
    await visitor.page.get_by_label("Token").fill("a guess")
    await visitor.button("Log in").click()
    await visitor.sees("This token is unknown or was revoked.")
    async with pool.acquire() as conn:
        token = await create_token(conn, Role.VIEWER, "Ana")
    await visitor.page.get_by_label("Token").fill(token.token)
    await visitor.button("Log in").click()
    await expect(visitor.page).to_have_title("Workers · Quiver")
    visitor.forgive("401")


async def test_scripts_cannot_read_the_cookie(visiting: Visiting) -> None:
    visitor = await visiting()
    (cookie,) = await visitor.page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert await visitor.page.evaluate("document.cookie") == ""


async def test_going_out_ends_it(visiting: Visiting) -> None:
    visitor = await visiting()
    await visitor.button("Log out").click()
    await expect(visitor.page).to_have_title("Log in · Quiver")
    assert await visitor.page.context.cookies() == []


async def test_who_is_revoked_is_out_by_itself(visiting: Visiting, pool: Pool) -> None:
    visitor = await visiting()
    await pool.execute("UPDATE token SET revoked_at = now()")
    await expect(visitor.page).to_have_title("Log in · Quiver")
    visitor.complaints.clear()


async def test_another_page_does_nothing_with_our_cookie(visiting: Visiting) -> None:
    visitor = await visiting()
    await open_elsewhere(visitor, FORM)
    await visitor.button("Win a bow").click()
    await visitor.sees("log out on our own page")
    visitor.forgive("403")
    await visitor.go("/admin")


async def test_another_page_cannot_frame_ours(visiting: Visiting) -> None:
    visitor = await visiting()
    await open_elsewhere(visitor, FRAME)
    assert await visitor.page.frames[-1].get_by_text("Overview").count() == 0
    assert visitor.page.frames[-1].url == "chrome-error://chromewebdata/"


async def open_elsewhere(visitor: Visitor, page: str) -> None:
    """Look at a page of somebody else."""

    async def answer(route: Route) -> None:
        await route.fulfill(body=page.format(url=visitor.url), content_type="text/html")

    await visitor.page.route(ELSEWHERE, answer)
    await visitor.page.goto(ELSEWHERE)
