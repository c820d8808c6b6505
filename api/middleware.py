"""What surrounds every request: its id, its log line, its limits. Plain ASGI, nothing is copied."""

import asyncio
import time
from collections.abc import Collection, Mapping
from uuid import UUID, uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import failure, server_failure
from api.metrics import Metrics
from core.log import bind_request, get_logger

DISCARDED_AT_MOST = 67_108_864
ROUTINE = frozenset({"/api/v0/event", "/api/v0/reader/heartbeat"})

log = get_logger(__name__)


def _request_id(scope: Scope) -> UUID:
    said = Headers(scope=scope).get("x-request-id", "")
    try:
        return UUID(said)
    except ValueError:
        return uuid4()


class RequestMiddleware:
    """Gives each request its id, notes how it ended, and turns what nobody caught into a 500.

    Args:
        app: What it surrounds.
        metrics: Where times are noted.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                if _is_change(scope):
                    scope["state"]["doorkeeper"].forget()
                MutableHeaders(scope=message)["X-Request-ID"] = str(request_id)
            await send(message)

        with bind_request(request_id=str(request_id)):
            started = time.perf_counter()
            try:
                await self.app(scope, receive, send_with_id)
            # The last resort: what nobody caught is logged here and told as a 500, whatever it is.
            except Exception:  # pylint: disable=broad-exception-caught
                log.exception("request failed")
                if status or scope["type"] == "websocket":
                    raise
                await server_failure(str(request_id))(scope, receive, send_with_id)
            finally:
                self._note_end(scope, status, time.perf_counter() - started)

    def _note_end(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope.get("method", "WEBSOCKET")
        # What is asked, and what readers send all day, is counted; only its failures are told.
        is_routine = method == "GET" or (status < 400 and scope["path"] in ROUTINE)
        write = log.warning if status >= 500 else log.debug if is_routine else log.info
        write(
            "request",
            method=method,
            path=scope["path"],
            status=status,
            latency_ms=round(seconds * 1000, 2),
            resource=_resource(scope),
        )
        # A route, not a path: ids would make a series of each.
        route = getattr(scope.get("route"), "path", "none")
        if scope["type"] == "http":
            self.metrics.requests.labels(method, route, str(status)).observe(seconds)


def _is_change(scope: Scope) -> bool:
    """Whether it may have changed whom the API knows."""
    method = scope.get("method", "GET")
    return method not in ("GET", "HEAD", "OPTIONS") and scope["path"] not in ROUTINE


def _resource(scope: Scope) -> dict[str, str] | None:
    """What the request is about, as its path names it."""
    named = scope.get("path_params") or {}
    about = [(name.removesuffix("_id"), str(value)) for name, value in named.items()]
    return {"type": about[0][0], "id": about[0][1]} if about else None


class LimitMiddleware:
    """Bounds how many requests are worked on at once and how large their bodies are.

    Args:
        app: What it surrounds.
        concurrent: Requests at once; more wait their turn.
        body_limit: Bytes of a body at most.
        body_limits: Other limits, by path.
        endless: Paths whose answers go on: they would keep their turns for good.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        concurrent: int,
        body_limit: int,
        body_limits: Mapping[str, int],
        endless: Collection[str] = (),
    ) -> None:
        self.app = app
        self.turns = asyncio.Semaphore(concurrent)
        self.body_limit = body_limit
        self.body_limits = body_limits
        self.endless = endless

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self.endless:
            await self.app(scope, receive, send)
            return
        limit = self.body_limits.get(scope["path"], self.body_limit)
        body = await _read_body(scope, receive, limit)
        if body is None:
            response = failure(413, [f"body: must have at most {limit} bytes"])
            # What may be left of the body is not read: the connection cannot be used again.
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
            return
        async with self.turns:
            await self.app(scope, _replay(body, receive), send)


async def _read_body(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    """The body; None: it is too large."""
    headers = Headers(scope=scope)
    announced = _announced(headers)
    # Who asks before they send it is told at once.
    if announced > limit and ("expect" in headers or announced > limit + DISCARDED_AT_MOST):
        return None
    chunks: list[bytes] = []
    size, more = 0, True
    # What is too large is read on and thrown away: who sends all of it before they listen would
    # find the connection broken, and no answer.
    while more and size <= limit + DISCARDED_AT_MOST:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        size += len(message.get("body", b""))
        if size <= limit:
            chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks) if size <= limit else None


def _announced(headers: Headers) -> int:
    said = headers.get("content-length", "0")
    # Eighteen digits are over any limit, and safe to read as a number.
    return int(said[:18]) if said.isdecimal() else 0


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
