"""What a task does stays in it: it can neither end the worker nor keep it for ever."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any

from workers.errors import OverTimeError, is_passing

# A task that was cancelled has so long to come to its end.
GRACE_S = 5.0


class EscapeError(RuntimeError):
    """A task raised what would have ended the process."""


async def contained[T](work: Awaitable[T]) -> T:
    """Do it; what would go past every `except` and end the event loop becomes an error.

    Raises:
        EscapeError: It wanted the process to end.
    """
    try:
        return await work
    except (KeyboardInterrupt, SystemExit) as error:
        raise _escape(error) from error


async def tried[T](work: Coroutine[Any, Any, T]) -> T | Exception:
    """Do it; what it gave, or what it failed with for good.

    Raises:
        BaseException: What passes by itself, and what cancels it.
    """
    (result,) = await asyncio.gather(contained(work), return_exceptions=True)
    if not isinstance(result, BaseException):
        return result
    if not isinstance(result, Exception) or is_passing(result):
        raise result
    return result


async def outcome_of(work: Coroutine[Any, Any, object]) -> Exception | None:
    """Do it; what it failed with, None when it did not.

    Raises:
        CancelledError: It was cancelled.
    """
    try:
        (result,) = await asyncio.gather(contained(work), return_exceptions=True)
    finally:
        # It was cancelled before it began: nobody will await it.
        work.close()
    if isinstance(result, asyncio.CancelledError):
        raise result
    if isinstance(result, BaseException) and not isinstance(result, Exception):
        error = _escape(result)
        error.__cause__ = result
        return error
    return result if isinstance(result, Exception) else None


async def limited(work: Coroutine[Any, Any, object], timeout_s: float) -> None:
    """Do it within so many seconds; one that will not be cancelled is left alone.

    Raises:
        OverTimeError: It took longer.
    """
    begun = asyncio.create_task(_within(work, timeout_s))
    try:
        await asyncio.wait({begun}, timeout=timeout_s + GRACE_S)
    except asyncio.CancelledError:
        begun.cancel()
        await asyncio.wait({begun}, timeout=GRACE_S)
        if begun.done():
            work.close()
        raise
    if not begun.done():
        begun.cancel()
        raise OverTimeError(f"it took over {timeout_s:g} s and would not be stopped")
    await begun


async def _within(work: Coroutine[Any, Any, object], timeout_s: float) -> None:
    limit = asyncio.timeout(timeout_s)
    try:
        async with limit:
            await contained(work)
    except TimeoutError as error:
        if limit.expired():
            raise OverTimeError(f"it took over {timeout_s:g} s") from error
        raise


def _escape(error: BaseException) -> EscapeError:
    return EscapeError(f"it raised {type(error).__name__}({error}), which would end the process")
