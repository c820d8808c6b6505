"""Who looks at a page."""

from typing import Annotated

from fastapi import Depends, Request

from api.cookie import COOKIE_NAME, Operator
from api.dependencies import LoginsOf
from api.web.login import LoginNeeded
from core.errors import UnauthenticatedError


async def get_operator(request: Request, logins: LoginsOf) -> Operator:
    """Who looks at the page.

    Raises:
        LoginNeeded: Nobody that we know.
    """
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    cookie = request.cookies.get(COOKIE_NAME)
    if cookie is None:
        raise LoginNeeded(back)
    try:
        return await logins.operator(cookie)
    except UnauthenticatedError as error:
        raise LoginNeeded(back) from error


OperatorOf = Annotated[Operator, Depends(get_operator)]
