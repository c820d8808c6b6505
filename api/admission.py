"""Who may watch what, settled before the WebSocket is: so a refusal is an ordinary HTTP answer."""

import re
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from fastapi import WebSocket

from api.dependencies import authenticate, bearer
from api.errors import STATUS, failure
from api.visibility import visible_session
from core.errors import (
    InvalidInputError,
    NotFoundError,
    QuiverError,
    UnauthenticatedError,
    UnavailableError,
)
from core.feed import cursor_order
from core.postgres import Connection
from core.schema.session import Session
from core.settings import Settings

# How a browser, which cannot set headers for a WebSocket, passes its token.
TOKEN_PREFIX = "bearer."
CURSOR = re.compile(r"[0-9]{1,20}-[0-9]{1,20}")
LARGEST_PART = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Wish:
    """What a viewer asks for.

    Args:
        session: What they watch.
        target_id: The only target they want to hear of; None: all.
        since: The last cursor they had; None: they begin.
    """

    session: Session
    target_id: UUID | None
    since: str | None


def token_protocol(websocket: WebSocket) -> str | None:
    """The subprotocol that carries a token; the answer must repeat it."""
    offered: list[str] = websocket.scope["subprotocols"]
    return next((name for name in offered if name.startswith(TOKEN_PREFIX)), None)


async def admit(
    websocket: WebSocket, session_id: str, conn: Connection, settings: Settings
) -> Wish:
    """What the viewer wants, when they may have it.

    Raises:
        UnauthenticatedError: Their token is not valid, or one is needed.
        NotFoundError: There is no such session.
        ForbiddenError: Their role may not see it.
        InvalidInputError: The target or the cursor is not one.
    """
    token = bearer(websocket.headers.get("authorization"))
    protocol = token_protocol(websocket)
    if token is None and protocol is not None:
        token = protocol.removeprefix(TOKEN_PREFIX)
    caller = await authenticate(conn, settings, token)
    session = await visible_session(conn, _session_id(session_id), caller)
    target_id = websocket.query_params.get("target_id")
    since = websocket.query_params.get("since")
    return Wish(session, _target_id(target_id), _cursor(since))


async def refuse(websocket: WebSocket, error: QuiverError) -> None:
    """Answer in place of the upgrade."""
    headers: dict[str, str] = {}
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, UnavailableError):
        headers["Retry-After"] = str(error.retry_after_s)
    # They may have left meanwhile.
    with suppress(OSError):
        await websocket.send_denial_response(failure(STATUS[type(error)], [str(error)], headers))


def _session_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFoundError("session", text[:100]) from error


def _target_id(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError as error:
        raise InvalidInputError("query.target_id", "must be a UUID") from error


def _cursor(text: str | None) -> str | None:
    if text is None:
        return None
    if not CURSOR.fullmatch(text) or max(cursor_order(text)) > LARGEST_PART:
        raise InvalidInputError("query.since", "is not a cursor that this session's frames gave")
    return text
