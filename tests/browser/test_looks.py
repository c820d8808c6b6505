"""Every page in a real browser: light and dark, on a desk and on a phone."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import HEIGHTS, Scheme, Visiting, screenshot_folder
from tests.endpoints.test_page import PAGES
from tests.operating import MadeUp
from tests.serving import Served, until

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("shown")]

# What is wider than the window, but for what can be scrolled by itself.
WIDTH = "document.documentElement.scrollWidth"
UUID_SAID = "1f3e55aa-0000-4000-8000-000000000001"
SECOND_GROUP = "/admin/job?state=failed&fingerprint=9f1c04ab77de1"
# What can be pressed and is too small for a thumb.
SMALL = """
[...document.querySelectorAll("main button, main .button, .tools button")]
  .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 32)
  .map((each) => each.textContent.trim())
"""
UNNAMED = """
[...document.querySelectorAll("button, a, input:not([type=hidden]), select, meter:not([aria-hidden])")]
  .filter((each) => each.checkVisibility())
  .filter((each) => !(each.textContent.trim() || each.ariaLabel || each.title || each.labels?.length))
  .map((each) => each.outerHTML)
"""


@pytest.mark.parametrize("width", HEIGHTS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_whole(visiting: Visiting, scheme: Scheme, width: int) -> None:
    visitor = await visiting(scheme=scheme, width=width)
    for path, title in PAGES.items():
        await visitor.go(path)
        await expect(visitor.page).to_have_title(f"{title} · Quiver")
        assert await visitor.page.evaluate(WIDTH) == width, path
        assert await visitor.page.evaluate(UNNAMED) == [], path
        if width < 400:
            assert await visitor.page.evaluate(SMALL) == [], path
        await keep(visitor.page, f"{path} {scheme} {width}")


@pytest.mark.parametrize("width", HEIGHTS)
async def test_jobs_are_filtered_by_session_and_target_on_a_desk_and_on_a_phone(
    visiting: Visiting, width: int
) -> None:
    visitor = await visiting(width=width)
    await visitor.go("/admin/job")
    await visitor.page.get_by_text("Session, target").click()
    for name in ("Session", "Target"):
        await visitor.page.get_by_label(name, exact=True).fill(UUID_SAID)
    await visitor.button("Filter").click()
    await visitor.is_live()
    asked = f"session_id={UUID_SAID}&target_id={UUID_SAID}"
    await expect(visitor.page).to_have_url(re.compile(asked))
    await expect(visitor.page.get_by_label("Session", exact=True)).to_have_value(UUID_SAID)
    assert await visitor.page.evaluate(WIDTH) == width


async def keep(page: Page, name: str) -> None:
    """Take a picture, when somebody wants to look at them."""
    folder = screenshot_folder()
    if folder is not None:
        file = re.sub(r"\W+", "-", name.strip("/"))
        await page.screenshot(path=folder / f"{file}.png", full_page=True)


async def test_charts_can_be_read_by_the_arrow_keys(visiting: Visiting) -> None:
    visitor = await visiting()
    await visitor.go("/admin")
    chart = visitor.page.locator("#chart-jobs svg")
    await expect(chart.locator("rect.done")).to_have_count(60)
    await chart.focus()
    await visitor.page.keyboard.press("ArrowLeft")
    await expect(visitor.page.locator("#said-jobs")).to_contain_text(" done, ")
    await visitor.button("Day").click()
    await expect(chart.locator("rect.done")).to_have_count(144)


async def test_the_theme_is_kept_from_page_to_page(visiting: Visiting) -> None:
    visitor = await visiting(scheme="light")
    await visitor.page.keyboard.press("t")
    await visitor.go("/admin/worker")
    await expect(visitor.page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_the_keyboard_goes_everywhere(visiting: Visiting) -> None:
    visitor = await visiting()
    press = visitor.page.keyboard.press
    await press("g")
    await press("f")
    await expect(visitor.page).to_have_title("Failures · Quiver")
    await visitor.is_live()
    await press("/")
    await expect(visitor.page.locator("#search")).to_be_focused()
    await visitor.page.locator("#search").blur()
    await press("n")
    await press("n")
    await press("Enter")
    await expect(visitor.page).to_have_url(f"{visitor.url}{SECOND_GROUP}")
    await visitor.is_live()
    await press("n")
    await press("x")
    await visitor.sees("1 job selected")
    await press("?")
    await expect(visitor.page.get_by_role("heading", name="Keyboard")).to_be_visible()


async def test_what_changes_is_seen_without_reloading(visiting: Visiting, shown: MadeUp) -> None:
    visitor = await visiting()
    await visitor.sees("Work is paused")
    shown.is_calm = True
    await expect(visitor.page.locator(".tile.failed b")).to_have_text("0")
    await visitor.sees("All is well.")
    await expect(visitor.page.get_by_text("Work is paused")).to_have_count(0)


async def test_a_page_that_is_hidden_listens_no_more(visiting: Visiting, served: Served) -> None:
    visitor = await visiting()
    assert served.broadcast.watchers == 1
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true})"
    tell = "document.dispatchEvent(new Event('visibilitychange'))"
    for is_hidden, watchers in (("true", 0), ("false", 1)):
        await visitor.page.evaluate(f"{hide % is_hidden}; {tell}")
        await wait_for_watchers(served, watchers)


async def wait_for_watchers(served: Served, number: int) -> None:
    """Wait until so many watch."""
    await until(lambda: served.broadcast.watchers == number)
