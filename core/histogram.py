"""Durations counted in buckets that grow with them: a few numbers that add up across processes."""

import math
from collections.abc import Mapping

# Each bucket is a fifth wider than the one below: a quantile is at most a tenth off.
GROWTH = 1.2
SHORTEST_MS = 0.1
LAST = 110


def bucket(duration_ms: float) -> int:
    """Where a duration is counted, from 0 to `LAST`."""
    if duration_ms <= SHORTEST_MS:
        return 0
    return min(math.ceil(math.log(duration_ms / SHORTEST_MS, GROWTH)), LAST)


def middle_ms(place: int) -> float:
    """What a bucket stands for: the geometric middle of it."""
    return SHORTEST_MS * math.pow(GROWTH, place - 0.5)


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The duration in milliseconds that this share of all is below; None: nothing was counted."""
    wanted = share * sum(counts.values())
    if not wanted:
        return None
    seen = 0
    for place in sorted(counts):
        seen += counts[place]
        if seen >= wanted:
            return round(middle_ms(place), 2)
    return None
