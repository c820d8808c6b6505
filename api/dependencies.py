"""What routers ask for: the process's clients, a connection, the caller, a page."""

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from redis.asyncio import Redis
from starlette.requests import HTTPConnection

from api.cookie import COOKIE_NAME, Operator, unseal
from api.logins import Logins
from api.own_page import check_own_page
from core.errors import ForbiddenError, UnauthenticatedError
from core.feed import Feed
from core.inbox import Inbox
from core.log import name_principal
from core.models.token import Principal, select_principal
from core.postgres import Connection, Pool, lent
from core.queue import Queue
from core.schema.page import DEFAULT_LIMIT, Limit, Position, decode_cursor
from core.schema.token import Role
from core.settings import Settings

# What the operators' page calls: here, and nowhere else, its cookie counts as its token would.
OF_OPERATORS = "/api/v0/admin/"


async def get_settings(request: HTTPConnection) -> Settings:
    """The process's settings."""
    settings: Settings = request.state.settings
    return settings


async def get_pool(request: HTTPConnection) -> Pool:
    """The process's connections to PostgreSQL."""
    pool: Pool = request.state.pool
    return pool


async def get_inbox(request: HTTPConnection) -> Inbox:
    """Where events wait."""
    inbox: Inbox = request.state.inbox
    return inbox


async def get_queue(request: HTTPConnection) -> Queue:
    """Where jobs are put."""
    queue: Queue = request.state.queue
    return queue


async def get_feed(request: HTTPConnection) -> Feed:
    """What viewers are told."""
    feed: Feed = request.state.feed
    return feed


async def get_valkey(request: HTTPConnection) -> Redis:
    """The process's client of Valkey."""
    valkey: Redis = request.state.valkey
    return valkey


async def get_logins(request: HTTPConnection) -> Logins:
    """Who looks at how the work stands."""
    logins: Logins = request.state.logins
    return logins


async def get_request_id(request: HTTPConnection) -> UUID:
    """The request's id, to be carried into what it causes."""
    request_id: UUID = request.state.request_id
    return request_id


SettingsOf = Annotated[Settings, Depends(get_settings)]
PoolOf = Annotated[Pool, Depends(get_pool)]
InboxOf = Annotated[Inbox, Depends(get_inbox)]
QueueOf = Annotated[Queue, Depends(get_queue)]
FeedOf = Annotated[Feed, Depends(get_feed)]
ValkeyOf = Annotated[Redis, Depends(get_valkey)]
LoginsOf = Annotated[Logins, Depends(get_logins)]
RequestId = Annotated[UUID, Depends(get_request_id)]


async def get_connection(pool: PoolOf) -> AsyncIterator[Connection]:
    """A connection for this request, given back before the answer is sent."""
    async with lent(pool) as conn:
        yield conn


ConnectionOf = Annotated[Connection, Depends(get_connection, scope="function")]


def bearer(authorization: str | None) -> str | None:
    """The token of an Authorization header."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


async def authenticate(conn: Connection, settings: Settings, token: str | None) -> Principal | None:
    """Whose token this is; None when there is no token.

    Raises:
        UnauthenticatedError: It is unknown or revoked.
    """
    return await identify(partial(select_principal, conn), settings, token)


async def identify(
    find: Callable[[str], Awaitable[Principal | None]], settings: Settings, token: str | None
) -> Principal | None:
    """As `authenticate`, for who looks tokens up elsewhere.

    Args:
        find: Whose token this is; None when it is unknown or revoked.
        settings: With the environment's token.
        token: What was shown.

    Raises:
        UnauthenticatedError: It is unknown or revoked.
    """
    if token is None:
        return None
    ours = settings.quiver_admin_token
    if ours is not None and hmac.compare_digest(token.encode(), ours.encode()):
        return Principal(Role.ADMIN, None, None)
    principal = await find(token)
    if principal is None:
        raise UnauthenticatedError("Authorization: the token is unknown or was revoked")
    return principal


async def get_caller(
    request: HTTPConnection, conn: ConnectionOf, settings: SettingsOf
) -> Principal | None:
    """Who is asking; None when they showed neither a token nor, to what the operators' page calls,
    its cookie.

    Raises:
        UnauthenticatedError: What they showed counts no more.
        ForbiddenError: They showed a cookie for a change that another site may have caused.
    """
    return await _shown(
        request, settings, partial(select_principal, conn), partial(unseal, conn, settings)
    )


async def get_watcher(request: HTTPConnection, logins: LoginsOf, settings: SettingsOf) -> Principal:
    """Who only looks at how the work stands, as far as it is known while the database is silent.

    Raises:
        UnauthenticatedError: They showed nothing, or what they showed counts no more.
        ForbiddenError: Their role may not look.
    """
    caller = await _shown(request, settings, logins.holder, logins.operator)
    return allow(caller, Role.VIEWER, Role.JUDGE)


async def _shown(
    request: HTTPConnection,
    settings: Settings,
    of_token: Callable[[str], Awaitable[Principal | None]],
    of_cookie: Callable[[str], Awaitable[Operator]],
) -> Principal | None:
    token = bearer(request.headers.get("authorization"))
    cookie = request.cookies.get(COOKIE_NAME)
    if token is None and cookie is not None and request.url.path.startswith(OF_OPERATORS):
        check_own_page(request.scope["method"], request.headers)
        caller: Principal | None = (await of_cookie(cookie)).principal
    else:
        caller = await identify(of_token, settings, token)
    if caller is not None:
        name_principal(f"{caller.role} {caller.token_id or 'of the environment'}")
    return caller


Caller = Annotated[Principal | None, Depends(get_caller, scope="function")]


def allow(caller: Principal | None, *roles: Role) -> Principal:
    """The caller, when their role is one of these or admin.

    Raises:
        UnauthenticatedError: There is no caller.
        ForbiddenError: Their role may not do it.
    """
    if caller is None:
        raise UnauthenticatedError("Authorization: a bearer token is needed")
    if caller.role not in (*roles, Role.ADMIN):
        raise ForbiddenError(f"Authorization: the role {caller.role} may not do this")
    return caller


def require(*roles: Role) -> Callable[[Principal | None], Coroutine[Any, Any, Principal]]:
    """A dependency that lets only these roles and admin pass."""

    async def required(caller: Caller) -> Principal:
        return allow(caller, *roles)

    return required


AdminOnly = Annotated[Principal, Depends(require())]
JudgeOnly = Annotated[Principal, Depends(require(Role.JUDGE))]
Watcher = Annotated[Principal, Depends(get_watcher)]
ViewerOnly = Annotated[Principal, Depends(require(Role.VIEWER, Role.JUDGE))]
Sender = Annotated[Principal, Depends(require(Role.READER, Role.GATEWAY))]
AnyRole = Annotated[Principal, Depends(require(*Role))]


async def get_position(cursor: Annotated[str | None, Query(max_length=200)] = None) -> Position:
    """Where the page begins."""
    return decode_cursor(cursor)


After = Annotated[Position, Depends(get_position)]
PageLimit = Annotated[Limit, Query(description="Items in a page")]
DEFAULT = DEFAULT_LIMIT
