"""How much likelier it is that a release and a landing belong together than that neither has a
partner."""

import math

from core.domain.learning import FlightTime, Rates
from core.domain.values import SECOND

# An arrow that flies unlike its archer's others mostly does so within a factor: the bow is entered
# wrongly, or the distance. A small share may take any time that the window allows.
ANY_TIME = 0.1
ANY_TIME_PER_S = 1 / 3
FACTOR = 0.3
ROOT_OF_TWO_PI = math.sqrt(2 * math.pi)


def together(flight: int, expected: FlightTime, guess: float, rates: Rates) -> float:
    """The odds that a landing is a release's, by the time between them; above 0.

    Args:
        flight: Microseconds from the release to the landing.
        expected: What is known of the archer.
        guess: What is known of any archer with such a bow, microseconds.
        rates: How often something else happens.
    """
    sigma = expected.sigma / SECOND
    off = (flight - expected.mean) / expected.sigma
    usual = math.exp(-0.5 * off * off) / (sigma * ROOT_OF_TWO_PI)
    density = (1 - rates.unlike) * usual + rates.unlike * _unlike(flight, guess)
    return (1 - rates.missing) * density / (rates.missing * rates.strays_per_s)


def _unlike(flight: int, guess: float) -> float:
    """The density of the flight times of arrows that fly unlike their archer's others, per
    second."""
    seconds = max(flight, 1) / SECOND
    factor = abs(math.log(seconds * SECOND / max(guess, 1.0)))
    near = math.exp(-factor / FACTOR) / (2 * FACTOR * seconds)
    return ANY_TIME * ANY_TIME_PER_S + (1 - ANY_TIME) * near
