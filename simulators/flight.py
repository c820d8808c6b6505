"""How long simulated arrows fly: physics of their own, not the server's rules.

With quadratic drag an arrow that leaves at v₀ and loses a share k of its speed each metre needs
(e^{kd} − 1) / (k·v₀) seconds for d metres. Speeds and drag follow published flight times.
"""

import math
import random
from dataclasses import dataclass

# Metres a second on leaving the bow, and the share of its speed that an arrow loses each metre.
STYLES: dict[str, tuple[float, float]] = {
    "longbow": (48.0, 0.0015),
    "barebow": (55.0, 0.0015),
    "recurve": (57.0, 0.0015),
    "compound": (82.0, 0.0012),
}
ARCHER_SPREAD = 0.05
SHOT_SPREAD = 0.012


@dataclass(frozen=True, slots=True)
class Bow:
    """An archer's bow: the mean flight time of its arrows, in seconds."""

    style: str
    mean_s: float

    def flight_s(self, rng: random.Random) -> float:
        """How long the next arrow is in the air."""
        return self.mean_s * max(0.9, min(1.1, rng.gauss(1.0, SHOT_SPREAD)))


def mean_flight_s(style: str, distance_m: float) -> float:
    """The flight time of a style's usual bow, in seconds."""
    speed, drag = STYLES[style]
    return math.expm1(drag * distance_m) / (drag * speed)


def draw_bow(style: str, distance_m: float, rng: random.Random) -> Bow:
    """Some archer's bow: archers of one style differ by some 5 %."""
    factor = max(0.85, min(1.15, rng.gauss(1.0, ARCHER_SPREAD)))
    return Bow(style, mean_flight_s(style, distance_m) * factor)
