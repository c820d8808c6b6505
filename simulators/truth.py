"""What really happened, and what it is worth by a rule of the simulators' own."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from copy import replace
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from simulators.wire import rfc3339

RING_MM = {"wa_122_full": 61.0, "wa_40_full": 20.0, "wa_80_6ring": 40.0}
# The lowest ring that is printed, where it is not the 1.
LOWEST = {"wa_80_6ring": 5}


@dataclass(frozen=True, slots=True)
class TrueShot:
    """A shot as it really was.

    Args:
        slot_id: Whose place.
        arrow_id: The arrow.
        release_event_id: The release's event.
        landing_event_id: The landing's; None: the arrow missed the butt.
        released_at: Seconds after the tournament's start.
        score: What it is worth.
        landed_at: Seconds after the tournament's start; None as the landing.
        x: Millimetres right of the butt's centre; None as the landing.
        y: Millimetres above it; None as the landing.
        release_ts: The release as a time, once it is known when the tournament starts.
        landing_ts: The landing as a time.
        release_sent: Whether the release ever reached the wire.
        landing_sent: Whether the landing did.
    """

    slot_id: str
    arrow_id: str | None
    release_event_id: str
    landing_event_id: str | None
    released_at: float
    score: int
    landed_at: float | None = None
    x: float | None = None
    y: float | None = None
    release_ts: str | None = None
    landing_ts: str | None = None
    release_sent: bool = True
    landing_sent: bool = True

    def renamed(self, ids: Mapping[str, str]) -> "TrueShot":
        """The shot of events that have other ids now."""
        release = ids[self.release_event_id]
        landing = None if self.landing_event_id is None else ids[self.landing_event_id]
        return replace(self, release_event_id=release, landing_event_id=landing)

    def sent(self, start: datetime, sent: Collection[str]) -> "TrueShot":
        """The shot of a tournament that has been played over the wire.

        Args:
            start: The tournament's start.
            sent: The ids of the events that reached the wire.
        """
        landed_at = self.landed_at
        return replace(
            self,
            release_ts=rfc3339(start + timedelta(seconds=self.released_at)),
            landing_ts=(
                None if landed_at is None else rfc3339(start + timedelta(seconds=landed_at))
            ),
            release_sent=self.release_event_id in sent,
            landing_sent=self.landing_event_id is None or self.landing_event_id in sent,
        )


@dataclass(frozen=True, slots=True)
class Truth:
    """A tournament as it really was.

    Args:
        url: The API it was sent to.
        session_id: The session there.
        shots: In the order of their releases.
    """

    url: str
    session_id: str
    shots: Sequence[TrueShot]

    def write(self, path: Path) -> None:
        """Keep it in a file."""
        path.write_text(json.dumps(asdict(self), indent=1))


def read_truth(path: Path) -> Truth:
    """What `Truth.write` wrote.

    Raises:
        OSError: The file cannot be read.
        ValueError: It holds something else.
    """
    try:
        said = json.loads(path.read_text())
        shots = [TrueShot(**shot) for shot in said["shots"]]
        return Truth(said["url"], said["session_id"], shots)
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is no truth file: {error}") from error


def worth(x: float, y: float, shaft_mm: float, face: str) -> int:
    """The score of a ten-ring face at the centre: the ring that the shaft's inner edge reaches.

    Args:
        x: Millimetres right of the centre.
        y: Millimetres above it.
        shaft_mm: The shaft's diameter.
        face: Its code.
    """
    edge = max(0.0, math.hypot(x, y) - shaft_mm / 2)
    value = max(0, 10 - max(0, math.ceil(edge / RING_MM[face] - 1e-9) - 1))
    return value if value >= LOWEST.get(face, 1) else 0
