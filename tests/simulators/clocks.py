"""A clock that nobody waits for."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from simulators.clock import Clock

START = datetime(2026, 5, 1, 10, tzinfo=UTC)
# Enough for a request to be answered in the meantime.
TURNS = 20


@dataclass(slots=True)
class LeapingClock:
    """Time that leaps to the next moment somebody waits for.

    Args:
        now: The time.
        pauses: How long was waited, each time.
    """

    now: datetime = START
    pauses: list[float] = field(default_factory=list)
    _awaited: list[datetime] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Wait without waiting."""
        self.pauses.append(seconds)
        until = self.now + timedelta(seconds=seconds)
        self._awaited.append(until)
        try:
            while self.now < until:
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                if until == min(self._awaited):
                    self.now = max(self.now, until)
        finally:
            self._awaited.remove(until)

    def clock(self) -> Clock:
        """As the simulators take it."""
        return Clock(lambda: self.now, self.sleep)
