"""What really happened, and what it is worth by a rule of the simulators' own."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RING_MM = {"wa_122_full": 61.0, "wa_40_full": 20.0}


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
        release_sent: Whether the release ever reached the wire.
        landing_sent: Whether the landing did.
    """

    slot_id: str
    arrow_id: str | None
    release_event_id: str
    landing_event_id: str | None
    released_at: float
    score: int
    release_sent: bool = True
    landing_sent: bool = True


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
        ValueError: The file holds something else.
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
    return max(0, 10 - max(0, math.ceil(edge / RING_MM[face] - 1e-9) - 1))
