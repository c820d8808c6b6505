"""What surrounds every request: its id, its log line, its limits. Plain ASGI, nothing is copied."""

import asyncio
import time
from collections.abc import Mapping
from uuid import UUID, uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import failure, server_failure
from core.log import bind_request, get_logger

log = get_logger(__name__)


def _request_id(scope: Scope) -> UUID:
    said = Headers(scope=scope).get("x-request-id", "")
    try:
        return UUID(said)
    except ValueError:
        return uuid4()


class RequestMiddleware:
    """Gives each request its id, logs how it ended, and turns what nobody caught into a 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

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
                MutableHeaders(scope=message)["X-Request-ID"] = str(request_id)
            await send(message)

        with bind_request(request_id=str(request_id)):
            started = time.perf_counter()
            try:
                await self.app(scope, receive, send_with_id)
            except Exception:  # pylint: disable=broad-exception-caught
                log.exception("request failed")
                if status or scope["type"] == "websocket":
                    raise
                await server_failure(str(request_id))(scope, receive, send_with_id)
            finally:
                latency_ms = round((time.perf_counter() - started) * 1000, 2)
                _log_end(scope, status, latency_ms)


def _log_end(scope: Scope, status: int, latency_ms: float) -> None:
    method = scope.get("method", "WEBSOCKET")
    write = log.warning if status >= 500 else log.info if method != "GET" else log.debug
    write("request", method=method, path=scope["path"], status=status, latency_ms=latency_ms)


class LimitMiddleware:
    """Bounds how many requests are worked on at once and how large their bodies are.

    Args:
        app: What it surrounds.
        concurrent: Requests at once; more wait their turn.
        body_limit: Bytes of a body at most.
        body_limits: Other limits, by path.
    """

    def __init__(
        self, app: ASGIApp, *, concurrent: int, body_limit: int, body_limits: Mapping[str, int]
    ) -> None:
        self.app = app
        self.turns = asyncio.Semaphore(concurrent)
        self.body_limit = body_limit
        self.body_limits = body_limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.body_limits.get(scope["path"], self.body_limit)
        body = await _read_body(scope, receive, limit)
        if body is None:
            response = failure(413, [f"body: must have at most {limit} bytes"])
            # What is left of the body is not read: the connection cannot be used again.
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
            return
        async with self.turns:
            await self.app(scope, _replay(body, receive), send)


async def _read_body(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    announced = Headers(scope=scope).get("content-length", "0")
    # Eighteen digits are over any limit, and safe to read as a number.
    if announced.isdecimal() and int(announced[:18]) > limit:
        return None
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            return None
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
