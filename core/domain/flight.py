"""How long an arrow is in the air, as far as bow style and distance tell.

Quadratic drag slows an arrow by a fraction k of its speed for each metre, so it covers d metres in
(e^{kd} − 1) / (k·v₀) seconds. k and the launch speeds are fitted to published flight times: 48 m/s
for longbows, 55 to 62 for recurves, 78 to 88 for compounds; 0.33 s at 18 m and 1.34 s at 70 m for
55 m/s.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.values import SECOND

# No bow shoots faster: a landing sooner than this after a release is not of that release.
FASTEST_M_S = 120.0


@dataclass(frozen=True, slots=True)
class Launch:
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

# Archers of one style differ by about 5 %, an archer's own shots by 1 to 2 %, clocks by some 10 ms.
SPREAD_OF_STYLE = 0.06
SPREAD_OF_CLOCKS_S = 0.015


@dataclass(frozen=True, slots=True)
class FlightTime:
    """What to expect of an arrow's time in the air.

    Args:
        mean: Microseconds.
        sigma: Its standard deviation, microseconds.
    """

    mean: float
    sigma: float


def first_guess(bowstyle: str, distance_m: float) -> FlightTime:
    """The flight time of an archer of whom nothing else is known."""
    launch = LAUNCHES.get(bowstyle, ANY_BOW)
    slowed = math.expm1(launch.drag_per_m * distance_m) / launch.drag_per_m
    seconds = slowed / launch.speed_m_s
    sigma = math.hypot(SPREAD_OF_STYLE * seconds, SPREAD_OF_CLOCKS_S)
    return FlightTime(seconds * SECOND, sigma * SECOND)


def shortest(distance_m: float) -> int:
    """The least time in the air that is possible, microseconds."""
    return int(distance_m / FASTEST_M_S * SECOND)
