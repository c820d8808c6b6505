"""The hub, told to begin only after things were published: as if it had lost its subscription."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from api.hub import Hub
from api.viewer import Viewer, ViewerEnded
from core.feed import Feed, Frame
from core.settings import Settings
from core.valkey import open_valkey

QUEUE = 2_000


@asynccontextmanager
async def started(hub: Hub) -> AsyncIterator[None]:
    """The hub while it listens."""
    await hub.start()
    try:
        yield
    finally:
        await hub.stop()


def frames(session_id: UUID, numbers: range) -> Sequence[Frame]:
    """Messages that carry their number."""
    return [Frame(session_id, "shot.updated", {"n": number}) for number in numbers]


async def told(viewer: Viewer, number: int) -> list[int]:
    """The numbers of so many messages."""
    async with asyncio.timeout(10):
        texts = [text for _ in range(number) for text in await viewer.next()]
    return [int(text.rpartition('"n":')[2].strip("}")) for text in texts]


def viewer_of(session_id: UUID, cursor: str) -> Viewer:
    """A viewer who had everything up to the cursor."""
    viewer = Viewer(session_id, None, cursor, queue_length=QUEUE)
    viewer.go_live(cursor)
    return viewer


async def test_what_was_published_before_it_listened_is_handed_on(
    settings: Settings, valkey: Redis
) -> None:
    session_id, feed = uuid4(), Feed(valkey, length=10_000)
    hub = Hub(open_valkey(settings, size=2), queue_length=QUEUE)
    viewer = viewer_of(session_id, "0-0")
    with hub.joined(viewer):
        await feed.publish(frames(session_id, range(1200)))
        async with started(hub):
            assert await told(viewer, 1200) == list(range(1200))


async def test_each_viewer_goes_on_from_its_own_cursor(settings: Settings, valkey: Redis) -> None:
    session_id, feed = uuid4(), Feed(valkey, length=10_000)
    hub = Hub(open_valkey(settings, size=2), queue_length=QUEUE)
    await feed.publish(frames(session_id, range(5)))
    behind = viewer_of(session_id, await feed.cursor(session_id))
    await feed.publish(frames(session_id, range(5, 10)))
    ahead = viewer_of(session_id, await feed.cursor(session_id))
    with hub.joined(behind), hub.joined(ahead):
        await feed.publish(frames(session_id, range(10, 15)))
        async with started(hub):
            assert await told(behind, 10) == list(range(5, 15))
            assert await told(ahead, 5) == list(range(10, 15))


async def test_viewers_begin_anew_when_the_buffer_does_not_reach_back(
    settings: Settings, valkey: Redis
) -> None:
    session_id, feed = uuid4(), Feed(valkey, length=10)
    hub = Hub(open_valkey(settings, size=2), queue_length=QUEUE)
    await feed.publish(frames(session_id, range(1)))
    viewer = viewer_of(session_id, await feed.cursor(session_id))
    with hub.joined(viewer):
        await feed.publish(frames(session_id, range(1, 1000)))
        async with started(hub):
            with pytest.raises(ViewerEnded) as ended:
                await told(viewer, 1)
    assert ended.value.code == 1012


async def test_one_session_that_begins_anew_does_not_hold_up_another(
    settings: Settings, valkey: Redis
) -> None:
    lost, whole, feed = uuid4(), uuid4(), Feed(valkey, length=10)
    hub = Hub(open_valkey(settings, size=2), queue_length=QUEUE)
    await feed.publish(frames(lost, range(1)))
    await feed.publish(frames(whole, range(1)))
    unlucky = viewer_of(lost, await feed.cursor(lost))
    lucky = viewer_of(whole, await feed.cursor(whole))
    with hub.joined(unlucky), hub.joined(lucky):
        await feed.publish(frames(lost, range(1, 1000)))
        await feed.publish(frames(whole, range(1, 3)))
        async with started(hub):
            assert await told(lucky, 2) == [1, 2]


async def test_viewers_are_counted_while_they_watch(settings: Settings) -> None:
    hub = Hub(open_valkey(settings, size=2), queue_length=QUEUE)
    with hub.joined(viewer_of(uuid4(), "0-0")):
        assert hub.viewers == 1
    assert hub.viewers == 0


async def test_it_waits_for_a_valkey_that_is_not_there_yet(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    hub = Hub(open_valkey(nowhere, size=2), queue_length=QUEUE)
    viewer = viewer_of(uuid4(), "0-0")
    with hub.joined(viewer):
        async with started(hub):
            assert hub.viewers == 1
        with pytest.raises(ViewerEnded):
            await viewer.next()
