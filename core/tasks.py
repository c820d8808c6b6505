"""Work done side by side, or once for several who want it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any


async def first_of[T](*works: Coroutine[Any, Any, T]) -> list[T]:
    """Do all of it until one part ends, and cancel the others.

    Returns:
        What came of the part that ended; of several, when they ended together.

    Raises:
        Exception: Whatever that part raised.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [task.result() for task in done]


class Shared[K: Hashable, V]:
    """Work that is done once for all who ask for the same while it waits for its turn: nobody gets
    what was begun before they asked.

    Args:
        work: Does it for a key.
    """

    def __init__(self, work: Callable[[K], Awaitable[V]]) -> None:
        self._work = work
        self._begun: dict[K, asyncio.Task[V]] = {}
        self._waiting: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K) -> V:
        """What the work gives.

        Raises:
            Exception: Whatever it raises.
        """
        task = self._waiting.get(key)
        if task is None:
            task = asyncio.create_task(self._do(key, self._begun.get(key)))
            self._waiting[key] = task
            task.add_done_callback(_heed)
        # Whoever has enough does not end it for the others.
        return await asyncio.shield(task)

    async def _do(self, key: K, before: asyncio.Task[V] | None) -> V:
        if before is not None:
            await asyncio.wait({before})
        task = self._begun[key] = self._waiting.pop(key)
        try:
            return await self._work(key)
        finally:
            if self._begun[key] is task:
                del self._begun[key]


def _heed(task: asyncio.Task[Any]) -> None:
    """What it raised is no surprise to anybody, also when all who asked have left."""
    if not task.cancelled():
        task.exception()
