"""A tap in a line: whoever has it can cut all connections that run through it, or have them
fall silent."""

import asyncio
from contextlib import suppress
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit, urlunsplit


class Tap:
    """Forwards connections from a port of this machine to another, or to a Unix socket.

    Args:
        url: What is reached through it.
    """

    def __init__(self, url: str) -> None:
        self._socket, self._url = _over_tcp(urlsplit(url))
        self._ends: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()

    async def open(self) -> str:
        """Begin; the URL that leads through it."""
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        user, _, _ = self._url.netloc.rpartition("@")
        return urlunsplit(self._url._replace(netloc=f"{user}@127.0.0.1:{port}"))

    def cut(self) -> int:
        """Cut every connection; how many ends that were."""
        ends = list(self._ends)
        for end in ends:
            end.transport.abort()
        return len(ends)

    def hold(self) -> None:
        """Let nothing through from now on, and cut nothing: as a server that is stopped."""
        self._flows.clear()

    def let_go(self) -> None:
        """Let everything through again, with what was held."""
        self._flows.set()

    async def close(self) -> None:
        """Cut everything and take no more."""
        if self._server is not None:
            self._server.close()
        self.cut()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        with suppress(OSError):
            there = await self._reach()
            self._ends.add(there[1])
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, there[1]))
                both.create_task(self._pump(there[0], writer))
            self._ends.discard(there[1])
        writer.close()
        self._ends.discard(writer)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._socket is not None:
            return await asyncio.open_unix_connection(self._socket)
        return await asyncio.open_connection("127.0.0.1", self._url.port)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(65_536):
                await self._flows.wait()
                sink.write(piece)
                await sink.drain()
        sink.close()


def _over_tcp(url: SplitResult) -> tuple[str | None, SplitResult]:
    """The Unix socket that a store's URL leads to, None when it leads to a port; and that URL
    without it."""
    if url.scheme == "unix":
        return unquote(url.path), url._replace(scheme="redis", path="")
    options = dict(parse_qsl(url.query))
    folder, port = options.pop("host", None), options.pop("port", None)
    path = None if folder is None else f"{folder}/.s.PGSQL.{port}"
    return path, url._replace(query=urlencode(options))
