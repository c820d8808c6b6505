"""Simulated tournaments."""

from itertools import pairwise

import pytest

from simulators.flight import mean_flight_s
from simulators.tournament import Plan
from simulators.truth import worth
from tests.simulators.fields import played

PLAN = Plan(2, seed=5)


def test_the_same_seed_gives_the_same_tournament() -> None:
    assert played(PLAN) == played(PLAN)


def test_another_seed_gives_another() -> None:
    assert played(PLAN) != played(Plan(2, seed=6))


def test_every_arrow_of_every_archer_is_shot() -> None:
    assert len(played(PLAN).shots) == 2 * 4 * 4 * 6


@pytest.mark.parametrize("archers", [1, 2, 3, 4])
def test_with_clear_spacing_no_two_arrows_of_a_butt_share_a_landing_window(archers: int) -> None:
    game = played(Plan(1, archers, seed=3))
    released = [shot.released_at for shot in game.shots]
    assert min(later - earlier for earlier, later in pairwise(released)) > 3.0


def test_dense_spacing_puts_arrows_of_several_archers_into_the_air_at_once() -> None:
    game = played(Plan(1, seed=3, spacing="dense"))
    released = [shot.released_at for shot in game.shots]
    assert min(later - earlier for earlier, later in pairwise(released)) < 1.0


def test_an_arrow_is_seen_before_the_draw_and_drawn_before_the_release() -> None:
    game = played(Plan(1, 1, seed=4))
    by_type = {
        kind: [e.at for e in game.events if e.type == f"arrow_{kind}"]
        for kind in ("identified", "release", "landed")
    }
    for seen, released in zip(by_type["identified"], by_type["release"], strict=True):
        assert 2.2 <= released - seen <= 9.0
    assert len(by_type["landed"]) == sum(1 for s in game.shots if s.landing_event_id)


def test_some_arrows_miss() -> None:
    shots = played(Plan(10, seed=1)).shots
    missed = sum(1 for shot in shots if shot.landing_event_id is None)
    assert 0.005 * len(shots) < missed < 0.05 * len(shots)


@pytest.mark.parametrize(
    ("style", "distance", "seconds"),
    [("longbow", 90, 2.01), ("barebow", 70, 1.34), ("barebow", 18, 0.33), ("compound", 50, 0.63)],
)
def test_flight_times_are_those_that_were_published(
    style: str, distance: float, seconds: float
) -> None:
    assert mean_flight_s(style, distance) == pytest.approx(seconds, abs=0.03)


@pytest.mark.parametrize(
    ("x", "score"),
    [(0, 10), (60.9, 10), (63.75, 10), (63.8, 9), (124.7, 9), (612.75, 1), (612.8, 0)],
)
def test_the_shafts_edge_touching_a_line_scores_the_higher(x: float, score: int) -> None:
    assert worth(x, 0, 5.5, "wa_122_full") == score
