"""A tap in a TCP line: whoever has it can cut all connections that run through it, or have them
fall silent."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit


class Tap:
    """Forwards connections to a port of this machine.

    Args:
        url: What is reached through it.
    """

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
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
            there = await asyncio.open_connection("127.0.0.1", self._url.port)
            self._ends.add(there[1])
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, there[1]))
                both.create_task(self._pump(there[0], writer))
            self._ends.discard(there[1])
        writer.close()
        self._ends.discard(writer)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(65_536):
                await self._flows.wait()
                sink.write(piece)
                await sink.drain()
        sink.close()
