"""How likely a landing is a release's by the time between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.flight import LAUNCHES, first_guess, shortest
from core.domain.learning import Clocks, FlightTime, Learned, Rates
from core.domain.odds import together
from tests.domain.fields import micro, slot

EXPECTED = FlightTime(micro(1.3), micro(0.025))
SELDOM = Rates(missing=0.02, strays_per_s=0.002, unlike=0.005)


def odds(seconds: float, rates: Rates = SELDOM) -> float:
    """Of a flight of so many seconds, where 1.3 are expected."""
    return together(micro(seconds), EXPECTED, micro(1.3), rates)


def test_the_expected_flight_is_the_likeliest_and_further_is_less_likely() -> None:
    found = [odds(1.3 + off) for off in (0, 0.03, 0.06, 0.2, 1.0)]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize(
    "often", [Rates(0.2, 0.002, 0.005), Rates(0.02, 0.05, 0.005), Rates(0.2, 0.05, 0.005)]
)
def test_where_more_is_lost_a_pair_that_hardly_fits_is_believed_less(often: Rates) -> None:
    assert odds(1.6, often) < odds(1.6)


def test_a_flight_that_is_twice_as_long_is_likelier_than_ten_times_as_long() -> None:
    assert odds(2.6) > odds(13)


@given(
    st.sampled_from([*LAUNCHES, "crossbow"]),
    st.sampled_from([5, 18, 30, 50, 70, 90]),
    st.floats(0, 1),
)
def test_a_lone_landing_is_an_unknown_archers_lone_release_whatever_the_time(
    bowstyle: str, distance: float, place: float
) -> None:
    archer = slot("A", bowstyle)
    least, window = shortest(distance), micro(3)
    flight = round(least + place * (window - least))
    learned = Learned({archer.id: archer}, distance, window)
    expected = learned.expect(archer.id, Clocks(None, None))
    found = together(flight, expected, first_guess(bowstyle, distance), learned.rates(archer.id))
    assert found > 1, "nobody gets a miss while there is a landing and nothing else is known"
