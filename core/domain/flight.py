"""How long an arrow is in the air, as far as bow style and distance tell.

Quadratic drag slows an arrow by a fraction k of its speed for each metre, so it covers d metres in
(e^{kd} − 1) / (k·v₀) seconds. k and the launch speeds are fitted to published flight times: 48 m/s
for longbows, 55 to 62 for recurves, 78 to 88 for compounds; 0.33 s at 18 m and 1.34 s at 70 m for
55 m/s.
"""

import math
from collections.abc import Mapping

from msgspec import Struct

from core.domain.values import MILLISECOND, SECOND

# No bow shoots faster: a landing sooner than this after a release is not of that release. Only of
# an archer who is known to shoot nearly as fast it may be, by what clocks disagree about one event.
FASTEST_M_S = 120.0
CLOCK_TOLERANCE = 60 * MILLISECOND
# Whatever is entered, an arrow flies no shorter and no further way than this.
NEAREST_M = 1.0
FURTHEST_M = 1_000.0


class Launch(Struct, frozen=True):
    """What a bow style gives an arrow.

    Args:
        speed_m_s: On leaving the bow.
        drag_per_m: The fraction of its speed that it loses each metre.
    """

    speed_m_s: float
    drag_per_m: float


LAUNCHES: Mapping[str, Launch] = {
    "longbow": Launch(48.0, 0.0015),
    "traditional": Launch(50.0, 0.0015),
    "barebow": Launch(55.0, 0.0015),
    "recurve": Launch(57.0, 0.0015),
    "compound": Launch(82.0, 0.0012),
}
ANY_BOW = Launch(57.0, 0.0015)


def _shot_at(distance_m: float) -> float:
    """The nearest distance that anybody shoots at: what cannot be computed with one that was
    entered wrongly is not worth the shots of a butt."""
    return min(max(distance_m, NEAREST_M), FURTHEST_M)


def first_guess(bowstyle: str, distance_m: float) -> float:
    """The flight time of an archer of whom nothing else is known, microseconds."""
    launch = LAUNCHES.get(bowstyle, ANY_BOW)
    slowed = math.expm1(launch.drag_per_m * _shot_at(distance_m)) / launch.drag_per_m
    return slowed / launch.speed_m_s * SECOND


def shortest(distance_m: float) -> int:
    """The least time in the air that is possible, microseconds."""
    return int(_shot_at(distance_m) / FASTEST_M_S * SECOND)
