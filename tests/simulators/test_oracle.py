"""The limit that the rules are held against."""

import random
from copy import replace
from itertools import permutations

import pytest

from simulators.faults import Sending, clock_noise
from simulators.oracle import Secrets, foretold
from simulators.shooting import play
from simulators.tournament import Archer, Plan, archers, rehearsal
from simulators.wire import WireEvent

PLAN = Plan(1, 2, ends=1, arrows_per_end=3, spacing="dense")
FIELD = archers(PLAN, rehearsal(PLAN))
TOLD = Secrets(noise_s=0.01, loss=0.01)


def release(at: float, archer: Archer) -> Sending:
    """An arrow leaves."""
    return Sending(at, WireEvent(f"r{at}", archer.bow_reader, "arrow_release", at))


def landing(at: float) -> Sending:
    """Something lands."""
    said = WireEvent(f"l{at}", FIELD[0].target_reader, "arrow_landed", at, None, 0, 0)
    return Sending(at, said)


def test_two_arrows_that_cross_in_the_air_are_told_apart_by_their_archers() -> None:
    slow, fast = sorted(FIELD, key=lambda archer: -archer.bow.mean_s)
    assert slow.bow.mean_s - fast.bow.mean_s > 0.2
    first, second = 10 + slow.bow.mean_s, 10.1 + fast.bow.mean_s
    said = [release(10, slow), release(10.1, fast), landing(first), landing(second)]
    assert foretold(said, FIELD, TOLD) == {"r10": f"l{first}", "r10.1": f"l{second}"}


def test_a_landing_that_fits_nobody_is_nobodys() -> None:
    said = [release(10, FIELD[0]), landing(10 + 2 * FIELD[0].bow.mean_s)]
    assert foretold(said, FIELD, TOLD) == {"r10": None}


def test_nothing_said_is_nothing_foretold() -> None:
    assert foretold([], FIELD, TOLD) == {}
    assert foretold([landing(10)], FIELD, TOLD) == {}


@pytest.mark.parametrize("seed", range(20))
def test_no_other_pairing_fits_better(seed: int) -> None:
    rng = random.Random(seed)
    field = [replace(archer, bow=replace(archer.bow, mean_s=1.2)) for archer in FIELD]
    times = [10 + rng.random() for _ in range(4)]
    said = [release(at, rng.choice(field)) for at in times]
    lands = [at + rng.gauss(1.2, 0.02) for at in times]
    found = foretold([*said, *map(landing, lands)], field, TOLD)
    chosen = {r: float(n[1:]) for r, n in found.items() if n is not None}
    assert len(set(chosen.values())) == len(chosen)
    if len(chosen) == 4:
        off = sum((chosen[f"r{at}"] - at - 1.2) ** 2 for at in times)
        least = min(
            sum((landed - at - 1.2) ** 2 for at, landed in zip(times, each, strict=True))
            for each in permutations(lands)
        )
        assert off == pytest.approx(least)


def test_an_undisturbed_field_is_foretold_without_an_error() -> None:
    plan = replace(PLAN, spacing="clear")
    field = archers(plan, rehearsal(plan))
    played = play(plan, field)
    sent = [Sending(event.at, event) for event in played.events]
    truth = {shot.release_event_id: shot.landing_event_id for shot in played.shots}
    assert foretold(sent, field, Secrets(0.0, 0.0)) == truth


def test_clock_noise_moves_times_by_a_little_and_nothing_else() -> None:
    sent = [Sending(at, landing(at).event) for at in range(200)]
    noisy = clock_noise(0.02)(sent, random.Random(1))
    off = [after.event.at - before.event.at for before, after in zip(sent, noisy, strict=True)]
    assert 0.015 < (sum(o * o for o in off) / len(off)) ** 0.5 < 0.025
    assert [s.at for s in noisy] == [s.at for s in sent]
