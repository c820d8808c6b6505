"""What the pages' buttons ask, send and say, with answers that were made up."""

import orjson
import pytest
from playwright.async_api import expect

from core.schema.token import Role
from tests.browser.conftest import Visiting
from tests.endpoints.test_page import KEPT, PAGES
from tests.operating import MadeUp

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("shown")]

JOB_ID = KEPT.rpartition("/")[2]
REFUSAL = orjson.dumps({"code": 409, "data": None, "errors": ["state: it is not failed any more"]})
DISCARDED = {"changed": 2, "ids": ["a", "b"]}


async def test_a_job_is_retried_by_one_press(visiting: Visiting) -> None:
    visitor = await visiting()
    await visitor.answering({"/retry": {}})
    await visitor.go(KEPT)
    await visitor.button("Retry").click()
    await visitor.sees("To be tried again")
    assert visitor.calls == [(f"job/{JOB_ID}/retry", None)]


async def test_pressed_twice_it_is_sent_once(visiting: Visiting) -> None:
    visitor = await visiting()
    await visitor.answering({"/retry": {}})
    await visitor.go(KEPT)
    await visitor.button("Retry").evaluate("(button) => { button.click(); button.click(); }")
    await visitor.sees("To be tried again")
    assert len(visitor.calls) == 1


async def test_what_destroys_asks_first(visiting: Visiting) -> None:
    visitor = await visiting()
    await visitor.answering({"/discard": {}})
    await visitor.go(KEPT)
    for leave in ("Keep as it is", None):
        await visitor.button("Discard").click()
        await visitor.sees("Discard this job?")
        if leave is None:
            await visitor.page.keyboard.press("Escape")
        else:
            await visitor.button(leave).click()
        await expect(visitor.page.locator("#confirm")).to_be_hidden()
    assert visitor.calls == []


async def test_what_was_discarded_can_be_taken_back(visiting: Visiting) -> None:
    visitor = await visiting()
    await visitor.answering({"/discard": DISCARDED, "/restore": DISCARDED})
    await visitor.go("/admin/job?state=failed")
    for box in (await visitor.page.get_by_label("Select score_shots").all())[:2]:
        await box.check()
    await visitor.page.locator("#bulk").get_by_role("button", name="Discard").click()
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    await visitor.sees("Discarded: 2 jobs")
    await visitor.button("Undo").click()
    await visitor.sees("Restored: 2 jobs")
    (_, chosen), (path, restored) = visitor.calls
    assert chosen == {"ids": [job_id(0), job_id(3)]}
    assert (path, restored) == ("job/restore", {"ids": ["a", "b"]})


def job_id(number: int) -> str:
    """The id of one of the list."""
    return f"01000000-0000-0000-0000-{number:012}"


async def test_what_is_ticked_stays_so_while_the_list_changes(visiting: Visiting) -> None:
    visitor = await visiting()
    await visitor.go("/admin/job?state=failed")
    box = visitor.page.get_by_label("Select score_shots").first
    await box.check()
    await visitor.page.evaluate("document.querySelector('td.n').textContent = 'old'")
    await expect(visitor.page.get_by_role("cell", name="old", exact=True)).to_have_count(0)
    await expect(box).to_be_checked()
    await visitor.sees("1 job selected")


async def test_a_whole_group_is_retried(visiting: Visiting) -> None:
    visitor = await visiting()
    await visitor.answering({"/retry": {"changed": 1180, "ids": []}})
    await visitor.go("/admin/failure")
    await visitor.button("Retry all").first.click()
    await visitor.sees("Retry 1\u202f180 jobs?")
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Retry all").click()
    await visitor.sees("To be tried again: 1\u202f180 jobs")
    wanted = {"filter": {"state": "failed", "fingerprint": "9f1c04ab77de0"}}
    assert visitor.calls == [("job/retry", wanted)]


async def test_a_pause_takes_a_reason(visiting: Visiting, shown: MadeUp) -> None:
    shown.is_calm = True
    visitor = await visiting()
    await visitor.answering({"/pause": {}})
    await visitor.button("Pause work").click()
    await visitor.page.get_by_label("Why").fill("new butts on lane 3")
    await visitor.page.keyboard.press("Enter")
    await visitor.sees("Work is paused")
    assert visitor.calls == [("queue/pause", {"reason": "new butts on lane 3"})]


async def test_a_refusal_is_said_as_it_came(visiting: Visiting) -> None:
    visitor = await visiting()
    await visitor.go(KEPT)
    await visitor.page.route("**/retry", lambda route: route.fulfill(status=409, body=REFUSAL))
    await visitor.button("Retry").click()
    await visitor.sees("state: it is not failed any more")
    await expect(visitor.button("Retry")).to_be_enabled()
    visitor.forgive("409")


async def test_who_may_only_read_has_nothing_to_press(visiting: Visiting) -> None:
    visitor = await visiting(Role.VIEWER)
    for path in PAGES:
        await visitor.go(path)
        acting = visitor.page.locator("[data-act], [data-bulk], main [type=checkbox]")
        await expect(acting).to_have_count(0)
