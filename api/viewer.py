"""A viewer's own queue: whoever fills it never waits, whoever is slow loses their oldest frames."""

import asyncio
from collections import deque
from uuid import UUID

from core.feed import Message, cursor_order
from core.log import get_logger

type Order = tuple[int, int]

# Operators look for it, and so does the benchmark of viewers.
LOSES = "slow viewer loses its oldest frames"

log = get_logger(__name__)


class ViewerEnded(Exception):
    """There is nothing more to send.

    Args:
        code: The close code of the WebSocket (RFC 6455, section 7.4).
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"ended with {code}")
        self.code = code


class Viewer:
    """What waits to be sent to one viewer.

    Args:
        session_id: The session they watch.
        target_id: The only target they want to hear of; None: all.
        cursor: What they know already; only what comes after it is queued.
        snapshot: The first frame's text, as of the cursor; None: they begin without.
        queue_length: Frames that wait at most.
    """

    def __init__(
        self,
        session_id: UUID,
        target_id: UUID | None,
        cursor: str,
        *,
        snapshot: str | None = None,
        queue_length: int,
    ) -> None:
        self.session_id = session_id
        self.cursor = cursor
        self.reached: Order = cursor_order(cursor)
        self._snapshot = snapshot
        self._target_id = None if target_id is None else str(target_id)
        self._queue_length = queue_length
        self._waiting: deque[tuple[Order, str]] = deque()
        self._beat: str | None = None
        self._end: int | None = None
        self._is_live = False
        self._lost_to: Order = self.reached
        self._lost = 0
        self._ready = asyncio.Event()

    def take_snapshot(self) -> str | None:
        """The first frame's text, once: it is large, and is not kept while they watch."""
        snapshot, self._snapshot = self._snapshot, None
        return snapshot

    def wants(self, message: Message) -> bool:
        """Whether it concerns them."""
        return self._target_id is None or message.target_id in (None, self._target_id)

    def offer(self, message: Message, order: Order) -> None:
        """Queue a message unless they had it before; past the queue's length the oldest goes.

        Args:
            message: The next of the session's feed.
            order: Its cursor's.
        """
        if order <= self.reached:
            return
        self.reached = order
        if not self.wants(message):
            return
        self._waiting.append((order, message.text))
        if len(self._waiting) > self._queue_length:
            self._lost_to, _ = self._waiting.popleft()
            self._note_loss()
        self._ready.set()

    def beat(self, text: str) -> bool:
        """Have a heartbeat sent ahead of the queue.

        Returns:
            Whether the one before has been sent.
        """
        is_taken = self._beat is None
        self._beat = text
        self._ready.set()
        return is_taken

    def end(self, code: int) -> None:
        """Have them sent nothing more and closed with this code; the first code counts."""
        if self._end is None:
            self._end = code
        self._ready.set()

    def go_live(self, cursor: str) -> None:
        """Leave out what they were sent from the buffer meanwhile.

        Args:
            cursor: The last that they were sent, or will be before they ask for the next.
        """
        sent = cursor_order(cursor)
        self.reached = max(self.reached, sent)
        while self._waiting and self._waiting[0][0] <= sent:
            self._waiting.popleft()
        self._is_live = True
        if self._lost_to > sent:
            self._note_loss()

    async def next(self, at_most: int = 1) -> list[str]:
        """The next texts to send, as soon as there is one.

        Raises:
            ViewerEnded: They are to be closed.
        """
        while True:
            if self._end is not None:
                raise ViewerEnded(self._end)
            if self._beat is not None:
                text, self._beat = self._beat, None
                return [text]
            if self._waiting:
                count = min(at_most, len(self._waiting))
                texts = [self._waiting.popleft()[1] for _ in range(count)]
                self._end_spell()
                return texts
            self._ready.clear()
            await self._ready.wait()

    def _note_loss(self) -> None:
        # Until they are live, what is lost here still comes to them from the buffer.
        if not self._is_live:
            return
        self._lost += 1
        if self._lost == 1:
            log.warning(
                LOSES,
                resource={"type": "session", "id": str(self.session_id)},
                queue_length=self._queue_length,
            )

    def _end_spell(self) -> None:
        if self._lost and not self._waiting:
            log.info(
                "slow viewer caught up",
                resource={"type": "session", "id": str(self.session_id)},
                frames_lost=self._lost,
            )
            self._lost = 0
