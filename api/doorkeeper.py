"""Whom the API knows: tokens and readers, remembered until either changes.

Every message of a reader shows a token and names readers, and these hardly ever change. PostgreSQL
tells of each change as it is committed; while nobody listens for that, nothing is remembered. A
process that makes a change itself forgets before it answers; another one as soon as it is told.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from time import monotonic
from uuid import UUID

import asyncpg

from core.log import get_logger
from core.models.reader_lookup import KnownReader, select_known_readers
from core.models.token import Principal, hash_token, select_principal
from core.postgres import LOST, Connection, Pool

# Said by triggers on `token`, `reader` and `reader_binding`.
CHANNEL = "quiver_acquaintance"
# A binding that begins later is known by then; it only chooses the way that an event takes.
FORGET_EVERY_S = 600.0
MOST_KNOWN = 50_000
LOOK_EVERY_S = 1.0

log = get_logger(__name__)


class Doorkeeper:
    """Remembers tokens and readers.

    Args:
        pool: Where they are looked up.
        ears: Where changes are heard of: a connection of this is kept, and nobody waits for it.
    """

    def __init__(self, pool: Pool, ears: Pool) -> None:
        self._pool, self._ears = pool, ears
        self._callers: dict[bytes, Principal] = {}
        self._readers: dict[UUID, KnownReader] = {}
        self._forgotten_at = monotonic()
        self._is_listening = False
        # Grows when something changed: what was read before that is not remembered.
        self._changes = 0

    def forget(self, *_: object) -> None:
        """Something changed: look everything up anew."""
        self._changes += 1
        self._callers.clear()
        self._readers.clear()
        self._forgotten_at = monotonic()

    async def caller(self, token: str) -> Principal | None:
        """Whose token this is; None when it is unknown or revoked."""
        self._age()
        key = hash_token(token)
        known = self._callers.get(key)
        if known is not None:
            return known
        changes = self._changes
        async with self._pool.acquire() as conn:
            found = await select_principal(conn, token)
        if found is not None and self._is_listening and changes == self._changes:
            self._callers[key] = found
        return found

    async def readers(self, ids: Collection[UUID], at: datetime) -> dict[UUID, KnownReader]:
        """Those of the readers that exist and are not retired, by id."""
        known = {reader: self._readers[reader] for reader in ids if reader in self._readers}
        unknown = [reader for reader in ids if reader not in known]
        if not unknown:
            return known
        changes = self._changes
        async with self._pool.acquire() as conn:
            found = await select_known_readers(conn, unknown, at)
        if self._is_listening and changes == self._changes:
            self._readers |= found
        return known | found

    def _age(self) -> None:
        is_full = len(self._callers) + len(self._readers) > MOST_KNOWN
        if is_full or monotonic() - self._forgotten_at > FORGET_EVERY_S:
            self.forget()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear of changes meanwhile, and remember."""
        task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _listen(self) -> None:
        while True:
            try:
                async with self._ears.acquire() as conn:
                    await self._hear(conn)
            except (*LOST, asyncpg.InterfaceError) as error:
                log.warning("changes of tokens and readers are not heard", error=repr(error))
            finally:
                self._is_listening = False
                self.forget()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _hear(self, conn: Connection) -> None:
        """Listen until the line is lost."""
        await conn.add_listener(CHANNEL, self.forget)
        try:
            self.forget()
            self._is_listening = True
            while not conn.is_closed():
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self._is_listening = False
            # A lost connection may have been taken back by its pool already. What that raises must
            # not take the place of what ends us.
            with suppress(*LOST, asyncpg.InterfaceError):
                if not conn.is_closed():
                    await conn.remove_listener(CHANNEL, self.forget)
