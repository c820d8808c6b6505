"""Events as they go over the wire, before they have met a clock."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class WireEvent:
    """What a reader says.

    Args:
        event_id: Its idempotency key.
        reader_id: Who says it.
        type: Such as `arrow_release`.
        at: Seconds after the tournament's start.
        arrow_id: The arrow, where the reader knows it.
        x: Millimetres right of the butt's centre, of a landing.
        y: Millimetres above the butt's centre, of a landing.
        clock_ahead_s: How far the reader's clock is ahead.
    """

    event_id: str
    reader_id: str
    type: str
    at: float
    arrow_id: str | None = None
    x: float | None = None
    y: float | None = None
    clock_ahead_s: float = 0.0

    def body(self, start: datetime, sent_at: datetime) -> dict[str, Any]:
        """As it stands in a request's JSON."""
        said: dict[str, Any] = {
            "event_id": self.event_id,
            "reader_id": self.reader_id,
            "type": self.type,
            "ts": rfc3339(start + timedelta(seconds=self.at + self.clock_ahead_s)),
        }
        if self.clock_ahead_s:
            said["sent_at"] = rfc3339(sent_at + timedelta(seconds=self.clock_ahead_s))
        further = {"arrow_id": self.arrow_id, "x": self.x, "y": self.y}
        return said | {name: value for name, value in further.items() if value is not None}


def rfc3339(at: datetime) -> str:
    """UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def random_id(rng: random.Random) -> str:
    """A version 4 UUID that the same seed gives again."""
    return str(UUID(int=rng.getrandbits(128), version=4))
