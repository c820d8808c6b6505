"""What the sessions' streams say of who reads on in them."""

from uuid import UUID

import pytest
from redis.asyncio import Redis

from core.feed import BEFORE_THE_FIRST, Feed, Frame
from core.settings import Settings
from core.valkey import open_valkey

SESSION = UUID(int=1)


@pytest.mark.parametrize("answered", range(3))
async def test_a_first_message_that_comes_while_it_is_asked_leaves_no_gap(
    settings: Settings, valkey: Redis, monkeypatch: pytest.MonkeyPatch, answered: int
) -> None:
    """However many questions were answered before it came."""
    published = Feed(valkey, length=10)
    async with open_valkey(settings) as asking:
        pool = asking.connection_pool
        get_connection, asked = pool.get_connection, 0

        async def interrupted() -> object:
            nonlocal asked
            if asked == answered:
                await published.publish([Frame(SESSION, "shot.updated", {})])
            asked += 1
            return await get_connection()

        monkeypatch.setattr(pool, "get_connection", interrupted)
        assert await Feed(asking, length=10).holds(SESSION, BEFORE_THE_FIRST)
