"""Whether a request comes from our own page: a cookie alone is sent by any page's doing."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

from core.errors import ForbiddenError

PAGE_HEADER = "X-Quiver-Page"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def is_same_origin(headers: Headers) -> bool:
    """Whether the browser says that the page which asks is ours.

    `Sec-Fetch-Site` is not sent to hosts without TLS other than localhost; `Origin` always is, with
    what changes anything.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == headers.get("host")


def check_own_page(method: str, headers: Headers) -> None:
    """Refuse a change that another site's page could have caused.

    Raises:
        ForbiddenError: It may come from elsewhere.
    """
    if method in SAFE_METHODS:
        return
    if not is_same_origin(headers):
        raise ForbiddenError("Origin: with a cookie, only our own page may change anything")
    if headers.get(PAGE_HEADER) != "1":
        raise ForbiddenError(f"{PAGE_HEADER}: with a cookie, this header must be 1")
