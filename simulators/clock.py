"""The time that a run goes by; tests bring one that does not wait."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """Tells the time and waits.

    Args:
        now: The time, UTC.
        sleep: Waits some seconds.
    """

    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]


def wall_clock() -> Clock:
    """The machine's clock."""
    return Clock(lambda: datetime.now(UTC), asyncio.sleep)
