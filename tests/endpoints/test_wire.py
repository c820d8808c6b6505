"""Frames made once for all viewers."""

import pytest
from redis.asyncio import Redis
from websockets.client import ClientProtocol
from websockets.frames import Frame as Frame_
from websockets.frames import Opcode
from websockets.protocol import OPEN, Side
from websockets.uri import parse_uri

from api.wire import framed, message_of
from core.feed import Feed, Frame
from core.postgres import Pool
from core.settings import Settings
from tests.butts import set_up
from tests.serving import receive, receive_many, serving, viewing


def understood(said: bytes) -> list[tuple[Opcode, bytes]]:
    """What a client of another make reads."""
    client = ClientProtocol(parse_uri("ws://quiver"), state=OPEN)
    assert client.side is Side.CLIENT
    client.receive_data(said)
    found = [each for each in client.events_received() if isinstance(each, Frame_)]
    return [(frame.opcode, bytes(frame.data)) for frame in found]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_a_client_reads_what_was_written(size: int) -> None:
    text = "ü" * (size // 2) + "x" * (size % 2)
    assert understood(framed(text)) == [(Opcode.TEXT, text.encode())]


def test_several_are_written_in_one_piece() -> None:
    said = message_of(["one", "two"])["frames"]
    assert understood(said) == [(Opcode.TEXT, b"one"), (Opcode.TEXT, b"two")]


async def test_a_crowd_is_told_all_in_order(settings: Settings, pool: Pool, valkey: Redis) -> None:
    feed = Feed(valkey, length=100)
    async with pool.acquire() as conn:
        butts = await set_up(conn)
    frames = [Frame(butts.session_id, "shot.updated", {"n": n}) for n in range(40)]
    async with serving(settings) as served:
        async with (
            viewing(served.url, butts.session_id) as one,
            viewing(served.url, butts.session_id) as other,
        ):
            for viewer in (one, other):
                await receive(viewer)
            for frame in frames:
                await feed.publish([frame])
            for viewer in (one, other):
                told = await receive_many(viewer, 40)
                assert [frame["data"]["n"] for frame in told] == list(range(40))
