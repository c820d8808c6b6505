"""One subscription for the whole process, handed on to every viewer without ever waiting for one.

A connection to Valkey may be lost at any time, and the client may mend it without a word. Whatever was published
meanwhile is in the sessions' streams, so each confirmed subscription, the first and any later, is followed by
reading there what the viewers have not had yet; each viewer leaves out what it knows.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from api.replay import PAGE, Overtaken, read_page
from api.viewer import Viewer
from core.feed import CHANNEL, Feed, Message, cursor_order, parse
from core.log import get_logger
from core.valkey import LOST

GOING_AWAY = 1001
RESTART = 1012
# Silence after which Valkey is asked whether it is still there.
QUIET_S = 5.0
FIRST_DELAY_S = 0.05
LONGEST_DELAY_S = 2.0

log = get_logger(__name__)


class Hub:
    """The process's viewers and what they are told.

    Args:
        valkey: A client of its own, for the subscription and for reading streams; `stop` closes it.
        queue_length: Frames that wait for a viewer at most.
    """

    def __init__(self, valkey: Redis, *, queue_length: int) -> None:
        self.queue_length = queue_length
        self._valkey = valkey
        # It only reads, so how long streams may grow is not its business.
        self._feed = Feed(valkey, length=queue_length)
        self._viewers: defaultdict[str, set[Viewer]] = defaultdict(set)
        self._reader: asyncio.Task[None] | None = None
        self._is_stopped = False

    @property
    def viewers(self) -> int:
        """How many watch."""
        return sum(len(viewers) for viewers in self._viewers.values())

    async def start(self) -> None:
        """Begin to listen; Valkey need not be there yet."""
        self._listen()

    async def stop(self) -> None:
        """End all viewers and stop listening."""
        for session_id in list(self._viewers):
            self._end(session_id, GOING_AWAY)
        self._is_stopped = True
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._valkey.aclose()

    @contextmanager
    def joined(self, viewer: Viewer) -> Iterator[None]:
        """Hand the viewer everything published from now on, while this lasts.

        What was published between its cursor and now it must read from the stream, after joining.
        """
        session_id = str(viewer.session_id)
        self._viewers[session_id].add(viewer)
        try:
            yield
        finally:
            self._viewers[session_id].discard(viewer)
            if not self._viewers[session_id]:
                del self._viewers[session_id]

    def _listen(self) -> None:
        if not self._is_stopped:
            self._reader = asyncio.create_task(self._read(), name="hub")
            self._reader.add_done_callback(self._listen_again)

    def _listen_again(self, ended: asyncio.Task[None]) -> None:
        # Only a bug ends the reader by itself; viewers that hear nothing any more would be worse.
        if not ended.cancelled():
            log.error("the hub's reader failed, starting it again", exc_info=ended.exception())
            ended.get_loop().call_later(LONGEST_DELAY_S, self._listen)

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
            await self._catch_up()
        elif said["type"] == "message":
            self._receive(said["data"])

    def _receive(self, published: bytes) -> None:
        try:
            self._hand_on(parse(published))
        except ValueError:
            log.warning("not a message of ours", channel=CHANNEL, start=repr(published[:80]))

    def _hand_on(self, message: Message) -> None:
        viewers = self._viewers.get(message.session_id)
        if viewers is None:
            return
        order = cursor_order(message.cursor)
        for viewer in viewers:
            viewer.offer(message, order)

    async def _catch_up(self) -> None:
        for session_id in list(self._viewers):
            try:
                await self._catch_up_session(session_id)
            except Overtaken:
                log.warning("the buffer does not reach back far enough, viewers begin anew")
                self._end(session_id, RESTART)

    async def _catch_up_session(self, session_id: str) -> None:
        viewers = self._viewers.get(session_id)
        if not viewers:
            return
        farthest_behind = min(viewers, key=lambda viewer: viewer.reached)
        cursor = "{}-{}".format(*farthest_behind.reached)
        while True:
            page = await read_page(self._feed, farthest_behind.session_id, cursor)
            for message in page:
                self._hand_on(message)
            if len(page) < PAGE:
                return
            cursor = page[-1].cursor

    def _end(self, session_id: str, code: int) -> None:
        for viewer in self._viewers.get(session_id, ()):
            viewer.end(code)
