"""The rules tried on a simulated field, without a server."""

import json
from copy import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.evaluation_view import as_markdown
from cli.grid import BEGIN_MARK, END_MARK, missed_goals, trials, write_grid
from cli.main import app
from cli.trial import Result, Trial, run_trial
from simulators.evaluation import Evaluation, Judged, Verdict

SMALL = Trial(shots=480, noise_ms=20, loss=0.1)
runner = CliRunner()


@pytest.fixture(name="result", scope="module")
def _result() -> Result:
    """Two butts of four archers."""
    return run_trial(SMALL)


def test_a_field_gives_the_same_result_every_time(result: Result) -> None:
    assert run_trial(SMALL) == result


def test_no_landing_is_counted_twice_and_every_shot_is_judged(result: Result) -> None:
    assert result.ours.counted_twice == result.oracle.counted_twice == 0
    assert result.ours.total == result.oracle.total > 400
    assert result.ours.percent_right > 97
    assert result.ours.shots(first=True) + result.ours.shots(first=False) == result.ours.total


def test_clocks_that_are_seconds_apart_are_seen_through_by_when_messages_left() -> None:
    apart = run_trial(replace(SMALL, offset_s=2.0))
    assert apart.ours.percent_right > 97


def test_where_faces_are_the_archers_own_the_face_tells_them_apart() -> None:
    own = run_trial(replace(SMALL, own_faces=True, distance=18.0))
    assert own.ours.errors(first=False) <= 1
    assert own.ours.percent_right > 99


def test_the_field_is_evaluated_from_the_command_line() -> None:
    shown = runner.invoke(app, ["evaluate", "--field", "--shots", "480", "--json"])
    assert shown.exit_code == 0, shown.output
    (found,) = json.loads(shown.stdout)
    assert found["ours"]["shots"] == found["oracle"]["shots"]
    assert found["ours"]["counted_twice"] == 0
    tables = runner.invoke(app, ["evaluate", "--field", "--shots", "480"])
    assert "oracle" in tables.stdout and "Confidence" in tables.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "give one of --truth, --field and --grid"),
        (["--field", "--grid"], "give one of"),
        (["--truth", "nowhere.json"], "nowhere.json"),
        (["--field", "--shots", "480", "--write", "nowhere.md"], "nowhere.md"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(words: list[str], sentence: str) -> None:
    shown = runner.invoke(app, ["evaluate", *words])
    assert shown.exit_code == 2
    assert sentence in shown.stderr


def of(errors: int, *, ambiguous: int = 0, right: int = 1000) -> Evaluation:
    """An evaluation with so many errors, some of them said to be doubtful."""
    wrong = [Judged(f"w{n}", Verdict.WRONG_LANDING, 30, 0.6, n < ambiguous) for n in range(errors)]
    return Evaluation([*wrong, *(Judged(f"r{n}", Verdict.RIGHT, 30, 1.0) for n in range(right))])


@pytest.mark.parametrize(
    ("ours", "missed"),
    [
        (of(11, ambiguous=10), []),
        (of(12, ambiguous=12), ["times the oracle's errors"]),
        (of(10, ambiguous=8), ["of the wrong are ambiguous"]),
        (replace(of(0), counted_twice=1), ["counted twice"]),
        (
            Evaluation([Judged(str(n), Verdict.RIGHT, 30, 0.9, True) for n in range(100)]),
            ["of the right are ambiguous"],
        ),
    ],
)
def test_goals_that_are_missed_are_named(ours: Evaluation, missed: list[str]) -> None:
    found = missed_goals([Result(Trial(), ours, of(10))])
    assert len(found) == len(missed)
    assert all(words in sentence for words, sentence in zip(missed, found, strict=True))


def test_with_own_faces_a_tenth_of_the_errors_is_the_goal() -> None:
    shared = Result(Trial(), of(30, ambiguous=30), of(30))
    own = Result(Trial(own_faces=True), of(4, ambiguous=4), of(30))
    assert len(missed_goals([shared, own])) == 1
    assert missed_goals([shared, replace(own, ours=of(3))]) == []


def test_the_grid_has_every_distance_with_every_fault_and_offset() -> None:
    assert len(trials(240, 1)) == 15
    assert len({(t.distance, t.noise_ms, t.offset_s, t.own_faces) for t in trials(240, 1)}) == 15


def test_the_table_is_put_between_the_marks_of_a_document(tmp_path: Path, result: Result) -> None:
    path = tmp_path / "correlation.md"
    path.write_text(f"before\n{BEGIN_MARK}\nold\n{END_MARK}\nafter\n")
    write_grid(path, [result])
    text = path.read_text()
    assert as_markdown([result]) in text and "old" not in text
    assert text.startswith("before") and text.endswith("after\n")
    path.write_text("no marks")
    with pytest.raises(ValueError, match="has no"):
        write_grid(path, [result])
