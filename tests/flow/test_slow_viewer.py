"""A viewer that does not read: it loses its own oldest frames, and nobody else notices."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection, connect

from core.feed import Feed, Frame
from core.postgres import Pool
from core.settings import Settings
from tests.butts import Butts, set_up
from tests.serving import Served, receive, serving, viewing

QUEUE = 20
# More than the buffers on the way can take in.
SIZE = 20_000
NUMBER = 1_500


@asynccontextmanager
async def stalled(served: Served, butts: Butts) -> AsyncIterator[ClientConnection]:
    """A viewer whose socket takes in little while nobody receives from it."""
    host, port = served.url.removeprefix("http://").split(":")
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect((host, int(port)))
    address = f"ws://{host}:{port}/api/v0/ws/session/{butts.session_id}"
    async with connect(address, sock=narrow, max_queue=1, compression=None) as viewer:
        yield viewer


async def publish_and_read(
    feed: Feed, butts: Butts, reader: ClientConnection, numbers: range
) -> list[int]:
    """Publish large messages one by one, each as soon as the reader has the one before."""
    told: list[int] = []
    for number in numbers:
        data = {"n": number, "padding": "x" * SIZE}
        await feed.publish([Frame(butts.session_id, "shot.updated", data)])
        told.append((await receive(reader))["data"]["n"])
    return told


async def read_to(viewer: ClientConnection, last: int) -> list[int]:
    """The numbers up to the last, as the viewer is told them."""
    told: list[int] = []
    while not told or told[-1] != last:
        told.append((await receive(viewer))["data"]["n"])
    return told


async def test_a_stalled_viewer_loses_only_its_own_oldest_frames(
    settings: Settings, pool: Pool, valkey: Redis
) -> None:
    feed = Feed(valkey, length=10)
    async with pool.acquire() as conn:
        butts = await set_up(conn)
    with capture_logs() as logs:
        async with serving(settings.model_copy(update={"quiver_client_queue": QUEUE})) as served:
            async with (
                stalled(served, butts) as slow,
                viewing(served.url, butts.session_id) as fast,
            ):
                await receive(slow)
                await receive(fast)
                told_fast = await publish_and_read(feed, butts, fast, range(NUMBER))
                told_slow = await read_to(slow, NUMBER - 1)
    assert told_fast == list(range(NUMBER))
    assert len(told_slow) < NUMBER
    assert told_slow == sorted(set(told_slow))
    assert told_slow[-QUEUE:] == list(range(NUMBER - QUEUE, NUMBER))
    warnings = [log["event"] for log in logs if log["log_level"] == "warning"]
    assert warnings == ["slow viewer loses its oldest frames"]
