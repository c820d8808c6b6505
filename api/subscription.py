"""A subscription to the feed that outlives every loss of Valkey."""

import asyncio
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from core.feed import CHANNEL, Message, parse
from core.log import get_logger
from core.valkey import LOST

# Silence after which Valkey is asked whether it is still there.
QUIET_S = 5.0
FIRST_DELAY_S = 0.05
LONGEST_DELAY_S = 2.0

log = get_logger(__name__)


class Subscription:
    """Reads the feed's channel.

    Args:
        valkey: Where it is.
        on_begin: Awaited whenever the subscription holds, the first time and after every loss,
            before any message that follows: what was published in between has to be found
            elsewhere. The client may mend a connection without a word, but not without
            subscribing again.
        on_message: Called with every message; must not wait.
    """

    def __init__(
        self,
        valkey: Redis,
        *,
        on_begin: Callable[[], Awaitable[None]],
        on_message: Callable[[Message], None],
    ) -> None:
        self._valkey = valkey
        self._on_begin = on_begin
        self._on_message = on_message
        self._reader: asyncio.Task[None] | None = None
        self._is_stopped = False

    def start(self) -> None:
        """Begin to read; Valkey need not be there yet."""
        if not self._is_stopped:
            self._reader = asyncio.create_task(self._read(), name="subscription")
            self._reader.add_done_callback(self._start_again)

    async def stop(self) -> None:
        """Read no more."""
        self._is_stopped = True
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    def _start_again(self, ended: asyncio.Task[None]) -> None:
        # Only a bug ends the reader by itself; viewers that hear nothing any more would be worse.
        if not ended.cancelled():
            log.error("the feed's reader failed, starting it again", exc_info=ended.exception())
            ended.get_loop().call_later(LONGEST_DELAY_S, self.start)

    async def _read(self) -> None:
        delay = FIRST_DELAY_S
        while True:
            try:
                async with self._valkey.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    while True:
                        await self._take(channel)
                        delay = FIRST_DELAY_S
            except (*LOST, RedisError) as error:
                log.warning("feed lost, connecting again", error=str(error), delay_s=delay)
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY_S)

    async def _take(self, channel: PubSub) -> None:
        said = await channel.get_message(timeout=QUIET_S)
        if said is None:
            await channel.ping()
            said = await channel.get_message(timeout=QUIET_S)
            if said is None:
                raise TimeoutError("no answer to a ping")
        if said["type"] == "subscribe":
            await self._on_begin()
        elif said["type"] == "message":
            self._receive(said["data"])

    def _receive(self, published: bytes) -> None:
        try:
            self._on_message(parse(published))
        except ValueError:
            log.warning("not a message of ours", channel=CHANNEL, start=repr(published[:80]))
