"""The overview, computed once for everybody who watches it, and not at all while nobody does."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from core import postgres, valkey
from core.errors import QuiverError, UnavailableError
from core.log import get_logger
from core.schema.admin import Overview

EVERY_S = 2.0
WATCHERS_AT_MOST = 200
# An overview that is no older than this is shown again rather than computed again.
FRESH_S = 1.0
TROUBLE = "event: trouble\ndata: a store is not reachable just now: this may be out of date\n\n"
FAULTS = (*postgres.LOST, *valkey.LOST, RedisError, QuiverError)

log = get_logger(__name__)


class Broadcast:
    """Tells all who watch, every `EVERY_S` seconds.

    Args:
        overview: Computes it.
    """

    def __init__(self, overview: Callable[[], Awaitable[Overview]]) -> None:
        self._overview = overview
        self._said = ""
        self._number = 0
        self._news = asyncio.Condition()
        self._teller: asyncio.Task[None] | None = None
        self._last: Overview | None = None
        self._last_at = 0.0
        self._lock = asyncio.Lock()
        self._is_over = False
        self.watchers = 0

    async def latest(self, *, is_now: bool = False) -> Overview:
        """The overview, as it was a second ago at most, or as it is now."""
        since = time.monotonic() if is_now else time.monotonic() - FRESH_S
        async with self._lock:
            if self._last is None or self._last_at < since:
                begun_at = time.monotonic()
                self._last = await self._overview()
                self._last_at = begun_at
            return self._last

    def check_room(self) -> None:
        """Refuse one too many.

        Raises:
            UnavailableError: As many watch as may.
        """
        if self.watchers >= WATCHERS_AT_MOST:
            raise UnavailableError("too many watch already: close a tab", 10)

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Count as somebody who watches."""
        self.watchers += 1
        if self._teller is None or self._teller.done():
            self._teller = asyncio.create_task(self._tell(), name="overview")
        try:
            yield
        finally:
            self.watchers -= 1
            if not self.watchers and self._teller is not None:
                self._teller.cancel()
                self._teller = None

    async def told(self) -> AsyncIterator[str]:
        """What is told, as the frames of an event stream; who is slow misses some, and no more."""
        heard = 0
        while not self._is_over:
            async with self._news:
                await self._news.wait_for(lambda: self._is_over or self._number > heard)
                heard, said = self._number, self._said
            yield said

    async def end(self) -> None:
        """Tell nothing more: the process ends."""
        async with self._news:
            self._is_over = True
            self._news.notify_all()

    async def _tell(self) -> None:
        while True:
            said = await self._frame()
            async with self._news:
                self._said, self._number = said, self._number + 1
                self._news.notify_all()
            await asyncio.sleep(EVERY_S)

    async def _frame(self) -> str:
        try:
            found = await self.latest()
        except FAULTS as error:
            log.warning("no overview just now", error=type(error).__name__)
            return TROUBLE
        return f"event: overview\ndata: {found.model_dump_json()}\n\n"
