"""A real Chromium, and operators who look at the pages with it."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, Protocol

import pytest
from playwright.async_api import Browser, Route, async_playwright

from api import main
from core.models.token import create_token
from core.postgres import Pool
from core.schema.envelope import wrap
from core.schema.token import Role
from core.settings import Settings
from tests.browser.visitor import Visitor
from tests.operating import MadeUp, history
from tests.serving import Served, serving

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# As root there is no sandbox; nothing is to be asked of the network.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
]
HISTORY = "**/api/v0/admin/history?*"
HEIGHTS = {1280: 860, 390: 844}
type Scheme = Literal["light", "dark"]


class Visiting(Protocol):
    """Lets somebody in, in a browser of their own."""

    async def __call__(
        self, role: Role | None = Role.ADMIN, *, scheme: Scheme = "light", width: int = 1280
    ) -> Visitor:
        """Somebody who is logged in with a token of a role; None: who is not."""


@pytest.fixture(name="chromium")
async def _chromium() -> AsyncIterator[Browser]:
    """The one that is installed."""
    program = next((found for each in PROGRAMS if (found := shutil.which(each))), None)
    if program is None:
        pytest.skip("no Chromium is installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(name="shown")
def _shown(monkeypatch: pytest.MonkeyPatch) -> MadeUp:
    """What the pages show, made up."""
    made_up = MadeUp()
    monkeypatch.setattr(main, "open_sources", lambda *_: made_up)
    return made_up


@pytest.fixture(name="served")
async def _served(settings: Settings) -> AsyncIterator[Served]:
    """A server of the pages."""
    async with serving(settings) as served:
        yield served


@pytest.fixture(name="visiting")
async def _visiting(chromium: Browser, served: Served, pool: Pool) -> AsyncIterator[Visiting]:
    """Lets somebody in, each in a browser of their own; in the end nobody's had complained."""
    visitors: list[Visitor] = []

    async def let_in(
        role: Role | None = Role.ADMIN, *, scheme: Scheme = "light", width: int = 1280
    ) -> Visitor:
        context = await chromium.new_context(
            viewport={"width": width, "height": HEIGHTS[width]}, color_scheme=scheme
        )
        await context.route(HISTORY, tell_history)
        visitor = Visitor(await context.new_page(), served.url)
        visitors.append(visitor)
        if role is not None:
            async with pool.acquire() as conn:
                token = await create_token(conn, role, "Ana")
            await visitor.log_in(token.token)
        return visitor

    yield let_in
    for visitor in visitors:
        await visitor.page.context.close()
    assert [said for visitor in visitors for said in visitor.complaints] == []


async def tell_history(route: Route) -> None:
    """Answer what the charts ask for with an evening that was made up."""
    step_s, number = (60, 60) if "span=hour" in route.request.url else (600, 144)
    said = wrap(history(step_s, number)).model_dump_json()
    await route.fulfill(body=said, content_type="application/json")


def screenshot_folder() -> Path | None:
    """Where to put a picture of each page, when somebody wants to look at them."""
    wanted = os.environ.get("QUIVER_SCREENSHOTS")
    return None if wanted is None else Path(wanted)
