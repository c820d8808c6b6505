"""Requests on connections that stay open."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bench.load import line
from bench.load.line import Lines, open_lines

OK = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok"

type Say = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """What was asked on which connection."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.asked: list[list[bytes]] = []

    async def attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one after the other."""
        asked: list[bytes] = []
        self.asked.append(asked)
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
            asked.append(head + await reader.readexactly(length))
            await self.say(asked[-1], writer)


@asynccontextmanager
async def talking(say: Say, limit: int = 4) -> AsyncIterator[tuple[Lines, Server]]:
    """Connections to a server that says something to each request."""
    told = Server(say)
    ended: list[asyncio.Task[None]] = []

    def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(asyncio.create_task(told.attend(reader, writer)))

    server = await asyncio.start_server(attend, "127.0.0.1")
    host, port = server.sockets[0].getsockname()
    async with open_lines(f"http://{host}:{port}", "secret", limit) as lines:
        yield lines, told
    server.close()
    for each in ended:
        each.cancel()
    await asyncio.gather(*ended, return_exceptions=True)


async def say_ok(_: bytes, writer: asyncio.StreamWriter) -> None:
    """An answer in one piece."""
    writer.write(OK)


async def test_a_request_is_one_and_its_answer_comes_back() -> None:
    async with talking(say_ok) as (lines, server):
        assert await lines.post("/there", b'{"a":1}') == (202, b"ok")
    head, _, body = server.asked[0][0].partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    assert (first, body) == ("POST /there HTTP/1.1", b'{"a":1}')
    assert {"Authorization: Bearer secret", "Content-Type: application/json"} <= set(fields)


async def test_one_after_the_other_goes_over_the_same_connection() -> None:
    async with talking(say_ok) as (lines, server):
        assert [await lines.post("/", b"%d" % n) for n in range(3)] == [(202, b"ok")] * 3
    assert [len(asked) for asked in server.asked] == [3]


async def test_an_answer_may_come_in_pieces() -> None:
    async def say(_: bytes, writer: asyncio.StreamWriter) -> None:
        for at in range(len(OK)):
            writer.write(OK[at : at + 1])
            await writer.drain()

    async with talking(say) as (lines, _):
        assert [await lines.post("/", b"") for _ in range(2)] == [(202, b"ok")] * 2


async def test_no_more_connections_than_the_limit_are_made() -> None:
    async with talking(say_ok, limit=2) as (lines, server):
        assert await asyncio.gather(*(lines.post("/", b"") for _ in range(9))) == [(202, b"ok")] * 9
    assert len(server.asked) <= 2 and sum(map(len, server.asked)) == 9


async def test_where_the_server_ends_the_connection_the_next_has_another() -> None:
    async def say(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        writer.close()

    async with talking(say) as (lines, server):
        assert [await lines.post("/", b"") for _ in range(2)] == [(202, b"ok")] * 2
    assert [len(asked) for asked in server.asked] == [1, 1]


async def test_what_is_sent_just_when_an_idle_connection_ends_is_sent_again() -> None:
    async def say(asked: bytes, writer: asyncio.StreamWriter) -> None:
        if asked.endswith(b"second") and len(told.asked) == 1:
            writer.close()
        else:
            writer.write(OK)

    async with talking(say) as (lines, told):
        assert await lines.post("/", b"first") == (202, b"ok")
        assert await lines.post("/", b"second") == (202, b"ok")
    assert [len(asked) for asked in told.asked] == [2, 1]


async def test_an_answer_that_never_comes_is_a_lost_connection() -> None:
    async def say(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with talking(say) as (lines, _):
        with pytest.raises(ConnectionError):
            await lines.post("/", b"")


async def test_a_late_answer_is_not_taken_for_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def say(asked: bytes, writer: asyncio.StreamWriter) -> None:
        if not asked.endswith(b"never"):
            writer.write(OK)

    async with talking(say) as (lines, server):
        monkeypatch.setattr(line, "GIVE_UP_S", 0.05)
        with pytest.raises(TimeoutError):
            await lines.post("/", b"never")
        monkeypatch.setattr(line, "GIVE_UP_S", 60.0)
        assert await lines.post("/", b"") == (202, b"ok")
    assert [len(asked) for asked in server.asked] == [1, 1]


async def test_where_nobody_listens_there_is_no_connection() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with open_lines(f"http://127.0.0.1:{port}", "secret", 1) as lines:
        with pytest.raises(ConnectionError):
            await lines.post("/", b"")
