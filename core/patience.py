"""Waiting for a store, but only so long."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Patience:
    """Asks a store, and does not wait for ever for what it answers.

    A question that took too long goes on by itself. Until it ends the store counts as silent and is
    asked nothing else: more questions would pile up before it, and each would keep somebody
    waiting.

    Args:
        within_s: Seconds that an answer may take.
    """

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._open: set[asyncio.Task[Any]] = set()
        self._late: set[asyncio.Task[Any]] = set()

    async def ask[T](self, question: Coroutine[Any, Any, T]) -> T:
        """What comes of a question, or what it fails with.

        Raises:
            TimeoutError: The store is silent.
        """
        if self._late:
            question.close()
            raise TimeoutError("the store was silent a moment ago, and still is")
        asked = asyncio.create_task(question)
        self._open.add(asked)
        asked.add_done_callback(self._close)
        await asyncio.wait({asked}, timeout=self._within_s)
        if asked.done():
            return asked.result()
        self._late.add(asked)
        raise TimeoutError(f"the store did not answer within {self._within_s:g} s")

    def _close(self, asked: asyncio.Task[Any]) -> None:
        self._open.discard(asked)
        self._late.discard(asked)
        if not asked.cancelled():
            # Whoever asked may have gone: then nobody else looks at what it failed with.
            asked.exception()
