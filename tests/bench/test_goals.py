"""A goal is reached or missed by figures that count, of a run that is as large as it is for."""

from copy import replace

import pytest

from bench.benchmarks.ratios import ratios
from bench.figures import Run
from bench.goals import GOALS, MISSED, NOT_JUDGED, NOT_MEASURED, REACHED
from bench.report import verdicts
from bench.suite import BENCHMARKS
from bench.wish import Wish, rows_up_to

RATE = "replay events/s"


def rated(rate: float, *doubts: str) -> Run:
    """A replay of which only the rate is known."""
    return Run({RATE: rate}, doubts)


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [
        ([rated(8_000)], REACHED),
        ([rated(7_999)], MISSED),
        ([rated(1), rated(9_000), rated(9_000)], REACHED),
        ([rated(1), rated(9_000, "an event was lost")], MISSED),
        ([rated(9_000, "an event was lost")], NOT_MEASURED),
        ([Run({})], NOT_MEASURED),
        ([Run({RATE: float("nan")})], NOT_MEASURED),
    ],
)
def test_a_goal_is_reached_by_the_median_of_the_runs_that_count(
    runs: list[Run], verdict: str
) -> None:
    assert verdicts("replay", runs, Wish())[RATE] == ("≥ 8000", verdict)


@pytest.mark.parametrize(
    ("name", "wish"),
    [
        ("growth", Wish(events=300)),
        ("soak", Wish(minutes=1)),
        ("latency", Wish(butts=20)),
    ],
)
def test_less_than_a_goal_is_for_is_not_judged(name: str, wish: Wish) -> None:
    found = verdicts(name, [Run(dict.fromkeys(GOALS[name].of, 1.0))], wish)
    assert {verdict for _, verdict in found.values()} == {NOT_JUDGED}


@pytest.mark.parametrize(
    ("wish", "named"),
    [(Wish(rows=rows_up_to(0)), "rows"), (Wish(butts_of_growth=(4, 8)), "butts")],
)
def test_of_growth_what_was_full_size_is_judged(wish: Wish, named: str) -> None:
    found = verdicts("growth", [Run(dict.fromkeys(GOALS["growth"].of, 1.0))], wish)
    assert {figure for figure, (_, verdict) in found.items() if verdict == NOT_JUDGED} == {
        figure for figure in found if f" {named} / " in figure
    }
    assert GOALS["growth"].too_small(wish).keys() == {
        "rows" if named == "rows" else "butts_of_growth"
    }


def test_more_than_a_goal_is_for_is_judged() -> None:
    assert GOALS["soak"].too_small(replace(Wish(), minutes=120, butts=500)) == {}


def test_every_benchmark_has_goals() -> None:
    assert GOALS.keys() == BENCHMARKS.keys()


def test_the_goals_of_growth_are_figures_of_the_full_size() -> None:
    rows, butts, sessions = Wish().rows, Wish().butts_of_growth, Wish().sessions
    names = [
        f"{butts[-1]} butts / {butts[0]} butts",
        f"{rows[-1]:,} rows / {rows[0]:,} rows",
        f"{sessions[-1]} sessions / {sessions[0]} sessions",
    ]
    assert list(GOALS["growth"].of) == [
        f"{n}, {kind}" for n in names for kind in ("replay", "live")
    ]


def test_the_goals_beside_others_are_ratios() -> None:
    said = {
        f"{who} {what}": 1.0 for who in ("quiver", "(a)", "(c)") for what in (RATE, "peak p50 ms")
    }
    assert GOALS["against"].of.keys() <= ratios(said).keys()
