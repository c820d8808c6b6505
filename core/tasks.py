"""Work done side by side."""

import asyncio
from collections.abc import Coroutine
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
