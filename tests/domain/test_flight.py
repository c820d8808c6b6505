"""How long an arrow flies."""

import pytest

from core.domain.flight import LAUNCHES, first_guess, shortest
from tests.domain.fields import micro


@pytest.mark.parametrize(
    ("bowstyle", "distance", "seconds"),
    [("longbow", 18, 0.38), ("longbow", 90, 2.01), ("barebow", 70, 1.34), ("barebow", 50, 0.94)],
)
def test_the_first_guess_is_the_published_flight_time(
    bowstyle: str, distance: float, seconds: float
) -> None:
    assert first_guess(bowstyle, distance) == pytest.approx(micro(seconds), rel=0.02)


@pytest.mark.parametrize("bowstyle", LAUNCHES)
def test_a_longer_way_takes_longer(bowstyle: str) -> None:
    assert first_guess(bowstyle, 18) < first_guess(bowstyle, 70)


def test_compound_arrows_are_the_fastest() -> None:
    times = {style: first_guess(style, 50) for style in LAUNCHES}
    assert min(times, key=lambda style: times[style]) == "compound"


def test_an_unknown_style_is_taken_for_a_usual_one() -> None:
    assert first_guess("crossbow", 50) == first_guess("recurve", 50)


def test_nothing_flies_faster_than_120_metres_a_second() -> None:
    assert shortest(18) == micro(0.15)
