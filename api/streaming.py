"""A viewer's WebSocket, from the upgrade to its end."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import WebSocket, WebSocketDisconnect

from api.replay import PAGE, Overtaken, read_page
from api.viewer import Viewer, ViewerEnded
from api.wire import EXTENSION, message_of
from core.feed import Feed
from core.log import get_logger
from core.schema.live import heartbeat_text
from core.tasks import first_of
from core.valkey import LOST

POLICY_VIOLATION = 1008
RESTART = 1012
TRY_AGAIN_LATER = 1013

# More messages than this within so many seconds, and a client is talking, which it must not.
CHATTER_MESSAGES = 20
CHATTER_WINDOW_S = 10.0
# Heartbeats that a client may leave unread before it counts as gone.
UNREAD_BEATS = 3
CLOSE_WITHIN_S = 5.0
# So many a slow viewer may have on their way, besides those that wait.
TOLD_AT_ONCE = 32

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stream:
    """What a viewer is sent over an accepted WebSocket.

    Args:
        websocket: Accepted already.
        viewer: Has joined the hub already.
        feed: Holds what was published before that.
        heartbeat_s: Seconds between heartbeats.
        pause_s: How long to hold back what comes right after what was sent.
    """

    websocket: WebSocket
    viewer: Viewer
    feed: Feed
    heartbeat_s: float
    pause_s: Callable[[], float]

    async def run(self) -> None:
        """Send how the session stands and everything after it, until either side has enough."""
        said = await first_of(self._listen(), self._send(), self._beat())
        codes = [code for code in said if code is not None]
        if len(codes) == len(said):
            await self._close(codes[0])

    async def _listen(self) -> int | None:
        """Until they leave (None), or have said too much (the code to close with)."""
        loop = asyncio.get_running_loop()
        said: deque[float] = deque(maxlen=CHATTER_MESSAGES + 1)
        while True:
            message = await self.websocket.receive()
            if message["type"] == "websocket.disconnect":
                return None
            said.append(loop.time())
            if len(said) > CHATTER_MESSAGES and said[-1] - said[0] <= CHATTER_WINDOW_S:
                return POLICY_VIOLATION

    async def _send(self) -> int | None:
        """Until they have left (None), or are to be closed with a code."""
        try:
            await self._open()
            await self._replay(self.viewer.cursor)
            while True:
                await self._tell(await self.viewer.next(TOLD_AT_ONCE))
                # The more there are, the more is told to each at once.
                await asyncio.sleep(self.pause_s())
        except ViewerEnded as ended:
            return ended.code
        except WebSocketDisconnect:
            return None
        except Overtaken:
            return RESTART
        except LOST:
            return TRY_AGAIN_LATER

    async def _tell(self, texts: Sequence[str]) -> None:
        """Send some, in one piece where the server can."""
        if EXTENSION in self.websocket.scope.get("extensions", {}):
            await self.websocket.send(message_of(texts))
            return
        for text in texts:
            await self.websocket.send_text(text)

    async def _open(self) -> None:
        snapshot = self.viewer.take_snapshot()
        if snapshot is not None:
            await self.websocket.send_text(snapshot)

    async def _replay(self, cursor: str) -> None:
        """What the buffer has after the cursor; the viewer's queue has the rest."""
        while True:
            page = await read_page(self.feed, self.viewer.session_id, cursor)
            is_last = len(page) < PAGE
            cursor = page[-1].cursor if page else cursor
            if is_last:
                self.viewer.go_live(cursor)
            for message in page:
                if self.viewer.wants(message):
                    await self.websocket.send_text(message.text)
            if is_last:
                return

    async def _beat(self) -> int | None:
        unread = 0
        while unread < UNREAD_BEATS:
            await asyncio.sleep(self.heartbeat_s)
            is_read = self.viewer.beat(heartbeat_text(datetime.now(UTC)))
            unread = 0 if is_read else unread + 1
        log.info("viewer reads nothing any more, given up")
        return None

    async def _close(self, code: int) -> None:
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self.websocket.close(code)
        except (WebSocketDisconnect, TimeoutError):
            return
