"""What comes of the requests of a load."""

import asyncio

import pytest

from bench.load.begin import Begin
from bench.load.sender import Request, Sender
from bench.load.tally import Tally
from tests.bench.test_line import Say, talking


def answer(status: str, body: bytes) -> bytes:
    """As a server says it."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


TAKEN = answer("202 Accepted", b'{"data":{"accepted":2}}')
PARTLY = answer("202 Accepted", b'{"data":{"accepted":1}}')
WRONG = answer("422 Unprocessable", b'{"errors":["no"]}')
BUSY = answer("503 Unavailable", b"{}")


def saying(*answers: bytes) -> Say:
    """One after the other; nothing: the connection ends."""
    left = list(answers)

    async def say(_: bytes, writer: asyncio.StreamWriter) -> None:
        if said := left.pop(0):
            writer.write(said)
        else:
            writer.close()

    return say


async def sent(*answers: bytes) -> Tally:
    """What is counted of a request of two events, by what the server says."""
    tally = Tally()
    async with talking(saying(*answers)) as (lines, _):
        sender = Sender(lines, Begin.after(0.0), tally)
        await sender.on_schedule([Request(0.0, b"{}", 2)], tally.answers_ms)
    assert len(tally.answers_ms) == 1
    return tally


async def test_what_is_taken_counts() -> None:
    tally = await sent(TAKEN)
    assert (tally.sent, tally.refused) == (2, [])


async def test_who_is_sent_away_comes_again() -> None:
    tally = await sent(BUSY, BUSY, TAKEN)
    assert (tally.sent, tally.refused, tally.sent_away) == (2, [], 2)


@pytest.mark.parametrize("said", [PARTLY, WRONG, b""])
async def test_what_is_not_taken_as_it_was_sent_is_told(said: bytes) -> None:
    tally = await sent(said)
    assert tally.sent == 0 and len(tally.refused) == 1
