"""The reader that sees which arrow is nocked."""

import random

from simulators.wire import WireEvent, random_id

EARLIEST_S = 0.95
LATEST_S = 0.2


def identified(reader_id: str, arrow_id: str, engaged_at: float, rng: random.Random) -> WireEvent:
    """The arrow is seen up to a second before the bow is drawn."""
    at = engaged_at - rng.uniform(LATEST_S, EARLIEST_S)
    return WireEvent(random_id(rng), reader_id, "arrow_identified", round(at, 3), arrow_id)
