"""The reader behind a butt: it hears where an arrow lands."""

import random

from simulators.wire import WireEvent, random_id


def landed(
    reader_id: str, released_at: float, flight_s: float, group_mm: float, rng: random.Random
) -> WireEvent:
    """An arrow lands somewhere in its archer's group.

    Args:
        reader_id: The butt's reader.
        released_at: When the arrow left, seconds.
        flight_s: How long it flew.
        group_mm: The standard deviation of the archer's group, each way.
        rng: Chance.
    """
    at = round(released_at + flight_s, 3)
    x, y = (round(rng.gauss(0, group_mm), 1) for _ in range(2))
    return WireEvent(random_id(rng), reader_id, "arrow_landed", at, None, x, y)
