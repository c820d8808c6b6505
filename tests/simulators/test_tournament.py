"""Simulated tournaments."""

from itertools import pairwise
from statistics import pstdev
from uuid import UUID

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


@pytest.mark.parametrize("distance", [18, 30, 50, 70, 90])
def test_with_clear_spacing_a_landing_has_one_release_in_the_three_seconds_before_it(
    distance: float,
) -> None:
    shots = played(Plan(1, seed=3, distance=distance)).shots
    released = [shot.released_at for shot in shots]
    for shot in shots:
        if shot.landed_at is not None:
            before = [at for at in released if shot.landed_at - 3.0 <= at <= shot.landed_at]
            assert before == [shot.released_at]


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


def test_some_bows_are_let_down_after_the_archers_last_arrow() -> None:
    game = played(Plan(10, 1, seed=1))
    draws = sum(event.type == "arrow_engage" for event in game.events)
    assert 0.02 * len(game.shots) < draws - len(game.shots) < 0.10 * len(game.shots)
    for reader in {event.reader_id for event in game.events if event.type == "arrow_engage"}:
        said = [event.type for event in game.events if event.reader_id == reader]
        assert "arrow_engage arrow_engage arrow_engage" not in " ".join(said)


def test_groups_grow_with_the_distance() -> None:
    near, far = (
        pstdev(
            [shot.x for shot in played(Plan(10, seed=1, distance=d)).shots if shot.x is not None]
        )
        for d in (18, 70)
    )
    assert 3.0 < far / near < 4.5


def test_no_arrow_lands_beyond_the_edge_of_the_butt() -> None:
    shots = played(Plan(20, seed=1, distance=90)).shots
    landed = [max(abs(s.x), abs(s.y)) for s in shots if s.x is not None and s.y is not None]
    assert 600 < max(landed) <= 650


def test_the_same_tournament_in_another_session_has_other_ids_and_the_same_arrows() -> None:
    one, other = (played(PLAN).of_session(UUID(int=number)) for number in (1, 2))
    assert not {e.event_id for e in one.events} & {e.event_id for e in other.events}
    assert [(s.released_at, s.x, s.score) for s in one.shots] == [
        (s.released_at, s.x, s.score) for s in other.shots
    ]


def test_the_shots_of_a_session_are_those_of_its_events() -> None:
    game = played(PLAN).of_session(UUID(int=1))
    releases = {e.event_id for e in game.events if e.type == "arrow_release"}
    landings = {e.event_id for e in game.events if e.type == "arrow_landed"}
    assert {shot.release_event_id for shot in game.shots} == releases
    assert {shot.landing_event_id for shot in game.shots} - {None} == landings


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
