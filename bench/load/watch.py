"""Where frames come from: a viewer's WebSocket, and the feed that all viewers hear."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from websockets.asyncio.client import connect

CHANNEL = "quiver:feed"


@asynccontextmanager
async def watching(
    url: str, session_id: str, heard: Callable[[bytes], None]
) -> AsyncIterator[None]:
    """A viewer of a session, from its first frame on."""
    where = f"{url.replace('http', 'ws', 1)}/api/v0/ws/session/{session_id}"
    # Nothing between, and no end of it because the server is busy.
    plain = connect(
        where, max_size=None, max_queue=None, compression=None, proxy=None, ping_interval=None
    )
    async with plain as socket:
        await socket.recv(decode=False)

        async def listen() -> None:
            while True:
                heard(await socket.recv(decode=False))

        async with _meanwhile(listen()):
            yield


@asynccontextmanager
async def listening(redis_url: str, heard: Callable[[bytes], None]) -> AsyncIterator[None]:
    """The feed as API processes hear it: it loses nothing when much comes at once."""
    async with Redis.from_url(redis_url) as valkey, valkey.pubsub() as subscription:
        await subscription.subscribe(CHANNEL)
        await subscription.get_message(timeout=5)

        async def listen() -> None:
            async for message in subscription.listen():
                heard(message["data"])

        async with _meanwhile(listen()):
            yield


@asynccontextmanager
async def _meanwhile(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
