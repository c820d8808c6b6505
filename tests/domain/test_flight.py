"""How long an arrow flies."""

import pytest

from core.domain.flight import LAUNCHES, first_guess, shortest
from tests.domain.fields import butt, derived, landed, micro, release


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


@pytest.mark.parametrize("bowstyle", LAUNCHES)
@pytest.mark.parametrize(("entered", "taken"), [(1e6, 1_000), (1e308, 1_000), (5e-324, 1)])
def test_a_distance_that_nobody_shoots_at_is_taken_for_the_nearest_that_somebody_may(
    bowstyle: str, entered: float, taken: float
) -> None:
    assert first_guess(bowstyle, entered) == first_guess(bowstyle, taken)
    assert shortest(entered) == shortest(taken)


@pytest.mark.parametrize("entered", [1e308, 1e6, 1e-3, 5e-324])
def test_every_release_is_a_shot_whatever_distance_was_entered(entered: float) -> None:
    events = [each for at in (10, 40, 70) for each in (release(at), landed(at + 0.4))]
    assert len(derived(events, butt(distance=entered)).shots) == 3
