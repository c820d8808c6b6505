"""The page's own modules write numbers as the server does: a number may not change its looks when
news of it comes."""

import pytest

from api.web import words
from tests.browser.conftest import Visiting
from tests.test_page_words import COUNTS, MILLISECONDS, SPANS

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("shown")]

SAY = "([name, values]) => import('/admin/static/words.js').then((all) => values.map(all[name]))"
SAY_UP_TO_A_HUNDRED = """
(values) => import('/admin/static/words.js').then((all) => values.map((n) => all.upTo(n, 100)))
"""


async def test_the_browser_says_what_the_server_says(visiting: Visiting) -> None:
    visitor = await visiting()
    for name, values in (("count", COUNTS), ("milliseconds", MILLISECONDS), ("span", SPANS)):
        said = await visitor.page.evaluate(SAY, [name, list(values)])
        assert said == list(values.values()) == [getattr(words, name)(value) for value in values]


async def test_the_browser_says_as_the_server_does_that_there_are_more(visiting: Visiting) -> None:
    visitor = await visiting()
    said = await visitor.page.evaluate(SAY_UP_TO_A_HUNDRED, [None, 0, 100, 101])
    assert said == [words.up_to(value, 100) for value in (None, 0, 100, 101)]
    assert said[-1] == "100+"
