"""What shots teach about those that follow."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.flight import first_guess
from core.domain.learning import FIRST_RATES, REMEMBERED, Clocks, Learned, Lesson
from tests.domain.fields import micro, named, slot

WINDOW = micro(3)
ARCHERS = {letter: slot(letter) for letter in "AB"}
CLOCKS = Clocks(named("bow"), named("butt"))
OTHER_CLOCKS = Clocks(named("another bow"), named("butt"))
GUESS = first_guess("recurve", 70)


def lesson(
    number: int,
    flight: float | None,
    *,
    letter: str = "A",
    clocks: Clocks = CLOCKS,
    is_missing: bool = False,
    strays: int = 0,
) -> Lesson:
    """What the `number`th shot of a butt taught; the flight in seconds."""
    return Lesson(
        shot_id=named(f"shot {number} {letter}"),
        slot_id=ARCHERS[letter].id,
        released_at=micro(10 * number),
        flight=None if flight is None else micro(flight),
        clocks=None if flight is None else clocks,
        is_missing=is_missing,
        strays=strays,
    )


def learned(lessons: Iterable[Lesson] = ()) -> Learned:
    """After some lessons, at 70 m."""
    return Learned({place.id: place for place in ARCHERS.values()}, 70, WINDOW, lessons)


def flights(mean: float, count: int, spread: float = 0.012, letter: str = "A") -> list[Lesson]:
    """Lessons of usual shots."""
    rng = random.Random(count)
    return [
        lesson(number, rng.gauss(mean, spread * mean), letter=letter) for number in range(count)
    ]


def test_an_unknown_archer_is_expected_to_shoot_as_others_do() -> None:
    expected = learned().expect(ARCHERS["A"].id, CLOCKS)
    assert expected.mean == pytest.approx(GUESS)
    assert micro(0.04) < expected.sigma < micro(0.09)


@pytest.mark.parametrize("factor", [0.95, 1.05])
def test_an_archers_own_flights_replace_the_guess_within_a_few_shots(factor: float) -> None:
    true = factor * GUESS / 1e6
    after = [learned(flights(true, count)).expect(ARCHERS["A"].id, CLOCKS) for count in (1, 4, 16)]
    assert abs(after[1].mean / 1e6 - true) < 0.015
    assert abs(after[2].mean / 1e6 - true) < 0.008
    assert after[0].sigma > after[1].sigma > after[2].sigma


def test_another_archers_flights_say_nothing_of_the_mean() -> None:
    expected = learned(flights(1.5, 16, letter="B")).expect(ARCHERS["A"].id, CLOCKS)
    assert expected.mean == pytest.approx(GUESS)


def test_one_odd_flight_among_many_changes_next_to_nothing() -> None:
    usual = flights(1.3, 12)
    odd = [*usual, lesson(20, 2.8)]
    without, with_it = (learned(each).expect(ARCHERS["A"].id, CLOCKS) for each in (usual, odd))
    assert with_it.mean == pytest.approx(without.mean)
    assert with_it.sigma == pytest.approx(without.sigma)


def test_a_first_flight_that_denies_the_guess_is_not_believed_alone() -> None:
    expected = learned([lesson(0, 2.6)]).expect(ARCHERS["A"].id, CLOCKS)
    assert abs(expected.mean - GUESS) < micro(0.05)


def test_flights_that_all_deny_the_guess_are_believed() -> None:
    # Entered as a recurve, shooting a compound.
    expected = learned(flights(0.9, 6)).expect(ARCHERS["A"].id, CLOCKS)
    assert expected.mean == pytest.approx(micro(0.9), rel=0.02)


def test_a_clock_that_was_set_is_followed() -> None:
    late = [lesson(100 + n, 1.9 + 0.01 * (n % 3)) for n in range(6)]
    expected = learned([*flights(1.3, 30), *late]).expect(ARCHERS["A"].id, CLOCKS)
    assert expected.mean == pytest.approx(micro(1.91), rel=0.02)


def test_what_is_left_between_two_clocks_is_learned_of_that_pair() -> None:
    lessons = [
        *flights(1.30, 16, spread=0.005),
        *(lesson(100 + n, 1.34, clocks=OTHER_CLOCKS) for n in range(16)),
    ]
    found = learned(lessons)
    here, there = (found.expect(ARCHERS["A"].id, clocks) for clocks in (CLOCKS, OTHER_CLOCKS))
    unknown = found.expect(ARCHERS["A"].id, Clocks(named("third bow"), named("butt")))
    assert here.mean == pytest.approx(micro(1.30), rel=0.005)
    assert there.mean == pytest.approx(micro(1.34), rel=0.005)
    assert here.mean < unknown.mean < there.mean
    assert unknown.sigma > max(here.sigma, there.sigma)


def test_the_spread_is_learned_of_the_whole_butt() -> None:
    calm = learned(flights(1.3, 30, spread=0.004, letter="B"))
    wild = learned(flights(1.3, 30, spread=0.04, letter="B"))
    place = ARCHERS["A"].id
    assert calm.expect(place, CLOCKS).sigma < wild.expect(place, CLOCKS).sigma


def test_rates_begin_as_published_and_become_what_was_seen() -> None:
    place = ARCHERS["A"].id
    assert learned().rates(place).missing == FIRST_RATES.missing
    lossy = [
        lesson(n, None if n % 4 == 0 else 1.3, is_missing=n % 4 == 0, strays=n % 2)
        for n in range(100)
    ]
    rates = learned(lossy).rates(place)
    assert 0.18 < rates.missing < 0.26
    assert 0.1 < rates.strays_per_s < 0.2
    assert rates.unlike < FIRST_RATES.unlike


def test_an_unknown_archer_may_fly_unlike_all_others() -> None:
    found = learned(flights(1.3, 10))
    assert found.rates(ARCHERS["B"].id).unlike > 5 * found.rates(ARCHERS["A"].id).unlike
    assert found.knows(ARCHERS["A"].id)
    assert not found.knows(ARCHERS["B"].id)


def test_only_the_latest_lessons_count() -> None:
    old = [lesson(n, 1.5) for n in range(50)]
    new = [lesson(100 + n, 1.3) for n in range(REMEMBERED)]
    place = ARCHERS["A"].id
    assert learned([*old, *new]).expect(place, CLOCKS) == learned(new).expect(place, CLOCKS)


def told(found: Learned) -> list[object]:
    """All that is known."""
    places = [archer.id for archer in ARCHERS.values()]
    return [(found.rates(place), found.expect(place, CLOCKS)) for place in places]


def mixed_lessons(rng: random.Random, count: int) -> list[Lesson]:
    """Lessons of two archers, as odd as they can be."""
    return [
        lesson(
            n,
            rng.choice([None, rng.uniform(1.2, 1.4), rng.uniform(0.6, 3)]),
            letter=rng.choice("AB"),
            clocks=rng.choice([CLOCKS, OTHER_CLOCKS]),
            is_missing=rng.random() < 0.1,
            strays=rng.randrange(2),
        )
        for n in range(count)
    ]


@given(st.randoms(use_true_random=False), st.integers(1, 200), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_lessons_teach_the_same_in_any_order_and_in_any_portions(
    rng: random.Random, count: int, portion: int
) -> None:
    lessons = mixed_lessons(rng, count)
    mixed = rng.sample(lessons, len(lessons))
    at_once, bit_by_bit = learned(mixed), learned()
    for begin in range(0, count, portion):
        bit_by_bit.add(lessons[begin : begin + portion])
        # What was asked in between is of that moment alone.
        told(bit_by_bit)
    assert told(at_once) == told(bit_by_bit)


@given(st.randoms(use_true_random=False), st.integers(1, REMEMBERED), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_without_some_lessons_it_is_as_if_they_had_never_been(
    rng: random.Random, count: int, gone: int
) -> None:
    lessons = mixed_lessons(rng, count)
    dropped = {each.shot_id for each in rng.sample(lessons, min(gone, count))}
    kept = [each for each in lessons if each.shot_id not in dropped]
    everything = learned(lessons)
    before = told(everything)
    assert told(everything.without(dropped)) == told(learned(kept))
    assert told(everything) == before
    everything.forget(dropped)
    assert told(everything) == told(learned(kept))
