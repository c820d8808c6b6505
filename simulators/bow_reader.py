"""The reader on a bow: it feels the draw and the release."""

import random

from simulators.wire import WireEvent, random_id

SHORTEST_AIM_S, LONGEST_AIM_S = 2.0, 8.0
MEAN_AIM_S, AIM_SPREAD_S = 3.5, 1.4
LET_DOWN_BEFORE_S = (9.0, 12.0)


def aim_s(rng: random.Random) -> float:
    """Seconds between draw and release."""
    return max(SHORTEST_AIM_S, min(LONGEST_AIM_S, rng.gauss(MEAN_AIM_S, AIM_SPREAD_S)))


def drawn_and_released(
    reader_id: str, released_at: float, rng: random.Random, *, let_down: bool
) -> tuple[WireEvent, WireEvent, list[WireEvent]]:
    """A draw, its release, and the let-down before them, if there was one."""
    engaged_at = round(released_at - aim_s(rng), 3)
    engage = WireEvent(random_id(rng), reader_id, "arrow_engage", engaged_at)
    release = WireEvent(random_id(rng), reader_id, "arrow_release", released_at)
    if not let_down:
        return engage, release, []
    given_up_at = round(released_at - rng.uniform(*LET_DOWN_BEFORE_S), 3)
    return engage, release, [WireEvent(random_id(rng), reader_id, "arrow_engage", given_up_at)]
