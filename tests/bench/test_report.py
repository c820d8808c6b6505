"""What is printed and written of runs."""

from io import StringIO

import orjson
import pytest
from rich.console import Console

from bench.figures import Cost, Run
from bench.report import as_json, show
from bench.wish import Wish

COST = {"api": Cost(cores=0.5, cpu_s=10.0, memory_mb=80.0, grown_mb=1.5)}
FAST = Run({"requests/s": 2_000.0, "p99 ms": 31.25}, processes=COST, notes=["it was sent again"])
SLOW = Run({"requests/s": 1_000.0, "p99 ms": 33.0}, processes=COST)
DOUBTED = Run({"requests/s": 9_000.0}, ["an event was lost"], COST)


def printed(runs: list[Run], wish: Wish) -> str:
    """As on a terminal."""
    console = Console(file=StringIO(), width=120)
    show("ingest", runs, wish, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_table_shows_the_medians_of_the_runs_that_count_and_why_others_do_not() -> None:
    lines = printed([FAST, DOUBTED, SLOW], Wish()).splitlines()
    assert "ingest: medians of 2 runs" in lines[0]
    (row,) = [line for line in lines if "requests/s" in line]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells == ["requests/s", "1,500", "1,000", "2,000", "≥ 1500", "reached"]
    assert "run 1: it was sent again" in lines
    assert "run 2 does not count: an event was lost" in lines
    assert any("api" in line and "80.00" in line for line in lines)


def test_a_table_of_nothing_that_counts_says_so() -> None:
    told = printed([DOUBTED], Wish())
    assert "ingest: INVALID" in told and "not measured" in told
    assert "9,000" not in told


def test_a_table_of_less_than_the_goals_are_for_says_what_they_are_for() -> None:
    told = printed([FAST], Wish(butts=20))
    assert "not judged: the goals are for butts = 399" in told
    assert "ingest: one run" in told


@pytest.mark.parametrize("doubted", [[], [DOUBTED]])
def test_all_of_it_can_be_written_as_json(doubted: list[Run]) -> None:
    runs = [FAST, SLOW, *doubted]
    text = orjson.dumps(as_json({"machine": {"cores": 2}}, Wish(), {"ingest": runs}))
    said = orjson.loads(text)
    assert (said["machine"], said["wish"]["butts"]) == ({"cores": 2}, 399)
    found = said["benchmarks"]["ingest"]
    assert found["is_valid"] is not bool(doubted)
    assert found["medians"] == {"requests/s": 1_500.0, "p99 ms": 32.125}
    assert found["goals"] == {"requests/s": {"goal": "≥ 1500", "verdict": "reached"}}
    assert [run["figures"]["requests/s"] for run in found["runs"]] == [
        run.figures["requests/s"] for run in runs
    ]
    assert found["runs"][0]["processes"]["api"]["memory_mb"] == 80.0
