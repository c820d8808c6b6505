"""One moment by both clocks: the one that never jumps, and the one that readers speak of."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

FINEST_S = 0.0005


@dataclass(frozen=True, slots=True)
class Begin:
    """When a load begins.

    Args:
        monotonic: By the machine's steady clock; all its processes have the same.
        wall: Seconds since the epoch.
    """

    monotonic: float
    wall: float

    @classmethod
    def after(cls, seconds: float) -> "Begin":
        """So many seconds from now."""
        return cls(time.monotonic() + seconds, time.time() + seconds)

    def elapsed(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self.monotonic

    def ts(self, at: float) -> str:
        """The moment so many seconds later, as readers say it."""
        moment = datetime.fromtimestamp(self.wall + at, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    async def reached(self, at: float) -> None:
        """Wait until so many seconds later; return at once when that is past."""
        left = at - self.elapsed()
        if left > FINEST_S:
            await asyncio.sleep(left)
