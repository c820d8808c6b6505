"""Which requests count as those of our own page."""

import pytest
from starlette.datastructures import Headers

from api.own_page import check_own_page
from core.errors import ForbiddenError

HOST = {"host": "range:8000"}
MARK = {"x-quiver-page": "1"}

OURS = {
    "by fetch metadata": {"sec-fetch-site": "same-origin"},
    "by origin": {"origin": "http://range:8000"},
    "by origin with TLS": {"origin": "https://range:8000"},
}
NOT_OURS = {
    "another site": {"sec-fetch-site": "cross-site", "origin": "http://range:8000"},
    "a sister": {"sec-fetch-site": "same-site"},
    "typed in": {"sec-fetch-site": "none"},
    "another origin": {"origin": "http://evil.org"},
    "another port": {"origin": "http://range:9000"},
    "a hidden origin": {"origin": "null"},
    "nothing said": {},
}


@pytest.mark.parametrize("how", OURS)
def test_our_page_may_change_things(how: str) -> None:
    check_own_page("POST", Headers({**HOST, **MARK, **OURS[how]}))


@pytest.mark.parametrize("how", NOT_OURS)
def test_other_pages_may_not(how: str) -> None:
    with pytest.raises(ForbiddenError, match="^Origin: "):
        check_own_page("POST", Headers({**HOST, **MARK, **NOT_OURS[how]}))


@pytest.mark.parametrize("how", OURS)
def test_a_form_cannot_send_our_header(how: str) -> None:
    with pytest.raises(ForbiddenError, match="^X-Quiver-Page: "):
        check_own_page("DELETE", Headers({**HOST, **OURS[how]}))


def test_reading_changes_nothing_and_needs_nothing() -> None:
    check_own_page("GET", Headers(HOST))
