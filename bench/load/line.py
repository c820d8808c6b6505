"""Requests over connections that stay open, for a quarter of what a client library takes: the load
shares the cores with the servers, and its own delay is in every latency."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple, cast, override
from urllib.parse import urlsplit

from httptools import HttpResponseParser

# An answer is waited for so long, and so is a connection.
GIVE_UP_S = 60.0


class Answer(NamedTuple):
    """What a server says.

    Args:
        status: The status code.
        body: All of it.
    """

    status: int
    body: bytes


class Line(asyncio.Protocol):
    """A connection on which one request at a time is under way."""

    def __init__(self) -> None:
        self.is_open, self.was_used = True, False
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._body: list[bytes] = []

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError(f"the connection ended: {exc!r}"))

    @override
    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """A part of the answer's body has come."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """The answer has come."""
        if not self._parser.should_keep_alive():
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(self._parser.get_status_code(), b"".join(self._body)))
        self._body.clear()

    async def ask(self, request: bytes) -> Answer:
        """Send a request.

        Raises:
            ConnectionError: The connection ended before the answer came.
        """
        if self._transport is None or not self.is_open:
            raise ConnectionResetError("the server ended the connection")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        answer = await self._answer
        self.was_used = True
        return answer

    def close(self) -> None:
        """End the connection."""
        self.is_open = False
        if self._transport is not None:
            self._transport.close()


class Lines:
    """Connections to a server, made as they are needed.

    Args:
        url: Where it is.
        token: What is shown to it.
        limit: How many there are at most.
    """

    def __init__(self, url: str, token: str, limit: int) -> None:
        where = urlsplit(url)
        self._host, self._port = where.hostname or "", where.port or 80
        self._head = (
            f"Host: {where.netloc}\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )
        self._turns = asyncio.Semaphore(limit)
        self._free: list[Line] = []

    async def post(self, path: str, body: bytes) -> Answer:
        """Send a body that is JSON, once a connection is free.

        A server ends what is idle for long, perhaps just when it is used again: then the body is
        sent once more, over another connection. What comes twice is one to the server.

        Raises:
            ConnectionError: There is no connection, or a new one ended before the answer came.
            TimeoutError: The answer did not come in time.
        """
        head = f"POST {path} HTTP/1.1\r\n{self._head}{len(body)}\r\n\r\n".encode()
        async with asyncio.timeout(GIVE_UP_S), self._turns:
            while True:
                line = await self._line()
                try:
                    return await self._asked(line, head + body)
                except ConnectionError:
                    if not line.was_used:
                        raise

    async def _asked(self, line: Line, request: bytes) -> Answer:
        try:
            answer = await line.ask(request)
        except BaseException:
            # An answer that comes later must not be taken for another's.
            line.close()
            raise
        if line.is_open:
            self._free.append(line)
        return answer

    async def _line(self) -> Line:
        # The one that was used last: servers end what is idle for long.
        while self._free:
            line = self._free.pop()
            if line.is_open:
                return line
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(Line, self._host, self._port)
        return line

    def close(self) -> None:
        """End all connections that are free."""
        for line in self._free:
            line.close()


@asynccontextmanager
async def open_lines(url: str, token: str, limit: int) -> AsyncIterator[Lines]:
    """Connections that end with this."""
    lines = Lines(url, token, limit)
    try:
        yield lines
    finally:
        lines.close()
