"""One subscription for the whole process, handed on to every viewer without ever waiting for one.

A connection to Valkey may be lost at any time. Whatever was published meanwhile is in the sessions'
streams, so when the subscription holds again, what the viewers have not had yet is read there; each
leaves out what it knows.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import Redis

from api.replay import PAGE, Overtaken, read_page
from api.subscription import Subscription
from api.viewer import Viewer
from core.feed import Feed, Message, cursor_order
from core.log import get_logger

# What each viewer of a crowd adds to the time for which what follows a frame is held back, so that
# all of it is told in one piece: a turn for each viewer costs more than what is told.
PAUSE_PER_VIEWER_S, LONGEST_PAUSE_S = 60e-6, 0.1

GOING_AWAY = 1001
RESTART = 1012

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
        self._count = 0
        self._subscription = Subscription(valkey, on_begin=self._catch_up, on_message=self._hand_on)

    @property
    def viewers(self) -> int:
        """How many watch."""
        return self._count

    def pause_s(self) -> float:
        """How long to hold back from a viewer what comes right after what they were sent."""
        return min(PAUSE_PER_VIEWER_S * self.viewers, LONGEST_PAUSE_S)

    async def start(self) -> None:
        """Begin to listen; Valkey need not be there yet."""
        self._subscription.start()

    async def stop(self) -> None:
        """End all viewers and stop listening."""
        for session_id in self._viewers:
            self._end(session_id, GOING_AWAY)
        await self._subscription.stop()
        await self._valkey.aclose()

    @contextmanager
    def joined(self, viewer: Viewer) -> Iterator[None]:
        """Hand the viewer everything published from now on, while this lasts.

        What was published between its cursor and now it must read from the stream, after joining.
        """
        session_id = str(viewer.session_id)
        self._viewers[session_id].add(viewer)
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
            self._viewers[session_id].discard(viewer)
            if not self._viewers[session_id]:
                del self._viewers[session_id]

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
                log.warning(
                    "the buffer does not reach back far enough, viewers begin anew",
                    resource={"type": "session", "id": session_id},
                )
                self._end(session_id, RESTART)

    async def _catch_up_session(self, session_id: str) -> None:
        viewers = self._viewers.get(session_id)
        if not viewers:
            return
        farthest_behind = min(viewers, key=lambda viewer: viewer.reached)
        milliseconds, sequence = farthest_behind.reached
        cursor = f"{milliseconds}-{sequence}"
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
