"""The page's own modules write numbers as the server does: a number may not change its looks when
news of it comes."""

import pytest

from api.web import words
from tests.browser.conftest import Visiting
from tests.test_page_words import COUNTS, MILLISECONDS, SPANS

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("shown")]

SAY = "([name, values]) => import('/admin/static/words.js').then((all) => values.map(all[name]))"


async def test_the_browser_says_what_the_server_says(visiting: Visiting) -> None:
    visitor = await visiting()
    for name, values in (("count", COUNTS), ("milliseconds", MILLISECONDS), ("span", SPANS)):
        said = await visitor.page.evaluate(SAY, [name, list(values)])
        assert said == list(values.values()) == [getattr(words, name)(value) for value in values]
